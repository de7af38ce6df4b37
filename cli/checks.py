"""The checks behind `tallyscan doctor`: each looks at one thing, changes nothing that stays, and names the remedy."""

import contextlib
import os
import platform
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from importlib import import_module, metadata

from packaging.requirements import Requirement

from cli.client import Client
from cli.endpoint import Endpoint, announced_url
from cli.supervisor.home import is_open
from core.errors import DatabaseUnavailable, TallyscanError
from core.settings import MEBIBYTE, Settings

OLDEST_PYTHON = (3, 11)
LEAST_FREE_BYTES = 256 * MEBIBYTE
SCARCE_FREE_BYTES = 2048 * MEBIBYTE
NATIVE = ("cv2", "ai_edge_litert.interpreter", "pypdfium2", "PIL.Image")
"""Packages with compiled parts: installed is not enough, they must load on this machine."""

SHORT_ID = 12
"""Digits of a SHA-256 that are enough for people."""

PREFIX = "TALLYSCAN_"
OTHERS = frozenset(
    f"{PREFIX}{name}"
    for name in ("URL", "KEY", "DATA", "BIND", "REDIS_PORT", "FUZZ_COUNT", "TEST_IDLE_SECONDS", "COMPLETE")
)
"""Variables of clients, containers, tests and shells, which are no settings of the service."""

RECALIBRATE = "Calibrate anew: tallyscan calibrate LABELS --out FILE, and TALLYSCAN_CALIBRATION=FILE"

START = "Start the service: tallyscan up"


