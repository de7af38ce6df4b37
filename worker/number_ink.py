"""The ink around the digits of a number: points and signs between them, raised cents behind them, a minus in front.

```
boxes of digits, FieldCrop ─ ink map ─▶ NumberInk ─▶ marked_gaps, is_parted, has_raised_behind, has_minus
```
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.types import Box, FieldCrop
from segmentation.prepare import ink_map, pieces_of
from worker.number_gaps import LONGEST, are_parted, is_dash, is_in_gap, without_marks

HIGHEST_MARK: Final = 0.35
"""Heights of a digit below the digits' tops at which a point or comma begins at the highest."""

HANGING: Final = 0.1
"""Heights of a digit below the digits' feet to which a comma hangs that stands under a digit."""

UNDER_FEET: Final = 0.05
"""Heights of a digit below the lower of two digits at which a point between whole digits begins at most: pieces of a
ruled line begin lower."""

SLIMMEST_POINT: Final = 0.05
"""Heights of a digit that such a point is wide at least: a pale digit's edge falls to slimmer pieces."""

FOOT: Final = 0.75
DOT: Final = (0.085, 0.25)
"""Heights of a digit below its top at which a point begins that stands below its overhang, and that it has each way."""

BESIDE: Final = 1.0
LITTLE_ABOVE: Final = 0.2
"""Heights of a digit in front of, behind and above the digits in which points are sought."""

BEHIND: Final = 1.6
"""Heights of a digit behind the last one, and above, in which raised cents stand."""

LOWEST_CENT: Final = 0.2
TALLEST_CENT: Final = 0.75
NARROWEST_CENT: Final = 0.06
"""Heights of a digit that a raised cent is tall, and wide at least: a slash is taller, a dash lower."""

WIDEST_CENT: Final = 1.2
"""Its heights that it is wide: dashes are wider, slanted ones too."""

DEEPEST_CENT: Final = 0.75
"""Heights of a digit below the digits' tops at which a raised cent ends at the lowest."""

AHEAD: Final = 0.9
"""Heights of a digit between a minus and the first digit at most."""

TOUCHING: Final = 0.1
"""Heights of a digit by which a minus reaches over the first digit's edge at most: what reaches further is a bar of its
own, as in a crossed 7."""

HIGHEST_MINUS: Final = 0.25
LOWEST_MINUS: Final = 0.75
"""Heights of a digit below its top between which a minus's middle is: below are rules, tails and points, above are bars
of a 5."""


@dataclass(frozen=True, slots=True)
class MarkShape:
    """How large the points and commas are that are looked for, and how low they begin, in heights of a digit.

    Attributes:
        least: that they are wide or tall at least; specks of security print are smaller.
        widest: that they are wide at most.
        tallest: that they are tall at most.
        lowest: below the digits' tops at which they begin at most; what begins lower is ruled or printed.
    """

    least: float
    widest: float
    tallest: float
    lowest: float

    def fits(self, mark: Box, height: float) -> bool:
        """Return whether a piece of ink is as large as a point or comma beside digits of that height."""
        wide, tall = mark.width / height, mark.height / height
        return max(wide, tall) >= self.least and wide <= self.widest and tall <= self.tallest


SURE_MARKS: Final = MarkShape(least=0.06, widest=0.5, tallest=0.75, lowest=0.97)
"""What changes a number's value by itself."""

LIKELY_COMMAS: Final = MarkShape(least=0.12, widest=0.6, tallest=0.95, lowest=1.2)
"""What speaks for one of several numbers: people draw commas nearly as tall as small digits, and below the line. 26 of
38 amounts of IDRBT have such commas between their true digits, all of them where commas stand."""


