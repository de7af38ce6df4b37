"""Every setting, read from `TALLYSCAN_…` environment variables; pass the object in, never import one."""

import os
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl, quote

from platformdirs import user_data_path
from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MEBIBYTE = 1024 * 1024

MAX_TARGET_ERROR = 0.5
"""A reader that is wrong more often than right is of no use to anybody."""

ACTIVE_MODEL = "active"
"""As a model's name: the one that was promoted last, or the shipped default where none was."""

SHIPPED_MODEL = "digits"
"""The shipped default."""

_BEFORE = {
    "hard_time_limit_seconds": "soft_time_limit_seconds",
    "lease_seconds": "hard_time_limit_seconds",
    "visibility_timeout_seconds": "lease_seconds",
}
"""Times, each with the one that must be over first, or a healthy worker's document would be given to another."""

_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

_RATE = r"\s*0*[1-9][0-9]*\s*(?:/|per)\s*[0-9]*\s*(?:second|minute|hour|day|month|year)s?\s*"
_RATES = re.compile(rf"(?i){_RATE}(?:[,;|]{_RATE})*")
"""As the library takes them that counts requests; what it does not understand would limit nothing."""

_HOST = r"(?:[^:/]*(?::[^@]*)?@)?(?:\[[^/?]+\]|[^/:?]+)?(?::[0-9]+)?"
_DATABASE_URL = re.compile(
    r"(?:sqlite(?:\+pysqlite)?:///(?!:memory:)[^?]+"
    rf"|(?:postgres|postgresql(?:\+psycopg)?)://{_HOST}(?:/[^?]*)?)(?:\?.*)?"
)
"""As SQLAlchemy takes them apart, with the drivers that are installed. A database in memory is one process's own."""

_NUMBER, _COUNT, _FLAG = r"[0-9]+(?:\.[0-9]*)?", r"[0-9]+", r"(?i:true|yes|on|y|t|1|false|no|off|n|f|0)"
_SQLITE_OPTIONS = {
    "timeout": (_NUMBER, "a number of seconds"),
    "detect_types": (_COUNT, "a number"),
    "cached_statements": (_COUNT, "a number"),
    "check_same_thread": (_FLAG, "true or false"),
    "uri": (_FLAG, "true or false"),
}
"""Those whose values SQLAlchemy converts. PostgreSQL's own are looked at by its client, when it connects."""

_IN_MEMORY = re.compile(r"^sqlite[^?]*:memory:|^sqlite.*[?&]mode=memory(?:&|$)")

_FOLDER_URL = re.compile(r"(?:(?:file|local):(?://)?)?(?P<path>(?!(?:file|local):)(?!.*://)[^/].*)")
"""A relative path, as fsspec takes one for a folder of this machine, with or without a scheme."""

_RELATIVE_SQLITE = re.compile(r"(?P<driver>sqlite(?:\+\w+)?:///)(?!/|:memory:|file:)(?P<path>[^?]+)(?P<rest>.*)")


