"""Where a cheque's courtesy amount stands: right of its currency's sign, in its box, in the area that a template names.

The sign is printed, so it looks like a fount's: rendered ones are sought by normalised correlation. Paper of every
tone is made alike first, and screens of dots are blurred away.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box
from segmentation.registration.evening import even_light

WORKING_WIDTH: Final = 640
"""Of the whole cheque: about 100 pixels an inch on a personal one, at which a sign's strokes are two or three wide."""

SIGNS: Final = "$₹"
FOUNTS: Final = (("sans", 400), ("sans", 800), ("uni", 400))
"""OpenCV's own, with their weights: a plain, a bold and a narrow one."""

HEIGHTS: Final = tuple(round(12 * 1.16**step) for step in range(7))
"""Pixels that a sign may be high in the working picture: an eighth to a third of an inch."""

MIN_LIKENESS: Final = 0.86
"""Correlation from which a sign counts as found: printed ones come to 0.89 and more, an S within a word to 0.83."""

BLUR: Final = 0.8

MARGIN: Final = 2
"""Pixels of paper around a pattern: a sign stands free."""

ABOVE: Final = 0.75
BELOW: Final = 0.75
"""Heights of the sign that the amount may reach beyond it: hands write larger than print."""

BEHIND: Final = 0.12
"""Heights of the sign between its right edge and the field."""

_Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Sign:
    """A currency's sign.

    Attributes:
        char: which one.
        box: on the page.
        likeness: correlation with a printed one, up to 1.
    """

    char: str
    box: Box
    likeness: float


def beside(sign: Sign, area: Box) -> Box:
    """Return the part of `area` right of the sign in which its amount is written."""
    box = sign.box
    left = min(round(box.x + (1 + BEHIND) * box.width), area.right - 1)
    top = max(area.y, round(box.y - ABOVE * box.height))
    bottom = min(area.bottom, round(box.y + (1 + BELOW) * box.height))
    return Box(left, top, area.right - left, max(1, bottom - top))


def find_sign(grey: _Grey, area: Box) -> Sign | None:
    """Return the sign in `area` that is most like a printed one, or None where nothing looks enough like one.

    Args:
        grey: the cheque, uint8, dark ink on light paper.
        area: where it is sought, all of it.
    """
    scale = WORKING_WIDTH / grey.shape[1]
    part = grey[area.slices]
    size = (max(1, round(area.width * scale)), max(1, round(area.height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.GaussianBlur(even_light(np.asarray(cv2.resize(part, size, interpolation=how), np.uint8)), (0, 0), BLUR)
    peaks = [peak for char in SIGNS for peak in _peaks(np.asarray(small, np.uint8), char)]
    likeness, char, place = max(peaks, key=lambda peak: peak[0], default=(0.0, "", area))
    if likeness < MIN_LIKENESS:
        return None
    box = _inner(place, scale)
    return Sign(char, replace(box, x=area.x + box.x, y=area.y + box.y), likeness)


def _peaks(small: _Grey, char: str) -> Iterator[tuple[float, str, Box]]:
    """Yield where each pattern of `char` is most like the picture, and how much so."""
    for pattern in _patterns(char):
        height, width = pattern.shape
        if height <= small.shape[0] and width <= small.shape[1]:
            _, likeness, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(small, pattern, cv2.TM_CCOEFF_NORMED))
            yield likeness, char, Box(x, y, width, height)


def _inner(place: Box, scale: float) -> Box:
    """Return the sign's own box, without the pattern's margin, in pixels of the page."""
    x, y = round((place.x + MARGIN) / scale), round((place.y + MARGIN) / scale)
    return Box(x, y, round((place.width - 2 * MARGIN) / scale), round((place.height - 2 * MARGIN) / scale))


@cache
def _patterns(char: str) -> tuple[_Grey, ...]:
    """Return a character as the working picture shows it, dark on light, in every fount and size."""
    return tuple(_drawn(char, fount, weight, height) for (fount, weight), height in product(FOUNTS, HEIGHTS))


def _drawn(char: str, fount: str, weight: int, height: int) -> _Grey:
    canvas = np.full((240, 240), 255, np.uint8)
    cv2.putText(canvas, char, (60, 170), (0,), cv2.FontFace(fount), 120, weight)
    rows, columns = np.nonzero(canvas < 128)
    tight = canvas[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    width = max(3, round(tight.shape[1] * height / tight.shape[0]))
    small = cv2.resize(tight, (width, height), interpolation=cv2.INTER_AREA)
    framed = cv2.copyMakeBorder(small, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=255)
    return np.asarray(cv2.GaussianBlur(framed, (0, 0), BLUR), np.uint8)
