"""The schema's versions: bring a database up to date, and say where it stands.

Alembic without an ini file: the versions travel inside the package, so that `tallyscan db upgrade` works from
any folder.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, make_url, text

from storage.engine import Database, make_engine, translated

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7_411_602_155
"""Number of PostgreSQL's advisory lock that keeps two migrations apart; any constant would do."""


def upgrade(database_url: str, *, revision: str = "head") -> None:
    """Bring the database to `revision`, making the SQLite file and its folder when there are none.

    Several processes may call this at once: one migrates, the others wait and find nothing left to do.

    Raises:
        DatabaseUnavailable: it does not answer.
    """
    _make_folder(database_url)
    engine = make_engine(database_url)
    try:
        with Database(engine).write() as connection:
            _lock(connection)
            command.upgrade(_config(connection), revision)
    finally:
        engine.dispose()


def downgrade(database_url: str, revision: str) -> None:
    """Take the database back to an earlier revision, `base` for an empty one."""
    engine = make_engine(database_url)
    try:
        with Database(engine).write() as connection:
            _lock(connection)
            command.downgrade(_config(connection), revision)
    finally:
        engine.dispose()


def current(database_url: str) -> str | None:
    """Return the revision that the database is at, or None for one that was never migrated."""
    engine = make_engine(database_url)
    try:
        return current_of(engine)
    finally:
        engine.dispose()


def current_of(engine: Engine) -> str | None:
    """Return the revision of an engine's database."""
    with translated(), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """Return the revision that this code expects."""
    revision = ScriptDirectory(str(_FOLDER)).get_current_head()
    if revision is None:
        message = "no migrations are installed"
        raise RuntimeError(message)
    return revision


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _lock(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})


def _make_folder(database_url: str) -> None:
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
