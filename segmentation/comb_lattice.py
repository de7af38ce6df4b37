"""What is written into a comb's boxes, as a lattice with one candidate a box.

The printed lines are taken out and strokes that cross them mended. A stroke that sticks out over a line belongs to
the box that holds most of it; writing that fills several boxes is cut at the lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, DigitCrop, FieldCrop, Lattice
from segmentation.combs import Comb
from segmentation.normalise import normalise_glyphs
from segmentation.prepare import Levelling, clip_box, deskew, ink_strength, shrink, threshold_ink

WORKING_HEIGHTS: Final = (48.0, 72.0)
"""Pixels; lower boxes are enlarged, so that strokes come off the lines, and taller ones made smaller, to save time."""

MAX_ENLARGED: Final = 3.0

AROUND: Final = (0.5, 0.35)
"""Pitches beside and heights above and below the comb in which strokes that stick out are followed."""

MIN_INSIDE: Final = 0.4
"""Share of a piece of ink inside the comb; else it is print beside it."""

MAX_ONE: Final = 0.75
"""Pitches; ink that is less wide is one character's, even where it lies across a line."""

MIN_OWN: Final = 0.75
"""Share of a wide piece of ink that makes it one box's; else several share it."""

MAX_TAIL: Final = 0.25
"""Comb heights; what a wide piece of ink reaches into another box with is a tail, when it is less tall."""

MIN_INK: Final = 0.02
"""Of a box's height, squared: the area in pixels of the smallest writing."""

MAX_BESIDE_LINE: Final = 0.6
"""Share of a piece of ink right beside a line that was taken out; what clings to it more is a rest of it."""

LINE_SLACK: Final = 1.0
"""Pixels by which a printed line may lie beside where it was fitted, or be thicker."""

_RING: Final = np.ones((3, 3), np.uint8)

_Bits = NDArray[np.uint8]
_Ints = NDArray[np.int32]
_Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Ruling:
    """A comb's lines at the working scale, in the part of the picture around it.

    Attributes:
        columns: float, of the upright lines' middles.
        rows: of the level lines' middles, the upper and the lower one.
        thickness: of all of them.
    """

    columns: NDArray[np.float64]
    rows: tuple[float, float]
    thickness: float

    @property
    def height(self) -> float:
        """How far the level lines are from each other."""
        return self.rows[1] - self.rows[0]

    @property
    def pitch(self) -> float:
        """How far the upright lines are from each other."""
        return float(self.columns[1] - self.columns[0])

    @property
    def cells(self) -> int:
        """Number of boxes."""
        return len(self.columns) - 1


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of a levelled field around its comb, and the scale at which it is looked at."""

    box: Box
    scale: float


def build_comb_lattice(crop: FieldCrop, comb: Comb) -> Lattice:
    """Return one candidate for each box of `comb` with writing in it; no candidates and one cut where there is none.

    Args:
        crop: the field.
        comb: what `find_comb` found in its picture.
    """
    level, levelling = deskew(crop.pixels, comb.skew_degrees)
    part = _part(comb, level.shape)
    strength = ink_strength(_cut_out(level, part))
    ruling = _ruling(comb, part)
    ink, lines = _without_lines(threshold_ink(strength).view(np.uint8), ruling)
    owners = _owners(ink, ruling, lines=lines)
    soft = np.where(lines & (1 - ink), 0, _soft(strength, ink)).astype(np.uint8)
    return _lattice(owners, soft, ruling.cells, part=part, levelling=levelling, field=crop.box)


def _part(comb: Comb, shape: tuple[int, ...]) -> _Part:
    beside, above = AROUND[0] * comb.box.width / len(comb.cells), AROUND[1] * comb.box.height
    low = np.array([comb.box.x - beside, comb.box.y - above])
    high = np.array([comb.box.right + beside, comb.box.bottom + above])
    box = clip_box(low, high, width=shape[1], height=shape[0])
    least, most = (height / comb.box.height for height in WORKING_HEIGHTS)
    return _Part(box=box, scale=min(max(1.0, least), most, MAX_ENLARGED))


def _cut_out(level: NDArray[np.uint8], part: _Part) -> NDArray[np.uint8]:
    box = part.box
    grey = np.ascontiguousarray(level[box.slices])
    if part.scale <= 1.0:
        return shrink(grey, part.scale)
    return np.asarray(cv2.resize(grey, None, fx=part.scale, fy=part.scale, interpolation=cv2.INTER_LINEAR), np.uint8)


def _ruling(comb: Comb, part: _Part) -> _Ruling:
    places = np.linspace(comb.box.x, comb.box.right, len(comb.cells) + 1)
    rows = (comb.box.y - part.box.y, comb.box.bottom - part.box.y)
    return _Ruling(
        columns=(places - part.box.x) * part.scale,
        rows=(rows[0] * part.scale, rows[1] * part.scale),
        thickness=comb.line_px * part.scale,
    )


def _without_lines(ink: _Bits, ruling: _Ruling) -> tuple[_Bits, _Bits]:
    """Return the ink without the comb's lines, strokes across them mended, and where lines were looked for."""
    reach = ruling.thickness / 2 + LINE_SLACK
    upright, level = np.zeros_like(ink), np.zeros_like(ink)
    top, bottom = _span(ruling.rows[0] - reach, ruling.rows[1] + reach)
    for column in ruling.columns:
        upright[top:bottom, slice(*_span(column - reach, column + reach))] = 1
    left, right = _span(ruling.columns[0] - reach, ruling.columns[-1] + reach)
    for row in ruling.rows:
        level[slice(*_span(row - reach, row + reach)), left:right] = 1
    rest = ink & (1 - (upright | level))
    across = round(2 * reach) + 1
    mended = _joined(rest, across, axis=1) & upright | _joined(rest, across, axis=0) & level
    return rest | ink & mended, upright | level


