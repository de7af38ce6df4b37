"""How commas part the digits of whole numbers: by threes, or as lakh and crore are written, and what ends an amount.

```
748000 of 74,80,00 ─ a comma before the last two digits: as in no whole number ─▶ less likely than 7480000 of 74,80,000
990001 of 99,000/  ─ its last digit is much taller than the others: a slash    ─▶ less likely than 99000
```

Which gaps between digits hold a comma depends on which strokes are taken for digits. So of several strings that the
readers propose, those are likelier whose commas stand where people write them, and a missed or a surplus digit, which
makes the number ten times smaller or larger, is told from the ink beside it.
"""

from collections.abc import Sequence, Set
from statistics import median
from typing import Final

from core.types import Box
from forms.field_types import FieldType
from forms.values import CENTS, THOUSANDS

MOST_DIGITS: Final = 20
"""Of any number that anybody groups."""

FEWEST: Final = 3
"""Digits; among fewer nothing tells how tall they are."""

WHOLE: Final = (frozenset(range(THOUSANDS, MOST_DIGITS, 3)), frozenset(range(THOUSANDS, MOST_DIGITS, 2)))
"""Gaps between digits, counted from the right, in which commas stand: 1,234,567 and 12,34,567."""

WITH_CENTS: Final = tuple(frozenset({CENTS, *(CENTS + gap for gap in gaps)}) for gaps in WHOLE)
"""The same with a point before the last two digits."""

GROUPED: Final = 2.0
"""Log weight of a string whose commas all stand where they may, the last one among them. This and the two below are
about what makes the true strings of 268 drawn amounts (`model.line.composing.rupee_amount`) likeliest."""

MISGROUPED: Final = -1.0
"""Of one with a comma in any other gap: a stroke of the paper's print may pass for a comma."""

SLASHED: Final = -2.0
"""Of one that ends in a slash."""

TALL: Final = 1.4
"""The median height of the other digits: a last 1, 4 or 7 is no taller. Of 43 of ORAND's held-out numbers one is."""

SLASHES: Final = frozenset("147")
"""What a slash, alone or with the dash behind it, looks like."""


def grouping_log_weight(text: str, boxes: Sequence[Box], commas: Set[int], kind: FieldType) -> float:
    """Return the log weight that a number has for where its commas stand and for how it ends.

    Args:
        text: its digits.
        boxes: of their ink, one each.
        commas: gaps between the digits, counted from the right, in which a point or comma stands.
        kind: what the field may hold; where the last two digits are cents, those before them are grouped.
    """
    weight = SLASHED if _ends_in_slash(text, boxes) else 0.0
    if not commas:
        return weight
    usual, unusual = (WITH_CENTS, WHOLE) if kind.has_cents else (WHOLE, WITH_CENTS)
    if any(commas <= groups for groups in usual):
        # Who parts lakhs parts thousands, too: without theirs, that comma was read as a digit.
        return weight + GROUPED if min(usual[0]) in commas else weight
    # Amounts are also written against their type, which is for others to judge: no reason to believe in another number.
    if kind.name == "amount" and any(commas <= groups for groups in unusual):
        return weight
    return weight + MISGROUPED


def _ends_in_slash(text: str, boxes: Sequence[Box]) -> bool:
    if len(text) < FEWEST or text[-1] not in SLASHES:
        return False
    return boxes[-1].height > TALL * median(box.height for box in boxes[:-1])
