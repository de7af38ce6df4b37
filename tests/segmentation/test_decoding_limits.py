"""Bombs are refused by their headers, damage stays on its own page, and memory stays within bounds."""

import io
import json
import struct
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from core.errors import EncryptedDocument, ImageTooLarge, InputError, TooManyPages, UnreadableImage
from examples.drawing import files
from segmentation.decoding import DecodeLimits, decode_page, inspect
from tests import factories
from tests.mutations import png_chunk

LIMITS = DecodeLimits(max_pixels=40_000_000, max_side=20_000, max_pages=100, pdf_dpi=300)
SMALL = DecodeLimits(max_pixels=10_000, max_side=150, max_pages=3, pdf_dpi=72)
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def read(data: bytes, index: int = 0, limits: DecodeLimits = LIMITS) -> None:
    inspect(data, limits)
    decode_page(data, index, limits=limits)


def zeros(size: int, *, twice: bool = False) -> bytes:
    """Return `size` zero bytes, deflated once or twice."""
    compressor, block = zlib.compressobj(1), bytes(1 << 20)
    body = b"".join(compressor.compress(block) for _ in range(size >> 20)) + compressor.flush()
    return zlib.compress(body) if twice else body


def png(*chunks: tuple[bytes, bytes], width: int = 10, height: int = 10) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes((1 + 10) * 10))
    all_chunks = [(b"IHDR", header), *chunks, (b"IDAT", body), (b"IEND", b"")]
    return PNG_MAGIC + b"".join(png_chunk(*chunk) for chunk in all_chunks)


def tiff(entries: dict[int, tuple[int, int, int]], *, next_directory: int = 0, tail: bytes = b"") -> bytes:
    """Return a little-endian TIFF of one directory at offset 8: tag → (type, count, value)."""
    body = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + struct.pack("<I", next_directory) + tail


def tiff_page(width: int, height: int, **changes: tuple[int, int, int]) -> dict[int, tuple[int, int, int]]:
    """Return a bilevel page's entries; changes are named like `t258=(3, 1, 8)`."""
    entries = {256: (4, 1, width), 257: (4, 1, height), 258: (3, 1, 1), 259: (3, 1, 4), 262: (3, 1, 0)}
    entries |= {273: (4, 1, 8), 277: (3, 1, 1), 278: (4, 1, height), 279: (4, 1, 100)}
    return entries | {int(name[1:]): entry for name, entry in changes.items()}


def bmp(width: int, height: int) -> bytes:
    """Return a run-length encoded BMP of that size."""
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 4, 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1082, 0, 0, 1078) + info + bytes(1024) + b"\xff\x00\x00\x01"


def webp(width: int, height: int) -> bytes:
    """Return an extended WebP header with that canvas."""
    canvas = b"\x10\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + canvas


