"""What is none of a number's digits and changes it: a ring around it, a hole or blot over it, a small digit above it.

```
boxes of digits ┬ contours of the ink ─▶ is_ringed
                ├ components of the ink ─▶ has_inserted
                └ grey picture ─▶ is_covered
```
"""

from collections.abc import Sequence
from statistics import median
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box
from segmentation.amending import stands_alone
from segmentation.cuts import Components
from segmentation.prepare import lies_in_any

RINGED: Final = 0.3
"""Heights of a digit that ink inside of a loop is tall: a 0 may hold a dot, or a stroke that crosses its line.
Of 3,856 accepted fields of ORAND's, Meza's and IDRBT's training parts none has so much."""

SHORTEST: Final = 0.4
TALLEST: Final = 1.2
SLIMMEST: Final = 0.15
WIDEST: Final = 1.2
"""Heights of a digit that one between the lines is tall and wide."""

ABOVE: Final = 0.85
"""Heights of a digit above its foot at which such a sign ends at the lowest."""

NEAR: Final = 0.8
"""Heights of a digit, or its widths, between its middle and that of the sign above it at most."""

LEVEL: Final = 0.3
"""Heights of a digit by which others beside it stand higher or lower at most: print above the number, not a digit."""

PATCH: Final = 0.25
"""Heights of a digit: radius of a disc that is dark all over. The boldest pens draw strokes half as thick."""

DARK: Final = 0.3
"""Of the way from ink to paper: what is brighter is no part of a patch."""

LARGEST: Final = 2.2
ROUND: Final = 0.55
FILLED: Final = 0.68
"""Heights of a digit that a patch is wide and tall at most, the shorter side's share of the longer one, and how much of
its box it fills: shadows and dark margins are larger, or long."""

SIDES: Final = 3
"""Of its four sides, so many lie in the picture: a shadow comes in over two."""

TONE: Final = 0.1
"""Quantile of a digit's box: as dark as its ink."""

SMALL_DIGIT: Final = 24.0
"""Pixels of a digit's height at which patches are sought: what opening costs grows with the fourth power of it."""


def is_ringed(ink: NDArray[np.bool_], height: float) -> bool:
    """Return whether a sign stands inside a loop of other ink, as a number does in a circle.

    Args:
        ink: of the field, without ruling lines.
        height: of a digit, in its pixels.
    """
    contours, found = cv2.findContours(np.pad(ink.view(np.uint8), 1), cv2.RETR_TREE, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return False
    parents = np.asarray(found)[0, :, 3].tolist()
    for contour, parent in zip(contours, parents, strict=True):
        # Contours are, from outside in: ink, its loops, ink inside of these.
        inside = parent >= 0 and parents[parent] >= 0 and _depth(parents, parent) % 2 == 1
        if inside and cv2.boundingRect(contour)[3] >= RINGED * height:
            return True
    return False


def has_inserted(ink: Components, digits: Sequence[Box]) -> bool:
    """Return whether a sign like a small digit stands above the number by itself: it belongs between its digits.

    Args:
        ink: of the field, without ruling lines.
        digits: in its pixels, from left to right.
    """
    height = median(digit.height for digit in digits)
    signs = [Box(*row[:4]) for row in ink.stats.tolist()]
    return any(
        _is_inserted(sign, digits, height) and stands_alone(sign, _beside(sign, signs, height)) for sign in signs
    )


def is_covered(grey: NDArray[np.uint8], digits: Sequence[Box]) -> bool:
    """Return whether a round dark patch lies on or beside the digits: a hole, a blot, a digit blackened.

    Args:
        grey: uint8, shape (height, width), dark ink on lighter paper.
        digits: in its pixels, from left to right.
    """
    scale = min(1.0, SMALL_DIGIT / median(digit.height for digit in digits))
    if scale < 1.0:
        grey = np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        digits = [digit.scaled(scale) for digit in digits]
    height = median(digit.height for digit in digits)
    radius = max(2, round(PATCH * height))
    top, foot = min(digit.y for digit in digits), max(digit.bottom for digit in digits)
    rows = slice(max(0, int(top - height / 5)), int(foot + height / 5))
    part = np.ascontiguousarray(grey[rows, max(0, int(digits[0].x - height)) : int(digits[-1].right + height)])
    inks = [_quantile(own, TONE) for digit in digits if (own := grey[digit.slices]).size]
    if not part.size or not inks:
        return False
    tone, paper = median(inks), _quantile(part, 0.5)
    dark = np.pad((part <= tone + DARK * (paper - tone)).view(np.uint8), radius)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    patches = cv2.morphologyEx(dark, cv2.MORPH_OPEN, disc)[radius:-radius, radius:-radius]
    shape = patches.shape[0], patches.shape[1]
    found = cv2.connectedComponentsWithStats(np.ascontiguousarray(patches))[2][1:].tolist()
    return any(_is_patch(Box(*box), area, height, shape) for *box, area in found)


def _quantile(grey: NDArray[np.uint8], share: float) -> int:
    """Return the tone than which so much of a picture is darker; ten times as fast as numpy's on small ones."""
    place = int(share * (grey.size - 1))
    return int(np.partition(grey, place, axis=None)[place])


def _depth(parents: Sequence[int], place: int) -> int:
    depth = 0
    while (place := parents[place]) >= 0:
        depth += 1
    return depth


def _is_inserted(sign: Box, digits: Sequence[Box], height: float) -> bool:
    if sign.y == 0 or lies_in_any(sign, digits):
        return False  # of the row above, or of a digit
    wide, tall = sign.width / height, sign.height / height
    if not (SHORTEST <= tall <= TALLEST and SLIMMEST <= wide <= WIDEST):
        return False
    middle = sign.x + sign.width / 2
    below = min(digits, key=lambda digit: abs(digit.x + digit.width / 2 - middle))
    aside = abs(below.x + below.width / 2 - middle)
    return aside <= NEAR * max(below.width, height) and sign.bottom <= below.bottom - ABOVE * height


def _beside(sign: Box, signs: Sequence[Box], height: float) -> list[Box]:
    """Return the signs that stand as high, this one among them."""
    middle = sign.y + sign.height / 2
    return [each for each in signs if abs(each.y + each.height / 2 - middle) < LEVEL * height]


def _is_patch(box: Box, area: int, height: float, shape: tuple[int, int]) -> bool:
    short, long = sorted((box.width, box.height))
    inside = [box.x > 0, box.y > 0, box.right < shape[1], box.bottom < shape[0]]
    return (
        long <= LARGEST * height
        and short >= ROUND * long
        and area >= FILLED * box.width * box.height
        and sum(inside) >= SIDES
    )
