"""Ink to primitives: the smallest pieces that a digit may be made of, from left to right.

Connected components are pieces by themselves; one wide enough to hold touching digits is cut where its upper or
lower contour turns in or where few of its pixels lie above each other. Cuts follow the slant of the writing,
so neighbours that lean over each other come apart. Too many cuts do no harm: the lattice offers every merge of
neighbours again.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

SLANTS: Final = np.arange(-0.4, 1.01, 0.1)
"""Columns per row by which writing may lean; most people lean to the right."""

MAX_COMPONENTS: Final = 500
"""A field has some ten; what has more is texture, and only its largest are looked at."""

MAX_PIECES: Final = 500
"""What is cut into more is texture or a drawing, and is left unread: nothing is found in it."""

CUT_WIDTH: Final = 0.6
"""A component narrower than this many text heights is one digit at most."""

MIN_PIECE: Final = 0.12
"""Two cuts of a component are at least this many text heights apart."""

_Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Primitives:
    """The pieces of a field's ink in reading order.

    Attributes:
        ids: int32, shape of the ink; 0 is paper, `i + 1` is piece `i`.
        boxes: int32, shape (n, 4): left, top, right, bottom (exclusive) of each piece.
        spans: float, shape (n, 2): left and right end of each piece along the slanted line of writing.
        text_height: height of the writing in pixels.
    """

    ids: _Ints
    boxes: _Ints
    spans: NDArray[np.float64]
    text_height: float

    @property
    def count(self) -> int:
        """Number of pieces."""
        return len(self.boxes)


@dataclass(frozen=True, slots=True)
class _Pixels:
    """The ink's pixels, one entry each: rows, columns, columns without slant, component."""

    ys: _Ints
    xs: _Ints
    level: _Ints
    component: _Ints


def find_primitives(ink: NDArray[np.bool_]) -> Primitives:
    """Return the pieces of `ink`; none where there is nothing but specks, or more than `MAX_PIECES`."""
    labels, stats = _components(ink)
    if not len(stats):
        return _nothing(ink.shape)
    height = text_height(stats)
    ys, xs = (index.astype(np.int32) for index in np.nonzero(labels))
    level = np.round(xs + estimate_slant(ys, xs) * (ys - ink.shape[0] / 2)).astype(np.int32)
    pixels = _Pixels(ys=ys, xs=xs, level=level - level.min(), component=labels[ys, xs] - 1)
    piece = _cut(pixels, len(stats), height)
    return _nothing(ink.shape) if piece is None else _order(pixels, piece, shape=ink.shape, height=height)


def _nothing(shape: tuple[int, ...]) -> Primitives:
    return Primitives(np.zeros(shape, np.int32), np.zeros((0, 4), np.int32), np.zeros((0, 2)), 0.0)


def largest(areas: NDArray[np.integer], keep: NDArray[np.bool_], *, most: int) -> NDArray[np.bool_]:
    """Return `keep` with no more than its `most` largest: of equals, the first."""
    if np.count_nonzero(keep) <= most:
        return keep
    kept = np.flatnonzero(keep)
    chosen = np.zeros_like(keep)
    chosen[kept[np.argsort(-areas[kept].astype(np.int64), kind="stable")[:most]]] = True
    return chosen


def text_height(stats: _Ints) -> float:
    """Return the height of the writing: the median of the components' heights, tall ones counting for more."""
    heights = np.sort(stats[:, cv2.CC_STAT_HEIGHT])
    weight = np.cumsum(np.square(heights[heights >= 0.4 * heights[-1]], dtype=np.int64))
    return float(heights[heights >= 0.4 * heights[-1]][np.searchsorted(weight, weight[-1] / 2)])


def estimate_slant(ys: _Ints, xs: _Ints) -> float:
    """Return by how many columns per row the writing leans to the right.

    The shear whose column sums are most uneven (Vinciarelli and Luettin 2001, simplified).
    """
    scores = [_column_energy(xs + slant * ys) * (1 - 0.08 * abs(slant)) for slant in SLANTS]
    return float(SLANTS[int(np.argmax(scores))])


def _column_energy(columns: NDArray[np.float64]) -> float:
    counts = np.bincount((columns - columns.min()).astype(np.intp))
    return float(np.square(counts.astype(np.float64)).sum())


def _components(ink: NDArray[np.bool_]) -> tuple[_Ints, _Ints]:
    """Return the labels (0 is paper) and statistics of the components that are no specks."""
    count, mat, mat_stats, _ = cv2.connectedComponentsWithStats(ink.view(np.uint8), connectivity=8)
    labels, stats = np.asarray(mat, np.int32), np.asarray(mat_stats, np.int32)[1:]
    if count == 1:
        return labels, stats
    areas = stats[:, cv2.CC_STAT_AREA]
    height = text_height(stats)
    keep = (areas >= max(3.0, (0.09 * height) ** 2)) & ~_frame_splinters(stats, height, ink.shape[0])
    keep = largest(areas, keep, most=MAX_COMPONENTS)
    renumber = np.zeros(count, np.int32)
    renumber[1:][keep] = np.arange(1, int(keep.sum()) + 1)
    return renumber[labels], stats[keep]


