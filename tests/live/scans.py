"""Documents for live tests, and what the reader makes of them: right or wrong, it is the same everywhere."""

import functools
import io

import cv2
import numpy as np
from PIL import Image

from core.settings import Settings
from tests.factories import png_bytes
from worker.pipeline import Reader, ReadRequest

NUMBERS = ("70315", "4821", "960247", "1830", "55209", "38174", "6402", "91763")
KINDS = 24
"""Different scans; there may be more documents than that."""


@functools.cache
def scan(number: int) -> tuple[str, bytes]:
    """Return a scan's text, as a reader in this process reads it, and its bytes."""
    kind = number % KINDS
    if kind != number:
        return scan(kind)
    return _with_text(png_bytes(NUMBERS[kind % len(NUMBERS)], seed=kind))


@functools.cache
def heavy_scan(number: int) -> tuple[str, bytes]:
    """Return the same number on a sheet of 9 million pixels: a third of a second for a reader, few bytes as a file."""
    small = np.asarray(Image.open(io.BytesIO(scan(number)[1])).convert("L"))
    sheet = np.full((3000, 3000), 255, np.uint8)
    sheet[1000 : 1000 + small.shape[0], 1000 : 1000 + small.shape[1]] = np.where(small < 128, 0, 255)
    return _with_text(_png(Image.fromarray(sheet)))


def _with_text(data: bytes) -> tuple[str, bytes]:
    text = _reader().read(data, request=ReadRequest("digits")).pages[0].fields[0].text
    assert text, "a scan without a text would show little"
    return text, data


def slow_scan() -> bytes:
    """Return a page that is small as a file and takes a reader a second or two: 36 million pixels."""
    pixels = np.full((6000, 6000), 255, np.uint8)
    pixels[100:130, 100:5000] = 0
    return _png(Image.fromarray(pixels))


def crowded_scan() -> bytes:
    """Return a page that takes any reader well over a second: more than a thousand numbers."""
    pixels = np.full((6000, 6000), 255, np.uint8)
    for y in range(100, 5900, 100):
        for x in range(50, 5800, 300):
            cv2.putText(pixels, "70315", (x, y), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 0, 3)
    return _png(Image.fromarray(pixels))


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


@functools.cache
def _reader() -> Reader:
    return Reader.load(Settings())
