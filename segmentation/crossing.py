"""Writing that leads over the printed side of a frame: what stands outside of it is part of the number all the same.

```
page ─ turned, so that the side is the frame's right one ─▶ ink outside, without the printed line ─▶ begins at the line?
```
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.types import Box
from segmentation.prepare import ink_map, lies_in_any, pieces_of
from segmentation.surroundings import PRINTED, Surroundings

REACH: Final = 1.2
"""Heights of a digit beyond the side that are looked at: as far as one reaches."""

NEAR: Final = 0.5
"""Heights of a digit from the frame's interior within which its printed side lies."""

TOUCHES: Final = 0.08
"""Heights of a digit, 2 pixels at least, from the printed side to ink that leads over it: labels stand further off."""

MIN_TALL: Final = 0.3
MIN_WIDE: Final = 0.08
"""Heights of a digit that its part outside is tall and wide at least: less is noise, or the rest of a line."""

CORNER_PX: Final = 2
"""Pixels at a side's ends that the lines across it take up."""


def crosses_side(around: Surroundings, frame: Box, height: float, *, sides: str) -> bool:
    """Return whether writing leads over a printed side of the frame in which a field is written.

    Args:
        around: the field on its page; what stands in another field is that one's.
        frame: the interior of the frame, on the page.
        height: of a digit, in pixels.
        sides: those that are asked: any of `l`, `r`, `t` and `b`.
    """
    return any(_leads_over(around, frame, height, side) for side in sides)


def _leads_over(around: Surroundings, frame: Box, height: float, side: str) -> bool:
    shape = around.page.shape
    others = [_turned(other, side, shape) for other in around.others]
    for piece in _pieces(_turned_page(around.page, side), _turned(frame, side, shape), height):
        tall, wide = (piece.height, piece.width) if side in "lr" else (piece.width, piece.height)
        large = tall >= MIN_TALL * height and wide >= MIN_WIDE * height
        if large and not lies_in_any(piece, others):
            return True
    return False


def _pieces(page: NDArray[np.uint8], frame: Box, height: float) -> Iterator[Box]:
    """Yield the ink that begins at the right side of the frame, outside of it: pixels of the page."""
    reach = round(REACH * height)
    # As much of the inside is seen, too: from it the tone of the paper is known.
    left, end = max(0, frame.right - reach), min(page.shape[1], frame.right + reach)
    top, foot = max(0, frame.y), min(page.shape[0], frame.bottom)
    ink = ink_map(np.ascontiguousarray(page[top:foot, left:end]))[:, frame.right - left :]
    line = np.flatnonzero(ink[:, : round(NEAR * height)].mean(axis=0) > PRINTED)
    start = int(line[-1]) + 2 if len(line) else 0
    outside = ink[CORNER_PX:-CORNER_PX, start:]
    for piece in pieces_of(outside):
        if piece.x <= max(2, TOUCHES * height) and piece.height < outside.shape[0]:
            yield replace(piece, x=frame.right + start + piece.x, y=top + CORNER_PX + piece.y)


def _turned_page(page: NDArray[np.uint8], side: str) -> NDArray[np.uint8]:
    """Return the page so that what is outside of the side lies to the right of it."""
    upright = page if side in "lr" else page.T
    return upright[:, ::-1] if side in "lt" else upright


def _turned(box: Box, side: str, shape: tuple[int, ...]) -> Box:
    """Return the box on that page, of which `shape` is the height and width before."""
    height, width = shape
    if side in "tb":
        box, width = Box(box.y, box.x, box.height, box.width), height
    return replace(box, x=width - box.right) if side in "lt" else box
