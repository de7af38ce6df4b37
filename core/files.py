"""What any part that writes files needs of the system: whole files or none, and a word for a full disk."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def is_full_disk(error: OSError) -> bool:
    """Return whether no space, or none of the user's, was left."""
    return error.errno in _FULL


@contextmanager
def written_at_once(path: Path) -> Iterator[Path]:
    """Yield where to write a file that takes its place at `path`, whole, once the block ends; not if it fails."""
    partial = path.with_name(f"{path.name}.part")
    yield partial
    partial.replace(path)


def sync_folder(path: Path) -> None:
    """See that the names in a folder outlive a power cut."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
