"""Where digits stand, once it is known about where to look: the ink around each place that a line reader saw.

A digit is most often a component of its own, or a few. Where digits touch, a component's ink is parted half way from
one place to the next: line readers see a digit's middle to within a tenth of its height, and few cuts by the shape
of the ink are closer.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box
from segmentation.cuts import Components
from segmentation.lattice import Corners, Cutting
from segmentation.tightening import MIN_ABOVE, MIN_BESIDE

SMALL: Final = 0.35
"""Text heights; what is lower, away from all places, is a dot, a dash or a stain."""

NEAR: Final = 0.6
"""Of the distance between digits, how far from its place the middle of another part of a digit may be."""

REACH: Final = 0.7
"""Text heights from its place that a digit reaches to either side; ink further away is a rule or a flourish."""

WIDE: Final = 0.7
"""Of the distance between digits: where they stand far apart, they are wide, and reach as far as if so tall."""

MIN_PITCH: Final = 0.35
"""Text heights; digits are no closer than this."""

MAX_GAP: Final = 0.2
"""Text heights that may lie between a digit's main part and another part above or below it."""

BAR_SHORTEST: Final = 0.15
BAR_LONGEST: Final = 0.8
"""Text heights of the bar of a 5."""

BAR_GAP: Final = 0.15
"""Text heights between its stem and a bar beside it."""

BAR_ABOVE: Final = 0.2
"""Text heights between its top and a bar above it."""

BAR_BELOW: Final = 0.35
"""Of its height, how far below its top a bar may be."""

RULE: Final = 2.0
"""Text heights; level ink that runs on for so long is a rule, and no part of a digit that touches it."""

LEAN: Final = 0.2
"""Columns per row by which what parts two digits leans to the right, as most writing does."""


class Part(NamedTuple):
    """Ink of one component: the box around it, and how many pixels of it there are."""

    left: int
    top: int
    right: int
    bottom: int
    area: int


def boxes_at(cutting: Cutting, text: str, places: Sequence[float]) -> list[Box] | None:
    """Return the box of each digit's ink on the page; None where a place has none.

    Args:
        cutting: the field's ink.
        text: the digits.
        places: columns of the page in which the digits' middles were seen, from left to right.
    """
    components, height = cutting.components, cutting.text_height
    seen = [(place - cutting.field.x) * cutting.scale for place in places]
    pitch = max(_pitch(seen), MIN_PITCH * height)
    reach = REACH * max(height, WIDE * pitch)
    parts: list[list[Part]] = [[] for _ in seen]
    low: list[Part] = []
    for label, part in _components(components):
        own = [number for number, place in enumerate(seen) if part.left <= place < part.right]
        if part.bottom - part.top < SMALL * height:
            low.append(part)
        own = own or _nearest(part, seen, reach=NEAR * pitch, least=SMALL * height)
        if len(own) == 1 and seen[own[0]] - reach <= part.left and part.right <= seen[own[0]] + reach:
            parts[own[0]].append(part)
        elif own:
            for number, piece in _parted(
                components, label, part, {each: seen[each] for each in own}, reach=reach, height=height
            ):
                parts[number].append(piece)
    if not all(parts):
        return None
    corners = [_around_main(each, height) for each in parts]
    for number, (char, end) in enumerate(zip(text, [*seen[1:], math.inf], strict=False)):
        if char == "5":
            corners[number] = _with_bar(corners[number], low, height, end=end)
    return cutting.on_page(corners)


def _components(components: Components) -> Iterator[tuple[int, Part]]:
    """Yield each component's label and its ink."""
    labels = (np.flatnonzero(components.kept) + 1).tolist()
    # Of texture there are no boxes.
    boxes, areas = components.boxes.tolist(), components.areas.tolist()
    for label, (left, top, right, bottom), area in zip(labels, boxes, areas, strict=False):
        yield label, Part(left, top, right, bottom, area)


