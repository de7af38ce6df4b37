"""Ink to primitives: the smallest pieces that a digit may be made of, from left to right.

Connected components are pieces by themselves; one wide enough to hold touching digits is cut where its upper or
lower contour turns in or where few of its pixels lie above each other. Cuts follow the slant of the writing,
so neighbours that lean over each other come apart. Too many cuts do no harm: the lattice offers every merge of
neighbours again.
"""

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
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

SHEARED_PIXELS: Final = 100_000
"""So many pixels are sheared at once to find the slant; more would only take memory."""

BEYOND: Final = 1e9
"""Lies above all rows and counts; its negative stands where there is no component."""

_Ints = NDArray[np.int32]
_Indices = NDArray[np.intp]
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Primitives:
    """The pieces of a field's ink in reading order.

    Attributes:
        ids: int32, shape of the ink; 0 is paper, `i + 1` is piece `i`.
        boxes: int32, shape (n, 4): left, top, right, bottom (exclusive) of each piece.
        spans: float, shape (n, 2): left and right end of each piece along the slanted line of writing.
        areas: int, shape (n,): pixels of each piece.
        components: int, shape (n,): number of the component that each piece is cut from.
        text_height: height of the writing in pixels.
    """

    ids: _Ints
    boxes: _Ints
    spans: NDArray[np.float64]
    areas: _Indices
    components: _Indices
    text_height: float

    @property
    def count(self) -> int:
        """Number of pieces."""
        return len(self.boxes)


@dataclass(frozen=True, slots=True)
class _Pixels:
    """The ink's pixels row by row, one entry each: place in the flat picture, row, column, component from 0."""

    places: _Indices
    ys: _Indices
    xs: _Indices
    component: _Indices


@dataclass(frozen=True, slots=True)
class _Columns:
    """All components side by side on one line, without their slant, `gap` columns of nothing around each.

    Attributes:
        starts: first column of each component.
        widths: columns of each component.
        of: column of each pixel.
        count: number of columns.
    """

    starts: _Indices
    widths: _Indices
    of: _Indices
    count: int


@dataclass(frozen=True)
class Components:
    """The connected parts of a field's ink, without specks and what is left of ruling lines; cut only where asked for.

    Attributes:
        ink: bool, shape (height, width).
        labels: int, shape of the ink: OpenCV's number of each pixel's component.
        kept: by that number, from 1 on, whether it is writing.
        stats: int32, shape (n, 5): OpenCV's statistics of those that are.
    """

    ink: NDArray[np.bool_]
    labels: NDArray[np.integer]
    kept: NDArray[np.bool_]
    stats: _Ints

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing but specks, or so much that it is texture."""
        return not len(self.stats) or (self._may_be_texture and not self.pieces.count)

    @cached_property
    def text_height(self) -> float:
        """Height of the writing in pixels; 0 where there is none."""
        return 0.0 if self.is_empty else self._height

    @cached_property
    def boxes(self) -> _Ints:
        """Left, top, right, bottom (exclusive) of each component: int32, shape (n, 4); none of texture."""
        boxes = self.stats[:, : cv2.CC_STAT_AREA].copy()
        boxes[:, 2:] += boxes[:, :2]
        return boxes[: 0 if self.is_empty else None]

    @property
    def areas(self) -> _Ints:
        """Pixels of each component: shape (n,)."""
        return self.stats[: len(self.boxes), cv2.CC_STAT_AREA]

    @cached_property
    def pieces(self) -> Primitives:
        """The components cut into pieces."""
        if not len(self.stats):
            return _nothing(self.ink.shape)
        pixels = _pixels(self)
        slant = estimate_slant(pixels.ys, pixels.xs)
        level = np.rint(pixels.xs + slant * (pixels.ys - self.ink.shape[0] / 2)).astype(np.intp)
        piece = _cut(pixels, level, len(self.stats), height=self._height)
        if piece is None:
            return _nothing(self.ink.shape)
        return _order(pixels, level - level.min(), piece, shape=self.ink.shape, height=self._height)

    @cached_property
    def _height(self) -> float:
        return text_height(self.stats)

    @property
    def _may_be_texture(self) -> bool:
        """Whether there may be more than `MAX_PIECES`, judged by how many cuts have room at the steepest slant."""
        sides = self.stats[:, cv2.CC_STAT_WIDTH] + self.stats[:, cv2.CC_STAT_HEIGHT] + 2
        return 2 * len(sides) + float(sides.sum()) / _least_piece(self._height) > MAX_PIECES


def find_components(ink: NDArray[np.bool_]) -> Components:
    """Return the components of `ink` that are no specks."""
    # Small numbers are written in half the time; a field has no more components than pixels.
    kind = cv2.CV_16U if ink.size < 2**16 else cv2.CV_32S
    count, labels, found, _ = cv2.connectedComponentsWithStats(ink.view(np.uint8), connectivity=8, ltype=kind)
    stats = np.asarray(found, np.int32)[1:]
    kept = _is_writing(stats, ink.shape[0]) if count > 1 else np.zeros(0, np.bool_)
    return Components(ink, np.asarray(labels), kept, stats[kept])


def _nothing(shape: tuple[int, ...]) -> Primitives:
    none = np.zeros(0, np.intp)
    return Primitives(np.zeros(shape, np.int32), np.zeros((0, 4), np.int32), np.zeros((0, 2)), none, none, 0.0)


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
    # In plain numbers: a field has some ten components, over which numpy takes three times as long.
    heights = sorted(stats[:, cv2.CC_STAT_HEIGHT].tolist())
    tall = heights[bisect_left(heights, 0.4 * heights[-1]) :]
    weights = list(accumulate(height * height for height in tall))
    return float(tall[bisect_left(weights, weights[-1] / 2)])


def estimate_slant(ys: _Indices, xs: _Indices) -> float:
    """Return by how many columns per row the writing leans to the right.

    The shear whose column sums are most uneven (Vinciarelli and Luettin 2001, simplified).
    """
    together = max(1, SHEARED_PIXELS // len(xs))
    rows, columns = ys.astype(np.float64), xs.astype(np.float64)
    parts = [SLANTS[first : first + together] for first in range(0, len(SLANTS), together)]
    scores = np.concatenate([_column_energies(rows, columns, part) for part in parts]) * (1 - 0.08 * np.abs(SLANTS))
    return float(SLANTS[int(np.argmax(scores))])


def _column_energies(ys: _Floats, xs: _Floats, slants: _Floats) -> _Floats:
    """Return for each slant how unevenly the pixels fall on columns."""
    columns = slants[:, None] * ys
    columns += xs
    columns -= columns.min(axis=1, keepdims=True)
    # All shears are counted at once, each in columns of its own.
    width = int(columns.max()) + 1
    places = columns.astype(np.intp)
    places += np.arange(0, len(slants) * width, width)[:, None]
    counts = np.bincount(places.ravel(), minlength=len(slants) * width).reshape(len(slants), width)
    return np.asarray(np.square(counts.astype(np.float64)).sum(axis=1))


def _pixels(components: Components) -> _Pixels:
    """Return the components' pixels."""
    ink, kept = components.ink, components.kept
    number = np.full(len(kept) + 1, -1, np.intp)
    number[1:][kept] = np.arange(np.count_nonzero(kept))
    places = np.flatnonzero(ink)
    component = number.take(components.labels.ravel().take(places).astype(np.intp))
    if not kept.all():
        places, component = places[component >= 0], component[component >= 0]
    ys = places // ink.shape[1]
    return _Pixels(places=places, ys=ys, xs=places - ys * ink.shape[1], component=component)


