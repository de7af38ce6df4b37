"""What stands around a number's digits against its value: points, cents that nobody states, a minus.

```
any amount whose type does not say how many decimals are written ─ doubt_units ─▶ FieldReading
any amount ─ doubt_unread_cents ─▶ FieldReading
any amount or integer ─ doubt_point, doubt_parts, doubt_sign ─▶ FieldReading
an amount with cents: a cheque's ─ settle_cents ─▶ FieldReading, any other ─ doubt_cents ─▶ FieldReading
```
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from core.types import Box, FieldCrop, FieldReading, ReviewReason
from forms.field_types import FieldType
from forms.spacing import gaps_between
from forms.values import CENTS, THOUSANDS
from worker.number_ink import NumberInk

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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a number stands, as far as that tells how its cents and the strokes around it are meant.

    Attributes:
        of_cheque: whether it is a cheque's courtesy amount, whose cents may be written in several ways.
        beside_sign: whether its printed sign was found, beside which people fill the room in front by strokes.
    """

    of_cheque: bool = False
    beside_sign: bool = False


ANYWHERE: Final = Place()


def doubt_number(reading: FieldReading, kind: FieldType, crop: FieldCrop, place: Place = ANYWHERE) -> FieldReading:
    """Return what was read, without a value where the ink around its digits says that it may mean another number.

    Args:
        reading: of any field that is no comb: there every digit stands apart, and what is printed between is no point.
        kind: what it may hold.
        crop: the field.
        place: where the number stands.
    """
    if not kind.is_counted_with or not reading.digits or len(reading.digits) != len(reading.text):
        return reading
    ink = NumberInk([digit.box for digit in reading.digits], crop)
    for doubt in (doubt_units, doubt_unread_cents, doubt_point):
        reading = doubt(reading, kind, ink)
    if not place.of_cheque:  # its cents may be a fraction
        reading = doubt_parts(reading, ink)
    if not place.beside_sign:
        reading = doubt_sign(reading, ink)
    if not kind.has_cents or kind.comb_cells:
        return reading
    return settle_cents(reading, kind, ink) if place.of_cheque else doubt_cents(reading, ink)


def doubt_units(reading: FieldReading, kind: FieldType, ink: NumberInk) -> FieldReading:
    """Return the amount, without a value where its last two digits stand behind a point that its type knows nothing of.

    `12.50` would be 1250.00. Commas between thousands, as in `1,250` and `26,30,000`, stand elsewhere.

    Args:
        reading: of any number.
        kind: what it may hold.
        ink: around its digits.
    """
    if len(ink.boxes) <= CENTS or reading.text.startswith("0") or not leaves_cents_open(kind):
        return reading
    return _without_value(reading) if _far_apart(ink.boxes) or _behind_a_point(ink) else reading


def leaves_cents_open(kind: FieldType) -> bool:
    """Return whether such an amount is taken for whole units because its type does not say what is written."""
    return kind.name == "amount" and (kind.normalise("050"), kind.normalise("12345")) == ("0.50", "12345.00")


def doubt_unread_cents(reading: FieldReading, kind: FieldType, ink: NumberInk) -> FieldReading:
    """Return the amount, without a value where small raised signs stand behind it that were read as no digits.

    Args:
        reading: of any number.
        kind: what it may hold.
        ink: around its digits.
    """
    if kind.name != "amount" or not reading.accepted or not ink.has_raised_behind():
        return reading
    return _without_value(reading)


def doubt_point(reading: FieldReading, kind: FieldType, ink: NumberInk) -> FieldReading:
    """Return the number, without a value where a point or comma parts digits that its type knows no decimals for.

    `12,5` would be 125, 125.00 or 1.25. A mark before three digits parts thousands, and with one there others may stand
    anywhere, as in `26,30,000`.

    Args:
        reading: of any number.
        kind: what it may hold.
        ink: around its digits.
    """
    if len(ink.boxes) < 2:
        return reading
    marked = ink.marked_gaps(surely=True)
    if kind.name == "amount":
        parted = 1 in marked and marked.isdisjoint((CENTS, THOUSANDS))
    else:
        parted = THOUSANDS not in marked and any(gap % THOUSANDS for gap in marked)
    return _without_value(reading) if parted else reading


