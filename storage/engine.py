"""The engine, and the two kinds of transaction that repositories open: `Database.read` and `Database.write`.

SQLite: WAL, so that readers never wait for the writer; writers say BEGIN IMMEDIATE, because a transaction that starts
by reading and writes later cannot wait for another writer and fails at once instead. PostgreSQL: psycopg 3.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import DatabaseUnavailable, InvalidRequest, StorageFull

BUSY_TIMEOUT_SECONDS = 10.0
"""How long a SQLite writer waits for another; each holds the lock for milliseconds."""

POOL_TIMEOUT_SECONDS = 10.0
CONNECT_TIMEOUT_SECONDS = 5
POOL_SIZE = 5
POOL_OVERFLOW = 27
"""With POOL_SIZE enough for every thread of one API process, long polls included."""

_READ_ONLY = "tallyscan_read_only"
_RELAXED = "tallyscan_relaxed"
_DISK_FULL_SQLSTATE = "53100"
_NO_SYNC = text("SET LOCAL synchronous_commit TO OFF")
_ADVISORY_LOCK = text("SELECT pg_advisory_xact_lock(:number)")


def make_engine(database_url: str, *, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS) -> Engine:
    """Return an engine for a SQLite file or a PostgreSQL database; nothing is connected yet."""
    url = _with_driver(make_url(database_url))
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, busy_timeout_seconds)
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "application_name": "tallyscan",
            "options": _server_options(url),
        },
    )


class Database:
    """Opens transactions on one engine, and turns the driver's errors into those of `core.errors`."""

    def __init__(self, engine: Engine) -> None:
        """Keep the engine; connections are made when first needed."""
        self.engine = engine
        self._reader = engine.execution_options(**_read_options(engine))
        self._relaxed = engine.execution_options(**{_RELAXED: True})

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite, where a write transaction has the whole database to itself."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one moment of the database and takes no lock."""
        with translated(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Connection]:
        """Yield a connection whose changes are committed together at the end, or not at all.

        Args:
            durable: False where a power cut may undo the change, for the work is then simply done again. SQLite saves
                a disk sync; a killed process loses nothing either way.
        """
        with translated(), (self.engine if durable else self._relaxed).begin() as connection:
            yield connection

    def hurry(self, connection: Connection) -> None:
        """Have this transaction not wait for PostgreSQL's disk: its loss in a power cut costs next to nothing.

        Claims and readings wait: there a crash of the server shall not undo what a caller has seen.
        """
        if not self.is_sqlite:
            connection.execute(_NO_SYNC)

    def lock(self, connection: Connection, digests: Iterable[str]) -> None:
        """Keep other transactions from creating or deleting documents with these SHA-256s until this one ends."""
        if self.is_sqlite:
            return  # a write transaction has the whole database to itself
        for digest in sorted(digests):
            # The first 63 bits: two digests that share them merely wait for each other.
            connection.execute(_ADVISORY_LOCK, {"number": int(digest[:16], 16) >> 1})


def check_text(*texts: str | None) -> None:
    """Return when the texts can be stored, in either kind of database.

    Raises:
        InvalidRequest: one holds NUL.
    """
    # PostgreSQL refuses NUL by itself; SQLite keeps it, and then some reader cuts the text short.
    if any("\0" in text for text in texts if text):
        raise InvalidRequest("A text holds characters that cannot be stored.")


@contextmanager
def translated() -> Iterator[None]:
    """Raise the driver's errors as what they mean for a caller.

    Raises:
        StorageFull: no space is left.
        DatabaseUnavailable: locked, gone, not migrated: trying again may help.
        InvalidRequest: a text that the database cannot hold.
    """
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        raise _meaning(error) from error
    except UnicodeEncodeError as error:
        raise InvalidRequest("A text holds characters that cannot be stored.") from error


def _meaning(error: DBAPIError | PoolTimeout) -> Exception:
    if isinstance(error, IntegrityError):
        return error
    if isinstance(error, DataError):
        return InvalidRequest("A value cannot be stored.")
    if isinstance(error, DBAPIError) and _is_full(error.orig):
        return StorageFull()
    return DatabaseUnavailable()


def _is_full(error: BaseException | None) -> bool:
    return getattr(error, "sqlstate", None) == _DISK_FULL_SQLSTATE or "disk is full" in str(error)


def _read_options(engine: Engine) -> dict[str, Any]:
    if engine.dialect.name == "sqlite":
        return {_READ_ONLY: True}
    # One snapshot for all statements, so that a document never comes back with another moment's pages.
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _with_driver(url: URL) -> URL:
    """Return `url` with psycopg 3 for PostgreSQL, whichever way it was spelt."""
    if url.drivername in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg")
    return url


def _server_options(url: URL) -> str:
    """Return what the server is told with each connection: no compiling of queries, and what the URL's `options` say.

    The sweeper's queries look at few rows of a long queue. Taking them for expensive, PostgreSQL compiles each for
    seconds. The URL has the last word.
    """
    given = url.query.get("options", ())
    return " ".join(["-c jit=off", *((given,) if isinstance(given, str) else given)])


def _sqlite(url: URL, busy_timeout_seconds: float) -> Engine:
    engine = create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        # The URL has the last word on how long to wait; that transactions are begun here is no matter of choice.
        connect_args={
            "isolation_level": None,
            **({} if "timeout" in url.query else {"timeout": busy_timeout_seconds}),
        },
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # The driver's own BEGIN is off (isolation_level None): it would come late, and deferred.
    options = connection.get_execution_options()
    if options.get(_READ_ONLY, False):
        connection.exec_driver_sql("BEGIN")
        return
    # FULL for what callers were promised: a 202 survives a power cut, while NORMAL syncs only at checkpoints.
    connection.exec_driver_sql(f"PRAGMA synchronous={'NORMAL' if options.get(_RELAXED, False) else 'FULL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
