"""Documents for tests, drawn while the tests run: thin wrappers over `examples.drawing` that give bytes."""

import io
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.types import Page
from examples.drawing import files, scenes
from examples.drawing.scenes import Background, DrawnField, DrawnPage
from tests.mutations import png_chunk

__all__ = [
    "Background",
    "DrawnField",
    "DrawnPage",
    "as_pixels",
    "blank_page",
    "blank_png",
    "bmp_bytes",
    "bomb_png",
    "cheque_page",
    "encrypted_pdf_bytes",
    "field",
    "field_page",
    "form_page",
    "jpeg_bytes",
    "ledger_page",
    "page_png",
    "pdf_bytes",
    "png_bytes",
    "tiff_bytes",
    "vector_pdf_bytes",
    "webp_bytes",
]


def field(text: str, *, seed: int = 0, background: Background | None = Background.PLAIN) -> DrawnField:
    """Return a drawn field: pixels, text and each digit's box."""
    return scenes.draw_field(text, seed=seed, background=background)


def field_page(text: str, *, seed: int = 0, background: Background | None = Background.PLAIN) -> Page:
    """Return a decoded page that is one field."""
    return Page(index=0, pixels=field(text, seed=seed, background=background).image, dpi=200.0)


def form_page(numbers: Sequence[str], *, seed: int = 0) -> DrawnPage:
    """Return a drawn form, one labelled box a number."""
    return scenes.draw_form(numbers, seed=seed)


def ledger_page(numbers: Sequence[str], *, seed: int = 0) -> DrawnPage:
    """Return a drawn ruled page, one number a line."""
    return scenes.draw_ledger(numbers, seed=seed)


def cheque_page(amount: str, *, seed: int = 0) -> DrawnPage:
    """Return a drawn cheque."""
    return scenes.draw_cheque(amount, seed=seed)


def blank_page(*, width: int = 400, height: int = 120, index: int = 0) -> Page:
    """Return a page of white paper with nothing on it."""
    return Page(index=index, pixels=np.full((height, width), 255, np.uint8), dpi=200.0)


def blank_png(*, width: int = 400, height: int = 120) -> bytes:
    """Return white paper as PNG."""
    return files.encode(Image.new("L", (width, height), 255), "PNG")


def png_bytes(text: str, *, seed: int = 0, background: Background | None = Background.PLAIN) -> bytes:
    """Return a field as PNG."""
    return files.encode(_image(text, seed, background), "PNG")


def jpeg_bytes(text: str, *, seed: int = 0, background: Background | None = Background.PLAIN) -> bytes:
    """Return a field as JPEG."""
    return files.encode(_image(text, seed, background), "JPEG", quality=85)


def bmp_bytes(text: str, *, seed: int = 0, background: Background | None = Background.PLAIN) -> bytes:
    """Return a field as BMP."""
    return files.encode(_image(text, seed, background), "BMP")


def webp_bytes(text: str, *, seed: int = 0, background: Background | None = Background.PLAIN) -> bytes:
    """Return a field as WebP."""
    return files.encode(_image(text, seed, background), "WEBP")


def tiff_bytes(pages: Sequence[str], *, seed: int = 0, compression: str = "group4") -> bytes:
    """Return a TIFF with a field on each page; CCITT G4 pages are black and white."""
    drawn = [field(text, seed=seed + place).image for place, text in enumerate(pages)]
    make = files.black_and_white if compression.startswith("group") else files.as_image
    return files.tiff([make(pixels) for pixels in drawn], compression=compression)


def pdf_bytes(pages: Sequence[str], *, seed: int = 0) -> bytes:
    """Return a PDF whose pages are scans of a field each."""
    return files.pdf([_image(text, seed + place, Background.PLAIN) for place, text in enumerate(pages)])


def page_png(page: DrawnPage) -> bytes:
    """Return a drawn page as PNG."""
    return files.encode(files.as_image(page.image), "PNG")


def bomb_png(*, width: int = 50_000, height: int = 50_000) -> bytes:
    """Return a small PNG that decodes to gigabytes."""
    compressor = zlib.compressobj(9)
    row = bytes(1 + width // 8)
    body = b"".join(compressor.compress(row) for _ in range(height)) + compressor.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [png_chunk(b"IHDR", header), png_chunk(b"IDAT", body), png_chunk(b"IEND", b"")]
    )


def encrypted_pdf_bytes() -> bytes:
    """Return a PDF that asks for a password before it shows anything."""
    plain = pdf_bytes(["42020"])
    trailer = b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"41" * 32 + b"> /U <" + b"42" * 32 + b"> >>"
    identifier = b" /ID [<" + b"43" * 16 + b"> <" + b"43" * 16 + b">]"
    return _replace_last(plain, b"trailer\n<<", b"trailer\n<<" + trailer + identifier)


def vector_pdf_bytes(
    *,
    width: float = 144,
    height: float = 72,
    contents: bytes = b"0 0 0 rg 36 18 72 36 re f",
    contents_entries: bytes = b"",
    page_entries: bytes = b"",
    objects: bytes = b"",
) -> bytes:
    """Return a PDF of one page, 144 × 72 points with a black rectangle in the middle unless told otherwise.

    There is no cross-reference table: readers rebuild it.

    Args:
        width: of the page, in points.
        height: of the page, in points.
        contents: the page's content stream, encoded as `contents_entries` say.
        contents_entries: further entries of the content stream's dictionary.
        page_entries: further entries of the page.
        objects: further objects, numbered from 5.
    """
    media_box = f"[0 0 {width} {height}]".encode()
    return b"".join(
        [
            b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n",
            b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n",
            b"3 0 obj<</Type/Page/Parent 2 0 R/Contents 4 0 R/MediaBox",
            media_box + page_entries + b">>endobj\n4 0 obj<<" + contents_entries,
            f"/Length {len(contents)}>>stream\n".encode() + contents + b"\nendstream endobj\n",
            objects + b"trailer<</Root 1 0 R>>\n%%EOF",
        ]
    )


def _replace_last(data: bytes, old: bytes, new: bytes) -> bytes:
    head, _, tail = data.rpartition(old)
    return head + new + tail


def _image(text: str, seed: int, background: Background | None) -> Image.Image:
    return files.as_image(field(text, seed=seed, background=background).image)


def as_pixels(data: bytes) -> NDArray[np.uint8]:
    """Return a file's pixels as Pillow sees them, for comparison: grey or RGB."""
    return np.asarray(Image.open(io.BytesIO(data)))
