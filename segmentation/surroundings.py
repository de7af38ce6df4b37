"""A field on its page: what of the writing at its edges goes on outside, and what stands next to it there.

Only as much of the page is looked at as one digit takes: of what is left of it outside nothing is larger, so larger ink
there is print that it touches.
"""

from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from math import ceil
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box
from segmentation.prepare import ink_map, lies_in_any, mend, pieces_of, remove_rules, widened

LARGEST: Final = 1.5
"""Heights of a digit that one is tall and wide at most, and the rest of one."""

SEEN: Final = 1.8
AROUND: Final = 0.3
"""Heights of a digit that are looked at beyond a side, and along it: rules are known by how long they are for what is
seen of them."""

MIN_WHOLE: Final = 0.5
"""Heights of a digit that one is tall with what stands outside."""

BEYOND: Final = 0.12
"""Heights of a digit that ink goes on beyond the field's left or right edge, where it is cut off."""

BELOW: Final = 0.2
"""The same above and below: the end of a 7's stem is missed by nobody."""

NEXT: Final = 0.5
"""Heights of a digit between the number's end and a sign outside that may be its next digit."""

NO_GAP: Final = 0.35
"""Heights of a digit: signs of two fields that stand closer may be one number. Between the digits of one, writers leave
0.1 to 0.25; of two numbers in neighbouring fields hardly any stand so close."""

SIDE_WIDTH: Final = 0.12
SIDE_HEIGHT: Final = 1.15
"""Heights of a digit: what is no wider and at least so tall is a frame's side, and no 1 beside the number."""

PRINTED: Final = 0.8
"""Of a side's length, columns with more ink are its printed line's, and none of a digit's."""

SAME_ROWS: Final = 0.4
"""Of the lower one's height, rows that both have."""

EDGE_PX: Final = 2
"""So close to the page's edge, a field's edge is the page's."""


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """A field on its page.

    Attributes:
        page: uint8 grey, shape (height, width).
        field: where the field lies on it.
        others: where other fields lie: what stands in them is theirs.
    """

    page: NDArray[np.uint8]
    field: Box
    others: tuple[Box, ...] = ()

    def ends_with_page(self, side: str) -> bool:
        """Return whether a side of the field is the page's edge: nobody knows what was beyond."""
        height, width = self.page.shape
        field = self.field
        gaps = {"l": field.x, "r": width - field.right, "t": field.y, "b": height - field.bottom}
        return bool(gaps[side] <= EDGE_PX)


class AtRim(NamedTuple):
    """Ink of a field that touches one of its sides: `box` and `place`, a pixel at the rim, in pixels of the field."""

    side: str
    box: Box
    place: tuple[int, int]