class State(StrEnum):
    """How a check came out."""

    OK = "ok"
    NOTE = "note"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; `remedy` says what to do where there is something to do."""

    check: str
    state: State
    detail: str
    remedy: str = ""


def examine(settings: Settings, endpoint: Endpoint, *, named: bool) -> Iterator[Finding]:
    """Yield what each check finds.

    Args:
        settings: of the installation.
        endpoint: the service to reach.
        named: whether the person named that service, so that its absence is a fault.
    """
    checks: tuple[tuple[str, Callable[[], Finding]], ...] = (
        ("python", _python),
        ("packages", _packages),
        ("native parts", _native),
        ("training extra", _extra),
        ("settings", _settings),
        ("home folder", lambda: _home(settings)),
        ("disk space", lambda: _disk(settings)),
        ("database", lambda: _database(settings)),
        ("blob store", lambda: _blobs(settings)),
        ("broker", lambda: _broker(settings)),
        ("network", lambda: _network(settings)),
        ("service", lambda: _service(settings, endpoint, named=named)),
    )
    for name, check in checks:
        yield _guarded(name, check)


def _guarded(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except TallyscanError as error:
        return Finding(name, State.BROKEN, f"{error} ({error.code})", _REMEDIES.get(name, ""))
    except ValueError as error:
        # A part of an address that is none, such as half a password for a port, is in the library's words.
        told = f"{_ADDRESSES[name]} is no address" if name in _ADDRESSES else str(error)
        return Finding(name, State.BROKEN, f"{type(error).__name__}: {told}", _REMEDIES.get(name, ""))
    except Exception as error:  # noqa: BLE001 - a check that breaks is a finding, and the others must still run
        return Finding(name, State.BROKEN, f"{type(error).__name__}: {error}", _REMEDIES.get(name, ""))


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        return Finding("python", State.BROKEN, version, "Install Python 3.11 or later, and Tallyscan with it.")
    return Finding("python", State.OK, f"{version} in {sys.prefix}")


def _packages() -> Finding:
    try:
        lines = metadata.requires("tallyscan") or []
    except metadata.PackageNotFoundError:
        return Finding("packages", State.BROKEN, "tallyscan itself is not installed", "Run: make .venv/.runtime")
    wanted = [Requirement(line) for line in lines]
    here = [each for each in wanted if not each.marker or each.marker.evaluate({"extra": ""})]
    faults = [fault for each in here if (fault := _fault(each))]
    if faults:
        return Finding("packages", State.BROKEN, "; ".join(faults), _REMEDIES["packages"])
    return Finding("packages", State.OK, f"tallyscan {metadata.version('tallyscan')} with all it needs")


def _native() -> Finding:
    for name in NATIVE:
        import_module(name)
    return Finding("native parts", State.OK, "OpenCV, LiteRT, pdfium and Pillow load")


def _extra() -> Finding:
    try:
        return Finding("training extra", State.OK, f"tensorflow {metadata.version('tensorflow')}")
    except metadata.PackageNotFoundError:
        return Finding("training extra", State.OK, "not installed; only training needs it")


def _settings() -> Finding:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | OTHERS
    given = sorted(name for name in os.environ if name.startswith(PREFIX))
    unknown = [name for name in given if name not in known]
    if not unknown:
        return Finding("settings", State.OK, f"{len(given)} from {PREFIX}…" if given else "all as by default")
    likely = [get_close_matches(name, known, n=1) for name in unknown]
    meant = [f"{name}: {close[0]}?" for name, close in zip(unknown, likely, strict=True) if close]
    remedy = f"Spell it as docs/settings.md does. {' '.join(meant)}".strip()
    return Finding("settings", State.BROKEN, f"nothing knows {', '.join(unknown)}", remedy)


def _home(settings: Settings) -> Finding:
    home = settings.home
    if not home.exists():
        return Finding("home folder", State.NOTE, f"{home} is not there yet", "The first 'tallyscan up' makes it.")
    if not home.is_dir() or not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        return Finding("home folder", State.BROKEN, f"{home} cannot be written", f"Own it: chown -R $USER {home}")
    if is_open(home):
        return Finding("home folder", State.NOTE, f"{home} is open to other users", f"Close it: chmod 700 {home}")
    key = settings.admin_key_file
    if key.exists() and is_open(key):
        return Finding("home folder", State.BROKEN, f"{key} can be read by other users", f"Close it: chmod 600 {key}")
    return Finding("home folder", State.OK, f"{home}, with its key in {key}" if key.exists() else str(home))


def _disk(settings: Settings) -> Finding:
    folder = next(folder for folder in (settings.home.absolute(), *settings.home.absolute().parents) if folder.exists())
    free = shutil.disk_usage(folder).free
    detail = f"{free / MEBIBYTE:,.0f} MiB free at {folder}"
    if free < LEAST_FREE_BYTES:
        return Finding("disk space", State.BROKEN, detail, "Free some space, or move the home folder: TALLYSCAN_HOME.")
    return Finding("disk space", State.OK if free >= SCARCE_FREE_BYTES else State.NOTE, detail)


def _database(settings: Settings) -> Finding:
    from storage.migrate import current, head

    if not settings.database_url and not (settings.home / "tallyscan.db").exists():
        return Finding("database", State.NOTE, "not made yet", "The first 'tallyscan up' makes it.")
    version = current(settings.resolved_database_url)
    if version != head():
        detail = f"schema {version or 'missing'}, this version needs {head()}"
        return Finding("database", State.BROKEN, detail, "Run: tallyscan db upgrade")
    return Finding("database", State.OK, f"answers, schema {version}")


def _blobs(settings: Settings) -> Finding:
    from storage.blobs import BlobStore

    if not settings.blob_url and not settings.home.exists():
        return Finding("blob store", State.NOTE, "not made yet", "The first 'tallyscan up' makes it.")
    store = BlobStore.open(settings.resolved_blob_url)
    if not store.is_made() and _has_scans(settings):
        # A probe would make this folder one of scans, and it may be the bare mount point of a volume that is away.
        detail = f"{settings.resolved_blob_url} holds no scans, though the database knows some"
        return Finding("blob store", State.BROKEN, detail, "Mount its volume; see docs/operations.md.")
    probe = secrets.token_bytes(32)
    digest = store.put(probe)
    try:
        whole = store.get(digest) == probe
    finally:
        store.delete(digest)
    if not whole:
        return Finding("blob store", State.BROKEN, "gives back other bytes than it was given", _REMEDIES["blob store"])
    return Finding("blob store", State.OK, "writes, reads and deletes")


def _has_scans(settings: Settings) -> bool:
    """Return whether the database knows scans; where it does not answer, its own check says so."""
    from cli.keys import has_database
    from storage.store import Store

    if not has_database(settings):
        return False
    store = Store.open(settings)
    try:
        return store.refers_to_blobs()
    except DatabaseUnavailable:
        return False
    finally:
        store.dispose()


def _broker(settings: Settings) -> Finding:
    if not settings.broker_url and announced_url(settings) is None:
        return Finding("broker", State.NOTE, "runs with the service, which is not running", START)
    from core.queue import Dispatcher

    dispatcher = Dispatcher(settings)
    try:
        dispatcher.ping()
    finally:
        dispatcher.close()
    return Finding("broker", State.OK, "answers")


def _network(settings: Settings) -> Finding:
    from worker.networks import open_model

    networks = open_model(settings)
    info = networks.info
    kind = "shipped" if networks.model_id is None else "promoted"
    detail = f"{networks.name[:SHORT_ID]} ({kind}) {info.version}, SHA-256 {info.sha256[:SHORT_ID]}… as in its manifest"
    if not networks.are_calibrated:
        detail = f"{detail}; its calibration was made for other networks, and its confidences mean little"
        return Finding("network", State.NOTE, detail, RECALIBRATE)
    return Finding("network", State.OK, detail)


def _service(settings: Settings, endpoint: Endpoint, *, named: bool) -> Finding:
    if not named and announced_url(settings) is None:
        return Finding("service", State.NOTE, f"not running from {settings.home}", START)
    with Client(endpoint) as client:
        report = client.ready()
        if faults := [f"{part}: {state}" for part, state in report.get("checks", {}).items() if state != "ok"]:
            detail = f"{endpoint.url} is not ready: {'; '.join(faults)}"
            return Finding(
                "service", State.BROKEN, detail, "Its logs say why; the embedded service's are in HOME/logs."
            )
        session = client.session()
    scopes = ", ".join(session.scopes)
    return Finding("service", State.OK, f"{endpoint.url} is ready; this key is {session.owner}'s, for {scopes}")


def _fault(requirement: Requirement) -> str:
    with contextlib.suppress(metadata.PackageNotFoundError):
        version = metadata.version(requirement.name)
        fits = requirement.specifier.contains(version, prereleases=True)
        return "" if fits else f"{requirement.name} {version} does not fit {requirement.specifier}"
    return f"{requirement.name} is missing"


_ADDRESSES = {
    "database": "TALLYSCAN_DATABASE_URL",
    "blob store": "TALLYSCAN_BLOB_URL",
    "broker": "TALLYSCAN_BROKER_URL",
}
"""Checks of what lies at an address that may hold a password."""

_REMEDIES = {
    "packages": "Install what the lock names: pip install --require-hashes -r requirements.lock",
    "native parts": "Install what the lock names: pip install --require-hashes -r requirements.lock",
    "database": "See that the database of TALLYSCAN_DATABASE_URL runs and lets this user in.",
    "blob store": "See that the place of TALLYSCAN_BLOB_URL is there and can be written.",
    "broker": "See that the broker of TALLYSCAN_BROKER_URL runs; the embedded one starts with 'tallyscan up'.",
    "network": "Go back to the model before: tallyscan models rollback. Where a shipped one is broken, install again.",
    "service": "See that the service runs and that --url and --key are right; 'tallyscan keys create' makes a key.",
}
