"""What stands in the gaps between a number's digits: which ink is the digits' own, and signs that make two numbers.

```
boxes of digits, pieces of ink ─▶ without_marks ─▶ the digits alone ─▶ are_parted
```
"""

import itertools
from collections.abc import Sequence
from typing import Final

from core.types import Box
from forms.values import THOUSANDS
from segmentation.prepare import share_inside

OWN: Final = 0.3
"""Of a digit's box, a piece of ink in it that covers so much is the digit's own, and no mark beside it."""

FULL: Final = 0.8
"""Of a digit's height, and of itself in that box, a piece that has so much is the digit's own, however slim."""

SHORTEST: Final = 0.18
LONGEST: Final = 0.9
THICKEST: Final = 0.3
"""Heights of a digit that a dash is long, and that it takes from top to foot at most."""

LONG: Final = 0.4
"""The same where it stands before the last three digits: there people draw points as short dashes."""

LEVEL: Final = 1.6
"""Its heights that a dash is long at least: a point is as long as it is high."""

TALL: Final = 0.4
"""Heights of a digit that a stroke, a cross or a plus is tall at least; a comma hangs."""

SLIMMEST: Final = 0.15
WIDEST: Final = 0.7
"""Heights of a digit that it is wide at least and at most: a fold or a frame's side is slimmer."""

HIGHEST: Final = 0.3
LOWEST: Final = 0.72
"""Heights of a digit below the digits' tops between which the middle of such a sign is."""

HANGING: Final = 0.35
TO_THE_FOOT: Final = 0.12
"""Heights of a digit below the digits' tops at which a comma begins at the highest, and above their feet at which it
ends at the highest, however tall and slanted it is: it makes no two numbers."""

READ: Final = 0.2
"""Of such a sign, no more than that lies in a digit's box."""

STACKED: Final = 0.3
"""Heights of a digit from the top of one point to that of the other where both are a colon."""

SMALLEST: Final = 0.06
POINT: Final = 0.3
"""Heights of a digit that each of them is wide or tall at least, and wide and tall at most."""

TOPMOST: Final = 0.2
BOTTOM: Final = 0.97
"""Heights of a digit below the digits' tops between which they begin."""


def without_marks(digit: Box, pieces: Sequence[Box]) -> Box:
    """Return the digit as wide and tall as its own ink: the box may hold a point beside it, too.

    Args:
        digit: its box.
        pieces: of ink around the number, connected.
    """
    own = [each for each in pieces if share_inside(digit, each) > OWN or _fills(each, digit)]
    if not own:
        return digit
    x, y = max(digit.x, min(each.x for each in own)), max(digit.y, min(each.y for each in own))
    right = min(digit.right, max(each.right for each in own))
    bottom = min(digit.bottom, max(each.bottom for each in own))
    return Box(x, y, right - x, bottom - y)


def _fills(piece: Box, digit: Box) -> bool:
    """Return whether a piece in a digit's box is nearly as tall: a 1 that shares it with something wider."""
    return piece.height >= FULL * digit.height and share_inside(piece, digit) > FULL


def are_parted(digits: Sequence[Box], pieces: Sequence[Box], height: float) -> bool:
    """Return whether a dash, stroke, cross, plus or colon stands between two digits.

    Args:
        digits: without marks, from left to right.
        pieces: of ink around the number, connected.
        height: of a digit.
    """
    loose = [each for each in pieces if not any(share_inside(each, digit) > READ for digit in digits)]
    for gap, (left, right) in zip(range(len(digits) - 1, 0, -1), itertools.pairwise(digits), strict=True):
        top, foot = (left.y + right.y) / 2, (left.bottom + right.bottom) / 2
        shortest = LONG if gap == THOUSANDS else SHORTEST
        between = [each for each in loose if is_in_gap(each, left, right) and not _hangs(each, top, foot, height)]
        if any(_is_sign(each, top, height, shortest) for each in between):
            return True
        tops = [each.y for each in between if _is_point(each, top, height)]
        if len(tops) > 1 and max(tops) - min(tops) >= STACKED * height:
            return True
    return False


def is_in_gap(piece: Box, left: Box, right: Box) -> bool:
    """Return whether the middle of a piece is between those of two digits."""
    return left.x + left.width / 2 < piece.x + piece.width / 2 < right.x + right.width / 2


def is_dash(piece: Box, height: float, shortest: float = SHORTEST) -> bool:
    """Return whether a piece is level and as long as a dash or minus, `shortest` heights of a digit at least."""
    level = piece.height <= min(THICKEST * height, piece.width / LEVEL)
    return level and shortest * height <= piece.width <= LONGEST * height


def _hangs(piece: Box, top: float, foot: float, height: float) -> bool:
    """Return whether a piece hangs at the digits' feet as a comma does; points may be half of a colon."""
    low = piece.y >= top + HANGING * height and piece.bottom >= foot - TO_THE_FOOT * height
    return low and piece.height > POINT * height


def _is_sign(piece: Box, top: float, height: float, shortest: float) -> bool:
    """Return whether a piece is a dash `shortest` heights long at least, or a stroke or cross, beside the digits."""
    wide, tall = piece.width / height, piece.height / height
    if not HIGHEST <= (piece.y + piece.height / 2 - top) / height <= LOWEST:
        return False
    return is_dash(piece, height, shortest) or (tall >= TALL and SLIMMEST <= wide <= WIDEST)


def _is_point(piece: Box, top: float, height: float) -> bool:
    size = max(piece.width, piece.height) / height
    return SMALLEST <= size <= POINT and TOPMOST <= (piece.y - top) / height <= BOTTOM
