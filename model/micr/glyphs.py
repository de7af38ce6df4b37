"""The shapes of E-13B's fourteen symbols, from the grid that ISO 1004 and ANSI X9.27 define them on.

One module is 0.013 inches. Symbols are up to seven modules wide and nine high, strokes one module or a multiple of it,
corners rounded by half a module; the next symbol's right edge follows after an eighth of an inch. Everything drawn
for training, for tests and for demonstrations comes from here.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.micr import AMOUNT, DASH, ON_US, TRANSIT

MODULES_HIGH: Final = 9
PITCH_MODULES: Final = 0.125 / 0.013
"""From one right edge to the next."""

CLEARANCE: Final = (PITCH_MODULES - 7) / 2
"""Modules from a symbol's right edge to that of its cell: the widest symbols stand in the middle."""

DOTS: Final = 16
"""Pixels a module in which shapes are kept; half a module is a whole number of them."""

Rectangle = tuple[float, float, float, float]
"""Left, top, right and bottom in modules, from the top left corner of the symbol's nine rows."""

RECTANGLES: Final[dict[str, Sequence[Rectangle]]] = {
    "1": ((0, 0, 2, 1), (1, 0, 2, 5.5), (0, 5, 4, 9)),
    "2": ((0, 0, 4, 1), (3, 0, 4, 5), (0, 4, 4, 5), (0, 4, 1, 9), (0, 8, 4, 9)),
    "3": ((0, 0, 4, 1), (3, 0, 4, 5), (0, 4, 4, 5), (3, 4.5, 5, 9), (0, 8, 5, 9)),
    "4": ((0, 0, 2, 7), (0, 6, 4.5, 7), (4, 5, 6, 9)),
    "5": ((0, 0, 5, 1), (0, 0, 1, 5), (0, 4, 5, 5), (4, 4, 5, 9), (0, 8, 5, 9)),
    "6": ((0, 0, 4, 1), (3, 0, 4, 2.5), (0, 0, 1, 9), (0, 5, 6, 6), (5, 5, 6, 9), (0, 8, 6, 9)),
    "8": ((1, 0, 6, 1), (1, 0, 2, 5), (5, 0, 6, 5), (1, 4, 6, 5), (0, 4.5, 2, 9), (5, 4.5, 7, 9), (0, 8, 7, 9)),
    "9": ((0, 0, 6, 1), (0, 0, 1, 5), (5, 0, 6, 5), (0, 4, 6, 5), (4, 4, 6, 9)),
    TRANSIT: ((0, 1.5, 2, 7.5), (4, 0, 7, 3), (4, 6, 7, 9)),
    AMOUNT: ((0, 5, 2, 9), (3, 2.25, 4, 6.75), (5, 0, 7, 4)),
    ON_US: ((0, 1.5, 1, 7.5), (2, 1.5, 3, 7.5), (4, 0.5, 7, 4.5)),
    DASH: ((0, 2.5, 2, 6.5), (3, 2.5, 5, 6.5), (6, 2.5, 7, 6.5)),
}
"""All but 0 and 7, which have wider curves."""

SEVEN: Final = ((0, 0), (5, 0), (5, 3.9), (3, 4.8), (3, 9), (2, 9), (2, 4.3), (4, 3.3), (4, 1), (1, 1), (1, 3), (0, 3))
ZERO: Final = (6.8, 2.0, 0.85)
"""Width, outer radius and thickness of the upright strokes: 0 alone has curves of two modules, and thinner sides."""


@lru_cache(maxsize=32)
def glyph(symbol: str) -> NDArray[np.uint8]:
    """Return the symbol's ink: uint8, 0 or 255, shape (144, 16 × its width in modules), 16 pixels a module.

    Raises:
        KeyError: it is no symbol of E-13B.
    """
    if symbol == "0":
        return _zero()
    if symbol == "7":
        ink = np.zeros((MODULES_HIGH * DOTS, 5 * DOTS), np.uint8)
        cv2.fillPoly(ink, [_dots(SEVEN)], 255)
        return _rounded(ink)
    rectangles = RECTANGLES[symbol]
    ink = np.zeros((MODULES_HIGH * DOTS, round(max(right for *_, right, _ in rectangles) * DOTS)), np.uint8)
    for left, top, right, bottom in rectangles:
        ink[round(top * DOTS) : round(bottom * DOTS), round(left * DOTS) : round(right * DOTS)] = 255
    return _rounded(ink)


def line_of(text: str, *, shifts: Sequence[tuple[float, float]] = ()) -> NDArray[np.uint8]:
    """Return a printed line: uint8, 0 or 255, 16 pixels a module, one cell for each character of `text`.

    A symbol's right edge lies `CLEARANCE` short of its cell's; a margin of two modules surrounds the line.

    Args:
        text: symbols and spaces.
        shifts: modules by which each is off its place, to the right and down, as printers are.
    """
    margin = 2 * DOTS
    ink = np.zeros((MODULES_HIGH * DOTS + 2 * margin, round(len(text) * PITCH_MODULES * DOTS) + 2 * margin), np.uint8)
    for place, symbol in enumerate(text):
        if symbol == " ":
            continue
        shape = glyph(symbol)
        right, down = shifts[place] if shifts else (0.0, 0.0)
        end = margin + round(((place + 1) * PITCH_MODULES - CLEARANCE + right) * DOTS)
        top = int(np.clip(margin + round(down * DOTS), 0, 2 * margin))
        part = ink[top : top + shape.shape[0], end - shape.shape[1] : end]
        np.maximum(part, shape[:, -part.shape[1] :], out=part)
    return ink


def _zero() -> NDArray[np.uint8]:
    width, radius, side = (round(value * DOTS) for value in ZERO)
    height = MODULES_HIGH * DOTS
    outer = _round_box((height, width), radius)
    hole = _round_box((height - 2 * DOTS, width - 2 * side), radius - side)
    outer[DOTS:-DOTS, side:-side] -= hole
    return outer


def _round_box(shape: tuple[int, int], radius: int) -> NDArray[np.uint8]:
    """Return a filled box whose corners are rounded by `radius`."""
    ink = np.full((shape[0] + 2 * radius, shape[1] + 2 * radius), 0, np.uint8)
    ink[radius:-radius, radius:-radius] = 255
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    opened = cv2.morphologyEx(ink, cv2.MORPH_OPEN, disc)
    return np.asarray(opened[radius:-radius, radius:-radius], np.uint8)


def _rounded(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the shape with corners rounded by half a module, those that turn in as well."""
    padded = cv2.copyMakeBorder(ink, DOTS, DOTS, DOTS, DOTS, cv2.BORDER_CONSTANT, value=0)
    # One pixel less than a module: strokes a module wide must survive.
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (DOTS - 1, DOTS - 1))
    smooth = cv2.morphologyEx(cv2.morphologyEx(padded, cv2.MORPH_OPEN, disc), cv2.MORPH_CLOSE, disc)
    return np.asarray(smooth[DOTS:-DOTS, DOTS:-DOTS], np.uint8)


def _dots(points: Sequence[tuple[float, float]]) -> NDArray[np.int32]:
    # fillPoly paints its border too: the right and lower edges move in by a pixel.
    corners = np.array(points) * DOTS
    return np.asarray(np.round(corners - (corners > corners.mean(axis=0))), np.int32)