def _parted(
    components: Components, label: int, whole: Part, seen: dict[int, float], *, reach: float, height: float
) -> Iterator[tuple[int, Part]]:
    """Yield the ink of a component around each of the places that it has, by the places' numbers.

    Args:
        components: of the field.
        label: of the component.
        whole: its box.
        seen: columns by number, from left to right.
        reach: columns; what is further from the place is left out.
        height: of the text.
    """
    window = components.labels[whole.top : whole.bottom, whole.left : whole.right]
    ink = (window == label).view(np.uint8)
    ys, xs = np.divmod(np.flatnonzero(_without_rules(ink, max(3, round(RULE * height)))), window.shape[1])
    middle = (whole.bottom - whole.top - 1) / 2
    borders = [(one + other) / 2 - whole.left for one, other in pairwise(seen.values())]
    owners = np.searchsorted(borders, xs + LEAN * (ys - middle), side="right") if borders else np.zeros_like(xs)
    for owner, (number, place) in enumerate(seen.items()):
        own = (owners == owner) & (np.abs(xs - (place - whole.left)) <= reach)
        if own.any():
            yield number, _around(xs[own], ys[own], left=whole.left, top=whole.top)


def _without_rules(ink: NDArray[np.uint8], length: int) -> NDArray[np.uint8]:
    """Return ink without what runs on level for so many pixels, and its rough edges."""
    if ink.shape[1] < length:
        return ink
    rules = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    return np.asarray(cv2.subtract(ink, cv2.dilate(rules, np.ones((3, 1), np.uint8))), np.uint8)


def _around(xs: NDArray[np.intp], ys: NDArray[np.intp], *, left: int, top: int) -> Part:
    """Return the pixels, which come row by row, as a part; `left` and `top` are the corner they are counted from."""
    return Part(left + int(xs.min()), top + int(ys[0]), left + int(xs.max()) + 1, top + int(ys[-1]) + 1, len(xs))


def _around_main(parts: Sequence[Part], height: float) -> Corners:
    """Return what is around the part with most ink, and around those that belong to it; at least one part."""
    main = max(parts, key=_area)
    left, top, right, bottom, _ = zip(
        *(part for part in parts if part is main or _belongs(part, main, height)), strict=True
    )
    return min(left), min(top), max(right), max(bottom)


def _belongs(part: Part, main: Part, height: float) -> bool:
    """Return whether a part is the bar of a 5, say, rather than a speck or a dash, as `tightening` tells by a glyph."""
    common = min(part.right, main.right) - max(part.left, main.left)
    gap = max(part.top, main.top) - min(part.bottom, main.bottom)
    least = MIN_ABOVE if 2 * common >= part.right - part.left else MIN_BESIDE
    return part.area >= least * main.area and gap <= MAX_GAP * height


def _with_bar(corners: Corners, low: Sequence[Part], height: float, *, end: float) -> Corners:
    """Return a 5's corners with the bar that stands apart from it: low ink at its top, to the right of its stem.

    Args:
        corners: of the rest of it.
        low: low parts, whose ever they are.
        height: of the text.
        end: column of the next digit's place, up to which a bar may reach.
    """
    left, top, right, bottom = corners
    for part in low:
        middle, level = (part.left + part.right) / 2, (part.top + part.bottom) / 2
        beside = left < middle < end and part.left < right + BAR_GAP * height and part.right < end
        above = top - BAR_ABOVE * height < level < top + BAR_BELOW * (bottom - top)
        if beside and above and BAR_SHORTEST * height < part.right - part.left < BAR_LONGEST * height:
            left, top, right = min(left, part.left), min(top, part.top), max(right, part.right)
    return left, top, right, bottom


def _nearest(part: Part, seen: Sequence[float], *, reach: float, least: float) -> list[int]:
    """Return the place nearest to a part that lies on none; nothing where it is too far, or the part is too low."""
    if part.bottom - part.top < least:
        return []
    middle = (part.left + part.right) / 2
    own = min(range(len(seen)), key=lambda number: abs(seen[number] - middle))
    return [own] if abs(seen[own] - middle) < reach else []


def _pitch(seen: Sequence[float]) -> float:
    """Return how far digits are apart: the median."""
    return median([after - before for before, after in pairwise(seen)]) if len(seen) > 1 else 0.0


def _area(part: Part) -> int:
    return part.area
