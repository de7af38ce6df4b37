"""Files out of an untrusted ZIP.

Nothing is ever extracted to disk under a name from the archive: members are read as streams, their names only become
labels. What the archive says of its own sizes is not believed; bytes are counted as they come out.
"""

import errno
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Protocol

from core.errors import ArchiveRejected
from core.media import SNIFF_BYTES, ZIP, sniff
from core.settings import Settings

READ_BYTES = 64 * 1024

RATIO_FROM_BYTES = 1024 * 1024
"""Expansion is judged from here on: a blank page of a few kilobytes may well shrink a thousandfold."""

DIRECTORY_BYTES = 512
"""What one file may take in the table of contents, on average; names are shorter."""

_ENCRYPTED_FLAG = 0x1
# Looks ahead, so that records which overlap are all found: only one of them is what `zipfile` goes by.
_END = re.compile(rb"(?s)(?=PK\x05\x06.{8}(.{4}).{6})")
_LOCATOR_BYTES, _END_BYTES, _COMMENT_BYTES = 20, 22, 65_535
_END_SEARCH_BYTES = _LOCATOR_BYTES + _END_BYTES + _COMMENT_BYTES
_ZIP64_LOCATOR = b"PK\x06\x07"
_DRIVE = re.compile("[A-Za-z]:")
_NESTED_SUFFIXES = frozenset({".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst"})
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""What is unpacked a piece at a time. `zipfile` puts no bound on what one piece of bzip2 or LZMA expands to."""
_CLUTTER = frozenset({"thumbs.db", "desktop.ini"})
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much may come out of one archive."""

    max_files: int
    max_file_bytes: int
    max_total_bytes: int
    max_ratio: float

    @classmethod
    def from_settings(cls, settings: Settings) -> "ArchiveLimits":
        """Return the limits that the settings give."""
        return cls(
            max_files=settings.max_batch_files,
            max_file_bytes=settings.max_file_bytes,
            max_total_bytes=settings.max_archive_bytes,
            max_ratio=settings.max_archive_ratio,
        )


class Readable(Protocol):
    """A member's bytes, as `BlobStore.put_stream` takes them."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes."""


class Archive:
    """An open ZIP. Call `check` before `members`: what is refused then has left nothing behind."""

    def __init__(self, stream: IO[bytes], limits: ArchiveLimits) -> None:
        """Read the table of contents.

        Raises:
            ArchiveRejected: it is damaged, or lists what is not accepted.
        """
        self._limits = limits
        _check_directory(stream, limits)
        with _damage_as(ArchiveRejected("The archive is damaged.")):
            self._zip = zipfile.ZipFile(stream)
        self._infos = self._accepted()

    def check(self) -> None:
        """Read everything once, keeping nothing.

        Raises:
            ArchiveRejected: a member is damaged, an archive itself, or more comes out than the limits allow.
        """
        for _, member in self.members():
            while member.read(READ_BYTES):
                pass

    def members(self) -> Iterator[tuple[str, Readable]]:
        """Yield each file's name and its bytes, which must be read before the next one is asked for.

        Raises:
            ArchiveRejected: as `check`.
        """
        budget = _Budget(self._limits)
        for info in self._infos:
            damaged = _rejected(info, "is damaged or packed in a way that is not supported")
            with _damage_as(damaged), self._zip.open(info) as stream:
                yield info.filename, _Member(info, stream, budget)

    def _accepted(self) -> list[zipfile.ZipInfo]:
        infos = [info for info in self._zip.infolist() if not (info.is_dir() or _is_clutter(info.filename))]
        if not infos:
            raise ArchiveRejected("The archive holds no files.")
        if len(infos) > self._limits.max_files:
            raise ArchiveRejected(f"The archive holds more than {self._limits.max_files} files.")
        for info in infos:
            _check_entry(info)
        return infos


class _Budget:
    """Counts what has come out of all members."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self.limits = limits
        self.total = 0


class _Member:
    """One member's bytes, counted as they come out."""

    def __init__(self, info: zipfile.ZipInfo, stream: IO[bytes], budget: _Budget) -> None:
        self._info = info
        self._stream = stream
        self._budget = budget
        self._size = 0

    def read(self, size: int = READ_BYTES, /) -> bytes:
        with _damage_as(_rejected(self._info, "is damaged")):
            data = self._stream.read(READ_BYTES if size < 0 else size)
        if self._size == 0 and sniff(data[:SNIFF_BYTES]) == ZIP:
            raise _rejected(self._info, "is an archive inside the archive")
        self._size += len(data)
        self._budget.total += len(data)
        self._check()
        return data

    def _check(self) -> None:
        limits = self._budget.limits
        if self._size > limits.max_file_bytes:
            raise _rejected(self._info, f"is larger than {limits.max_file_bytes} bytes")
        if self._budget.total > limits.max_total_bytes:
            raise ArchiveRejected(f"The archive expands to more than {limits.max_total_bytes} bytes.")
        if self._size > RATIO_FROM_BYTES and self._size > limits.max_ratio * max(1, self._info.compress_size):
            raise _rejected(self._info, f"expands more than {limits.max_ratio:g}-fold")


@contextmanager
def _damage_as(rejected: ArchiveRejected) -> Iterator[None]:
    """Raise `rejected` for what a damaged archive makes `zipfile` raise; a disk that fails is no damage."""
    try:
        yield
    except _DAMAGE as error:
        raise rejected from error
    except OSError as error:
        # An offset before the archive's start: what is in memory refuses it as ValueError, what is on disk so.
        if error.errno != errno.EINVAL:
            raise
        raise rejected from error


def _check_directory(stream: IO[bytes], limits: ArchiveLimits) -> None:
    """Refuse a table of contents of millions of entries before `zipfile` makes an object of each."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _END_SEARCH_BYTES))
    tail = stream.read(_END_SEARCH_BYTES)
    stream.seek(0)
    claimed = [struct.unpack("<I", found)[0] for found in _END.findall(tail)]
    # A ZIP64 table has its size elsewhere; it is only needed for what is too large for us anyway.
    if max(claimed, default=0) > DIRECTORY_BYTES * limits.max_files or _ZIP64_LOCATOR in tail:
        raise ArchiveRejected(f"The archive holds more than {limits.max_files} files, or is a ZIP64 archive.")


def _check_entry(info: zipfile.ZipInfo) -> None:
    path = PurePosixPath(info.filename.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or _DRIVE.match(path.parts[0]):
        raise _rejected(info, "lies outside the archive")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        raise _rejected(info, "is a link or a device")
    if info.flag_bits & _ENCRYPTED_FLAG:
        raise _rejected(info, "is encrypted")
    if info.compress_type not in _METHODS:
        raise _rejected(info, "is packed in another way than deflate")
    if path.suffix.lower() in _NESTED_SUFFIXES:
        raise _rejected(info, "is an archive inside the archive")


def _is_clutter(name: str) -> bool:
    """Return whether an operating system left it there, and nobody meant to send it."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    hidden = any(part.startswith(".") and part not in {".", ".."} for part in parts)
    return hidden or "__MACOSX" in parts or (bool(parts) and parts[-1].lower() in _CLUTTER)


def _rejected(info: zipfile.ZipInfo, why: str) -> ArchiveRejected:
    return ArchiveRejected(f"The archive was refused: {info.filename[:200]!r} {why}.")
