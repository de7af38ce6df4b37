"""A digit right above or below a comb, where its box had no room: it may replace one that was struck out.

```
comb on its page ─ strips above and below, without the comb ─▶ a sign like a digit, and no row of print
```
"""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, radians, tan
from typing import Final

import numpy as np

from core.types import Box
from segmentation.combs import Comb
from segmentation.prepare import ink_map, lies_in_any, pieces_of, widened
from segmentation.surroundings import Surroundings

REACH: Final = 1.0
"""Heights of the boxes above and below them that are looked at."""

OVERHANG: Final = 0.3
"""Widths of a box beside the comb that are looked at."""

SHORTEST: Final = 0.4
TALLEST: Final = 1.1
"""Heights of the boxes that such a digit is tall: print between rows of boxes is lower for the most part."""

STICKS_OUT: Final = 0.55
"""The same where it reaches the comb: less is what sticks out of a box of the digit in it."""

SLIMMEST: Final = 0.05
"""Heights of the boxes that it is wide at least."""

WIDEST: Final = 1.3
"""Widths of a box that it is wide at most: words whose letters touch are wider."""

CLOSE: Final = 0.4
"""Heights of the boxes between it and the comb at most."""

ALIKE: Final = (0.8, 1.25)
ROW: Final = 2
"""So many others of about its height beside it, and it is one of a row: letters below the boxes, a label."""

TILT: Final = 0.15
"""Heights of the boxes by which the comb rises at most: else the strips would hold some of what is in the boxes."""


def is_amended(around: Surroundings, comb: Comb) -> bool:
    """Return whether a digit stands by itself right above or below the comb.

    Args:
        around: the field on its page, or its picture alone; what stands in other fields is theirs.
        comb: in pixels of the field.
    """
    row = Box(comb.box.x + around.field.x, comb.box.y + around.field.y, comb.box.width, comb.box.height)
    if abs(tan(radians(comb.skew_degrees))) * row.width > TILT * row.height:
        return False
    pitch, line = row.width / len(comb.cells), ceil(comb.line_px / 2) + 1
    across, down = round(OVERHANG * pitch), round(REACH * row.height)
    height, width = around.page.shape
    area = widened(row, across=across, down=down, width=width, height=height)
    ink = ink_map(np.ascontiguousarray(around.page[area.slices]))
    strips = {
        row.y - line: ink[: max(0, row.y - line - area.y)][::-1],
        row.bottom + line: ink[row.bottom + line - area.y :],
    }
    for edge, strip in strips.items():
        signs = pieces_of(strip)  # its first row is the one next to the comb
        digits = [each for each in signs if _is_like_a_digit(each, row.height, pitch) and stands_alone(each, signs)]
        for digit in digits:
            y = edge - digit.bottom if edge < row.y else edge + digit.y
            on_page = replace(digit, x=area.x + digit.x, y=y)
            if not lies_in_any(on_page, around.others):
                return True
    return False


def _is_like_a_digit(sign: Box, height: int, pitch: float) -> bool:
    least = STICKS_OUT if sign.y == 0 else SHORTEST
    return (
        least * height <= sign.height <= TALLEST * height
        and SLIMMEST * height <= sign.width <= WIDEST * pitch
        and sign.y <= CLOSE * height
    )


def stands_alone(sign: Box, signs: Sequence[Box]) -> bool:
    """Return whether a sign is none of a row of about the same height, as print is.

    Args:
        sign: one of `signs`.
        signs: what stands beside it, and it.
    """
    low, high = (share * sign.height for share in ALIKE)
    return sum(low <= each.height <= high for each in signs) - 1 < ROW
