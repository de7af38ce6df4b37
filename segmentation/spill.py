"""Writing that leaves its field: once the print is taken away, what goes on beyond the box is part of what is in it.

```
pixels around the field, without print ─ gather ─▶ the field, as large as its writing, and nothing else around it
                                              └─▶ whether it goes on in another field
```

What stands in another field is that one's, but where it follows closely nobody knows: one number may have been written
over both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box
from segmentation.prepare import ink_map, share_inside, widened
from segmentation.preprint import paint_out
from segmentation.surroundings import NO_GAP

BESIDE: Final = 2.0
ABOVE: Final = 0.8
"""Heights of the box around it in which its writing is followed."""

MAX_GAP: Final = 0.7
"""Heights of the writing between one sign and the next."""

MIN_HEIGHT: Final = 0.35
"""Of the writing's height: what is lower is a speck or a dot, and leads nowhere."""

MIN_WRITING: Final = 0.2
"""Of the box's height: what is lower is no writing that anything could go on from."""

MARGIN: Final = 0.3
"""Of the writing's height around it, as fields are cut on the whole."""

_Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """A field with its writing.

    Attributes:
        box: that holds it, in pixels of what was looked at.
        pixels: uint8, shape of the box: without what else is around it.
        runs_on: whether a sign in another field follows it as closely as the digits of one number do.
    """

    box: Box
    pixels: _Grey
    runs_on: bool = False


@dataclass(frozen=True, slots=True)
class _Sign:
    """A connected piece of ink: its label, and its sides."""

    label: int
    left: int
    top: int
    right: int
    bottom: int

    @property
    def height(self) -> int:
        """Rows from its top to its foot."""
        return self.bottom - self.top

    def shared(self, box: Box) -> float:
        """Return how much of the sign's rectangle lies in the box, in 0..1."""
        return share_inside(Box(self.left, self.top, self.right - self.left, self.height), box)


def around(box: Box, *, width: int, height: int) -> Box:
    """Return the part of a page of so many pixels in which the field's writing is followed."""
    across, down = round(BESIDE * box.height), round(ABOVE * box.height)
    return widened(box, across=across, down=down, width=width, height=height)


def gather(grey: _Grey, box: Box, others: Sequence[Box]) -> Gathered:
    """Return the field's writing in the box that holds it, `box` at least.

    Args:
        grey: uint8, shape (height, width): the field and what is around it, without print.
        box: the field, in pixels of `grey`.
        others: the fields beside it: what is in them is theirs.
    """
    ink = ink_map(grey).view(np.uint8)
    signs, labels = _signs(ink)
    own = [sign for sign in signs if sign.shared(box) > 0.5 and sign.height >= MIN_WRITING * box.height]
    if not own:
        return Gathered(box, grey[box.slices])
    height = float(np.median([sign.height for sign in own]))
    theirs = [sign for sign in signs if sign not in own and any(sign.shared(other) > 0.5 for other in others)]
    free = [sign for sign in signs if sign not in own and sign not in theirs]
    while found := [sign for sign in free if _goes_on(sign, own, height)]:
        own += found
        free = [sign for sign in free if sign not in found]
    whole = _holding(box, own, round(MARGIN * height), grey.shape)
    runs_on = any(_goes_on(sign, own, height, gap=NO_GAP) for sign in theirs)
    return Gathered(whole, _cut(grey, whole, box, labels, own), runs_on)


def _signs(ink: _Grey) -> tuple[list[_Sign], NDArray[np.int32]]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    rows = enumerate(np.asarray(stats)[1:].tolist(), start=1)
    return [_Sign(label, x, y, x + w, y + h) for label, (x, y, w, h, _) in rows], np.asarray(labels, np.int32)


def _goes_on(sign: _Sign, own: Sequence[_Sign], height: float, *, gap: float = MAX_GAP) -> bool:
    """Return whether the sign stands beside one of the field's own, on the same line."""
    if not MIN_HEIGHT * height <= sign.height <= 2.5 * height:
        return False
    return any(
        max(sign.left - each.right, each.left - sign.right) <= gap * height
        and min(sign.bottom, each.bottom) - max(sign.top, each.top) >= 0.4 * min(sign.height, each.height)
        for each in own
    )


def _holding(box: Box, own: Sequence[_Sign], margin: int, shape: tuple[int, ...]) -> Box:
    left = max(0, min(box.x, min(sign.left for sign in own) - margin))
    top = max(0, min(box.y, min(sign.top for sign in own) - margin))
    right = min(shape[1], max(box.right, max(sign.right for sign in own) + margin))
    bottom = min(shape[0], max(box.bottom, max(sign.bottom for sign in own) + margin))
    return Box(left, top, right - left, bottom - top)


def _cut(grey: _Grey, whole: Box, box: Box, labels: NDArray[np.int32], own: Sequence[_Sign]) -> _Grey:
    """Return the pixels of `whole`, with paper for what stands around the field and is none of its own."""
    strange = labels > 0
    strange[box.slices] = False
    strange &= ~np.isin(labels, [sign.label for sign in own])
    area = whole.slices
    if not strange[area].any():
        return grey[area]
    gone = np.asarray(cv2.dilate(strange.view(np.uint8), np.ones((3, 3), np.uint8)), np.uint8)
    return paint_out(grey, gone)[area]