def _span(start: float, end: float) -> tuple[int, int]:
    """Return the pixels from `start` to `end`, none of them before the picture."""
    return max(0, round(start)), max(0, round(end))


def _joined(bits: _Bits, reach: int, *, axis: int) -> _Bits:
    """Return what has ink before and behind it within `reach` pixels along the axis; strokes may lean."""
    near = np.zeros((reach * 2 + 1, 3), np.uint8)
    near[:reach] = 1
    before, after = (near, near[::-1]) if axis == 0 else (near.T, near.T[:, ::-1])
    sides = (cv2.dilate(bits, np.ascontiguousarray(window)) for window in (before, after))
    return np.asarray(cv2.bitwise_and(*sides), np.uint8)


def _owners(ink: _Bits, ruling: _Ruling, *, lines: _Bits) -> _Ints:
    """Return whose each pixel of ink is: int32, 0 nobody's, `k + 1` box k's; `lines` is where lines were taken out."""
    count, mat, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    labels = np.asarray(mat, np.int32)
    ys, xs = np.nonzero(labels)
    piece = labels[ys, xs]
    cell = np.clip(np.searchsorted(ruling.columns, xs + 0.5) - 1, 0, ruling.cells - 1)
    shares = np.zeros((count, ruling.cells))
    np.add.at(shares, (piece, cell), 1.0)
    area = np.maximum(shares.sum(axis=1), 1.0)
    inside = (ys > ruling.rows[0]) & (ys < ruling.rows[1]) & (xs > ruling.columns[0]) & (xs < ruling.columns[-1])
    beside_line = cv2.dilate(lines, _RING)[ys, xs] > 0
    kept = area >= MIN_INK * ruling.height**2
    kept &= np.bincount(piece, inside, minlength=count) >= MIN_INSIDE * area
    kept &= np.bincount(piece, beside_line, minlength=count) <= MAX_BESIDE_LINE * area
    single = np.asarray(stats)[:, cv2.CC_STAT_WIDTH] <= MAX_ONE * ruling.pitch
    single |= shares.max(axis=1) >= MIN_OWN * area
    tail = _row_extent(ys, piece, cell, shape=shares.shape) <= MAX_TAIL * ruling.height
    cell = np.where(single[piece] | tail[piece, cell], shares.argmax(axis=1)[piece], cell)
    owners = np.zeros_like(labels)
    owners[ys, xs] = np.where(kept[piece], cell + 1, 0)
    return owners


def _row_extent(ys: _Rows, piece: _Ints, cell: _Rows, *, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return how many rows each piece of ink takes up in each box: shape (pieces, boxes)."""
    first, last = np.full(shape, np.inf), np.full(shape, -np.inf)
    np.minimum.at(first, (piece, cell), ys)
    np.maximum.at(last, (piece, cell), ys)
    return np.asarray(last - first + 1)


def _soft(strength: NDArray[np.uint8], ink: _Bits) -> NDArray[np.uint8]:
    """Return `strength` with full ink at 255."""
    full = float(np.percentile(strength[ink > 0], 75)) if ink.any() else 255.0
    return np.asarray(cv2.convertScaleAbs(strength, alpha=255 / max(full, 1.0)), np.uint8)


def _lattice(
    owners: _Ints, soft: NDArray[np.uint8], cells: int, *, part: _Part, levelling: Levelling, field: Box
) -> Lattice:
    """Return the boxes that hold writing as candidates, each from one cut to the next."""
    masks = [cv2.inRange(owners, cell, cell) for cell in range(1, cells + 1)]
    tight = [(mask, cv2.boundingRect(mask)) for mask in masks if mask.any()]
    # One pixel more than the ink, so that its soft edge comes along.
    glyphs = normalise_glyphs(
        [np.asarray(cv2.bitwise_and(soft, cv2.dilate(mask, _RING)), np.uint8) for mask, _ in tight]
    )
    candidates = tuple(
        DigitCrop(start=place, end=place + 1, box=_on_page(box, part, levelling, field), glyph=glyph)
        for place, ((_, box), glyph) in enumerate(zip(tight, glyphs, strict=True))
    )
    height = float(np.median([candidate.box.height for candidate in candidates])) if candidates else 0.0
    return Lattice(cuts=len(candidates) + 1, candidates=candidates, text_height=height)


def _on_page(tight: Sequence[int], part: _Part, levelling: Levelling, field: Box) -> Box:
    """Return a box of the working picture on the page, inside the field."""
    x, y, width, height = tight
    low = np.array([x, y]) / part.scale + (part.box.x, part.box.y)
    high = np.array([x + width, y + height]) / part.scale + (part.box.x, part.box.y)
    inside = levelling.undo(clip_box(low, high, width=field.width, height=field.height))
    return Box(x=field.x + inside.x, y=field.y + inside.y, width=inside.width, height=inside.height)
