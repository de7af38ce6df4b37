"""Printed combs: rows of equal boxes, one for each character, as for the date on cheques.

`find_comb` fits one to a field's print: two level lines, and upright ones between them at one pitch. Digits have
upright strokes, too, but these seldom reach from line to line, and do not keep the pitch. What is written into the
boxes is cut out by `segmentation.comb_lattice`.
"""

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box
from segmentation.prepare import deskew, estimate_skew, ink_strength

WORKING_WIDTH: Final = 700
"""Pixels; fields are brought to about this width, where a box is 30 to 90 wide and its lines two or three thick."""

MAX_ENLARGED: Final = 2.0

WORKING_PIXELS: Final = 500_000
"""Tall pictures are made smaller than that, to no more pixels than this."""

MIN_SIDE: Final = 16
"""Pixels; nothing is looked for in a smaller picture."""

SKEW_LIMIT_DEGREES: Final = 4.0

FAINTEST: Final = 8
"""Grey levels by which a printed line is darker than its paper, at the least."""

RUN_SHARE: Final = 0.07
"""Of the picture's width: longer level runs of ink are lines."""

MIN_LEVEL_SHARE: Final = 0.25
"""Of the picture's width: level lines of a comb are at least so long."""

MAX_LEVEL_ROWS: Final = 24
"""Only the darkest level lines are tried as a comb's: a field has some five."""

MIN_HEIGHT_SHARE: Final = 0.2
"""Of the picture's height: a comb's level lines are at least so far from each other."""

ASPECTS: Final = (0.45, 2.0)
"""How many heights a box may be wide."""

ANY_CELLS: Final = tuple(range(4, 17))
"""Numbers of boxes that are tried where the caller knows none."""

CUT_OFF: Final = 12
"""Pixels of the working picture that a comb's first or last line may lie outside of it."""

UPRIGHT_TONE: Final = 0.4
"""Upright lines have at least this much of the level ones' darkness."""

MIN_UPRIGHT: Final = 0.75
"""Share of the height along which an upright line is inked, at the least: a 1 is seldom so tall."""

MAX_UPRIGHTS: Final = 40
"""Only the most complete upright lines are tried as a comb's ends."""

MIN_LEVEL_COVERAGE: Final = 0.75
"""Of the length of a comb's level lines, inked."""

MIN_STANDING_OUT: Final = 0.45
"""How much more of the upright lines than of what lies between them is inked: on texture, everything is."""

MIN_SEEN: Final = 0.75
"""Of the upright lines, seen."""

MAX_RESIDUAL: Final = 0.04
"""Of the pitch: printed boxes are equal."""

_Floats = NDArray[np.float64]
_Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Comb:
    """A row of equal boxes, in pixels of the field's picture once that is turned level.

    Attributes:
        box: all boxes together, from the middle of one outer line to the middle of the other.
        cells: the boxes' insides from left to right, without the lines.
        skew_degrees: by how much the picture is turned, counter-clockwise positive.
        line_px: how thick the lines are.
        residual_px: mean distance of the upright lines from where equal boxes would have them.
        seen: share in 0..1 of the upright lines that are there.
    """

    box: Box
    cells: tuple[Box, ...]
    skew_degrees: float
    line_px: float
    residual_px: float
    seen: float


@dataclass(frozen=True, slots=True)
class _Band:
    """Two level lines, and what lies between them; columns begin `CUT_OFF` before the picture and end as much after it.

    Attributes:
        top: row of the upper line.
        bottom: row of the lower line.
        sides: how many of the two are in the picture: an edge may have cut one off.
        sharp: float, shape (columns,): share of the rows between them that are inked.
        upright: float, shape (columns,): the same, ink in the columns beside counted in; `MIN_UPRIGHT` where unknown.
        ruled: float, shape (columns + 1,): in how many columns before each the sides are inked.
        inked: float, shape (columns + 1,): sum of `upright` before each column.
    """

    top: int
    bottom: int
    sides: int
    sharp: _Floats
    upright: _Floats
    ruled: _Floats
    inked: _Floats


@dataclass(frozen=True, slots=True)
class _Fit:
    """Upright lines of a band at `left + k * pitch` for k from 0 to `cells`."""

    band: _Band
    left: float
    pitch: float
    cells: int
    score: float

    @property
    def lines(self) -> _Floats:
        """Columns of the upright lines."""
        return np.asarray(self.left + self.pitch * np.arange(self.cells + 1))


def find_comb(grey: NDArray[np.uint8], *, cells: tuple[int, ...] = ()) -> Comb | None:
    """Return the comb printed in a field, or None where there is none.

    Args:
        grey: uint8, shape (height, width), dark ink on lighter paper; other print may stand around the comb.
        cells: how many boxes it may have; any number from 4 to 16 where empty.
    """
    if min(grey.shape) < MIN_SIDE:
        return None
    scale = min(MAX_ENLARGED, WORKING_WIDTH / grey.shape[1], (WORKING_PIXELS / grey.size) ** 0.5)
    strength, skew_degrees = _levelled_strength(grey, scale)
    level = _level_evidence(strength)
    bands = [band for rows in combinations(_level_rows(level), 2) if (band := _band(strength, level, *rows))]
    fits = [fit for band in bands for fit in _best_fits(band, cells or ANY_CELLS)]
    if not fits:
        return None
    return _measured(max(fits, key=lambda fit: fit.score), scale=scale, skew_degrees=skew_degrees)


