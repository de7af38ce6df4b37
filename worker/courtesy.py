"""A cheque's courtesy amount: found by its currency's sign, read by its own rules, its cents told from its whole units.

```
area ─ find_sign ─▶ crop right of it ─ (as any field) ─▶ FieldReading ─ settle_cents ─▶ FieldReading
any amount whose type does not say how many decimals are written ─▶ FieldReading ─ doubt_units ─▶ FieldReading
any other amount with cents ─▶ FieldReading ─ doubt_cents ─▶ FieldReading
any amount ─▶ FieldReading ─ doubt_unread_cents ─▶ FieldReading
any amount or integer ─▶ FieldReading ─ doubt_point, doubt_sign ─▶ FieldReading
```
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from math import inf
from statistics import median
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, FieldCrop, FieldReading, ReviewReason
from forms.field_specs import AmountSpec
from forms.field_types import FieldType
from forms.templates import TemplateField
from forms.values import CENTS
from segmentation.courtesy import Sign, beside, find_sign
from segmentation.prepare import ink_map

COURTESY_AMOUNT: Final = "courtesy_amount"
"""What `locate` says of a field that is one."""

DECIMALS: Final = {"$": 2, "₹": None}
"""Written behind a sign where a template does not say: dollars with their cents, rupees as `amount` has them."""

THOUSANDS: Final = 3
"""Digits behind the last comma of whole units."""

NUMBERS: Final = frozenset({"integer", "amount"})
"""Types whose values are counted with, so that a point or a sign that is lost makes another number."""

HUNDREDTHS: Final = "100"
"""Below the line of cents that are written as a fraction."""

APART: Final = 0.16
"""Heights of a digit by which the gap before the cents is wider than other gaps: a point takes so much at least."""

RAISED: Final = 0.25
"""Heights of a digit by which raised cents end above the whole units."""

BESIDE_CENTS: Final = (1, 3, 4)
"""Gaps between digits, counted from the right, where an amount with cents has no separator. The gap before the cents is
the second one; thousands are parted at the fifth and further on, or without cents at the third."""

FAR: Final = 0.5
"""Heights of a digit by which the gap before the cents is wider than those beside it, where no point is seen: whole
amounts and numbers of IDRBT's and ORAND's cheques, and of the pen ink of UNIPEN and CROHME, are not parted so."""

LEAST_MARK: Final = 0.06
"""Heights of a digit; specks of security print are smaller."""

TALLEST_MARK: Final = 0.75
WIDEST_MARK: Final = 0.5
"""Heights of a digit that a comma takes at most."""

HIGHEST_MARK: Final = 0.35
LOWEST_MARK: Final = 0.97
"""Heights of a digit below the digits' tops at which a point or comma begins: what begins lower is ruled or printed."""

HANGING: Final = 0.1
"""Heights of a digit below the digits' feet to which a comma hangs that stands under a digit."""

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

SHORTEST_MINUS: Final = 0.18
LONGEST_MINUS: Final = 0.9
"""Heights of a digit that a minus is long; longer strokes fill the room in front of an amount."""

THICKEST_MINUS: Final = 0.3
"""Heights of a digit that a minus takes from top to foot at most: it is level."""

LEVEL: Final = 1.6
"""Its heights that a minus is long at least: a point is as long as it is high."""

AHEAD: Final = 0.9
"""Heights of a digit between a minus and the first digit at most."""

TOUCHING: Final = 0.1
"""Heights of a digit by which a minus reaches over the first digit's edge at most: what reaches further is a bar of its
own, as in a crossed 7."""

HIGHEST_MINUS: Final = 0.25
LOWEST_MINUS: Final = 0.75
"""Heights of a digit below its top between which a minus's middle is: below are rules, tails and points, above are bars
of a 5."""

UNDER_FEET: Final = 0.05
"""Heights of a digit below the lower of two digits at which a point between whole digits begins at most: pieces of a
ruled line begin lower."""

SLIMMEST_POINT: Final = 0.05
"""Heights of a digit that such a point is wide at least: a pale digit's edge falls to slimmer pieces."""

_Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class BesideSign(FieldType):
    """What an amount beside its printed sign may hold: on a cheque, people fill the room between them by strokes."""


def locate(field: TemplateField, grey: _Grey, area: Box) -> tuple[Box, FieldType, bool]:
    """Return where the amount of `field` stands within `area`, what it may hold, and whether its sign was found.

    Args:
        field: of the template.
        grey: the page, laid over the template.
        area: the field's box on it.
    """
    sign = find_sign(grey, area)
    kind = _kind(field, sign)
    if sign is None:
        return area, kind, False
    return beside(sign, area), BesideSign(**{each.name: getattr(kind, each.name) for each in fields(kind)}), True


def settle_cents(reading: FieldReading, kind: FieldType, crop: FieldCrop) -> FieldReading:
    """Return the amount with its cents, where they stand apart; without a value where nobody can tell which they are.

    `400.00`, `400 00`, `400⁰⁰` and `400 00/100` are 400.00; of `400` alone the last two digits would be cents, too.

    Args:
        reading: of a type that has two decimals.
        kind: that type.
        crop: the field.
    """
    boxes = [digit.box for digit in reading.digits]
    if not reading.text or len(boxes) != len(reading.text) or _stand_apart(boxes, CENTS):
        return reading
    if len(boxes) > CENTS and _behind_a_point(boxes, crop):
        return reading
    whole = boxes[: -len(HUNDREDTHS)]
    if reading.text.endswith(HUNDREDTHS) and len(whole) > CENTS and _stand_apart(whole, CENTS):
        text = reading.text[: len(whole)]
        return replace(reading, text=text, value=kind.value(text), digits=reading.digits[: len(whole)])
    return _without_value(reading)


def doubt_cents(reading: FieldReading, crop: FieldCrop) -> FieldReading:
    """Return the amount, without a value where it is written as whole units although its type says that it has cents.

    `1,250` would be 12.50. Digits alone are taken for what the type says.

    Args:
        reading: of a type that has two decimals.
        crop: the field.
    """
    boxes = [digit.box for digit in reading.digits]
    if len(boxes) <= THOUSANDS or len(boxes) != len(reading.text):
        return reading
    marked = set(_marked_gaps(boxes, crop))
    return _without_value(reading) if THOUSANDS in marked and CENTS not in marked else reading


def leaves_cents_open(kind: FieldType) -> bool:
    """Return whether such an amount is taken for whole units because its type does not say what is written."""
    return kind.name == "amount" and (kind.normalise("050"), kind.normalise("12345")) == ("0.50", "12345.00")


def doubt_units(reading: FieldReading, kind: FieldType, crop: FieldCrop) -> FieldReading:
    """Return the amount, without a value where its last two digits stand behind a point that its type knows nothing of.

    `12.50` would be 1250.00. Commas between thousands, as in `1,250` and `26,30,000`, stand elsewhere.

    Args:
        reading: of any field.
        kind: what it may hold.
        crop: the field.
    """
    boxes = [digit.box for digit in reading.digits]
    whole = len(boxes) != len(reading.text) or len(boxes) <= CENTS or reading.text.startswith("0")
    if whole or not leaves_cents_open(kind) or not (_far_apart(boxes) or _behind_a_point(boxes, crop)):
        return reading
    return _without_value(reading)


def doubt_unread_cents(reading: FieldReading, kind: FieldType, crop: FieldCrop) -> FieldReading:
    """Return the amount, without a value where small raised signs stand behind it that were read as no digits.

    Args:
        reading: of any field.
        kind: what it may hold.
        crop: the field.
    """
    boxes = [digit.box for digit in reading.digits]
    if kind.name != "amount" or not boxes or not reading.accepted or not _has_raised_behind(boxes, crop):
        return reading
    return _without_value(reading)


