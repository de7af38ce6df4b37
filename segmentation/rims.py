"""Writing that a field's edge cuts off: a digit of which a part stands outside is another digit, or none.

```
ink and digits of a field ─ is_cut_off ─▶ whether a number may go on outside
```

Where the page around the field is known, ink that leads over the edge tells, and a sign that stands next to the number
outside. Of a picture of a field alone, and of a field at its page's edge, nobody knows what was around it, and many are
cut close to their writing, so that touching the rim says little: there a sign tells that stands at the rim and was
read as no digit, or a digit that lies along the rim with much of its height. At top and foot all digits tell together:
a few touch the rim where writing is cut out closely, all of them broadly where they are cut through.
"""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.types import Box
from segmentation.cuts import Components
from segmentation.surroundings import NEXT, AtRim, Outside, Surroundings

SIDES: Final = "lrtb"
"""Left, right, top and bottom."""

MIN_SIGN: Final = 0.25
"""Heights of a digit that a bit of one at the rim has at least; the same so much of it between the digits' tops and
feet, so that print above and below does not count."""

MIN_WIDTH: Final = 0.1
"""Heights of a digit: thinner is what is left of a cell's printed side."""

MAX_WIDTH: Final = 1.0
"""Heights of a digit: wider is security print that hangs together, or a rule."""

MAX_GAP: Final = 1.0
"""Heights of a digit between the number and a sign that may belong to it."""

READ: Final = 0.3
"""Share of a sign's width from which on it is part of a digit that was read."""

ALONG: Final = 0.3
"""Heights of a digit that it touches the rim with where it was cut rather than written up to it."""

ALONG_EACH: Final = 0.15
"""Heights of a digit that each one touches top or foot with, on average, where all of them were cut through."""

MOST_ALONG: Final = 0.9
"""Share of the digits' widths: what lies along top or foot with more than this is a rule."""

RIM: Final = 0.06
"""Heights of a digit from top or foot in which a printed line would lie that the digits stand on."""

LINE: Final = 0.5
"""So strong, as a share of the digits' ink, such a line is beside them; its gaps and the paper's pattern are weaker."""

TOGETHER: Final = 2
"""Digits: one alone may well end broadly at the rim."""

MIN_OWN: Final = 0.4
MAX_OWN_WIDTH: Final = 1.5
"""Heights of a digit that the ink of one is tall and wide, digits that touch and what is left of print told apart."""

WRITING: Final = 0.6
"""Of its field's height, writing is about so tall, where nothing was read that would tell."""

MIN_BIT: Final = 0.08
"""Of the field's height: lower bits at the rim of a field in which nothing was read are specks."""


class _Number(NamedTuple):
    """The digits' boxes, and what they have in common: rows between which they stand, and their height."""

    boxes: Sequence[Box]
    top: float
    foot: float
    height: float


class _Touch(NamedTuple):
    """A connected piece of ink that touches a side of the field: which one, its box and how much of it is at the rim.

    `shown` is a pixel of it at the rim, row and column.
    """

    side: str
    box: Box
    along: int
    shown: tuple[int, int]


def is_cut_off(
    ink: Components,
    strength: NDArray[np.uint8],
    scale: float,
    digits: Sequence[Box],
    *,
    sides: str = SIDES,
    around: Surroundings | None = None,
) -> bool:
    """Return whether the number of a field may go on beyond its edge.

    Args:
        ink: of the field, without ruling lines.
        strength: of the same ink, with them.
        scale: pixels of the ink for one of the field.
        digits: the boxes of what was read, from left to right, in pixels of the field.
        sides: where it may be cut: any of `l`, `r`, `t` and `b`.
        around: the field on its page; None where only the field is known.
    """
    if not digits:
        return around is not None and _holds_part_of_one(ink, scale, sides, around)
    number = _number([box.scaled(scale) for box in digits])
    unknown = [side for side in sides if around is None or around.ends_with_page(side)]
    beside = "".join(side for side in unknown if side in "lr")
    touching = [each for each in _touching(ink, beside) if _belongs(each, number, MIN_SIGN * number.height)]
    if any(_is_unread(each, number) or _lies_along(each, number) for each in touching):
        return True
    if any(_all_stand_on(ink, strength, number, side) for side in unknown if side in "tb"):
        return True
    return around is not None and _goes_on(ink, scale, number, digits, sides, around)


def _goes_on(
    ink: Components, scale: float, number: _Number, digits: Sequence[Box], sides: str, around: Surroundings
) -> bool:
    """Return whether ink leads over the field's edge, or a sign stands next to the number outside of it."""
    height = number.height / scale
    outside = Outside(around, height)
    touching = [each for each in _touching(ink, sides) if _belongs(each, number, 0.0)]
    if any(outside.completes(_in_field(each, scale, around.field)) for each in touching):
        return True
    first, last = digits[0], digits[-1]
    at_left = "l" in sides and first.x < NEXT * height
    at_right = "r" in sides and around.field.width - last.right < NEXT * height
    return (at_left or at_right) and outside.has_next(first if at_left else None, last if at_right else None)


