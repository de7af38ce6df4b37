"""What is written across a number: a stroke right through its digits, by which the writer took it back.

Works on the line that the readers see (`segmentation.line`), 32 pixels high, so that sizes are those of the writing. A
strike is a straight stroke from about the middle of the first digit to the middle of the last one or further, between
their tops and feet. Ruling lines lie at the feet or below; the bars of a 7, a 4 or a 5 end at the next digit; strokes
that join digits are not straight. Most numbers have a gap between digits, and are done with at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.types import Box
from segmentation.line import Line

MIN_DIGITS: Final = 2
"""A bar through one digit is a 7's, or a 0's."""

HIGHEST: Final = 0.2
LOWEST: Final = 0.72
"""Text heights below the digits' tops between which the middle of a strike lies: it is neither a roof nor a base."""

MAX_FALL: Final = 1.2
"""Text heights that a strike falls or rises in all."""

MAX_SLOPE: Final = 0.8
"""Rows that it falls for each column at most: a steeper stroke is a digit's own."""

STEP: Final = 3
"""Rows by which the falls that are tried differ: a pen is as thick."""

PAST_MIDDLE: Final = 0.3
"""Text heights by which a strike reaches beyond the middles of the outer digits, unless the digits end before."""

INKED: Final = 100
"""Of a line's pixels: from here on they are a stroke's."""

CLEAR_OF: Final = 0.16
"""Text heights above and below a strike where it is seen to be a stroke by itself."""


class Strike(IntEnum):
    """How sure it is that a number was struck out, by its ink alone."""

    NONE = 0
    FAINT = 1
    CLEAR = 2


@dataclass(frozen=True, slots=True)
class _Demand:
    """What is asked of a strike.

    Attributes:
        strength: share of the digits' own ink that it has at least.
        strength_of_two: the same across two digits: they join by chance more easily than many do.
        broken: share of its columns in which it may be weaker.
        alone: share of its columns where nothing is close above and below, as between digits and inside of their loops.
    """

    strength: float
    strength_of_two: float
    broken: float
    alone: float


DEMANDS: Final = {
    Strike.FAINT: _Demand(strength=0.5, strength_of_two=0.6, broken=0.1, alone=0.05),
    Strike.CLEAR: _Demand(strength=0.6, strength_of_two=0.8, broken=0.06, alone=0.1),
}
"""Of 2,171 real numbers that were accepted 4 % have a faint strike by this, and 0.4 % a clear one."""


@dataclass(frozen=True, slots=True)
class _Digits:
    """The digits of a number on its line: left and right sides, in columns; common top and height, in rows."""

    lefts: NDArray[np.float64]
    rights: NDArray[np.float64]
    top: float
    height: float


def find_strike(line: Line, digits: Sequence[Box]) -> Strike:
    """Return whether a stroke goes through all digits of a number.

    Args:
        line: the field's line.
        digits: their boxes, in pixels of the field, from left to right.
    """
    if len(digits) < MIN_DIGITS:
        return Strike.NONE
    placed = _on_line(line, digits)
    columns = _crossed(placed, line.pixels.shape[1])
    # Most numbers end here: half as dark as the palest stroke is paper.
    if len(columns) < placed.height / 2 or not _is_bridged(
        line.pixels, placed, columns, INKED / 2, DEMANDS[Strike.FAINT].broken
    ):
        return Strike.NONE
    ink = line.pixels[line.pixels > INKED]
    full = float(np.median(ink)) if len(ink) else 255.0
    found = Strike.NONE
    for strike, demand in DEMANDS.items():
        needed = full * (demand.strength_of_two if len(digits) == MIN_DIGITS else demand.strength)
        asked = line.pixels, placed, columns, needed, demand.broken
        if not (_is_bridged(*asked) and _is_crossed(*asked, alone=demand.alone)):
            break
        found = strike
    return found


def _on_line(line: Line, digits: Sequence[Box]) -> _Digits:
    height, width = line.pixels.shape
    across, down = width / line.box.width, height / line.box.height
    tops = [(box.y - line.box.y) * down for box in digits]
    feet = [(box.bottom - line.box.y) * down for box in digits]
    top, foot = median(tops), median(feet)
    lefts = np.array([(box.x - line.box.x) * across for box in digits])
    return _Digits(lefts, lefts + np.array([box.width * across for box in digits]), top, max(foot - top, 10.0))


def _crossed(digits: _Digits, width: int) -> NDArray[np.intp]:
    """Return the columns that a strike crosses."""
    middles, reach = (digits.lefts + digits.rights) / 2, PAST_MIDDLE * digits.height
    first = max(0.0, digits.lefts[0], middles[0] - reach)
    last = min(width - 1.0, digits.rights[-1], middles[-1] + reach)
    return np.arange(round(first), round(last) + 1)


def _is_bridged(
    pixels: NDArray[np.uint8], digits: _Digits, columns: NDArray[np.intp], needed: float, broken: float
) -> bool:
    """Return whether there is ink between tops and feet in all columns: in few numbers that nobody struck out."""
    rows = slice(max(0, int(digits.top)), int(digits.top + digits.height) + 1)
    band = pixels[rows, columns[0] : columns[-1] + 1]
    return band.size > 0 and int(np.count_nonzero(band.max(axis=0) < needed)) <= broken * len(columns)


def _is_crossed(
    pixels: NDArray[np.uint8], digits: _Digits, columns: NDArray[np.intp], needed: float, broken: float, *, alone: float
) -> bool:
    """Return whether a straight stroke of any slope goes through the digits."""
    off = max(2, round(CLEAR_OF * digits.height))
    margin = off + 2
    ink = np.pad(_thickened(pixels), ((margin, margin), (0, 0)))
    low, high = digits.top + HIGHEST * digits.height, digits.top + LOWEST * digits.height
    middles = np.arange(np.ceil(low), np.floor(high) + 1) + margin
    steepest = int(min(MAX_FALL * digits.height, MAX_SLOPE * len(columns)) // STEP)
    # Every row through the middle at every slope: (paths, columns).
    slopes = STEP * np.arange(-steepest, steepest + 1) / len(columns)
    falls = slopes[:, None] * (columns - columns.mean())
    paths = np.rint(middles[:, None, None] + falls).astype(np.intp).reshape(-1, len(columns))
    np.minimum(np.maximum(paths, off, out=paths), len(ink) - 1 - off, out=paths)
    on = ink[paths, columns]
    whole = np.count_nonzero(on < needed, axis=1) <= broken * len(columns)
    if not whole.any():
        return False
    paths, on = paths[whole], on[whole] // 2
    by_itself = (ink[paths - off, columns] < on) & (ink[paths + off, columns] < on)
    return bool(np.count_nonzero(by_itself, axis=1).max() >= alone * len(columns))


def _thickened(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return each pixel as dark as the darkest of it and those above and below: strikes are not quite straight."""
    thick = pixels.copy()
    np.maximum(thick[1:], pixels[:-1], out=thick[1:])
    np.maximum(thick[:-1], pixels[1:], out=thick[:-1])
    return thick