def _is_writing(stats: _Ints, rows: int) -> NDArray[np.bool_]:
    """Return which components are large enough, and no part of a ruling line."""
    areas = stats[:, cv2.CC_STAT_AREA]
    height = text_height(stats)
    keep = (areas >= max(3.0, (0.09 * height) ** 2)) & ~_frame_splinters(stats, height, rows)
    return largest(areas, keep, most=MAX_COMPONENTS)


def _frame_splinters(stats: _Ints, height: float, rows: int) -> NDArray[np.bool_]:
    """Return which components are flat and lie on the upper or lower rim: what is left of a ruling line."""
    top, flat = stats[:, cv2.CC_STAT_TOP], stats[:, cv2.CC_STAT_HEIGHT]
    at_rim = (top <= 1) | (top + flat >= rows - 1)
    return np.asarray(at_rim & (flat <= 0.2 * height) & (stats[:, cv2.CC_STAT_WIDTH] >= flat))


def _cut(pixels: _Pixels, level: _Indices, components: int, *, height: float) -> _Indices | None:
    """Return the piece of each pixel: components numbered on, and wide ones cut; None at `MAX_PIECES`.

    Args:
        pixels: of the components.
        level: the pixels' columns without slant.
        components: how many there are.
        height: of the writing.
    """
    reach = max(1, round(0.08 * height))
    columns = _side_by_side(level, pixels.component, components, gap=4 * reach + 1)
    counts = np.bincount(columns.of, minlength=columns.count).astype(np.float32)
    begins = np.zeros(columns.count, np.intp)
    begins[columns.starts] = 1
    if np.any(columns.widths >= CUT_WIDTH * height):
        profiles = _profiles(pixels, columns, counts, components)
        deep = 0.06 * height
        points = _peaks(profiles, reach=reach, prominence=np.array([[deep], [deep], [0.5 * deep]], np.float32))
        begins[_thin_out(points, columns, counts, height=height)] = 1
    piece = np.cumsum(begins)
    return None if piece[-1] > MAX_PIECES else (piece - 1).take(columns.of)


def _side_by_side(level: _Indices, component: _Indices, components: int, *, gap: int) -> _Columns:
    low, high = _extent(level, component, components)
    widths = high + 1 - low
    ends = np.cumsum(widths + gap)
    starts = ends - widths
    return _Columns(starts=starts, widths=widths, of=level + (starts - low).take(component), count=int(ends[-1]) + gap)