class Settings(BaseSettings):
    """How one installation runs. Every field is also an environment variable: `TALLYSCAN_MAX_PAGES=20`."""

    model_config = SettingsConfigDict(
        env_prefix="TALLYSCAN_",
        extra="forbid",
        frozen=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,  # an address may hold a password, and errors go into logs
    )

    home: Path = Field(
        default_factory=lambda: user_data_path("tallyscan"),
        validate_default=True,
        description="Folder of the embedded service.",
    )

    # Where things live; empty means the embedded default inside `home`.
    database_url: str = Field("", description="SQLAlchemy URL; default SQLite in the home folder.")
    broker_url: str = Field("", description="Redis or Valkey URL; default a unix socket in the home folder.")
    blob_url: str = Field("", description="fsspec URL for scans; default a folder in the home folder.")
    models: Path | None = Field(None, description="Folder of promoted models; default one in the home folder.")

    # Serving.
    host: str = Field("127.0.0.1", description="Address that the embedded service listens at.")
    port: int = Field(8080, ge=0, le=65535, description="Port that the embedded service listens at.")
    api_workers: int = Field(1, ge=1, description="gunicorn processes.")
    api_threads: int = Field(16, ge=2, description="Threads in each gunicorn process.")
    api_request_rate: str = Field(
        "600/second", description="Requests one API key may make, such as `100/minute` or `20/second; 500/10 minutes`."
    )
    max_wait_seconds: float = Field(30.0, ge=0, description="Longest long poll.")
    max_queued_documents: int = Field(100_000, ge=1, description="Documents that may wait before 429.")
    secret_key: str = Field("", description="Signs the page's cookie; default a file in the home folder.")
    callback_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Hosts that callback_url may name, comma separated; none by default."
    )

    # What is accepted.
    max_file_bytes: int = Field(32 * MEBIBYTE, ge=1, description="Bytes of one file.")
    max_request_bytes: int = Field(256 * MEBIBYTE, ge=1, description="Bytes of one request, batches too.")
    max_page_pixels: int = Field(40_000_000, ge=1, description="Pixels of one page.")
    max_page_side: int = Field(20_000, ge=1, description="Pixels of a page's longer side.")
    max_pages: int = Field(100, ge=1, description="Pages of one document.")
    max_batch_files: int = Field(5_000, ge=1, description="Files of one batch.")
    max_archive_bytes: int = Field(1024 * MEBIBYTE, ge=1, description="Bytes a ZIP may expand to.")
    max_archive_ratio: float = Field(200.0, ge=1, description="Expansion a ZIP member may have.")
    pdf_dpi: int = Field(300, ge=36, le=1200, description="Resolution for PDF pages that hold no scan.")
    preview_max_side: int = Field(1600, ge=64, description="Longer side of the stored page picture, in pixels.")

    # Working.
    worker_concurrency: int = Field(
        default_factory=lambda: max(1, os.cpu_count() or 1), ge=1, description="Worker processes."
    )
    max_attempts: int = Field(3, ge=1, description="Attempts before a document ends as failed.")
    soft_time_limit_seconds: int = Field(45, ge=1, description="Reading one page, before it fails clearly.")
    hard_time_limit_seconds: int = Field(
        60, ge=1, validate_default=True, description="Reading one page, before the process is killed."
    )
    lease_seconds: float = Field(
        90.0, gt=0, validate_default=True, description="Time a worker holds a document before it counts as lost."
    )
    sweep_seconds: float = Field(5.0, gt=0, description="Pause between sweeps.")
    redeliver_seconds: float = Field(60.0, gt=0, description="A queued document is sent again after this time.")
    visibility_timeout_seconds: int = Field(
        600, ge=60, validate_default=True, description="Broker's own redelivery; above the lease."
    )
    broker_socket_timeout_seconds: float = Field(60.0, gt=0, description="Silence on the broker's socket.")
    broker_connect_timeout_seconds: float = Field(2.0, gt=0, description="Connecting to the broker.")
    worker_max_memory_mib: int = Field(1024, ge=256, description="A worker process above this is replaced.")

    # Reading.
    model: str = Field(
        ACTIVE_MODEL, description="What reads: `active`, the id of a model in the registry, or a shipped one's name."
    )
    target_error: float = Field(
        0.01,
        gt=0,
        le=MAX_TARGET_ERROR,
        description="Share of accepted fields that may be wrong; a call may say another.",
    )
    calibration: Path | None = Field(None, description="File of `tallyscan calibrate` instead of the network's own.")
    accept_confidence: float | None = Field(
        None, ge=0, le=1, description="Accept from this confidence on, whatever `target_error` says."
    )

    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING, ERROR or CRITICAL.")
    log_json: bool = Field(True, description="Logs as JSON; else as lines for people.")

    @field_validator("home", "models", "calibration")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        # The service's processes run in the home folder: there a relative path would lead elsewhere.
        return path and _settled(path)

    @field_validator("blob_url")
    @classmethod
    def _absolute_folder(cls, url: str) -> str:
        found = _FOLDER_URL.fullmatch(url)
        return f"file://{_settled(Path(found['path']))}" if found else url

    @field_validator("database_url")
    @classmethod
    def _absolute_database(cls, url: str) -> str:
        url = url.strip()  # as files of secrets end
        if url and (not _DATABASE_URL.fullmatch(url) or _IN_MEMORY.search(url)):
            # Without the address itself, which may hold a password.
            raise ValueError(
                "it is no address of a database that Tallyscan knows, such as sqlite:////srv/tallyscan.db or "
                "postgresql+psycopg://user:password@host:5432/name"
            )
        _check_options(url)
        found = _RELATIVE_SQLITE.fullmatch(url)
        return f"{found['driver']}{Path(_quoted(Path.cwd())) / found['path']}{found['rest']}" if found else url

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, level: str) -> str:
        if level.upper() not in _LOG_LEVELS:
            raise ValueError(f"{level!r} is none of {', '.join(_LOG_LEVELS)}")
        return level.upper()

    @field_validator("api_request_rate")
    @classmethod
    def _known_rate(cls, rate: str) -> str:
        if not _RATES.fullmatch(rate):
            raise ValueError(f"{rate!r} is no rate such as 100/minute or 20/second; 500/10 minutes")
        return rate

    @field_validator(*_BEFORE)
    @classmethod
    def _in_order(cls, seconds: float, info: ValidationInfo) -> float:
        # The defaults are held to it, too: one time that is set alone can be at odds with another's default.
        before = _BEFORE[info.field_name or ""]
        if before in info.data and seconds <= info.data[before]:
            raise ValueError(f"{seconds:g} must be more than the {info.data[before]:g} of TALLYSCAN_{before.upper()}")
        return seconds

    @field_validator("callback_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        return tuple(host.strip() for host in value.split(",") if host.strip()) if isinstance(value, str) else value

    @property
    def resolved_database_url(self) -> str:
        """The database's URL, the embedded default filled in."""
        return self.database_url or f"sqlite:///{_quoted(self.home / 'tallyscan.db')}"

    @property
    def resolved_broker_url(self) -> str:
        """The broker's URL, the embedded default filled in."""
        return self.broker_url or f"redis+socket://{_quoted(self.broker_socket)}"

    @property
    def resolved_blob_url(self) -> str:
        """The blob store's URL, the embedded default filled in."""
        # fsspec takes the path as it stands, and undoes no quoting.
        return self.blob_url or f"file://{self.home / 'blobs'}"

    @property
    def models_folder(self) -> Path:
        """Where the models of this installation are kept, the embedded default filled in."""
        return self.models or self.home / "models"

    @property
    def broker_socket(self) -> Path:
        """Unix socket of the embedded broker."""
        return self.home / "broker.sock"

    @property
    def admin_key_file(self) -> Path:
        """File that holds the embedded service's first key, mode 0600."""
        return self.home / "admin.key"


def _settled(path: Path) -> Path:
    """Return a path that means the same in any folder: relative to the current one, `~` the user's own.

    Raises:
        ValueError: it begins with `~` and a name that no user has.
    """
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise ValueError(str(error)) from error


def _check_options(database_url: str) -> None:
    if not database_url.startswith("sqlite"):
        return
    given = parse_qsl(database_url.partition("?")[2])
    for name, (pattern, meaning) in _SQLITE_OPTIONS.items():
        values = [value for option, value in given if option == name]
        if len(values) > 1 or not all(re.fullmatch(pattern, value) for value in values):
            raise ValueError(f"its option {name!r} must be {meaning}, given once")


def _quoted(path: Path) -> str:
    """Return a path as it stands in a URL whose reader undoes the quoting: SQLAlchemy and the broker's clients do."""
    return quote(os.fsencode(path))