def _all_stand_on(ink: Components, strength: NDArray[np.uint8], number: _Number, side: str) -> bool:
    """Return whether top or foot cuts through all digits of the number."""
    if len(number.boxes) < TOGETHER:
        return False
    of_digits = np.zeros(len(ink.kept) + 1, np.bool_)
    of_digits[1:][ink.kept] = ink.stats[:, 3] >= MIN_OWN * number.height
    at_rim = of_digits[ink.labels[0 if side == "t" else -1]]
    along = [int(at_rim[max(0, box.x) : box.right].sum()) for box in number.boxes]
    if min(along) == 0 or sum(along) > MOST_ALONG * sum(box.width for box in number.boxes):
        return False
    broadly = sum(along) >= ALONG_EACH * number.height * len(along)
    return broadly and not _is_ruled(ink, strength, number, side)


def _is_ruled(ink: Components, strength: NDArray[np.uint8], number: _Number, side: str) -> bool:
    """Return whether a printed line along top or foot goes on beside the digits: what touches it is not cut."""
    rows = max(2, round(RIM * number.height))
    rim = (strength[:rows] if side == "t" else strength[-rows:]).max(axis=0)
    beside = np.ones(len(rim), np.bool_)
    for box in number.boxes:
        beside[max(0, box.x - 1) : box.right + 1] = False
    return bool(beside.any() and np.median(rim[beside]) > LINE * np.median(strength[ink.ink]))


def _holds_part_of_one(ink: Components, scale: float, sides: str, around: Surroundings) -> bool:
    """Return whether a digit leads over the edge of a field in which nothing was read."""
    least = MIN_BIT * ink.ink.shape[0]
    touching = [each for each in _touching(ink, sides) if each.side in "lr" and each.box.height >= least]
    outside = Outside(around, WRITING * around.field.height)
    return any(outside.completes(_in_field(each, scale, around.field), ours=False) for each in touching)


def _number(boxes: Sequence[Box]) -> _Number:
    top, foot = median(box.y for box in boxes), median(box.bottom for box in boxes)
    return _Number(boxes, top, foot, max(1.0, median(box.height for box in boxes)))


def _in_field(touch: _Touch, scale: float, field: Box) -> AtRim:
    row, column = (round(place / scale) for place in touch.shown)
    return AtRim(touch.side, touch.box.scaled(1 / scale), (min(row, field.height - 1), min(column, field.width - 1)))


def _touching(ink: Components, sides: str) -> Iterator[_Touch]:
    """Yield the ink at each of the sides."""
    height, width = ink.ink.shape
    rims = {
        "l": np.s_[:, 0],
        "r": np.s_[:, width - 1],
        "t": np.s_[0],
        "b": np.s_[height - 1],
    }
    writing = dict(zip((np.flatnonzero(ink.kept) + 1).tolist(), ink.stats.tolist(), strict=True))
    for side in sides:
        rim = ink.labels[rims[side]]
        for label in set(rim.tolist()) & writing.keys():
            places = np.flatnonzero(rim == label)
            x, y, across, down, _ = writing[label]
            middle = int(places[len(places) // 2])
            shown = {"l": (middle, 0), "r": (middle, width - 1), "t": (0, middle), "b": (height - 1, middle)}[side]
            yield _Touch(side, Box(x, y, across, down), len(places), shown)


def _belongs(touch: _Touch, number: _Number, least: float) -> bool:
    """Return whether the ink stands beside the number, or is some of it, and is no lower than `least`."""
    box, boxes, height = touch.box, number.boxes, number.height
    between = min(box.bottom, number.foot) - max(box.y, number.top)
    gap = max(boxes[0].x - box.right, box.x - boxes[-1].right)
    if touch.side in "tb":
        return box.height >= MIN_OWN * height and _read_share(touch, number) >= READ
    return between > 0 and between >= least and gap < MAX_GAP * height


def _read_share(touch: _Touch, number: _Number) -> float:
    """Return how much of the ink's width one of the digits has."""
    left, right = touch.box.x, touch.box.right
    shared = max(min(right, box.right) - max(left, box.x) for box in number.boxes)
    return max(0, shared) / max(1, right - left)


def _is_unread(touch: _Touch, number: _Number) -> bool:
    wide = MIN_WIDTH * number.height <= touch.box.width <= MAX_WIDTH * number.height
    return wide and _read_share(touch, number) < READ


def _lies_along(touch: _Touch, number: _Number) -> bool:
    return (
        _read_share(touch, number) >= READ
        and touch.along >= ALONG * number.height
        and touch.box.height >= MIN_OWN * number.height
        and touch.box.width < MAX_OWN_WIDTH * number.height
    )