def _profiles(pixels: _Pixels, columns: _Columns, counts: NDArray[np.float32], components: int) -> NDArray[np.float32]:
    """Return by column how far down the ink starts, how far up it ends and how little there is: shape (3, columns)."""
    low, high = _extent(pixels.ys, pixels.component, components)
    profiles = np.full((3, columns.count), -BEYOND, np.float32)
    inside = np.repeat(columns.starts - np.cumsum(columns.widths) + columns.widths, columns.widths)
    inside += np.arange(len(inside))
    profiles[0, inside] = np.repeat(high + 1, columns.widths)
    profiles[1, inside] = np.repeat(1 - low, columns.widths)
    # The pixels come row by row, and of several in one column the last one set stays.
    profiles[0, columns.of[::-1]] = pixels.ys[::-1]
    profiles[1, columns.of] = -pixels.ys
    profiles[2, inside] = -_smooth(counts, columns)[inside]
    return profiles


def _smooth(counts: NDArray[np.float32], columns: _Columns) -> NDArray[np.float32]:
    padded = counts.copy()
    ends = columns.starts + columns.widths
    padded[columns.starts - 1], padded[ends] = counts[columns.starts], counts[ends - 1]
    return np.convolve(padded, np.full(3, 1 / 3, np.float32), mode="same").astype(np.float32)


def _peaks(values: NDArray[np.float32], *, reach: int, prominence: NDArray[np.float32]) -> _Indices:
    """Return the columns in the middle of local maxima within `reach` that fall by `prominence` on both sides.

    Args:
        values: rows of numbers, `-BEYOND` between components and for more than `4 * reach` columns at both ends.
        reach: columns.
        prominence: of each row.
    """
    highest = cv2.dilate(values, np.ones((1, 2 * reach + 1), np.uint8))
    far = 4 * reach
    ground = np.where(values > -BEYOND, values, np.float32(BEYOND))
    lowest = cv2.erode(ground, np.ones((1, far), np.uint8), anchor=(far - 1, 0))
    peak = np.zeros(values.shape, np.bool_)
    inner = slice(1, values.shape[1] - far)
    middle = values[:, inner]
    falls = middle - np.maximum(lowest[:, : inner.stop - 1], lowest[:, 1 + far :])
    peak[:, inner] = (middle >= highest[:, inner]) & (falls >= prominence)
    flat = peak.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    return np.asarray((edges[::2] + edges[1::2] + 1) // 2 % values.shape[1], np.intp)


def _thin_out(points: _Indices, columns: _Columns, counts: NDArray[np.float32], *, height: float) -> list[int]:
    """Return the columns of wide components to cut at, those through least ink chosen first, and none too close."""
    apart = _least_piece(height)
    marked = np.zeros(columns.count, np.bool_)
    marked[points] = True
    distinct = np.flatnonzero(marked)
    component = np.searchsorted(columns.starts, distinct, side="right") - 1
    width, inside = columns.widths[component], distinct - columns.starts[component]
    distinct = distinct[(width >= CUT_WIDTH * height) & (apart <= inside) & (inside <= width - apart)]
    near = math.ceil(apart) - 1
    chosen = []
    taken = bytearray(columns.count)  # too near to one that is chosen; components lie further apart
    for point in distinct[np.argsort(counts[distinct], kind="stable")].tolist():
        if not taken[point]:
            chosen.append(point)
            taken[point - near : point + near + 1] = bytes([1]) * (2 * near + 1)
    return chosen


def _least_piece(height: float) -> float:
    """Return how many columns two cuts are apart at least."""
    return max(2.0, MIN_PIECE * height)


def _order(pixels: _Pixels, level: _Indices, piece: _Indices, *, shape: tuple[int, ...], height: float) -> Primitives:
    """Return the pieces sorted by the middle of their span along the line of writing."""
    count = int(piece.max()) + 1
    left, right = _extent(level, piece, count)
    order = np.argsort(left + right, kind="stable")
    rank = np.empty(count, np.intp)
    rank[order] = np.arange(count)
    piece = rank.take(piece)
    ids = np.zeros(shape, np.int32)
    ids.ravel()[pixels.places] = piece + 1
    x_low, x_high = _extent(pixels.xs, piece, count)
    y_low, y_high = _extent(pixels.ys, piece, count)
    boxes = np.stack([x_low, y_low, x_high + 1, y_high + 1], axis=1).astype(np.int32)
    spans = np.stack([left, right + 1], axis=1)[order].astype(np.float64)
    component = np.empty(count, np.intp)
    component[piece] = pixels.component
    areas = np.bincount(piece, minlength=count)
    return Primitives(ids=ids, boxes=boxes, spans=spans, areas=areas, components=component, text_height=height)


def _extent(values: _Indices, group: _Indices, count: int) -> tuple[_Indices, _Indices]:
    """Return the least and the greatest of the values in each group."""
    low = np.full(count, np.iinfo(np.intp).max, np.intp)
    high = np.full(count, np.iinfo(np.intp).min, np.intp)
    np.minimum.at(low, group, values)
    np.maximum.at(high, group, values)
    return low, high