def _levelled_strength(grey: _Grey, scale: float) -> tuple[_Grey, float]:
    """Return the ink's strength at the working scale, its level lines made level, and by how much it was turned."""
    height, width = grey.shape
    size = (max(MIN_SIDE, round(width * scale)), max(MIN_SIDE, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    strength = ink_strength(np.asarray(cv2.resize(grey, size, interpolation=method), np.uint8))
    skew_degrees = estimate_skew(_level_evidence(strength) > 0, limit_degrees=SKEW_LIMIT_DEGREES)
    return deskew(strength, skew_degrees)[0], skew_degrees


def _level_evidence(strength: _Grey) -> _Grey:
    """Return the strength of level lines alone: what is dark along a run that no digit's stroke is long enough for."""
    run = max(24, round(RUN_SHARE * strength.shape[1]))
    # A line that is a little askew steps from row to row.
    joined = cv2.dilate(strength, np.ones((3, 1), np.uint8))
    runs = cv2.morphologyEx(
        joined, cv2.MORPH_OPEN, np.ones((1, run), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    level = cv2.min(np.asarray(runs, np.uint8), strength)
    return np.asarray(cv2.threshold(level, FAINTEST, 255, cv2.THRESH_TOZERO)[1], np.uint8)


def _level_rows(level: _Grey) -> list[int]:
    """Return the rows of level lines from top to bottom; of a thick line, the darkest.

    Just outside the picture come two more: its edges may have cut a line off.
    """
    inked = cv2.dilate((level > 0).view(np.uint8), np.ones((3, 1), np.uint8)).sum(axis=1)
    darkness = level.sum(axis=1, dtype=np.float64)
    darkest = cv2.dilate(darkness[:, None], np.ones((9, 1), np.uint8))[:, 0]
    rows = np.flatnonzero((darkness >= darkest) & (inked >= MIN_LEVEL_SHARE * level.shape[1]))
    rows = np.sort(rows[np.argsort(-darkness[rows], kind="stable")[:MAX_LEVEL_ROWS]])
    return [-1, *rows.tolist(), len(level)]


def _band(strength: _Grey, level: _Grey, top: int, bottom: int) -> _Band | None:
    """Return the band between two level lines, or None where it cannot hold a comb."""
    height, width = level.shape
    if not max(MIN_SIDE, MIN_HEIGHT_SHARE * height) <= bottom - top <= height:
        return None
    sides = [level[max(0, row - 2) : row + 3].max(axis=0) for row in (top, bottom) if 0 <= row < height]
    common = np.min(sides, axis=0)
    if np.count_nonzero(common) < MIN_LEVEL_COVERAGE * MIN_LEVEL_SHARE * width:
        return None
    # Upright lines were printed with the level ones, and are about as dark.
    tone = max(FAINTEST, UPRIGHT_TONE * float(np.median(common[common > 0])))
    inside = (strength[top + 2 : bottom - 1] >= tone).view(np.uint8)
    upright = _padded(_row_mean(cv2.dilate(inside, np.ones((1, 3), np.uint8))), MIN_UPRIGHT)
    return _Band(
        top=top,
        bottom=bottom,
        sides=len(sides),
        sharp=_padded(_row_mean(inside), 0.0),
        upright=upright,
        ruled=_sums(_padded((common > 0).astype(np.float64), 1.0)),
        inked=_sums(upright),
    )


def _row_mean(bits: NDArray[np.generic]) -> _Floats:
    return np.asarray(bits.mean(axis=0, dtype=np.float64))


def _padded(values: _Floats, unknown: float) -> _Floats:
    rim = np.full(CUT_OFF, unknown)
    return np.concatenate([rim, values, rim])


def _sums(values: _Floats) -> _Floats:
    return np.concatenate([[0.0], np.cumsum(values)])


def _best_fits(band: _Band, counts: tuple[int, ...]) -> list[_Fit]:
    """Return the best comb in the band with each number of boxes, where there is any."""
    middles = _uprights(band)
    first, second = (middles[index] for index in np.triu_indices(len(middles), k=1))
    fits = []
    for cells in (count for count in counts if len(middles) >= MIN_SEEN * (count + 1)):
        # Two lines tell the pitch: the outer ones, or where one of these is not seen, its neighbour.
        places = np.array([(0, cells), (0, cells - 1), (1, cells)])[:, :, None]
        pitch = (second - first) / (places[:, 1] - places[:, 0])
        left = first - places[:, 0] * pitch
        fit = _best_of(band, left.ravel(), pitch.ravel(), cells)
        if fit:
            fits.append(fit)
    return fits


def _uprights(band: _Band) -> _Floats:
    """Return the middles of columns that are inked along most of the band's height, from left to right."""
    highest = cv2.dilate(band.upright[None], np.ones((1, 7), np.uint8))[0]
    peak = (band.upright >= highest) & (band.upright > MIN_UPRIGHT)
    edges = np.flatnonzero(np.diff(peak.astype(np.int8), prepend=0, append=0))
    middles = (edges[::2] + edges[1::2] - 1) / 2
    best = np.argsort(-band.upright[middles.astype(np.intp)], kind="stable")[:MAX_UPRIGHTS]
    return np.sort(middles[best])


def _best_of(band: _Band, left: _Floats, pitch: _Floats, cells: int) -> _Fit | None:
    """Return the best of the combs with these left ends and pitches, or None where none is good enough.

    An upright line counts by how much more than `MIN_UPRIGHT` of it is inked, and for less where all around is inked,
    too. So the comb with most lines wins that are there.
    """
    width, height = len(band.upright), band.bottom - band.top
    possible = (pitch >= ASPECTS[0] * height) & (pitch <= ASPECTS[1] * height)
    possible &= (left >= 0) & (left + cells * pitch <= width - 1)
    left, pitch = left[possible], pitch[possible]
    if not len(left):
        return None
    columns = np.round(left[:, None] + pitch[:, None] * np.arange(cells + 1)).astype(np.intp)
    coverage = band.upright[columns]
    length = columns[:, -1] - columns[:, 0]
    ruled = (band.ruled[columns[:, -1]] - band.ruled[columns[:, 0]]) / length
    around = (band.inked[columns[:, -1]] - band.inked[columns[:, 0]]) / length
    scores = (coverage - MIN_UPRIGHT - (1 - MIN_UPRIGHT) * around[:, None]).sum(axis=1) + 0.5 * band.sides * ruled
    poor = (ruled < MIN_LEVEL_COVERAGE) | (coverage.mean(axis=1) - around < MIN_STANDING_OUT)
    scores[poor | _goes_on(band, left, -pitch) | _goes_on(band, left + cells * pitch, pitch)] = 0.0
    best = int(np.argmax(scores))
    return _Fit(band, float(left[best]), float(pitch[best]), cells, float(scores[best])) if scores[best] > 0 else None


def _goes_on(band: _Band, end: _Floats, pitch: _Floats) -> NDArray[np.bool_]:
    """Return whether the band has one more box from the column `end` to `end + pitch`."""
    beyond = np.round(end + pitch).astype(np.intp)
    there = (beyond >= 0) & (beyond < len(band.upright))
    beyond = np.where(there, beyond, 0)
    ruled = np.abs(band.ruled[beyond] - band.ruled[np.round(end).astype(np.intp)]) / np.abs(pitch)
    return np.asarray(there & (band.upright[beyond] > MIN_UPRIGHT) & (ruled >= MIN_LEVEL_COVERAGE))


def _measured(fit: _Fit, *, scale: float, skew_degrees: float) -> Comb | None:
    """Return the comb in the field's own pixels, laid through its ink; None where its boxes are not equal."""
    middles, thickness = _seen_lines(fit)
    seen = thickness > 0
    if np.count_nonzero(seen) < MIN_SEEN * len(seen):
        return None
    places = np.arange(fit.cells + 1)
    pitch, left = (float(each) for each in np.polyfit(places[seen], middles[seen], 1))
    residual = float(np.abs(left + pitch * places - middles)[seen].mean())
    if residual > MAX_RESIDUAL * pitch:
        return None
    line = float(np.median(thickness[seen])) / scale
    # The middle of a pixel lies half a pixel behind its left edge.
    lines = (left + pitch * places - CUT_OFF + 0.5) / scale
    top, bottom = (fit.band.top + 0.5) / scale, (fit.band.bottom + 0.5) / scale
    return Comb(
        box=_box(lines[0], top, lines[-1], bottom),
        cells=tuple(
            _box(start + line / 2, top + line / 2, end - line / 2, bottom - line / 2) for start, end in pairwise(lines)
        ),
        skew_degrees=skew_degrees,
        line_px=line,
        residual_px=residual / scale,
        seen=float(seen.mean()),
    )


def _seen_lines(fit: _Fit) -> tuple[_Floats, _Floats]:
    """Return the middle and the thickness of the ink at each upright line; thickness 0 where there is none."""
    reach = max(3, round(0.05 * fit.pitch))
    columns = np.round(fit.lines).astype(np.intp)[:, None] + np.arange(-reach, reach + 1)
    ink = fit.band.sharp[np.clip(columns, 0, len(fit.band.sharp) - 1)]
    seen = fit.band.upright[np.round(fit.lines).astype(np.intp)] > MIN_UPRIGHT
    ink = np.where(ink >= 0.5 * ink.max(axis=1, keepdims=True), ink, 0.0)
    total = ink.sum(axis=1)
    middles = (ink * columns).sum(axis=1) / np.maximum(total, 1e-9)
    return middles, np.where(seen, total, 0.0)


def _box(left: float, top: float, right: float, bottom: float) -> Box:
    x, y = max(0, round(left)), max(0, round(top))
    return Box(x=x, y=y, width=max(1, round(right) - x), height=max(1, round(bottom) - y))
