"""The broker's append-only file, when a power cut or a failing disk has damaged it: the broker would never start again.

What it held is nothing but ids: the database has every document that waits, and the sweeper sends them once more.
"""

from pathlib import Path

from cli.supervisor.logs import tail

FOLDER = "appendonlydir"
"""What Valkey calls it, in the broker's folder."""

STARTING = "Valkey is starting"
"""The first line of each of its runs, in a log that all of them share."""

COMPLAINTS = (
    "Bad file format reading the append only file",
    "Unexpected end of file reading the append only file",
    "FATAL AOF MANIFEST FILE ERROR",
    "Unable to obtain the AOF file",
)
"""How it says that it cannot load the file; it ends then."""

RUN_LINES = 100
"""More than a run has written by then."""


def was_found_damaged(log: Path) -> bool:
    """Return whether the broker ended its last run because it could not load its append-only file."""
    last_run = tail(log, lines=RUN_LINES).rpartition(STARTING)[2]
    return any(complaint in last_run for complaint in COMPLAINTS)


def put_aside(broker: Path) -> Path | None:
    """Rename the append-only file in the folder `broker` and return its new name; None where there is none.

    Raises:
        OSError: it cannot be renamed.
    """
    journal = broker / FOLDER
    if not journal.exists():
        return None
    aside, number = broker / f"{FOLDER}.damaged", 1
    while aside.exists():
        number += 1
        aside = broker / f"{FOLDER}.damaged.{number}"
    return journal.rename(aside)
