"""Where on a page full of little squares a QR code can stand.

OpenCV's thorough detector of QR codes looks at every square, for a millisecond each, and takes three of them together
for a code: a page of two thousand check boxes keeps it busy for seconds. Among that many, a code is sought around the
finder patterns alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

CROWD: Final = 500
"""Outlines of squares from which on they are many: a box has an outer and an inner one. Forms have a hundred."""

MAX_PATTERNS: Final = 60
"""Finder patterns of twenty codes: more are no codes."""

REACH: Final = 8
"""Sides of a finder pattern from one to the next: six in a code that says as much as the longest name takes."""

LEAST_SIDE: Final = 7
"""Pixels of a square that the detector looks at."""

_WINDOW: Final = 23
_INK: Final = 12
"""Pixels of the widest window by which the detector tells ink from paper, and grey levels between them."""

_Grey = NDArray[np.uint8]
_Boxes = NDArray[np.int64]
"""Shape (n, 4): left, top, width, height."""

_Corner = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Squares:
    """The outlines of squares in a picture, and which of them are finder patterns.

    Attributes:
        outlines: boxes of all.
        patterns: boxes of the squares that stand around a ring of paper and another square.
    """

    outlines: _Boxes
    patterns: _Boxes

    @property
    def are_many(self) -> bool:
        """Return whether the thorough detector would take seconds."""
        return len(self.outlines) > CROWD

    @property
    def are_patterns(self) -> bool:
        """Return whether so many of them look like a code's corners that no detector could tell which are."""
        return len(self.patterns) > MAX_PATTERNS

    def parts_with_codes(self, picture: _Grey) -> Iterator[_Grey]:
        """Yield the parts of the picture that may hold a code, with a quiet zone."""
        parts = [_around(group, picture) for group in _groups(self.patterns)]
        counts = [self._inside(low, high) for low, high in parts]
        left = CROWD  # for all parts together
        for place in np.argsort(counts, kind="stable").tolist():
            left -= counts[place]
            if left < 0:
                return
            (x, y), (right, bottom) = parts[place]
            yield picture[y:bottom, x:right]

    def _inside(self, low: _Corner, high: _Corner) -> int:
        within = (self.outlines[:, :2] >= low) & (self.outlines[:, :2] + self.outlines[:, 2:] <= high)
        return int(np.count_nonzero(within.all(axis=1)))


def find_squares(picture: _Grey) -> Squares:
    """Return the squares in a picture of dark ink on light paper, evenly lit."""
    ink = cv2.adaptiveThreshold(picture, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, _WINDOW, _INK)
    outlines, tree = cv2.findContours(ink, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        nothing = np.zeros((0, 4), np.int64)
        return Squares(nothing, nothing)
    boxes = np.array([cv2.boundingRect(outline) for outline in outlines], np.int64)
    shortest, longest = boxes[:, 2:].min(axis=1), boxes[:, 2:].max(axis=1)
    squarish = shortest > 0.6 * longest
    large = np.flatnonzero(squarish & (shortest >= LEAST_SIDE))
    four_sided = [place for place in large.tolist() if _has_four_sides(np.asarray(outlines[place], np.int32))]
    return Squares(boxes[four_sided], boxes[_patterns(boxes, squarish, np.asarray(tree, np.int32)[0, :, 3])])


def _has_four_sides(outline: NDArray[np.int32]) -> bool:
    few = cv2.approxPolyDP(outline, 0.05 * cv2.arcLength(outline, True), True)
    return len(few) == 4 and cv2.isContourConvex(few)


def _patterns(boxes: _Boxes, squarish: NDArray[np.bool_], parents: NDArray[np.int32]) -> NDArray[np.intp]:
    """Return the places of outlines that have in them, around one middle, paper and then a square 3/7 as long."""
    inner = np.flatnonzero(parents >= 0)
    inner = inner[parents[parents[inner]] >= 0]
    outer = np.asarray(parents[parents[inner]], np.intp)
    sides, middles = boxes[:, 2:].mean(axis=1), boxes[:, :2] + boxes[:, 2:] / 2
    share = sides[inner] / sides[outer]
    apart = np.hypot(*(middles[inner] - middles[outer]).T)
    alike = squarish[inner] & squarish[outer] & (share > 0.25) & (share < 0.65) & (apart < 0.15 * sides[outer])
    return np.unique(outer[alike & (sides[outer] >= LEAST_SIDE)])


def _groups(patterns: _Boxes) -> list[_Boxes]:
    """Return patterns of one size that stand by each other, as a code has three: at least two, the third be damaged."""
    sides, middles = patterns[:, 2:].mean(axis=1), patterns[:, :2] + patterns[:, 2:] / 2
    smaller, larger = np.minimum(sides[:, None], sides), np.maximum(sides[:, None], sides)
    apart = np.hypot(*(middles[:, None] - middles).transpose(2, 0, 1))
    linked = (larger <= 1.5 * smaller) & (apart <= REACH * smaller)
    for _ in range(len(patterns).bit_length()):  # from neighbour to neighbour
        linked = linked @ linked
    return [patterns[row] for row in np.unique(linked, axis=0) if np.count_nonzero(row) > 1]


def _around(group: _Boxes, picture: _Grey) -> tuple[_Corner, _Corner]:
    quiet = int(group[:, 2:].max())
    low = np.maximum(group[:, :2].min(axis=0) - quiet, 0)
    high = (group[:, :2] + group[:, 2:]).max(axis=0) + quiet
    return low, np.minimum(high, picture.shape[::-1])
