"""What the sizes and places of a field's candidates say about which of them are digits.

Lengths are in text heights, so that a scan's resolution does not matter. All features are plain numbers, and the
decoder weighs them linearly; `forms.weights` holds the weights.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.types import Lattice

_Floats = NDArray[np.float64]

DIGIT_FEATURES: Final = (
    "bias", "height", "height²", "width", "width²", "top", "bottom", "merged", "inner_gap",
    "left_overlap", "right_overlap", "left_gap", "right_gap",
)  # fmt: skip
"""Of every candidate, taken as a digit."""

SHAPE: Final = [0, 1, 3]
"""Columns of `DIGIT_FEATURES` that are weighed for each of the ten digits by itself: bias, height, width."""

SKIP_FEATURES: Final = ("bias", "height", "height²", "width", "width²", "area", "middle", "rim")
"""Of every single piece, taken as no digit: a dot, a dash, a stain."""


def boxes_of(lattice: Lattice) -> _Floats:
    """Return left, top, right and bottom of each candidate: shape (n, 4)."""
    places = [candidate.box for candidate in lattice.candidates]
    boxes = np.array([(box.x, box.y, box.width, box.height) for box in places], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


@dataclass(frozen=True, slots=True)
class Outline:
    """A lattice's candidates in text heights, and what their places are measured against.

    Attributes:
        boxes: shape (n, 4), left, top, right, bottom.
        starts: cut at which each begins.
        ends: cut at which it ends.
        cuts: number of cuts.
        pieces: shape (cuts - 1, 4), the single pieces' boxes in order.
        lines: upper and lower line of the writing.
    """

    boxes: _Floats
    starts: NDArray[np.intp]
    ends: NDArray[np.intp]
    cuts: int
    pieces: _Floats
    lines: tuple[float, float]


def outline(lattice: Lattice) -> Outline:
    """Return the lattice's candidates in text heights."""
    rows = [(each.start, each.end, (box := each.box).x, box.y, box.right, box.bottom) for each in lattice.candidates]
    table = np.array(rows, np.intp).reshape(-1, 6)
    starts, ends = np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])
    boxes = table[:, 2:] / max(lattice.text_height, 1.0)
    pieces = _pieces(boxes, starts, ends)
    return Outline(boxes, starts, ends, lattice.cuts, pieces, _lines(pieces))


def digit_features(shape: Outline) -> _Floats:
    """Return `DIGIT_FEATURES` of each candidate: shape (n, 13)."""
    return features(shape)[:, : len(DIGIT_FEATURES)]


def skip_features(shape: Outline) -> _Floats:
    """Return `SKIP_FEATURES` of each candidate, of use for single pieces only: shape (n, 8)."""
    return features(shape)[:, len(DIGIT_FEATURES) :]


def features(shape: Outline) -> _Floats:
    """Return `DIGIT_FEATURES` and `SKIP_FEATURES` of each candidate, beyond 4 text heights all alike: shape (n, 21)."""
    left, upper, right, lower = shape.boxes.T
    top, bottom = shape.lines
    before, after = _neighbour_gaps(shape)
    columns = np.empty((len(DIGIT_FEATURES) + len(SKIP_FEATURES), len(left)))
    columns[0] = columns[13] = 1.0
    height, width = columns[1], columns[3]
    np.subtract(lower, upper, out=height)
    np.subtract(right, left, out=width)
    columns[14], columns[16] = height, width
    np.multiply(columns[1:5:2], columns[1:5:2], out=columns[2:6:2])
    columns[15], columns[17] = columns[2], columns[4]
    columns[5], columns[6] = np.abs(upper - top), np.abs(lower - bottom)
    columns[7] = shape.ends - shape.starts - 1.0
    columns[8] = _inner_gaps(shape)
    columns[9], columns[10] = np.maximum(-before, 0), np.maximum(-after, 0)
    columns[11], columns[12] = np.minimum(np.maximum(before, 0), 1), np.minimum(np.maximum(after, 0), 1)
    columns[18] = height * width
    columns[19] = np.abs((upper + lower) / 2 - (top + bottom) / 2)
    columns[20] = (shape.starts == 0) | (shape.ends == shape.cuts - 1)
    return np.asarray(np.minimum(np.maximum(columns, -4, out=columns), 4, out=columns).T)


def _pieces(boxes: _Floats, starts: NDArray[np.intp], ends: NDArray[np.intp]) -> _Floats:
    """Return the boxes of the single pieces in order."""
    single = np.flatnonzero(ends == starts + 1)
    return boxes[single[np.argsort(starts[single])]]


def _lines(pieces: _Floats) -> tuple[float, float]:
    """Return the upper and lower line of the writing: the medians of the pieces that are not small."""
    if not len(pieces):
        return 0.0, 1.0
    heights = pieces[:, 3] - pieces[:, 1]
    tall = pieces[heights >= 0.6 * heights.max()]
    return _median(tall[:, 1].tolist()), _median(tall[:, 3].tolist())


def _median(values: list[float]) -> float:
    """Return the median; numpy's takes ten times as long over a few numbers."""
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def _neighbour_gaps(shape: Outline) -> tuple[_Floats, _Floats]:
    """Return the level distance of each candidate to the pieces before and after it; below 0 they overlap."""
    # Where there is no such piece, the distance counts as 1.
    rights = np.concatenate([[np.nan], shape.pieces[:, 2]])
    lefts = np.concatenate([shape.pieces[:, 0], [np.nan]])
    before = shape.boxes[:, 0] - rights[shape.starts]
    after = lefts[shape.ends] - shape.boxes[:, 2]
    before[shape.starts == 0] = 1.0
    after[shape.ends == len(shape.pieces)] = 1.0
    return before, after


def _inner_gaps(shape: Outline) -> _Floats:
    """Return the widest level distance between pieces inside each candidate; 0 where they touch."""
    gaps = np.maximum(shape.pieces[1:, 0] - shape.pieces[:-1, 2], 0).tolist()
    # Plain numbers: a candidate has a gap or two, over which numpy would take ten times as long.
    widest = [
        max(gaps[start : end - 1], default=0.0)
        for start, end in zip(shape.starts.tolist(), shape.ends.tolist(), strict=True)
    ]
    return np.array(widest, np.float64)
