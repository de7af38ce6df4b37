"""The files of a run's folder: read with a word about which one is damaged, and written whole, once."""

import csv
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from zipfile import BadZipFile, ZipFile, is_zipfile

from core.errors import InvalidRequest

DAMAGE: Final[tuple[type[Exception], ...]] = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
    csv.Error,
    BadZipFile,
    zlib.error,
)
"""What JSON, tables, NumPy, Keras and TensorFlow's checkpoints raise on files that are cut short or another's."""


_SAVED_WHEN: Final = "metadata.json"
_ADDRESS: Final = re.compile(rb'"shared_object_id": \d+')
"""What of Keras's archives is another each time, though the network is the same."""


@contextmanager
def readable(path: Path, *, damage: tuple[type[Exception], ...] = DAMAGE) -> Iterator[Path]:
    """Yield `path`, and say of whatever goes wrong while it is read that the file is to blame.

    Raises:
        InvalidRequest: in place of anything in `damage`.
    """
    try:
        yield path
    except damage as error:
        raise InvalidRequest(
            f"The run cannot go on: {path} is missing, damaged, or of another version of Tallyscan."
        ) from error


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Put the file that `write` makes at `path`, at once; what is there and says the same stays as it is.

    Args:
        path: where the file goes.
        write: makes it at the path that it is given.
    """
    # Keras and NumPy go by how a name ends.
    made = path.with_name(f"part-{path.name}")
    write(made)
    if _content(path) == _content(made):
        made.unlink()
    else:
        made.replace(path)


def _content(path: Path) -> object:
    """Return what tells the file from others: its bytes, or an archive's members; None where it is damaged."""
    try:
        if not is_zipfile(path):
            return path.read_bytes()
        with ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name != _SAVED_WHEN]
            return {name: _ADDRESS.sub(b"", archive.read(name)) for name in names}
    except (OSError, EOFError, BadZipFile, zlib.error):
        return None
