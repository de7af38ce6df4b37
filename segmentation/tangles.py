"""A digit with more ink and more loops than any digit has: something was written over something else.

Works on the line that the readers see (`segmentation.line`). An 8 has two loops and is about three heights of stroke
long; two digits on top of each other enclose three scraps of paper or more.
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box
from segmentation.line import Line

INKED: Final = 120
"""Of a line's pixels: from here on they are a stroke's."""

MIN_LOOPS: Final = 3
MIN_LENGTH: Final = 2.8
"""Heights of the digit that its strokes are long together."""

MIN_HEIGHT: Final = 6
"""Rows; what is lower is a dot."""


def has_tangle(line: Line, digits: Sequence[Box]) -> bool:
    """Return whether one of the digits is more than one sign can be.

    Args:
        line: the field's line.
        digits: their boxes, in pixels of the field.
    """
    bits = (line.pixels >= INKED).view(np.uint8)
    pen = _pen_width(bits)
    return pen is not None and any(_is_tangled(_part(bits, line.box, digit), pen) for digit in digits)


def _pen_width(bits: NDArray[np.uint8]) -> float | None:
    """Return the middle thickness of the strokes in pixels; None where there is next to no ink."""
    depth = cv2.distanceTransform(np.pad(bits, 1), cv2.DIST_L2, 3)
    ridge = depth[(depth > 0) & (depth >= cv2.dilate(depth, np.ones((3, 3))))]
    return 2 * float(np.median(ridge)) if len(ridge) else None


def _part(bits: NDArray[np.uint8], shown: Box, digit: Box) -> NDArray[np.uint8]:
    down, across = bits.shape[0] / shown.height, bits.shape[1] / shown.width
    left, top = int((digit.x - shown.x) * across), int((digit.y - shown.y) * down)
    right, bottom = left + round(digit.width * across) + 1, top + round(digit.height * down) + 1
    return bits[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]


def _is_tangled(part: NDArray[np.uint8], pen: float) -> bool:
    if min(part.shape) == 0 or np.count_nonzero(part) < MIN_LENGTH * pen * max(part.shape[0], MIN_HEIGHT):
        return False
    # The paper around the digit is a piece of its own, and 0 stands for the ink.
    pieces, _ = cv2.connectedComponents(1 - np.pad(part, 1), connectivity=4)
    return pieces - 2 >= MIN_LOOPS
