"""What has been sent where, in a small SQLite file: it makes a killed `submit` resumable.

Before the first byte goes out, the ledger holds the run's random token, and every upload's Idempotency-Key is derived
from it (`upload_key`). So even a kill between the service's answer and our note of it cannot send a file twice: the
next run derives the same key, and the service answers with the same document.
"""

import hashlib
import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from core.errors import InvalidRequest

LEDGER_FILE = "submissions.db"

MAX_NAME_LENGTH = 255
"""Characters of a batch's name that a service takes."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY, service TEXT NOT NULL, purpose TEXT NOT NULL, name TEXT NOT NULL, token TEXT NOT NULL,
    options TEXT NOT NULL, batch_id TEXT
);
CREATE INDEX IF NOT EXISTS runs_by_purpose ON runs (service, purpose);
CREATE TABLE IF NOT EXISTS files (
    run_id INTEGER NOT NULL REFERENCES runs (id), path BLOB NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL, round INTEGER NOT NULL, state TEXT NOT NULL, document_id TEXT, in_batch INTEGER,
    code TEXT, message TEXT,
    PRIMARY KEY (run_id, path)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS labels (
    run_id INTEGER NOT NULL REFERENCES runs (id), path BLOB NOT NULL, label TEXT NOT NULL,
    PRIMARY KEY (run_id, path)
) WITHOUT ROWID;
"""
"""A table that earlier versions did not know is made in their ledgers, too, and they pass it over."""


class State(StrEnum):
    """Where a file of a run stands."""

    SENT = "sent"
    REFUSED = "refused"
    FILING = "filing"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one content of a path from another without reading it."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """Return the stamp of the file as it is now."""
        stat = path.stat()
        return cls(stat.st_size, stat.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger knows of one file.

    Attributes:
        path: as the person named it; absolute in the ledger.
        round: grows when a finished file of a watched folder comes again, so that it is sent again.
        document_id: the service's id, once sent.
        in_batch: whether that document belongs to the run's batch (a reused duplicate does not).
        code, message: why the service refused the file, where it did.
    """

    path: Path
    stamp: Stamp
    sha256: str
    round: int
    state: State
    document_id: str | None = None
    in_batch: bool = True
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One submission: where to, under which name, with which options."""

    id: int
    name: str
    token: str
    batch_id: str | None
    options: dict[str, Any]


def run_name(name: str, *, ending: str = "") -> str:
    """Return a run's name, which its batch bears, too: `name` as text that can be stored, cut off before `ending`."""
    # The name of a folder need not be text.
    return name.encode("utf-8", "replace").decode("utf-8")[: MAX_NAME_LENGTH - len(ending)] + ending


def upload_key(run: Run, path: Path, *, sha256: str, round: int) -> str:  # noqa: A002 - the word of the table
    """Return the Idempotency-Key of an upload: the same for every try, another for other content."""
    parts = (run.token.encode(), _stored(path), sha256.encode(), str(round).encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


class Ledger:
    """The file; safe to use from several threads."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def start(self, service: str, *, purpose: str, name: str, options: dict[str, Any]) -> Run:
        """Note a new run before anything of it is sent."""
        token = secrets.token_hex(16)
        with self._write() as db:
            cursor = db.execute(
                "INSERT INTO runs (service, purpose, name, token, options) VALUES (?, ?, ?, ?, ?)",
                (service, purpose, name, token, json.dumps(options, sort_keys=True)),
            )
            return Run(int(cursor.lastrowid or 0), name, token, None, options)

    def find(self, service: str, *, purpose: str) -> Run | None:
        """Return the newest run of that purpose, else None."""
        query = "SELECT id, name, token, batch_id, options FROM runs WHERE service = ? AND purpose = ? ORDER BY id DESC"
        with self._lock:
            row = self._db.execute(query, (service, purpose)).fetchone()
        return Run(row[0], row[1], row[2], row[3], json.loads(row[4])) if row else None

    def set_batch(self, run: Run, batch_id: str) -> Run:
        """Note which batch the run fills."""
        with self._write() as db:
            db.execute("UPDATE runs SET batch_id = ? WHERE id = ?", (batch_id, run.id))
        return Run(run.id, run.name, run.token, batch_id, run.options)

    def entry(self, run: Run, path: Path) -> Entry | None:
        """Return what is known of a file, else None."""
        with self._lock:
            row = self._db.execute(f"{_SELECT} AND path = ?", (run.id, _stored(path))).fetchone()
        return _entry(row) if row else None

    def entries(self, run: Run, *states: State) -> list[Entry]:
        """Return the run's files that stand so."""
        marks = ", ".join("?" * len(states))
        with self._lock:
            rows = self._db.execute(f"{_SELECT} AND state IN ({marks}) ORDER BY path", (run.id, *states)).fetchall()
        return [_entry(row) for row in rows]

    def label(self, run: Run, path: Path, *, proposed: str) -> str:
        """Return what a file is called at the service: as was proposed when it was first asked for.

        The name is part of what an Idempotency-Key stands for, and which paths a person names may change from one try
        to the next.
        """
        key = (run.id, _stored(path))
        with self._write() as db:
            db.execute("INSERT OR IGNORE INTO labels VALUES (?, ?, ?)", (*key, proposed))
            row = db.execute("SELECT label FROM labels WHERE run_id = ? AND path = ?", key).fetchone()
        return str(row[0])

    def record(self, run: Run, entry: Entry) -> None:
        """Note what became of a file."""
        values = (
            run.id,
            _stored(entry.path),
            entry.stamp.size,
            entry.stamp.mtime_ns,
            entry.sha256,
            entry.round,
            entry.state,
            entry.document_id,
            entry.in_batch,
            entry.code,
            entry.message,
        )
        with self._write() as db:
            db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


_SELECT = (
    "SELECT path, size, mtime_ns, sha256, round, state, document_id, in_batch, code, message"
    " FROM files WHERE run_id = ?"
)


@contextmanager
def open_ledger(home: Path) -> Iterator[Ledger]:
    """Yield the ledger in the home folder.

    Raises:
        InvalidRequest: the folder cannot be used.
    """
    try:
        ledger = Ledger(home / LEDGER_FILE)
    except (OSError, sqlite3.Error) as error:
        raise InvalidRequest(f"Cannot keep the ledger of submissions in {home}: {error}.") from error
    try:
        yield ledger
    finally:
        ledger.close()


def _entry(row: tuple[Any, ...]) -> Entry:
    path, size, mtime_ns, sha256, round_, state, document_id, in_batch, code, message = row
    stamp = Stamp(size, mtime_ns)
    return Entry(
        Path(os.fsdecode(path)), stamp, sha256, round_, State(state), document_id, bool(in_batch), code, message
    )


def _stored(path: Path) -> bytes:
    return os.fsencode(path.absolute())  # a name need not be text
