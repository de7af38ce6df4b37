"""TIFF, one page or many: strips or tiles, uncompressed, CCITT, LZW, Deflate, PackBits or JPEG.

The list of pages is walked here, by its directories alone, so that counting decodes nothing and a damaged page
leaves its neighbours readable: each page is handed to Pillow (libtiff) as if it were the file's first. Only that page's
tags are taken in: directories may overlap, so that a small file can hold millions of them.
"""

import io
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import TiffImagePlugin
from PIL.ImageFile import ImageFile

from core.errors import ImageTooLarge, TooManyPages, UnreadableImage
from core.types import Page
from segmentation.decoding_limits import DecodeLimits, damage_as_unreadable
from segmentation.decoding_pixels import to_page

SUBFILE_TYPE, WIDTH, LENGTH, BITS, COMPRESSION = 254, 256, 257, 258, 259
STRIP_OFFSETS, SAMPLES, STRIP_COUNTS = 273, 277, 279
TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, TILE_COUNTS = 322, 323, 324, 325
ARRAYS = frozenset({STRIP_OFFSETS, STRIP_COUNTS, TILE_OFFSETS, TILE_COUNTS})

COMPRESSIONS = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946})
"""What scanners write. Old-style JPEG (6) is ambiguous and LZMA or Zstandard let a file choose its memory."""

MAX_TAGS = 4096
"""Of one directory; scanners write some twenty. Beyond it, libtiff too takes the directory for no directory."""

MAX_STRIPS = 200_000
"""40 megapixels in tiles of 16 × 16 make 156 000."""

MAX_VALUES = 200_000
"""Values of any other numeric tag; a colour map of 16 bits has 196 608."""

MAX_BITS_PER_PIXEL = 128
REDUCED_IMAGE = 1
_UNIT_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_INTEGER_FORMATS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
_BYTE_TYPES = frozenset({1, 2, 6, 7})


@dataclass(frozen=True, slots=True)
class _Layout:
    """How this file writes numbers: byte order, and the field sizes of classic or big TIFF."""

    order: str
    big: bool

    @classmethod
    def of(cls, data: bytes) -> "_Layout":
        return cls(order="<" if data[:2] == b"II" else ">", big=data[2:4] in {b"+\x00", b"\x00+"})

    @property
    def offset_format(self) -> str:
        return self.order + ("Q" if self.big else "I")

    @property
    def first_at(self) -> int:
        """Position of the header's pointer to the first directory."""
        return 8 if self.big else 4

    @property
    def inline_bytes(self) -> int:
        return 8 if self.big else 4


@dataclass(frozen=True, slots=True)
class _Entry:
    """One tag of a directory: its type, number of values, and the first of them where it is an integer."""

    type: int
    count: int
    first: int


_Entries = dict[int, _Entry]


@dataclass(frozen=True, slots=True)
class _Directory:
    """One directory of the chain: where its tags lie, and where the next one is.

    `positions` is empty and `next` 0 where the file ends before the directory, or something else lies there.
    """

    offset: int
    positions: range
    next: int


def count_tiff_pages(data: bytes, *, limits: DecodeLimits) -> int:
    """Return the number of pages from the chain of directories, without looking at pixels.

    Raises:
        UnreadableImage: there is no first directory, or the chain runs in a circle.
        TooManyPages: the chain is longer than the limits allow.
    """
    with damage_as_unreadable("TIFF"):
        return len(_page_directories(data, limits))


def decode_tiff(data: bytes, index: int, *, limits: DecodeLimits) -> Page:
    """Return page `index`, upright, decoding no other page.

    Raises:
        UnreadableImage: the page is damaged, or written in a way that is not supported.
        ImageTooLarge: the page has more pixels, strips or tag values than the limits allow.
        TooManyPages: the document has more pages than the limits allow.
    """
    with damage_as_unreadable("TIFF"):
        pages = _page_directories(data, limits)
        if not 0 <= index < len(pages):
            raise UnreadableImage(f"The TIFF has no page {index + 1}.")
        _check_entries(_read_entries(data, pages[index]), limits)
        image = _open_at(data, pages[index].offset)
        limits.check_size(*image.size)
        return to_page(image, index)  # Pillow turns a TIFF upright itself


def _page_directories(data: bytes, limits: DecodeLimits) -> list[_Directory]:
    """Return the directories that are pages: all but thumbnails, unless there is nothing else."""
    chain = list(_walk(data, limits))
    if not chain[0].positions:
        raise UnreadableImage("The TIFF is damaged or cut short.")
    return [directory for directory in chain if not _is_thumbnail(data, directory)] or chain