def jpeg(width: int, height: int) -> bytes:
    """Return a small JPEG whose frame header states that size."""
    data = files.encode(Image.new("L", (16, 16)), "JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def pdf_picture(width: int, height: int, *, mask: tuple[int, int] | None = None) -> bytes:
    """Return a PDF of one page that shows an 8-bit picture of that size, with a soft mask if given."""
    body = zeros(width * height)
    soft = b"/SMask 6 0 R" if mask else b""
    objects = _image_object(5, width, height, body, soft)
    if mask:
        objects += _image_object(6, *mask, zeros(mask[0] * mask[1]), b"")
    return factories.vector_pdf_bytes(
        contents=b"144 0 0 72 0 0 cm /I Do", page_entries=b"/Resources<</XObject<</I 5 0 R>>>>", objects=objects
    )


def _image_object(number: int, width: int, height: int, body: bytes, entries: bytes) -> bytes:
    head = f"{number} 0 obj<</Type/XObject/Subtype/Image/Width {width}/Height {height}/BitsPerComponent 8"
    rest = f"/ColorSpace/DeviceGray/Filter/FlateDecode/Length {len(body)}"
    return head.encode() + rest.encode() + entries + b">>stream\n" + body + b"\nendstream endobj\n"


def progressive_bomb() -> bytes:
    """Return a progressive JPEG whose last scan is repeated a thousand times."""
    data = files.encode(Image.new("L", (64, 64), 90), "JPEG", progressive=True)
    at = data.rindex(b"\xff\xda")
    return data[:at] + data[at:-2] * 1000 + data[-2:]


def tiff_chain(pages: int) -> bytes:
    """Return a TIFF of so many tiny pages."""
    return files.tiff([Image.new("1", (8, 8)) for _ in range(pages)])


def tiff_overlapping(pages: int, *, tags: int) -> bytes:
    """Return a small TIFF whose directories share their tags but one: each begins one tag after the one before."""
    data = bytearray(b"II*\0" + struct.pack("<IH", 8, tags))
    for number in range(pages + tags):
        data += struct.pack("<HHIHH", 300 + number % 65_000, 3, 1, 1, tags)  # the last two bytes: a directory's count
    for page in range(pages):
        following = 8 + 12 * (page + 1) if page + 1 < pages else 0
        struct.pack_into("<I", data, 10 + 12 * (page + tags), following)
    return bytes(data)


BOMBS: dict[str, tuple[type[InputError], Callable[[], bytes]]] = {
    "png of gigabytes": (ImageTooLarge, factories.bomb_png),
    "png second header": (ImageTooLarge, lambda: png((b"IHDR", struct.pack(">IIBBBBB", 99999, 99999, 8, 0, 0, 0, 0)))),
    "png text": (UnreadableImage, lambda: png((b"zTXt", b"a\0\0" + zeros(300 << 20)))),
    "bmp run-length": (ImageTooLarge, lambda: bmp(30_000, 30_000)),
    "webp canvas": (ImageTooLarge, lambda: webp(1 << 24, 1 << 24)),
    "webp lossless": (ImageTooLarge, lambda: b"RIFF\x20\0\0\0WEBPVP8L\x10\0\0\0\x2f\xff\xff\xff\x0f" + bytes(12)),
    "jpeg frame": (ImageTooLarge, lambda: jpeg(65_500, 65_500)),
    "jpeg scans": (ImageTooLarge, progressive_bomb),
    "tiff dimensions": (ImageTooLarge, lambda: tiff(tiff_page(100_000, 100_000), tail=bytes(200))),
    "tiff long side": (ImageTooLarge, lambda: tiff(tiff_page(1, 1_000_000), tail=bytes(200))),
    "tiff strips": (ImageTooLarge, lambda: tiff(tiff_page(9, 9, t273=(4, 5_000_000, 8)), tail=bytes(200))),
    "tiff tiles": (ImageTooLarge, lambda: tiff(tiff_page(9, 9, t322=(4, 1, 60_000), t323=(4, 1, 60_000)))),
    "tiff tile count": (ImageTooLarge, lambda: tiff(tiff_page(6000, 6000, t322=(4, 1, 1), t323=(4, 1, 1)))),
    "tiff samples": (ImageTooLarge, lambda: tiff(tiff_page(9, 9, t258=(3, 9_000_000, 8)), tail=bytes(18_000_000))),
    "tiff circle": (UnreadableImage, lambda: tiff(tiff_page(9, 9), next_directory=8)),
    "tiff lzma": (UnreadableImage, lambda: tiff(tiff_page(9, 9, t259=(3, 1, 34925)))),
    "tiff pages": (TooManyPages, lambda: tiff_chain(101)),
    "tiff tags": (UnreadableImage, lambda: tiff_overlapping(100, tags=65_000)),
    "pdf page": (ImageTooLarge, lambda: factories.vector_pdf_bytes(width=14_400, height=14_400)),
    "pdf picture": (ImageTooLarge, lambda: pdf_picture(30_000, 30_000)),
    "pdf contents": (
        ImageTooLarge,
        lambda: factories.vector_pdf_bytes(
            contents=zeros(1000 << 20, twice=True), contents_entries=b"/Filter[/FlateDecode/FlateDecode]"
        ),
    ),
    "pdf encrypted": (EncryptedDocument, factories.encrypted_pdf_bytes),
}


def in_a_child(data: bytes, folder: Path) -> dict[str, str | float]:
    """Decode in a process of its own, and return how it ended and what memory it took."""
    path = folder / "scan"
    path.write_bytes(data)
    child = subprocess.run(
        [sys.executable, "-m", "tests.segmentation.memory_child", str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    answer: dict[str, str | float] = json.loads(child.stdout)
    return answer


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_with_little_memory(name: str, tmp_path: Path) -> None:
    error, make = BOMBS[name]

    answer = in_a_child(make(), tmp_path)

    assert answer["code"] == error.code
    assert float(answer["peak_mib"]) < 250
    assert float(answer["rendering_mib"]) < 250


def forty_megapixels(kind: str) -> bytes:
    image = Image.new("RGB", (8000, 5000), (250, 240, 230))
    buffer = io.BytesIO()
    options = {"TIFF": {"compression": "tiff_lzw"}, "WEBP": {"lossless": True, "method": 0, "quality": 0}}
    image.save(buffer, kind, **options.get(kind, {}))
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "PDF"])
def test_the_largest_page_takes_less_than_a_gigabyte(kind: str, tmp_path: Path) -> None:
    answer = in_a_child(forty_megapixels(kind), tmp_path)

    assert answer["code"] == "page"
    assert float(answer["peak_mib"]) < 1000
    assert float(answer["rendering_mib"]) < 800


def test_a_soft_mask_bomb_does_not_take_the_process_along(tmp_path: Path) -> None:
    """PDFium names no masks, so nothing can refuse them beforehand: the renderer's cap has to hold."""
    answer = in_a_child(pdf_picture(8, 8, mask=(30_000, 30_000)), tmp_path)

    assert answer["code"] in {"page", "image_too_large"}
    assert float(answer["peak_mib"]) < 250


@pytest.mark.parametrize("make", [factories.png_bytes, factories.jpeg_bytes, factories.bmp_bytes, factories.webp_bytes])
def test_truncated_pictures_are_unreadable(make: Callable[[str], bytes]) -> None:
    data = make("42020")
    for share in (0.02, 0.3, 0.7, 0.95):
        with pytest.raises(UnreadableImage):
            read(data[: int(share * len(data))])


@pytest.mark.parametrize("compression", ["group4", "tiff_lzw", "tiff_adobe_deflate"])
def test_truncated_tiffs_are_unreadable(compression: str) -> None:
    data = factories.tiff_bytes(["42020"], compression=compression)
    for share in (0.02, 0.5):
        with pytest.raises(UnreadableImage):
            read(data[: int(share * len(data))])


def test_truncated_pdfs_fail_clearly_or_are_repaired() -> None:
    data = factories.pdf_bytes(["42020"])
    for share in (0.05, 0.5):
        with pytest.raises(UnreadableImage):
            read(data[: int(share * len(data))])


def test_one_bad_tiff_page_of_ten_fails_alone() -> None:
    data = bytearray(factories.tiff_bytes([str(number) * 3 for number in range(10)], compression="tiff_lzw"))
    directory = tiff_offsets(bytes(data))[4]
    tags = {struct.unpack_from("<H", data, directory + 2 + 12 * i)[0]: directory + 2 + 12 * i for i in range(8)}
    struct.pack_into("<HI", data, tags[259] + 2, 3, 1)
    struct.pack_into("<H", data, tags[259] + 8, 34925)

    assert inspect(bytes(data), LIMITS).pages == 10
    assert outcomes(bytes(data), 10) == ["page"] * 4 + ["unreadable_image"] + ["page"] * 5


def test_a_tiff_page_beyond_the_end_of_the_file_fails_alone() -> None:
    data = factories.tiff_bytes(["1", "2", "3"])
    cut = data[: tiff_offsets(data)[2] + 20]

    assert inspect(cut, LIMITS).pages == 3
    assert outcomes(cut, 3)[2] == "unreadable_image"


def test_one_bad_pdf_page_of_ten_fails_alone() -> None:
    data = factories.pdf_bytes([str(number) * 3 for number in range(10)])
    boxes = data.split(b"/MediaBox [ 0 0 ")
    boxes[5] = b"99999999 99999999 ]" + boxes[5].partition(b"]")[2]

    assert outcomes(b"/MediaBox [ 0 0 ".join(boxes), 10) == ["page"] * 4 + ["image_too_large"] + ["page"] * 5


def tiff_offsets(data: bytes) -> list[int]:
    offsets: list[int] = []
    (offset,) = struct.unpack_from("<I", data, 4)
    while offset:
        offsets.append(offset)
        (count,) = struct.unpack_from("<H", data, offset)
        (offset,) = struct.unpack_from("<I", data, offset + 2 + 12 * count)
    return offsets


def outcomes(data: bytes, pages: int) -> list[str]:
    found = []
    for index in range(pages):
        try:
            decode_page(data, index, limits=LIMITS)
            found.append("page")
        except InputError as error:
            found.append(error.code)
    return found


def test_thumbnails_are_no_pages() -> None:
    data = bytearray(factories.tiff_bytes(["1", "2"], compression="tiff_lzw"))
    first, second = tiff_offsets(bytes(data))
    struct.pack_into("<HHII", data, second + 2, 254, 4, 1, 1)  # replaces a tag of the second directory

    assert inspect(bytes(data), LIMITS).pages == 1
    assert first != second


def test_tags_of_overlapping_directories_are_not_all_taken_in() -> None:
    data = tiff_overlapping(100, tags=4000)

    tracemalloc.start()
    pages, (_, peak) = inspect(data, LIMITS).pages, tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert pages == 100
    assert peak < 1 << 20


@pytest.mark.parametrize("make", [factories.tiff_bytes, factories.pdf_bytes])
def test_pages_over_the_limit_are_counted_not_decoded(make: Callable[[list[str]], bytes]) -> None:
    limits = DecodeLimits(max_pixels=40_000_000, max_side=20_000, max_pages=3, pdf_dpi=72)

    assert inspect(make(["1", "2", "3"]), limits).pages == 3
    with pytest.raises(TooManyPages):
        inspect(make(["1", "2", "3", "4"]), limits)


def test_limits_hold_for_every_kind() -> None:
    for make in (factories.png_bytes, factories.jpeg_bytes, factories.bmp_bytes, factories.webp_bytes):
        with pytest.raises(ImageTooLarge):
            inspect(make("42020"), SMALL)
    for data in (factories.tiff_bytes(["42020"]), factories.pdf_bytes(["42020"])):
        assert inspect(data, SMALL).pages == 1
        with pytest.raises(ImageTooLarge):
            decode_page(data, 0, limits=SMALL)


def test_the_settings_alone_decide_how_large_is_too_large() -> None:
    """Pillow warns beyond 89 megapixels and refuses beyond 178; warnings are errors here."""
    generous = DecodeLimits(max_pixels=200_000_000, max_side=20_000, max_pages=1, pdf_dpi=72)

    page = decode_page(factories.bomb_png(width=19_200, height=9_600), 0, limits=generous)

    assert page.pixels.shape == (9_600, 19_200)
