"""Damaged files for fuzzing: seeded mutations of valid ones, the same for a seed on every machine.

Blind edits (bits, truncations, splices) mostly die in the headers, so half of the mutations know the format and keep
it plausible: PNG chunks with right checksums, JPEG and BMP sizes, TIFF directory entries, numbers in a PDF.
"""

import random
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

EXTREMES = (0, 1, 2, 0x7F, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Mutation:
    """A damaged file: its number, which file it was made from, and how."""

    number: int
    source: str
    how: str
    data: bytes


def mutate(originals: Mapping[str, bytes], *, count: int, seed: int) -> Iterator[Mutation]:
    """Yield `count` mutations, taking the originals in turn; names end like file names (`a.png`)."""
    names = sorted(originals)
    for number in range(count):
        chance = random.Random(f"{seed}/{number}")
        name = names[number % len(names)]
        edits = (*BLIND, *(_KNOWING.get(name.rsplit(".", maxsplit=1)[-1], ()) * 2))
        data, done = originals[name], []
        for _ in range(chance.choice((1, 1, 2, 3))):
            edit = chance.choice(edits)
            data = edit(data, chance) if data else data
            done.append(edit.__name__)
        yield Mutation(number=number, source=name, how="+".join(done), data=data)


def flip_bits(data: bytes, chance: random.Random) -> bytes:
    """Flip up to 16 bits anywhere."""
    edited = bytearray(data)
    for _ in range(chance.randint(1, 16)):
        edited[chance.randrange(len(edited))] ^= 1 << chance.randrange(8)
    return bytes(edited)


def flip_header_bits(data: bytes, chance: random.Random) -> bytes:
    """Flip a few bits in the first 200 bytes."""
    edited = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        edited[chance.randrange(min(200, len(edited)))] ^= 1 << chance.randrange(8)
    return bytes(edited)


def truncate(data: bytes, chance: random.Random) -> bytes:
    """Cut the file short."""
    return data[: chance.randrange(len(data))]


def splice(data: bytes, chance: random.Random) -> bytes:
    """Copy a stretch of the file over another place, or insert it there."""
    start = chance.randrange(len(data))
    piece = data[start : start + chance.randint(1, 400)]
    at = chance.randrange(len(data))
    return data[:at] + piece + data[at + (len(piece) if chance.random() < 0.5 else 0) :]


def delete(data: bytes, chance: random.Random) -> bytes:
    """Take a stretch out."""
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.randint(1, 200) :]


def extreme_number(data: bytes, chance: random.Random) -> bytes:
    """Write a boundary value over 1, 2 or 4 bytes, in either byte order."""
    width = chance.choice((1, 2, 4))
    at = chance.randrange(min(len(data), chance.choice((64, 512, len(data)))))
    value = chance.choice(EXTREMES) & ((1 << 8 * width) - 1)
    number = value.to_bytes(width, chance.choice(("big", "little")))
    return (data[:at] + number + data[at + width :])[: len(data)]


def png_chunks(data: bytes, chance: random.Random) -> bytes:
    """Edit, drop, repeat or move a chunk, with right checksums."""
    chunks = list(_png_chunks(data))
    if not chunks:
        return data
    place = chance.randrange(len(chunks))
    kind, body = chunks[place]
    action = chance.choice(("edit", "edit", "drop", "repeat", "move", "rename"))
    if action == "edit" and body:
        chunks[place] = (kind, flip_bits(body, chance))
    elif action == "drop":
        del chunks[place]
    elif action == "repeat":
        chunks.insert(place, (kind, body))
    elif action == "move":
        chunks.insert(chance.randrange(len(chunks)), chunks.pop(place))
    else:
        name = chance.choice((b"tRNS", b"PLTE", b"iCCP", b"zTXt", b"eXIf", b"fdAT", b"acTL", b"fcTL", b"iTXt", b"pHYs"))
        chunks[place] = (name, body)
    return data[:8] + b"".join(png_chunk(*chunk) for chunk in chunks)


def png_size(data: bytes, chance: random.Random) -> bytes:
    """Lie about size, depth, colour type or interlacing in the header."""
    chunks = list(_png_chunks(data))
    if not chunks or len(chunks[0][1]) != 13:
        return data
    fields = list(struct.unpack(">IIBBBBB", chunks[0][1]))
    place = chance.randrange(7)
    fields[place] = chance.choice(EXTREMES) if place < 2 else chance.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
    chunks[0] = (chunks[0][0], struct.pack(">IIBBBBB", *fields))
    return data[:8] + b"".join(png_chunk(*chunk) for chunk in chunks)


