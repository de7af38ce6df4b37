"""Drawn pictures as files: PNG, JPEG, BMP, WebP, TIFF of one or many pages, PDF of scans."""

import io
import time
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

SCAN_DPI = 200

DRAWN_ON = time.gmtime(1451779200)
"""Date inside the PDFs: fixed, so that the same drawing gives the same bytes."""


def as_image(pixels: Pixels) -> Image.Image:
    """Return a Pillow image of grey or BGR pixels."""
    if pixels.ndim == 2:
        return Image.fromarray(pixels)
    return Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))


def black_and_white(pixels: Pixels) -> Image.Image:
    """Return a 1-bit image, as a fax or an archive's scanner makes it."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY) if pixels.ndim == 3 else pixels
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return Image.fromarray(np.where(grey > level, 255, 0).astype(np.uint8)).convert("1")


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return the image as a file of one page; `kind` is Pillow's name: PNG, JPEG, BMP, WEBP, TIFF."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **{"dpi": (SCAN_DPI, SCAN_DPI), **options})
    return buffer.getvalue()


def tiff(pages: Sequence[Image.Image], *, compression: str = "group4") -> bytes:
    """Return a TIFF of many pages."""
    first, *others = pages
    return encode(first, "TIFF", save_all=True, append_images=others, compression=compression)


def pdf(pages: Sequence[Image.Image], *, quality: int = 70) -> bytes:
    """Return a PDF whose pages are one scan each, as a scanner writes it."""
    first, *others = pages
    buffer = io.BytesIO()
    first.save(
        buffer,
        "PDF",
        save_all=True,
        append_images=others,
        resolution=SCAN_DPI,
        **({} if first.mode == "1" else {"quality": quality}),  # CCITT G4 has none
        creationDate=DRAWN_ON,
        modDate=DRAWN_ON,
    )
    return buffer.getvalue()
