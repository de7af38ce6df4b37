"""Which files a command works on: those named, and those in the folders named that are scans."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from core.errors import InvalidRequest, PayloadTooLarge, UnreadableImage, UnsupportedMediaType
from core.media import SNIFF_BYTES, ZIP, sniff

SCAN_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".pdf"})

CHUNK_BYTES = 1024 * 1024

STANDARD_INPUT = Path("/dev/stdin")
"""What standard input is called; it is read by its descriptor: the name opens no socket, and no other user's file."""

STANDARD_INPUT_DESCRIPTOR = 0


class ScanPath(click.Path):
    """A file or folder that is there; `-` stands for what comes through a pipe, as it does elsewhere."""

    def __init__(self) -> None:
        super().__init__(exists=True, path_type=Path)

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """Return the path."""
        # Whether the name could be opened does not matter: it is not.
        return STANDARD_INPUT if value == "-" else super().convert(value, param, ctx)


paths_argument = click.argument("paths", nargs=-1, metavar="PATH...", type=ScanPath())


def find_scans(paths: Iterable[Path]) -> list[Path]:
    """Return the files to read: every file named, and the scans under every folder named, in order, each once.

    A folder's file counts as a scan by its name's ending or by its first bytes, so that a scan under a wrong name
    is read, and a damaged one is reported instead of passed over.

    Raises:
        InvalidRequest: no path was given, or there is no scan in any of them.
    """
    found = list(dict.fromkeys(scan for path in paths for scan in _expand(path)))
    if not found:
        raise InvalidRequest(
            "There is no scan to read: name files, or folders that hold PNG, JPEG, BMP, WebP, TIFF or PDF."
        )
    return found


class Labels:
    """What scans are called at the service: by their folders inside the one that was named, with `/` between.

    Of several folders, each scan's label begins with the name of its own; where two of these are called alike, with the
    folders below the one that all lie in.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        """Look now which of the named paths are folders."""
        folders = {_absolute(path) for path in paths if path.is_dir()}
        one_each = len({folder.name for folder in folders}) == len(folders)
        if len(folders) < 2:
            self._prefixes = dict.fromkeys(folders, Path())
        elif one_each:
            self._prefixes = {folder: Path(folder.name) for folder in folders}
        else:
            common = os.path.commonpath([folder.parent for folder in folders])
            self._prefixes = {folder: folder.relative_to(common) for folder in folders}

    def of(self, scan: Path) -> str:
        """Return the label of a scan as it was found; a file that lies in no named folder is called by its name."""
        place = _absolute(scan)
        for folder in place.parents:
            if folder in self._prefixes:
                return (self._prefixes[folder] / place.relative_to(folder)).as_posix()
        return scan.name


def is_scan(path: Path) -> bool:
    """Return whether an entry of a folder is taken for a scan; pipes, sockets and devices are left where they are."""
    if _is_special(path):
        return False
    if path.suffix.lower() in SCAN_SUFFIXES:
        return True
    try:
        with path.open("rb") as stream:
            return sniff(stream.read(SNIFF_BYTES)) not in {None, ZIP}
    except OSError:
        return False


def _absolute(path: Path) -> Path:
    """Return the path from the root without `.` and `..`; links keep the names that they were called by."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links


def _is_special(path: Path) -> bool:
    """Return whether something is there that is no file: opening a pipe waits until somebody writes into it."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:  # a dangling link, say, is reported when it is read
        return False


def load_scan(path: Path, *, max_bytes: int) -> bytes:
    """Return the bytes of a scan.

    Raises:
        PayloadTooLarge: it has more than `max_bytes`.
        UnsupportedMediaType: it is empty, which the service answers in the same way.
        UnreadableImage: the file cannot be opened.
    """
    try:
        if path != STANDARD_INPUT and (size := path.stat().st_size) > max_bytes:
            raise PayloadTooLarge(f"The file has {size} bytes; at most {max_bytes} are accepted.")
        data = _read(path, max_bytes=max_bytes)
    except OSError as error:
        raise UnreadableImage(f"The file cannot be opened: {error.strerror}.") from error
    if not data:
        raise UnsupportedMediaType("The file is empty.")
    return data


def _read(path: Path, *, max_bytes: int) -> bytes:
    """Return what a file holds; of a pipe or device, which tell no size, no more is taken than is accepted."""
    data = bytearray()
    for part in _parts(path):
        data += part
        if len(data) > max_bytes:
            raise PayloadTooLarge(f"The file has more than the {max_bytes} bytes that are accepted.")
    return bytes(data)


def _parts(path: Path) -> Iterator[bytes]:
    if path == STANDARD_INPUT:
        yield from iter(lambda: os.read(STANDARD_INPUT_DESCRIPTOR, CHUNK_BYTES), b"")
        return
    with path.open("rb") as stream:
        yield from iter(lambda: stream.read(CHUNK_BYTES), b"")


def _expand(path: Path) -> Iterator[Path]:
    if path == STANDARD_INPUT or not path.is_dir():
        yield path
        return
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = Path(folder, name)
            if not name.startswith(".") and is_scan(file):
                yield file