def doubt_point(reading: FieldReading, kind: FieldType, crop: FieldCrop) -> FieldReading:
    """Return the number, without a value where a point or comma parts digits that its type knows no decimals for.

    `12,5` would be 125, 125.00 or 1.25. A mark before three digits parts thousands, and with one there others may stand
    anywhere, as in `26,30,000`.

    Args:
        reading: of any field.
        kind: what it may hold.
        crop: the field.
    """
    boxes = [digit.box for digit in reading.digits]
    if kind.name not in NUMBERS or len(boxes) < 2 or len(boxes) != len(reading.text):
        return reading
    marked = set(_marked_gaps(boxes, crop, surely=True))
    if kind.name == "amount":
        parted = 1 in marked and marked.isdisjoint((CENTS, THOUSANDS))
    else:
        parted = THOUSANDS not in marked and any(gap % THOUSANDS for gap in marked)
    return _without_value(reading) if parted else reading


def doubt_sign(reading: FieldReading, kind: FieldType, crop: FieldCrop) -> FieldReading:
    """Return the number, without a value where a minus stands in front: no type has numbers below nought.

    Strokes on both sides fill the room that an amount leaves, and beside a printed sign those in front do so alone.

    Args:
        reading: of any field.
        kind: what it may hold.
        crop: the field.
    """
    boxes = [digit.box for digit in reading.digits]
    apart = kind.name not in NUMBERS or isinstance(kind, BesideSign)
    if apart or not boxes or len(boxes) != len(reading.text) or not _has_minus(boxes, crop):
        return reading
    return _without_value(reading)


def _without_value(reading: FieldReading) -> FieldReading:
    reasons = tuple(dict.fromkeys((*reading.review_reasons, ReviewReason.INVALID_FORMAT)))
    return replace(reading, value=None, accepted=False, review_reasons=reasons)


def _kind(field: TemplateField, sign: Sign | None) -> FieldType:
    spec = field.type
    if sign is None or not isinstance(spec, AmountSpec) or spec.decimals is not None:
        return field.field_type()
    if DECIMALS[sign.char] is None:
        return field.field_type()
    return spec.model_copy(update={"decimals": DECIMALS[sign.char]}).field_type(cells=field.cells)


def _stand_apart(boxes: Sequence[Box], count: int) -> bool:
    """Return whether the last `count` digits stand apart from those before: behind a wider gap, or raised."""
    if len(boxes) <= count:
        return False
    before, last = boxes[:-count], boxes[-count:]
    height = median(box.height for box in before)
    gaps = [right.x - left.right for left, right in itertools.pairwise(boxes)]
    cut = len(before) - 1
    others = [gap for place, gap in enumerate(gaps) if place != cut]
    wider = gaps[cut] - max(median(others), 0) >= APART * height
    feet = [median(box.bottom for box in part) for part in (before, last)]
    return wider or feet[0] - feet[1] >= RAISED * height


def _far_apart(boxes: Sequence[Box]) -> bool:
    """Return whether the gap before the last two digits is much wider than those beside it."""
    gaps = [0, *(right.x - left.right for left, right in itertools.pairwise(boxes))][::-1]
    beside = [gaps[number - 1] for number in BESIDE_CENTS if number < len(boxes)]
    return gaps[CENTS - 1] - max(0, *beside) >= FAR * median(box.height for box in boxes)


def _behind_a_point(boxes: Sequence[Box], crop: FieldCrop) -> bool:
    """Return whether a point or comma stands before the last two digits, and none in the gaps beside."""
    marked = set(_marked_gaps(boxes, crop))
    return CENTS in marked and marked.isdisjoint(BESIDE_CENTS)


def _marked_gaps(boxes: Sequence[Box], crop: FieldCrop, *, surely: bool = False) -> Iterator[int]:
    """Yield the gaps between digits, counted from the right, in which a point or comma stands.

    Args:
        boxes: the digits, in pixels of the page.
        crop: the field.
        surely: whether pieces that may be a ruled line's or a digit's are left out.
    """
    height = median(box.height for box in boxes)
    marks = [mark for mark in _blots(boxes, crop, height) if _is_small(mark, height)]
    if surely:
        marks = [mark for mark in marks if mark.width >= SLIMMEST_POINT * height]
    for number, (left, right) in enumerate(itertools.pairwise(boxes)):
        lowest = max(left.bottom, right.bottom) + UNDER_FEET * height if surely else inf
        if any(mark.y <= lowest and _is_between(mark, left, right, height) for mark in marks):
            yield len(boxes) - 1 - number