def _frame_splinters(stats: _Ints, height: float, rows: int) -> NDArray[np.bool_]:
    """Return which components are flat and lie on the upper or lower rim: what is left of a ruling line."""
    top, flat = stats[:, cv2.CC_STAT_TOP], stats[:, cv2.CC_STAT_HEIGHT]
    at_rim = (top <= 1) | (top + flat >= rows - 1)
    return np.asarray(at_rim & (flat <= 0.2 * height) & (stats[:, cv2.CC_STAT_WIDTH] >= flat))


def _cut(pixels: _Pixels, components: int, height: float) -> _Ints | None:
    """Return the piece of each pixel: components numbered on, and wide ones cut; None at `MAX_PIECES`."""
    piece = np.zeros(len(pixels.xs), np.int32)
    order = np.argsort(pixels.component, kind="stable")
    bounds = np.searchsorted(pixels.component[order], np.arange(components + 1))
    following = 0
    for first, last in pairwise(bounds.tolist()):
        members = order[first:last]
        columns = pixels.level[members]
        left = columns.min()
        cuts = _cut_columns(columns - left, pixels.ys[members], height)
        piece[members] = following + np.searchsorted(cuts, columns - left, side="right")
        following += len(cuts) + 1
        if following > MAX_PIECES:
            return None
    return piece


def _cut_columns(columns: _Ints, rows: _Ints, height: float) -> _Ints:
    """Return the columns of a component at which a new piece starts."""
    width = int(columns.max()) + 1
    if width < CUT_WIDTH * height:
        return np.zeros(0, np.int32)
    counts = np.bincount(columns, minlength=width).astype(np.float32)
    top = np.full(width, rows.max() + 1, np.int32)
    bottom = np.full(width, rows.min() - 1, np.int32)
    np.minimum.at(top, columns, rows)
    np.maximum.at(bottom, columns, rows)
    reach = max(1, round(0.08 * height))
    deep = 0.06 * height
    points = np.concatenate(
        [
            _peaks(top.astype(np.float32), reach=reach, prominence=deep),
            _peaks(-bottom.astype(np.float32), reach=reach, prominence=deep),
            _peaks(-_smooth(counts), reach=reach, prominence=0.5 * deep),
        ]
    )
    return _thin_out(points, counts, apart=max(2.0, MIN_PIECE * height))


def _smooth(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.convolve(np.pad(values, 1, mode="edge"), np.full(3, 1 / 3, np.float32), mode="valid").astype(np.float32)


def _peaks(values: NDArray[np.float32], *, reach: int, prominence: float) -> NDArray[np.intp]:
    """Return the middles of local maxima within `reach` that fall by `prominence` on both sides."""
    row = values[None]
    side = 2 * reach + 1
    highest = cv2.dilate(row, np.ones((1, side), np.uint8))[0]
    far = 4 * reach
    before, after = np.zeros((1, 2 * far + 1), np.uint8), np.zeros((1, 2 * far + 1), np.uint8)
    before[0, :far] = 1
    after[0, far + 1 :] = 1
    falls = np.minimum(values - cv2.erode(row, before)[0], values - cv2.erode(row, after)[0])
    peak = (values >= highest) & (falls >= prominence)
    edges = np.flatnonzero(np.diff(peak.astype(np.int8), prepend=0, append=0))
    return np.asarray((edges[::2] + edges[1::2] - 1) // 2, np.intp)


def _thin_out(points: NDArray[np.intp], counts: NDArray[np.float32], *, apart: float) -> _Ints:
    """Return `points` in order, those through least ink first chosen, others closer than `apart` left out."""
    distinct = np.unique(points)
    distinct = distinct[(apart <= distinct) & (distinct <= len(counts) - apart)]
    chosen = np.zeros(len(counts), np.bool_)
    taken = chosen.copy()  # too near to one that is chosen
    near = math.ceil(apart) - 1
    for point in distinct[np.argsort(counts[distinct], kind="stable")].tolist():
        if not taken[point]:
            chosen[point] = True
            taken[max(0, point - near) : point + near + 1] = True
    return np.asarray(np.flatnonzero(chosen), np.int32)


def _order(pixels: _Pixels, piece: _Ints, *, shape: tuple[int, ...], height: float) -> Primitives:
    """Return the pieces sorted by the middle of their span along the line of writing."""
    count = int(piece.max()) + 1
    left, right = _extent(pixels.level, piece, count)
    order = np.argsort(left + right, kind="stable")
    rank = np.empty(count, np.int32)
    rank[order] = np.arange(count)
    piece = rank[piece]
    ids = np.zeros(shape, np.int32)
    ids[pixels.ys, pixels.xs] = piece + 1
    x_low, x_high = _extent(pixels.xs, piece, count)
    y_low, y_high = _extent(pixels.ys, piece, count)
    boxes = np.stack([x_low, y_low, x_high + 1, y_high + 1], axis=1)
    spans = np.stack([left, right + 1], axis=1)[order].astype(np.float64)
    return Primitives(ids=ids, boxes=boxes, spans=spans, text_height=height)


def _extent(values: _Ints, piece: _Ints, count: int) -> tuple[_Ints, _Ints]:
    low = np.full(count, np.iinfo(np.int32).max, np.int32)
    high = np.full(count, -1, np.int32)
    np.minimum.at(low, piece, values)
    np.maximum.at(high, piece, values)
    return low, high