class _Area:
    """The ink of a part of the page around a field: its pieces, and where the field lies in it."""

    def __init__(self, around: Surroundings, *, across: int, down: int, near: int = 0) -> None:
        """Take in so many pixels left and right of the field, and above and below.

        Lines printed along the field's sides, `near` pixels from them or less, are left out.
        """
        page, field = around.page, around.field
        part = widened(field, across=across, down=down, width=page.shape[1], height=page.shape[0])
        self.x, self.y = part.x, part.y
        self.field = replace(field, x=field.x - part.x, y=field.y - part.y)
        pixels = page[part.slices]
        ink = _without_sides(remove_rules(ink_map(np.ascontiguousarray(pixels))).view(np.uint8), self.field, near)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
        self._labels = np.asarray(labels)
        self._boxes = [Box(*row[:4]) for row in stats.tolist()]

    @property
    def signs(self) -> list[Box]:
        """The boxes of all pieces."""
        return self._boxes[1:]

    def rests(self, ink: AtRim) -> Iterator[Box]:
        """Yield what the ink at the rim has outside of the field."""
        row, column = self.field.y + ink.place[0], self.field.x + ink.place[1]
        near = self._labels[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        for label in np.unique(near[near > 0]).tolist():
            x, y, width, height = astuple(self._boxes[label])
            own = (self._labels[y : y + height, x : x + width] == label).view(np.uint8)
            left, top = max(0, self.field.x - x), max(0, self.field.y - y)
            own[top : max(0, self.field.bottom - y), left : max(0, self.field.right - x)] = 0
            for piece in pieces_of(own):
                yield replace(piece, x=x + piece.x, y=y + piece.y)


class Outside:
    """The ink around a field, as far as one digit reaches."""

    def __init__(self, around: Surroundings, height: float) -> None:
        """Look at what is around a field whose digits are `height` pixels tall."""
        self._around = around
        self._height = height

    def completes(self, ink: AtRim, *, ours: bool = True) -> bool:
        """Return whether ink at the rim goes on outside as the rest of a digit does.

        Args:
            ink: of the field.
            ours: whether it is known to be the field's; if not, what stands in another field outside is that one's.
        """
        area, height = self._beside if ink.side in "lr" else self._above_and_below, self._height
        field = area.field
        for rest in area.rests(ink):
            top, foot = min(rest.y, field.y + ink.box.y), max(rest.bottom, field.y + ink.box.bottom)
            over = {
                "l": field.x - rest.x,
                "r": rest.right - field.right,
                "t": field.y - rest.y,
                "b": rest.bottom - field.bottom,
            }[ink.side]
            least = max(2, (BEYOND if ink.side in "lr" else BELOW) * height)
            is_digits = max(rest.width, rest.height) < LARGEST * height and foot - top >= MIN_WHOLE * height
            if over >= least and is_digits and (ours or not self._is_anothers(rest, area)):
                return True
        return False

    def has_next(self, first: Box | None, last: Box | None) -> bool:
        """Return whether a sign like a digit stands outside, close to the number's `first` or `last` digit.

        In another field it must stand as close as the digits of one number: it may have been written over both.
        Either is in pixels of the field, and None where its side of the field is not asked.
        """
        area = self._beside
        start, end = area.field.x, area.field.right
        for sign in area.signs:
            middle = sign.x + sign.width / 2
            digit = first if middle < start else last if middle > end else None
            if digit is not None and self._is_next(sign, digit, NO_GAP if self._is_anothers(sign, area) else NEXT):
                return True
        return False

    @cached_property
    def _beside(self) -> _Area:
        across, down, near = ceil(SEEN * self._height), ceil(AROUND * self._height), round(NEXT * self._height)
        return _Area(self._around, across=across, down=down, near=near)

    @cached_property
    def _above_and_below(self) -> _Area:
        return _Area(self._around, across=ceil(AROUND * self._height), down=ceil(SEEN * self._height))

    def _is_next(self, sign: Box, digit: Box, most: float) -> bool:
        """Return whether the sign stands like the digit's neighbour, `most` heights of one from it at most."""
        height = self._height
        if not MIN_WHOLE * height <= sign.height <= LARGEST * height or sign.width > LARGEST * height:
            return False
        x, y = digit.x + self._beside.field.x, digit.y + self._beside.field.y
        if sign.width <= SIDE_WIDTH * height and sign.height >= SIDE_HEIGHT * height:
            return False
        gap = max(sign.x - x - digit.width, x - sign.right)
        rows = min(sign.bottom, y + digit.height) - max(sign.y, y)
        return gap <= most * height and rows >= SAME_ROWS * min(sign.height, digit.height)

    def _is_anothers(self, sign: Box, area: _Area) -> bool:
        on_page = replace(sign, x=sign.x + area.x, y=sign.y + area.y)
        return lies_in_any(on_page, self._around.others)


def _without_sides(ink: NDArray[np.uint8], field: Box, near: int) -> NDArray[np.uint8]:
    """Return the ink without upright lines along the field's sides; strokes that cross one are mended.

    By its length the side of a cell that ends close by is no rule, and it is one piece with all that touches it.
    """
    share = ink[field.slices[0]].mean(axis=0)
    columns = np.arange(ink.shape[1])
    beside = np.minimum(abs(columns - field.x), abs(columns - field.right)) < near
    lines = ink * (beside & (share > PRINTED)).view(np.uint8)
    return mend(ink, lines, vertical=False) if lines.any() else ink
