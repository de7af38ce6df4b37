"""The page picture kept beside a reading: small, WebP, upright like the boxes drawn over it."""

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.types import Page

WEBP_QUALITY = 60
"""Pen strokes stay crisp; a page of 1600 pixels takes about 60 kB."""

WEBP_METHOD = 2
"""Half the time of the encoder's default, which OpenCV cannot change, for a twentieth more bytes."""

WEBP_MAX_SIDE = 16383


def encode_preview(page: Page, *, max_side: int) -> bytes:
    """Return the page as WebP, shrunk by area averaging so that its longer side is at most `max_side` pixels."""
    shrunk = _shrink(page.pixels, min(max_side, WEBP_MAX_SIDE))
    upright = shrunk if shrunk.ndim == 2 else np.ascontiguousarray(shrunk[:, :, ::-1])
    file = io.BytesIO()
    Image.fromarray(upright).save(file, "WEBP", quality=WEBP_QUALITY, method=WEBP_METHOD)
    return file.getvalue()


def _shrink(pixels: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