def _walk(data: bytes, limits: DecodeLimits) -> Iterator[_Directory]:
    """Yield the chain's directories. One that lies outside the file is yielded empty, and ends the chain."""
    layout = _Layout.of(data)
    (offset,) = struct.unpack_from(layout.offset_format, data, layout.first_at)
    seen: set[int] = set()
    while offset:
        if offset in seen:
            raise UnreadableImage("The TIFF's list of pages runs in a circle.")
        if len(seen) >= 2 * limits.max_pages:  # a thumbnail for each page at most
            raise TooManyPages
        seen.add(offset)
        directory = _read_directory(data, offset, layout)
        yield directory
        offset = directory.next
    if not seen:
        raise UnreadableImage("The TIFF holds no page.")


def _read_directory(data: bytes, offset: int, layout: _Layout) -> _Directory:
    """Find one directory's tags; none when it does not lie in the file."""
    nowhere = _Directory(offset, range(0), 0)
    count_format, entry_bytes = (layout.order + "Q", 20) if layout.big else (layout.order + "H", 12)
    start = offset + struct.calcsize(count_format)
    if start > len(data):
        return nowhere
    (count,) = struct.unpack_from(count_format, data, offset)
    end = start + count * entry_bytes
    if count > MAX_TAGS or end + layout.inline_bytes > len(data):
        return nowhere
    (following,) = struct.unpack_from(layout.offset_format, data, end)
    return _Directory(offset, range(start, end, entry_bytes), following)


def _is_thumbnail(data: bytes, directory: _Directory) -> bool:
    """Return whether the directory's first tag of that name says so; no other tag is taken in."""
    layout = _Layout.of(data)
    name = struct.pack(layout.order + "H", SUBFILE_TYPE)
    for position in directory.positions:
        if data.startswith(name, position):
            return bool(_read_entry(data, position, layout)[1].first & REDUCED_IMAGE)
    return False


def _read_entries(data: bytes, directory: _Directory) -> _Entries:
    layout = _Layout.of(data)
    entries: _Entries = {}
    for position in directory.positions:
        tag, entry = _read_entry(data, position, layout)
        entries.setdefault(tag, entry)  # the first counts, as in Pillow
    return entries


def _read_entry(data: bytes, position: int, layout: _Layout) -> tuple[int, _Entry]:
    tag, kind, count = struct.unpack_from(layout.order + ("HHQ" if layout.big else "HHI"), data, position)
    at = position + (12 if layout.big else 8)
    if count * _UNIT_BYTES.get(kind, 1) > layout.inline_bytes:
        (at,) = struct.unpack_from(layout.offset_format, data, at)
    code = _INTEGER_FORMATS.get(kind)
    inside = code is not None and count > 0 and at + struct.calcsize(code) <= len(data)
    first = struct.unpack_from(layout.order + code, data, at)[0] if code is not None and inside else 0
    return tag, _Entry(kind, count, first)


def _check_entries(entries: _Entries, limits: DecodeLimits) -> None:
    """Refuse a page by its tags alone: size, compression, and arrays out of proportion."""
    if not entries:
        raise UnreadableImage("The page lies beyond the end of the TIFF, or is damaged.")
    limits.check_size(_value(entries, WIDTH, 0), _value(entries, LENGTH, 0))
    compression = _value(entries, COMPRESSION, 1)
    if compression not in COMPRESSIONS:
        raise UnreadableImage(f"TIFF compression {compression} is not supported.")
    if _value(entries, BITS, 1) * _value(entries, SAMPLES, 1) > MAX_BITS_PER_PIXEL:
        raise UnreadableImage("The TIFF has more bits a pixel than any scan.")
    _check_tiles(entries, limits)
    for tag, entry in entries.items():
        most = MAX_STRIPS if tag in ARRAYS else MAX_VALUES
        if entry.type not in _BYTE_TYPES and entry.count > most:
            raise ImageTooLarge(f"The TIFF's tag {tag} has more values than this service accepts.")


def _check_tiles(entries: _Entries, limits: DecodeLimits) -> None:
    """A tile's buffer is allocated whole, however small the page is."""
    if TILE_WIDTH not in entries and TILE_LENGTH not in entries:
        return
    width, length = _value(entries, TILE_WIDTH, 0), _value(entries, TILE_LENGTH, 0)
    limits.check_size(width, length)
    tiles = math.ceil(_value(entries, WIDTH, 0) / width) * math.ceil(_value(entries, LENGTH, 0) / length)
    if tiles > MAX_STRIPS:
        raise ImageTooLarge("The TIFF is cut into more tiles than this service accepts.")


def _value(entries: _Entries, tag: int, default: int) -> int:
    return entries[tag].first if tag in entries else default


def _open_at(data: bytes, offset: int) -> ImageFile:
    """Return the page at `offset` as the first of the file, so that no other page is looked at."""
    layout = _Layout.of(data)
    pointer = struct.pack(layout.offset_format, offset)
    header_end = layout.first_at + len(pointer)
    return TiffImagePlugin.TiffImageFile(io.BytesIO(data[: layout.first_at] + pointer + data[header_end:]))
