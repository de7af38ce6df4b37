"""The process that renders PDF pages for `decoding_pdf`: questions on standard input, answers on standard output.

Sizes are checked before rendering: the page's, and that of every picture on it from the picture's metadata.
What escapes these checks meets the cap on this process's memory. It ends when its input closes.
"""

import json
import math
import os
import signal
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import pypdfium2
import pypdfium2.raw as pdfium

from core.errors import EncryptedDocument, ImageTooLarge, InputError, TooManyPages, UnreadableImage
from segmentation.decoding_limits import DecodeLimits, damage_as_unreadable, plausible_dpi

MEMORY_BYTES = 800 * 1024 * 1024
"""Address space: 40 megapixels take 120 MB drawn and as much again decoded; the libraries map about 200 MB."""

ANSWER_SECONDS = 60
"""The parent gives up earlier; this ends a renderer whose parent was killed meanwhile."""

POINTS_AN_INCH = 72.0
MAX_OBJECTS = 20_000
"""Objects of one page that are looked at; a page of print has a few thousand."""

SCAN_SHARE = 0.5
"""Pictures that cover this share of a page make it a scan."""

SMALL_SHARE = 0.02
"""A picture below this share is a logo, whose resolution says nothing about the scan's."""

MIN_SCAN_DPI, MAX_SCAN_DPI = 50.0, 1200.0


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture on a page: pixels, and the size in points that it is drawn at."""

    width_px: int
    height_px: int
    width_points: float
    height_points: float

    @property
    def area(self) -> float:
        return self.width_points * self.height_points

    @property
    def dpi(self) -> float:
        return POINTS_AN_INCH * max(self.width_px / self.width_points, self.height_px / self.height_points)


def count_pages(data: bytes, limits: DecodeLimits) -> int:
    """Return the number of pages.

    Raises:
        EncryptedDocument: the PDF asks for a password.
        UnreadableImage: damaged, or without pages.
        TooManyPages: more pages than the limits allow.
    """
    with damage_as_unreadable("PDF"):
        return len(_open(data, limits))


def render_page(data: bytes, index: int, limits: DecodeLimits) -> tuple[pypdfium2.PdfBitmap, float | None]:
    """Return page `index` on white as a BGR bitmap without row padding, and its resolution.

    Raises:
        EncryptedDocument: the PDF asks for a password.
        UnreadableImage: damaged, or no such page.
        TooManyPages: more pages than the limits allow.
        ImageTooLarge: the page or a picture on it is larger than the limits allow.
    """
    with damage_as_unreadable("PDF"):
        document = _open(data, limits)
        if not 0 <= index < len(document):
            raise UnreadableImage(f"The PDF has no page {index + 1}.")
        page = document[index]
        dpi = _resolution(page, limits)
        width, height = _size_at(page, dpi)
        limits.check_size(width, height)
        return _render(page, width, height), plausible_dpi(dpi, dpi)


def _open(data: bytes, limits: DecodeLimits) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in {pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY}:
            raise EncryptedDocument from error
        raise
    pages = len(document)
    if pages > limits.max_pages:
        raise TooManyPages(f"The PDF has {pages} pages; this service accepts {limits.max_pages}.")
    if pages < 1:
        raise UnreadableImage("The PDF holds no page.")
    return document


def _resolution(page: pypdfium2.PdfPage, limits: DecodeLimits) -> float:
    """Return the dots an inch to render at: the finest picture's where pictures make up the page."""
    page_area = page.get_width() * page.get_height()
    large = [picture for picture in _pictures(page, limits) if picture.area >= SMALL_SHARE * page_area]
    if not large or sum(picture.area for picture in large) < SCAN_SHARE * page_area:
        return float(limits.pdf_dpi)
    finest = max(picture.dpi for picture in large)
    dpi = min(max(finest, MIN_SCAN_DPI), MAX_SCAN_DPI)
    return dpi if limits.fits(*_size_at(page, dpi)) else float(limits.pdf_dpi)


def _pictures(page: pypdfium2.PdfPage, limits: DecodeLimits) -> Iterator[_Picture]:
    """Yield the page's pictures, refusing those over the limits by their metadata alone."""
    for count, item in enumerate(page.get_objects()):
        if count >= MAX_OBJECTS:
            raise ImageTooLarge("The PDF page holds more objects than this service accepts.")
        if not isinstance(item, pypdfium2.PdfImage):
            continue
        width, height = item.get_px_size()
        if width < 1 or height < 1:
            continue  # PDFium draws nothing for it
        limits.check_size(width, height)
        drawn_width, drawn_height = _drawn_size(item)
        if drawn_width > 0 and drawn_height > 0:
            yield _Picture(width, height, drawn_width, drawn_height)


def _drawn_size(item: pypdfium2.PdfImage) -> tuple[float, float]:
    """Width and height in points of the unit square under the picture's matrix and its containers'."""
    matrix = item.get_matrix()
    container = item.container
    while container is not None:
        matrix = matrix.multiply(container.get_matrix())
        container = container.container
    return math.hypot(matrix.a, matrix.b), math.hypot(matrix.c, matrix.d)


def _size_at(page: pypdfium2.PdfPage, dpi: float) -> tuple[int, int]:
    """Pixels of the page at that resolution, rounded: a scan keeps its own size."""
    width, height = page.get_size()
    if not (math.isfinite(width) and math.isfinite(height)):
        raise UnreadableImage("The PDF page has no proper size.")
    scale = dpi / POINTS_AN_INCH
    return max(1, round(width * scale)), max(1, round(height * scale))


def _render(page: pypdfium2.PdfPage, width: int, height: int) -> pypdfium2.PdfBitmap:
    bitmap = pypdfium2.PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_BGR, stride=width * 3)
    bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
    flags = pdfium.FPDF_ANNOT | pdfium.FPDF_RENDER_LIMITEDIMAGECACHE
    pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, flags)
    return bitmap


def serve(questions: IO[bytes], answers: IO[bytes]) -> None:
    """Answer questions until the input closes."""
    while len(prefix := questions.read(4)) == 4:
        question = json.loads(questions.read(struct.unpack("<I", prefix)[0]))
        data = questions.read(question["size"])
        _set_alarm(ANSWER_SECONDS)
        try:
            answer, body = _answer(question, data)
        except InputError as error:
            answer, body = {"code": error.code, "message": str(error)}, b""
        header = json.dumps(answer).encode()
        answers.write(struct.pack("<I", len(header)) + header)
        answers.write(body)
        answers.flush()
        _set_alarm(0)


def _set_alarm(seconds: int) -> None:
    """End the process by SIGALRM's default action, even from inside PDFium, unless called again with 0."""
    if sys.platform != "win32":
        signal.alarm(seconds)


def _answer(question: dict[str, Any], data: bytes) -> tuple[dict[str, Any], Any]:
    limits = DecodeLimits(*question["limits"])
    if "index" not in question:
        return {"pages": count_pages(data, limits)}, b""
    bitmap, dpi = render_page(data, question["index"], limits)
    body = memoryview(bitmap.buffer).cast("B")
    return {"width": bitmap.width, "height": bitmap.height, "dpi": dpi, "size": body.nbytes}, body


def main() -> None:
    """Cap the memory, keep the answer pipe for answers alone, and serve."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
