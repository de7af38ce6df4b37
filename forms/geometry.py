"""What the sizes and places of a field's candidates say about which of them are digits.

Lengths are in text heights, so that a scan's resolution does not matter. All features are plain numbers, and the
decoder weighs them linearly; `forms.weights` holds the weights.
"""

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


def digit_features(lattice: Lattice) -> _Floats:
    """Return `DIGIT_FEATURES` of each candidate: shape (n, 13)."""
    boxes = boxes_of(lattice) / max(lattice.text_height, 1.0)
    starts, ends = _cuts(lattice)
    pieces = _pieces(boxes, starts, ends)
    height, width = boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]
    top, bottom = _lines(pieces)
    before, after = _neighbour_gaps(boxes, pieces, starts, ends)
    columns = [
        np.ones(len(boxes)),
        height,
        height * height,
        width,
        width * width,
        np.abs(boxes[:, 1] - top),
        np.abs(boxes[:, 3] - bottom),
        ends - starts - 1.0,
        _inner_gaps(pieces, starts, ends),
        np.maximum(-before, 0),
        np.maximum(-after, 0),
        np.minimum(np.maximum(before, 0), 1),
        np.minimum(np.maximum(after, 0), 1),
    ]
    return _bounded(columns)


def skip_features(lattice: Lattice) -> _Floats:
    """Return `SKIP_FEATURES` of each candidate, of use for single pieces only: shape (n, 8)."""
    boxes = boxes_of(lattice) / max(lattice.text_height, 1.0)
    starts, ends = _cuts(lattice)
    top, bottom = _lines(_pieces(boxes, starts, ends))
    height, width = boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]
    middle = (boxes[:, 1] + boxes[:, 3]) / 2 - (top + bottom) / 2
    rim = (starts == 0) | (ends == lattice.cuts - 1)
    columns = [np.ones(len(boxes)), height, height * height, width, width * width, height * width, np.abs(middle), rim]
    return _bounded(columns)


def _bounded(columns: list[_Floats]) -> _Floats:
    """Return the features as the columns of a table: beyond 4 text heights all are alike."""
    return np.asarray(np.minimum(np.maximum(np.array(columns, np.float64), -4), 4).T)


def _cuts(lattice: Lattice) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    pairs = np.array([(c.start, c.end) for c in lattice.candidates], np.intp).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


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


def _neighbour_gaps(
    boxes: _Floats, pieces: _Floats, starts: NDArray[np.intp], ends: NDArray[np.intp]
) -> tuple[_Floats, _Floats]:
    """Return the level distance of each candidate to the pieces before and after it; below 0 they overlap."""
    before, after = np.ones(len(boxes)), np.ones(len(boxes))
    has_before, has_after = starts > 0, ends < len(pieces)
    before[has_before] = boxes[has_before, 0] - pieces[starts[has_before] - 1, 2]
    after[has_after] = pieces[ends[has_after], 0] - boxes[has_after, 2]
    return before, after


def _inner_gaps(pieces: _Floats, starts: NDArray[np.intp], ends: NDArray[np.intp]) -> _Floats:
    """Return the widest level distance between pieces inside each candidate; 0 where they touch."""
    gaps = np.maximum(pieces[1:, 0] - pieces[:-1, 2], 0).tolist()
    # Plain numbers: a candidate has a gap or two, over which numpy would take ten times as long.
    widest = [
        max(gaps[start : end - 1], default=0.0) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
    return np.array(widest, np.float64)