def jpeg_segment(data: bytes, chance: random.Random) -> bytes:
    """Edit a few bytes behind a marker: sizes, tables, sampling factors, scan parameters."""
    markers = [match.start() for match in re.finditer(rb"\xff[\xc0-\xfe]", data)]
    if not markers:
        return data
    at = chance.choice(markers) + chance.randint(1, 24)
    return data[:at] + bytes([chance.choice((0, 1, 2, 3, 17, 34, 127, 128, 255))]) + data[at + 1 :]


def bmp_header(data: bytes, chance: random.Random) -> bytes:
    """Lie about offset, header size, width, height, bits, compression or colours."""
    at, width = chance.choice(((10, 4), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2), (30, 4), (34, 4), (46, 4)))
    value = chance.choice((*EXTREMES, 4, 8, 16, 24, 32, 40))
    return data[:at] + (value & ((1 << 8 * width) - 1)).to_bytes(width, "little") + data[at + width :]


def webp_chunk(data: bytes, chance: random.Random) -> bytes:
    """Lie about a chunk's kind, length or canvas."""
    if chance.random() < 0.3:
        return data[:12] + chance.choice((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM")) + data[16:]
    at = chance.choice((4, 16, 20, 21, 24, 26, 27, 28))
    return data[:at] + chance.choice(EXTREMES).to_bytes(4, "little") + data[at + 4 :]


def tiff_entry(data: bytes, chance: random.Random) -> bytes:
    """Edit tag, type, count or value of a directory entry, or the pointer to the next directory."""
    order = "<" if data[:2] == b"II" else ">"
    directories = _tiff_directories(data, order)
    if not directories:
        return data
    offset, count = chance.choice(directories)
    if chance.random() < 0.1:
        at, code, value = offset + 2 + 12 * count, "I", chance.choice((offset, 8, len(data) - 2, 0xFFFFFFFF))
    else:
        part, code = chance.choice(((0, "H"), (2, "H"), (4, "I"), (8, "I"), (8, "I")))
        at, value = offset + 2 + 12 * chance.randrange(max(1, count)) + part, chance.choice(EXTREMES)
    size = struct.calcsize(code)
    number = struct.pack(order + code, value & ((1 << 8 * size) - 1))
    return (data[:at] + number + data[at + size :])[: len(data)]


def pdf_number(data: bytes, chance: random.Random) -> bytes:
    """Replace a number outside of the streams."""
    numbers = list(re.finditer(rb"(?<=[\s\[])-?\d+(?:\.\d+)?(?=[\s\]/>])", data))
    if not numbers:
        return data
    match = chance.choice(numbers)
    value = chance.choice((b"0", b"-1", b"1", b"3", b"7", b"65535", b"99999", b"2147483647", b"4294967296", b"1e9"))
    return data[: match.start()] + value + data[match.end() :]


def pdf_name(data: bytes, chance: random.Random) -> bytes:
    """Exchange a name for another that means something."""
    names = list(re.finditer(rb"/[A-Z][A-Za-z]+", data))
    if not names:
        return data
    match = chance.choice(names)
    other = chance.choice((b"/JPXDecode", b"/JBIG2Decode", b"/CCITTFaxDecode", b"/LZWDecode", b"/Kids", b"/Form"))
    return data[: match.start()] + chance.choice((other, chance.choice(names).group())) + data[match.end() :]


Edit = Callable[[bytes, random.Random], bytes]

BLIND: tuple[Edit, ...] = (flip_bits, flip_header_bits, truncate, splice, delete, extreme_number)

_KNOWING: dict[str, tuple[Edit, ...]] = {
    "png": (png_chunks, png_size),
    "jpg": (jpeg_segment, jpeg_segment),
    "bmp": (bmp_header, bmp_header),
    "webp": (webp_chunk,),
    "tiff": (tiff_entry, tiff_entry),
    "pdf": (pdf_number, pdf_name),
}


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """Return a PNG chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def _tiff_directories(data: bytes, order: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    if len(data) < 8:
        return found
    (offset,) = struct.unpack_from(order + "I", data, 4)
    while offset and offset + 2 <= len(data) and len(found) < 20:
        (count,) = struct.unpack_from(order + "H", data, offset)
        found.append((offset, count))
        end = offset + 2 + 12 * count
        offset = struct.unpack_from(order + "I", data, end)[0] if end + 4 <= len(data) else 0
    return found
