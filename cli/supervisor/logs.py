"""The children's logs: one file a role in `home/logs`, cut off before it fills the disk."""

import shutil
from pathlib import Path
from typing import BinaryIO

MAX_LOG_BYTES = 20_000_000


def log_file(home: Path, name: str) -> Path:
    """Return where the role called `name` writes."""
    return home / "logs" / f"{name}.log"


def open_log(path: Path) -> BinaryIO:
    """Open for appending: after `trim` every writer goes on at the new end."""
    return path.open("ab", buffering=0)


def trim(path: Path, *, max_bytes: int = MAX_LOG_BYTES) -> None:
    """Move a log that has grown too long to `.1`, by copying: the children hold it open.

    Raises:
        OSError: it could not be copied, and is as it was.
    """
    if path.exists() and path.stat().st_size > max_bytes:
        copy = path.with_suffix(".log.1")
        try:
            shutil.copyfile(path, copy)
        except OSError:
            copy.unlink(missing_ok=True)  # half a copy on a full disk: give the room back
            raise
        with path.open("r+b") as file:
            file.truncate(0)


def tail(path: Path, *, lines: int = 15) -> str:
    """Return the last lines, for a person who asks why it did not start."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 16_384))
        return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
