"""Commas that were read as a 1: between thousands people write a short stroke that hangs below the digits.

```
6,300 ─ read 61300 ─ its 1 begins low and ends below the others ─▶ 6300, whatever the networks say
```
"""

import math
from collections.abc import Sequence
from statistics import median
from typing import Final

from core.types import Box
from forms.fusion import Fused, laid_out

LOW: Final = 0.25
"""Digit heights below the others' tops at which a hanging stroke begins, or further down."""

BELOW: Final = 0.2
"""Digit heights below the others' feet at which it ends, or further down."""

HALF: Final = 0.4
"""What begins so far below the others' tops is no 1, wherever it ends."""

ODDS: Final = 15.0
"""Of a comma over a 1. Read by `digits-open`, which learnt from neither, 15 strings of ORAND's and Meza's training
parts were right but for such a stroke; in strings read right, none of 432 1s stands like one by itself."""

FEWEST: Final = 3
"""Digits; among fewer nothing tells how the others stand."""


def hanging(text: str, boxes: Sequence[Box]) -> list[int]:
    """Return the numbers of the 1s that stand as commas do; the first digit is none.

    Args:
        text: digits.
        boxes: of their ink, one each.
    """
    if len(text) < FEWEST:
        return []
    found = {number for number in range(1, len(text)) if text[number] == "1" and _hangs(boxes, number)}
    # No two commas stand side by side: there the writing falls off.
    return sorted(number for number in found if not {number - 1, number + 1} & found)


def _hangs(boxes: Sequence[Box], number: int) -> bool:
    others = [box for other, box in enumerate(boxes) if other != number]
    height = median(box.height for box in others)
    own = boxes[number]
    low = (own.y - median(box.y for box in others)) / height
    below = (own.bottom - median(box.bottom for box in others)) / height
    return low > HALF or (low > LOW and below > BELOW)


def without(fused: Fused, numbers: Sequence[int]) -> Fused:
    """Return the proposals with the best one's digits of these numbers taken for commas.

    What it reads without them gets `ODDS` over it. Nothing changes where nobody proposes that string, or the field may
    not hold it.
    """
    best = fused.proposals[0]
    text = "".join(digit for number, digit in enumerate(best.text) if number not in numbers)
    likelier = next((each for each in fused.proposals if each.text == text and each.allowed), None)
    if likelier is None or likelier.share <= 0.0:
        return fused
    return laid_out(fused, {text: math.log(ODDS * best.share / likelier.share)})