class NumberInk:
    """The ink around a number's digits, mapped when it is first asked for.

    Each question has its own part of the field: with more of it in sight, the threshold of the ink would be another.

    Attributes:
        boxes: the digits, from left to right, in pixels of the page; one at least.
        height: of a digit, in pixels.
    """

    def __init__(self, boxes: Sequence[Box], crop: FieldCrop) -> None:
        """Look around `boxes` in the field `crop`."""
        self.boxes = boxes
        self.height = median(box.height for box in boxes)
        self._crop = crop

    def marked_gaps(self, *, surely: bool = False) -> set[int]:
        """Return the gaps between digits, counted from the right, in which a point or comma stands.

        Args:
            surely: whether pieces that may be a ruled line's or a digit's are left out.
        """
        return set(self._marked_gaps(surely=surely))

    def likely_commas(self, boxes: Sequence[Box]) -> set[int]:
        """Return the gaps between other digits, counted from the right, in which a comma or point is likely to stand.

        Args:
            boxes: of digits that the same ink may be read as.
        """
        height = median(box.height for box in boxes)
        marks = [blot for blot in self._nearby if LIKELY_COMMAS.fits(blot, height)]
        return {
            gap
            for gap, (right, left) in enumerate(itertools.pairwise(boxes[::-1]), start=1)
            if any(_is_between(mark, left, right, height, LIKELY_COMMAS) for mark in marks)
        }

    def is_parted(self) -> bool:
        """Return whether a dash, stroke, cross, plus or colon stands between two digits: they are two numbers."""
        return are_parted(self._own, self._nearby, self.height)

    def has_raised_behind(self) -> bool:
        """Return whether two signs or more stand behind the number as raised cents do, smaller than its digits."""
        height, end = self.height, self.boxes[-1].right
        top = median(box.y for box in self.boxes)
        raised = [
            blot
            for blot in self._blots(behind=BEHIND, above=BEHIND)
            if end - NARROWEST_CENT * height <= blot.x <= end + BEHIND * height
            and LOWEST_CENT * height <= blot.height <= TALLEST_CENT * height
            and NARROWEST_CENT * height <= blot.width <= WIDEST_CENT * blot.height
            and blot.bottom - top <= DEEPEST_CENT * height
        ]
        # The bars of an equals sign stand one above the other.
        return any(
            right.x >= left.x + left.width / 2 and min(left.bottom, right.bottom) > max(left.y, right.y)
            for left, right in itertools.pairwise(sorted(raised, key=lambda blot: blot.x))
        )

    def has_minus(self) -> bool:
        """Return whether one short level stroke stands right in front of the number, and none right behind it."""
        height, first, reach = self.height, self.boxes[0], AHEAD + LONGEST
        strokes = [
            blot
            for blot in self._blots(before=reach, behind=reach)
            if is_dash(blot, height) and _is_halfway(blot, median(box.y for box in self.boxes), height)
        ]
        in_front = [first.x - stroke.right for stroke in strokes if _is_halfway(stroke, first.y, first.height)]
        behind = [stroke.x - self.boxes[-1].right for stroke in strokes]
        near = [sum(-TOUCHING * height <= gap <= AHEAD * height for gap in gaps) for gaps in (in_front, behind)]
        return near == [1, 0]

    def _marked_gaps(self, *, surely: bool) -> Iterator[int]:
        height = self.height
        marks = [mark for mark in self._points if not surely or mark.width >= SLIMMEST_POINT * height]
        for number, (left, right) in enumerate(itertools.pairwise(self._own)):
            lowest = max(left.bottom, right.bottom) + UNDER_FEET * height if surely else inf
            if any(
                mark.y <= lowest
                and (
                    _is_between(mark, left, right, height, SURE_MARKS)
                    or (is_in_gap(mark, left, right) and self._stands_free(mark, left, right))
                )
                for mark in marks
            ):
                yield len(self.boxes) - 1 - number

    @cached_property
    def _points(self) -> list[Box]:
        """Pieces of ink as small as a point or comma, in pixels of the page; several doubts ask for them."""
        return [blot for blot in self._nearby if SURE_MARKS.fits(blot, self.height)]

    @cached_property
    def _nearby(self) -> list[Box]:
        x, y, ink = self._map
        return _pieces(x, y, ink)

    @cached_property
    def _own(self) -> list[Box]:
        """The digits without points that stand in their boxes."""
        return [without_marks(box, self._nearby) for box in self.boxes]

    def _stands_free(self, mark: Box, left: Box, right: Box) -> bool:
        """Return whether a point at the digits' feet has the left one's foot on its left, and neither's on both sides.

        Below a leaning or round digit it is inside of its box; what has broken off a pale digit is no such point.
        """
        least, most = (share * self.height for share in DOT)
        is_dot = least <= min(mark.width, mark.height) and max(mark.width, mark.height) <= most
        on_line = FOOT * left.height <= mark.y - left.y and mark.bottom - left.bottom <= UNDER_FEET * self.height
        if not (is_dot and on_line):
            return False
        x, y, ink = self._map
        rows = np.asarray(ink[mark.y - y : mark.bottom - y].any(axis=0))
        before = rows[max(0, left.x - x) : max(0, mark.x - x)]
        own, next_one = rows[mark.right - x : left.right - x], rows[max(0, right.x - x) : max(0, mark.x - x)]
        return bool(before.any()) and not own.any() and not next_one.any()

    @cached_property
    def _map(self) -> tuple[int, int, NDArray[np.bool_]]:
        return self._mapped()

    def _blots(self, *, before: float = BESIDE, behind: float = BESIDE, above: float = LITTLE_ABOVE) -> list[Box]:
        """Return the connected pieces of ink around the digits, in pixels of the page.

        Args:
            before: heights of a digit in front of the first one that are looked at.
            behind: the same behind the last one.
            above: the same above the digits.
        """
        return _pieces(*self._mapped(before=before, behind=behind, above=above))

    def _mapped(
        self, *, before: float = BESIDE, behind: float = BESIDE, above: float = LITTLE_ABOVE
    ) -> tuple[int, int, NDArray[np.bool_]]:
        """Return where the part of the field around the digits begins on the page, and where there is ink in it."""
        corner, height, boxes = self._crop.box, self.height, self.boxes
        top = min(box.y for box in boxes) - corner.y
        x, y = max(0, int(boxes[0].x - corner.x - before * height)), max(0, int(top - above * height))
        right = int(boxes[-1].right - corner.x + behind * height)
        bottom = int(max(box.bottom for box in boxes) - corner.y + height)
        ink = ink_map(np.ascontiguousarray(self._crop.pixels[y:bottom, x:right]))
        return x + corner.x, y + corner.y, ink


def _pieces(x: int, y: int, ink: NDArray[np.bool_]) -> list[Box]:
    """Return the connected pieces of ink of a part of the page that begins at `x` and `y`."""
    return [replace(each, x=each.x + x, y=each.y + y) for each in pieces_of(ink)]


def _is_halfway(stroke: Box, top: float, height: float) -> bool:
    return HIGHEST_MINUS <= (stroke.y + stroke.height / 2 - top) / height <= LOWEST_MINUS


def _is_between(mark: Box, left: Box, right: Box, height: float, shape: MarkShape) -> bool:
    """Return whether a mark stands between two digits as a point or comma does, and is no part of either."""
    if not is_in_gap(mark, left, right):
        return False
    top, foot = (left.y + right.y) / 2, (left.bottom + right.bottom) / 2
    inside = sum(max(0, min(mark.right, box.right) - max(mark.x, box.x)) for box in (left, right))
    hangs = mark.bottom - foot > HANGING * height
    begins = (mark.y - top) / height
    return HIGHEST_MARK <= begins <= shape.lowest and (hangs or inside <= mark.width / 2)
