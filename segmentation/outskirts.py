"""Whether writing that nobody reads stands right beside a field that is empty: who ran out of its box wrote it there.

```
pixels around the field, without print ─▶ signs as tall as digits, close to the box, in no other field ─▶ is one there?
```
"""

from typing import Final

from core.types import Box
from segmentation.prepare import ink_map, lies_in_any, pieces_of, widened
from segmentation.surroundings import Surroundings

BESIDE: Final = 1.0
"""Heights of the box between its left or right side and a sign beside it."""

ABOVE: Final = 0.6
"""The same above and below, where the next row of a form begins."""

SEEN: Final = 1.6
"""Heights of the box around it that are looked at: a sign is seen with its height."""

SHORTEST: Final = 0.3
TALLEST: Final = 1.5
"""Heights of the box that a digit is tall: lower are rests of print, taller are brackets and signatures."""

WIDEST: Final = 4.0
"""Heights of the box that digits which hang together are wide."""

SLIMMEST: Final = 0.03
"""Heights of the box that a 1 is wide: slimmer are rests of a printed line."""


def outskirts(box: Box, *, width: int, height: int) -> Box:
    """Return the part of a page of so many pixels in which writing beside a field is sought."""
    reach = round(SEEN * box.height)
    return widened(box, across=reach, down=reach, width=width, height=height)


def is_written_beside(around: Surroundings) -> bool:
    """Return whether something like a digit stands close to an empty field, and neither in it nor in another one.

    Args:
        around: the field and what is around it, without print, and the form's other fields, each with the writing that
            leaves it: what is in them is read there.
    """
    box = around.field
    return any(
        _is_like_digits(sign, box.height) and _is_close(sign, box) and not lies_in_any(sign, (box, *around.others))
        for sign in pieces_of(ink_map(around.page))
    )


def _is_like_digits(sign: Box, height: int) -> bool:
    tall, wide = sign.height / height, sign.width / height
    return SHORTEST <= tall <= TALLEST and SLIMMEST <= wide <= WIDEST


def _is_close(sign: Box, box: Box) -> bool:
    across = max(sign.x - box.right, box.x - sign.right)
    down = max(sign.y - box.bottom, box.y - sign.bottom)
    return across <= BESIDE * box.height and down <= ABOVE * box.height
