"""Which files a command works on: those named, and those in the folders named that are scans."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from core.errors import InvalidRequest, PayloadTooLarge, UnreadableImage, UnsupportedMediaType
from core.media import SNIFF_BYTES, ZIP, sniff

SCAN_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".pdf"})

CHUNK_BYTES = 1024 * 1024

STANDARD_INPUT = Path("/dev/stdin")


class ScanPath(click.Path):
    """A file or folder that is there; `-` stands for what comes through a pipe, as it does elsewhere."""

    def __init__(self) -> None:
        super().__init__(exists=True, path_type=Path)

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """Return the path."""
        return super().convert(str(STANDARD_INPUT) if value == "-" else value, param, ctx)


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


def label_of(scan: Path, paths: Sequence[Path]) -> str:
    """Return what a scan is called at the service: by its folders inside the one that was named, with `/` between.

    Args:
        scan: as it was found.
        paths: what was named; of several folders, each scan's label begins with the name of its own.
    """
    folders = [path for path in paths if path.is_dir()]
    for folder in folders:
        if scan.is_relative_to(folder):
            inside = scan.relative_to(folder)
            return (folder.resolve().name / inside if len(folders) > 1 else inside).as_posix()
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
        size = path.stat().st_size
        if size > max_bytes:
            raise PayloadTooLarge(f"The file has {size} bytes; at most {max_bytes} are accepted.")
        if not size and path.is_file():
            raise UnsupportedMediaType("The file is empty.")
        return _read(path, max_bytes=max_bytes)
    except OSError as error:
        raise UnreadableImage(f"The file cannot be opened: {error.strerror}.") from error


def _read(path: Path, *, max_bytes: int) -> bytes:
    """Return what a file holds; of a pipe or device, which tell no size, no more is taken than is accepted."""
    parts = bytearray()
    with path.open("rb") as stream:
        while part := stream.read(CHUNK_BYTES):
            parts += part
            if len(parts) > max_bytes:
                raise PayloadTooLarge(f"The file has more than the {max_bytes} bytes that are accepted.")
    return bytes(parts)


def _expand(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = Path(folder, name)
            if not name.startswith(".") and is_scan(file):
                yield file
