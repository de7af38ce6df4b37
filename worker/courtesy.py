"""A cheque's courtesy amount: found by its currency's sign, read by its own rules, its cents told from its whole units.

```
area ─ find_sign ─▶ crop right of it ─ (as any field) ─▶ FieldReading ─ settle_cents ─▶ FieldReading
```
"""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.types import Box, FieldReading, ReviewReason
from forms.field_specs import AmountSpec
from forms.field_types import FieldType
from forms.templates import TemplateField
from segmentation.courtesy import Sign, beside, find_sign

COURTESY_AMOUNT: Final = "courtesy_amount"
"""What `locate` says of a field that is one."""

DECIMALS: Final = {"$": 2, "₹": None}
"""Written behind a sign where a template does not say: dollars with their cents, rupees as `amount` has them."""

CENTS: Final = 2

HUNDREDTHS: Final = "100"
"""Below the line of cents that are written as a fraction."""

APART: Final = 0.16
"""Heights of a digit by which the gap before the cents is wider than other gaps: a point takes so much at least."""

RAISED: Final = 0.25
"""Heights of a digit by which raised cents end above the whole units."""

_Grey = NDArray[np.uint8]


def locate(field: TemplateField, grey: _Grey, area: Box) -> tuple[Box, FieldType, bool]:
    """Return where the amount of `field` stands within `area`, what it may hold, and whether its sign was found.

    Args:
        field: of the template.
        grey: the page, laid over the template.
        area: the field's box on it.
    """
    sign = find_sign(grey, area)
    kind = _kind(field, sign)
    return (area, kind, False) if sign is None else (beside(sign, area), kind, True)


def has_cents(kind: FieldType) -> bool:
    """Return whether the last two digits of such an amount are decimals, whatever they are."""
    return kind.name == "amount" and kind.normalise("12345") == "123.45"


def settle_cents(reading: FieldReading, kind: FieldType) -> FieldReading:
    """Return the amount with its cents, where they stand apart; without a value where nobody can tell which they are.

    `400.00`, `400 00`, `400⁰⁰` and `400 00/100` are 400.00; of `400` alone the last two digits would be cents, too.

    Args:
        reading: of a type that has two decimals.
        kind: that type.
    """
    boxes = [digit.box for digit in reading.digits]
    if not reading.text or len(boxes) != len(reading.text) or _stand_apart(boxes, CENTS):
        return reading
    whole = boxes[: -len(HUNDREDTHS)]
    if reading.text.endswith(HUNDREDTHS) and len(whole) > CENTS and _stand_apart(whole, CENTS):
        text = reading.text[: len(whole)]
        return replace(reading, text=text, value=kind.value(text), digits=reading.digits[: len(whole)])
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
    gaps = [right.x - left.x - left.width for left, right in itertools.pairwise(boxes)]
    cut = len(before) - 1
    others = [gap for place, gap in enumerate(gaps) if place != cut]
    wider = gaps[cut] - max(median(others), 0) >= APART * height
    feet = [median(box.y + box.height for box in part) for part in (before, last)]
    return wider or feet[0] - feet[1] >= RAISED * height