def doubt_parts(reading: FieldReading, ink: NumberInk) -> FieldReading:
    """Return the number, without a value where a sign between its digits makes two numbers of it.

    `10-15`, `3+4`, `12:30` and `2x5` would be 1015, 34, 1230 and 25.

    Args:
        reading: of any number.
        ink: around its digits.
    """
    return _without_value(reading) if ink.is_parted() else reading


def doubt_sign(reading: FieldReading, ink: NumberInk) -> FieldReading:
    """Return the number, without a value where a minus stands in front: no type has numbers below nought.

    Strokes on both sides fill the room that an amount leaves.

    Args:
        reading: of any number that no printed sign stands beside.
        ink: around its digits.
    """
    return _without_value(reading) if ink.has_minus() else reading


def settle_cents(reading: FieldReading, kind: FieldType, ink: NumberInk) -> FieldReading:
    """Return the amount with its cents, where they stand apart; without a value where nobody can tell which they are.

    `400.00`, `400 00`, `400⁰⁰` and `400 00/100` are 400.00; of `400` alone the last two digits would be cents, too.

    Args:
        reading: of a type that has two decimals.
        kind: that type.
        ink: around its digits.
    """
    boxes = ink.boxes
    if _stand_apart(boxes, CENTS) or (len(boxes) > CENTS and _behind_a_point(ink)):
        return reading
    whole = boxes[: -len(HUNDREDTHS)]
    if reading.text.endswith(HUNDREDTHS) and len(whole) > CENTS and _stand_apart(whole, CENTS):
        text = reading.text[: len(whole)]
        return replace(reading, text=text, value=kind.value(text), digits=reading.digits[: len(whole)])
    return _without_value(reading)


def doubt_cents(reading: FieldReading, ink: NumberInk) -> FieldReading:
    """Return the amount, without a value where it is written as whole units although its type says that it has cents.

    `1,250` would be 12.50. Digits alone are taken for what the type says.

    Args:
        reading: of a type that has two decimals.
        ink: around its digits.
    """
    if len(ink.boxes) <= THOUSANDS:
        return reading
    marked = ink.marked_gaps()
    return _without_value(reading) if THOUSANDS in marked and CENTS not in marked else reading


def _without_value(reading: FieldReading) -> FieldReading:
    reasons = tuple(dict.fromkeys((*reading.review_reasons, ReviewReason.INVALID_FORMAT)))
    return replace(reading, value=None, accepted=False, review_reasons=reasons)


def _stand_apart(boxes: Sequence[Box], count: int) -> bool:
    """Return whether the last `count` digits stand apart from those before: behind a wider gap, or raised."""
    if len(boxes) <= count:
        return False
    before, last = boxes[:-count], boxes[-count:]
    height = median(box.height for box in before)
    gaps, cut = gaps_between(boxes), len(before) - 1
    others = [gap for place, gap in enumerate(gaps) if place != cut]
    wider = gaps[cut] - max(median(others), 0) >= APART * height
    feet = [median(box.bottom for box in part) for part in (before, last)]
    return wider or feet[0] - feet[1] >= RAISED * height


def _far_apart(boxes: Sequence[Box]) -> bool:
    """Return whether the gap before the last two digits is much wider than those beside it."""
    gaps = [0, *gaps_between(boxes)][::-1]
    beside = [gaps[number - 1] for number in BESIDE_CENTS if number < len(boxes)]
    return gaps[CENTS - 1] - max(0, *beside) >= FAR * median(box.height for box in boxes)


def _behind_a_point(ink: NumberInk) -> bool:
    """Return whether a point or comma stands before the last two digits, and none in the gaps beside."""
    marked = ink.marked_gaps()
    return CENTS in marked and marked.isdisjoint(BESIDE_CENTS)