def _blots(
    boxes: Sequence[Box],
    crop: FieldCrop,
    height: float,
    *,
    before: float = 1.0,
    behind: float = 1.0,
    above: float = 0.2,
) -> list[Box]:
    """Return the connected pieces of ink around the digits, in pixels of the page.

    Args:
        boxes: the digits, in pixels of the page.
        crop: the field.
        height: of a digit.
        before: heights of a digit in front of the first one that are looked at.
        behind: the same behind the last one.
        above: the same above the digits.
    """
    corner = crop.box
    top = min(box.y for box in boxes) - corner.y
    x, y = max(0, int(boxes[0].x - corner.x - before * height)), max(0, int(top - above * height))
    right = int(boxes[-1].right - corner.x + behind * height)
    bottom = int(max(box.bottom for box in boxes) - corner.y + height)
    ink = ink_map(np.ascontiguousarray(crop.pixels[y:bottom, x:right]))
    pieces = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)[2][1:, :4].tolist()
    return [Box(left + x + corner.x, top + y + corner.y, wide, tall) for left, top, wide, tall in pieces]


def _has_raised_behind(boxes: Sequence[Box], crop: FieldCrop) -> bool:
    """Return whether two signs or more stand behind the number as raised cents do, smaller than its digits."""
    height, end = median(box.height for box in boxes), boxes[-1].right
    top = median(box.y for box in boxes)
    raised = [
        blot
        for blot in _blots(boxes, crop, height, behind=BEHIND, above=BEHIND)
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


def _has_minus(boxes: Sequence[Box], crop: FieldCrop) -> bool:
    """Return whether one short level stroke stands right in front of the number, and none right behind it."""
    height, first, reach = median(box.height for box in boxes), boxes[0], AHEAD + LONGEST_MINUS
    strokes = [
        blot
        for blot in _blots(boxes, crop, height, before=reach, behind=reach)
        if SHORTEST_MINUS * height <= blot.width <= LONGEST_MINUS * height
        and blot.height <= min(THICKEST_MINUS * height, blot.width / LEVEL)
        and _is_halfway(blot, median(box.y for box in boxes), height)
    ]
    in_front = [first.x - stroke.right for stroke in strokes if _is_halfway(stroke, first.y, first.height)]
    behind = [stroke.x - boxes[-1].right for stroke in strokes]
    near = [sum(-TOUCHING * height <= gap <= AHEAD * height for gap in gaps) for gaps in (in_front, behind)]
    return near == [1, 0]


def _is_halfway(stroke: Box, top: float, height: float) -> bool:
    return HIGHEST_MINUS <= (stroke.y + stroke.height / 2 - top) / height <= LOWEST_MINUS


def _is_small(mark: Box, height: float) -> bool:
    wide, tall = mark.width / height, mark.height / height
    return max(wide, tall) >= LEAST_MARK and wide <= WIDEST_MARK and tall <= TALLEST_MARK


def _is_between(mark: Box, left: Box, right: Box, height: float) -> bool:
    """Return whether a mark stands between two digits as a point or comma does, and is no part of either."""
    if not left.x + left.width / 2 < mark.x + mark.width / 2 < right.x + right.width / 2:
        return False
    top, foot = (left.y + right.y) / 2, (left.bottom + right.bottom) / 2
    inside = sum(max(0, min(mark.right, box.right) - max(mark.x, box.x)) for box in (left, right))
    hangs = mark.bottom - foot > HANGING * height
    begins = (mark.y - top) / height
    return HIGHEST_MARK <= begins <= LOWEST_MARK and (hangs or inside <= mark.width / 2)
