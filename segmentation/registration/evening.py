"""Uneven light and shadow evened out, before anything is sought and whatever the binarisation is.

The light is what the paper looks like: a closing takes strokes away, an opening and a blur the paper's grain.
Dividing by it keeps a stroke's contrast to the paper beside it, however thin it is.
"""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Page
from segmentation.registration.geometry import as_grey

PAPER_TONE: Final = 235
"""Grey level that the paper comes to: below white, so that its texture is not cut off."""

LIGHT_SIDE: Final = 640
"""The longer side of the picture in which light is estimated: a letter is a few pixels there, a shadow dozens."""

STROKE_SHARE: Final = 0.03
"""Of the longer side: the window of the closing. Wider than the strokes of any writing, narrower than shadows."""

MAX_GAIN: Final = 3.0
"""Deep shadow is brightened no further: what is darker is a dark thing rather than paper in the dark."""


UNEVEN: Final = 0.6
"""Share of the lightest paper's brightness that the darkest paper has, below which light is uneven. Scans and photos of
real cheques and covers have 0.75 and more, coloured bands among them; drawn pages in deep shadow 0.33."""


def evenly_lit(page: Page) -> Page:
    """Return the page with its light evened out where it is uneven, else the page itself.

    A page of which the larger part lies in shadow would be taken for bright ink on dark paper.
    """
    dark, bright = np.percentile(_paper_light(as_grey(page.pixels)), (5, 95))
    return replace(page, pixels=even_light(page.pixels)) if dark < UNEVEN * bright else page


def even_light(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `pixels` as if lit evenly, the paper at `PAPER_TONE`: same shape, grey or BGR; hues stay."""
    light = estimate_light(as_grey(pixels))
    if pixels.ndim == 3:
        light = np.asarray(cv2.merge([light, light, light]), np.uint8)
    return np.asarray(cv2.divide(pixels, light, scale=PAPER_TONE), np.uint8)


def estimate_light(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the brightness that blank paper has at each pixel: uint8, shape of `grey`, at least 1.

    Args:
        grey: dark ink on light paper.
    """
    height, width = grey.shape
    smooth = _paper_light(grey)
    floor = max(1.0, float(np.percentile(smooth, 95)) / MAX_GAIN)
    lit = np.maximum(smooth, np.uint8(floor))
    return np.asarray(cv2.resize(lit, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _paper_light(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the paper's brightness in a small picture: uint8, no side longer than `LIGHT_SIDE`."""
    height, width = grey.shape
    scale = min(1.0, LIGHT_SIDE / max(height, width))
    small = grey
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    side = max(5, round(STROKE_SHARE * max(small.shape))) | 1
    window = np.ones((side, side), np.uint8)
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, window, borderType=cv2.BORDER_REPLICATE)
    calm = cv2.morphologyEx(paper, cv2.MORPH_OPEN, window, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.blur(cv2.blur(calm, (side, side)), (side, side)), np.uint8)
