"""Where digits stand, once it is known about where to look: the ink around each place that a line reader saw.

A digit is most often a component of its own, or a few. Where digits touch, pieces of components are theirs, and which
ones is for `forms` to say.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.types import Box
from segmentation.lattice import Corners, Cutting
from segmentation.tightening import MIN_ABOVE, MIN_BESIDE

SMALL: Final = 0.35
"""Text heights; what is lower, away from all places, is a dot, a dash or a stain."""

REACH: Final = 0.6
"""Of the distance between digits, how far from its place the middle of another part of a digit may be."""

MIN_PITCH: Final = 0.35
"""Text heights; digits are no closer than this."""

MAX_GAP: Final = 0.3
"""Heights of a digit's main part that may lie between it and another part."""


class Part(NamedTuple):
    """Ink of one component: the box around it, and how many pixels of it there are."""

    left: int
    top: int
    right: int
    bottom: int
    area: int


def boxes_at(cutting: Cutting, places: Sequence[float]) -> list[Box] | None:
    """Return the box of each digit's ink on the page; None where components hold several digits, or a place has none.

    Args:
        cutting: the field's ink.
        places: columns of the page in which the digits' middles were seen, from left to right.
    """
    components = cutting.components
    seen = [(place - cutting.field.x) * cutting.scale for place in places]
    pitch = max(_pitch(seen), MIN_PITCH * components.text_height)
    parts: list[list[Part]] = [[] for _ in seen]
    for part in _parts(components.boxes, components.areas):
        inside = [number for number, place in enumerate(seen) if part.left <= place < part.right]
        if len(inside) > 1:
            return None
        own = inside[0] if inside else _nearest(part, seen, reach=REACH * pitch, least=SMALL * components.text_height)
        if own is not None:
            parts[own].append(part)
    return cutting.on_page([around_main(each) for each in parts]) if all(parts) else None


def boxes_of_merges(cutting: Cutting, chosen: Sequence[int]) -> list[Box]:
    """Return the box of the ink of each of the `chosen` candidates, without what stands beside or above it."""
    pieces = cutting.pieces
    alone, components = _parts(pieces.boxes, pieces.areas), pieces.components.tolist()
    found = []
    for merge in (cutting.merges[each] for each in chosen):
        parts: dict[int, Part] = {}
        for piece in range(merge.start, merge.end):
            known = parts.get(components[piece])
            parts[components[piece]] = alone[piece] if known is None else _joined([known, alone[piece]])
        found.append(around_main(parts.values()))
    return cutting.on_page(found)


def around_main(parts: Iterable[Part]) -> Corners:
    """Return what is around the part with most ink, and around those that belong to it; at least one part."""
    ordered = list(parts)
    main = max(ordered, key=_area)
    return _joined([part for part in ordered if part is main or _belongs(part, main)])[:4]


def _parts(boxes: NDArray[np.int32], areas: NDArray[np.integer]) -> list[Part]:
    return [
        Part(left, top, right, bottom, area)
        for (left, top, right, bottom), area in zip(boxes.tolist(), areas.tolist(), strict=True)
    ]


def _belongs(part: Part, main: Part) -> bool:
    """Return whether a part is the bar of a 5, say, rather than a speck or a dash, as `tightening` tells by a glyph."""
    common = min(part.right, main.right) - max(part.left, main.left)
    gap = max(part.top, main.top) - min(part.bottom, main.bottom)
    least = MIN_ABOVE if 2 * common >= part.right - part.left else MIN_BESIDE
    return part.area >= least * main.area and gap <= MAX_GAP * (main.bottom - main.top)


def _joined(parts: Sequence[Part]) -> Part:
    left, top, right, bottom, area = zip(*parts, strict=True)
    return Part(min(left), min(top), max(right), max(bottom), sum(area))


def _nearest(part: Part, seen: Sequence[float], *, reach: float, least: float) -> int | None:
    """Return the place nearest to a part that lies on none; None where it is too far, or the part is too low."""
    if part.bottom - part.top < least:
        return None
    middle = (part.left + part.right) / 2
    own = min(range(len(seen)), key=lambda number: abs(seen[number] - middle))
    return own if abs(seen[own] - middle) < reach else None


def _pitch(seen: Sequence[float]) -> float:
    """Return how far digits are apart: the median."""
    return median([after - before for before, after in pairwise(seen)]) if len(seen) > 1 else 0.0


def _area(part: Part) -> int:
    return part.area
