"""Lines of print in a field's loose box, each laid level at one size for the reader of print.

```
grey ─ ink without rules ─▶ parts as tall as print ─ in rows ─▶ PrintRow ─ lay_row ─▶ 32 rows of pixels ─▶ network
```

Training lays the lines that it draws with the same `lay_row`, so that both see one distribution.
"""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box
from segmentation.line import LINE_HEIGHT
from segmentation.line_ink import line_ink
from segmentation.prepare import ink_map
from segmentation.runs import label_type, level_runs, upright_runs

PRINT_VERSION: Final = "print-1"
"""Changes whenever `lay_row` gives other pixels; an artifact's manifest names it."""

TEXT_ROWS: Final = 20
"""Of the 32: figures are so tall, and what dances above and below the line stays in."""

ABOVE: Final = (LINE_HEIGHT - TEXT_ROWS) / 2

MIN_ROW_WIDTH: Final = 16
MAX_ROW_WIDTH: Final = 768

SMALLEST: Final = 8
"""Pixels; smaller print cannot be read."""

LARGEST: Final = 0.95
"""Of the box's height; what is taller is its frame."""

RULE: Final = 4.0
"""A level run of this many times the tallest likely print is a ruling line; an upright one is taller than any."""

WIDEST: Final = 8.0
"""Times its height: signs that touch; what is wider is a rule or a bar."""

MOST_PARTS: Final = 400

ALIKE: Final = 1.6
"""Parts of one row differ no more in height: small and capital letters."""

OVERLAP: Final = 0.5
"""Of the lower one's height that two neighbours of a row have in common."""

GAP: Final = 2.2
"""Heights between two neighbours of a row: numbering machines leave more than one."""

MARGIN: Final = 0.5
"""Heights of paper at both ends of a row."""

STEEPEST: Final = 0.08
"""Rise of a row over its length; scans are laid level before."""

MOST_ROWS: Final = 16

DIRT: Final = 4
"""Pixels; components of fewer are none of a sign."""

BIT: Final = 0.2
SLACK: Final = 0.2
NEAR: Final = 1.2
"""In heights of a row: bits of a sign that is broken are so tall at the least, stand so little above or below the row,
and no further from its next sign."""

MENDED: Final = 5
"""Pixels that the dots of a dot-matrix printer are apart, at the most."""

_Grey = NDArray[np.uint8]
_Ink = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PrintRow:
    """A line of print in a picture.

    Attributes:
        left: column where it starts.
        right: column where it ends.
        top: row of its figures' upper edge at `left`.
        height: of its figures, in pixels.
        slope: rows by which it falls each column.
        parts: how many signs or pieces of signs were seen in it.
    """

    left: float
    right: float
    top: float
    height: float
    slope: float = 0.0
    parts: int = 0

    @property
    def scale(self) -> float:
        """Columns or rows of the laid row in a pixel of the picture."""
        width = (self.right - self.left) / self.height + 2 * MARGIN
        return min(TEXT_ROWS, MAX_ROW_WIDTH / width) / self.height

    def box(self, first: float, last: float, *, within: tuple[int, int]) -> Box:
        """Return the part of the picture between two columns of the laid row.

        Args:
            first: column where it starts.
            last: column where it ends.
            within: height and width of the picture.
        """
        start = self.left - MARGIN * self.height
        left, right = (start + column / self.scale for column in (first, last))
        top = self.top + self.slope * ((left + right) / 2 - self.left)
        x, y = int(np.clip(left, 0, within[1] - 1)), int(np.clip(top, 0, within[0] - 1))
        end, bottom = min(within[1], round(right)), min(within[0], round(top + self.height))
        return Box(x=x, y=y, width=max(1, end - x), height=max(1, bottom - y))


def lay_row(grey: _Grey, row: PrintRow) -> _Grey:
    """Return the row level and at one size: uint8, shape (32, width), ink bright on black, 16 to 768 columns.

    Args:
        grey: uint8, shape (height, width), dark ink on lighter paper.
        row: where it lies.
    """
    scale = row.scale
    length = row.right - row.left + 2 * MARGIN * row.height
    width = min(max(round(length * scale), MIN_ROW_WIDTH), MAX_ROW_WIDTH)
    start = row.left - MARGIN * row.height
    top = row.top - row.slope * MARGIN * row.height - ABOVE / scale
    upper = top + min(0.0, row.slope * length)
    lower = top + max(0.0, row.slope * length) + LINE_HEIGHT / scale
    part = _cut(grey, rows=(upper, lower), columns=(start, start + width / scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(part, (width, max(1, round(part.shape[0] * scale))), interpolation=method)
    shear = np.array([[1.0, 0.0, 0.0], [row.slope, 1.0, (top - upper) * scale]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    level = cv2.warpAffine(small, shear, (width, LINE_HEIGHT), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return line_ink(np.asarray(level, np.uint8))


def find_rows(grey: _Grey, *, mended: bool = False) -> list[PrintRow]:
    """Return the lines of print, those of most signs first; none where there is no ink.

    Args:
        grey: uint8, shape (height, width), dark ink on lighter paper.
        mended: whether ink that is hardly apart is taken for one, as in figures made of dots.
    """
    if min(grey.shape) < SMALLEST:
        return []
    bits = _without_rules(ink_map(grey))
    if mended:
        bits = np.asarray(cv2.morphologyEx(bits, cv2.MORPH_CLOSE, np.ones((MENDED, MENDED), np.uint8)), np.uint8)
    pieces = _pieces(bits)
    parts = _parts(pieces, tallest=LARGEST * bits.shape[0])
    rows = [_reaching(_row(parts[members]), pieces) for members in _chains(parts)] if len(parts) else []
    return sorted(rows, key=lambda row: -row.parts)[:MOST_ROWS]


def _cut(grey: _Grey, *, rows: tuple[float, float], columns: tuple[float, float]) -> _Grey:
    """Return a part of the picture, its rim repeated where the part reaches beyond."""
    down = np.clip(np.arange(int(np.floor(rows[0])), int(np.ceil(rows[1]))), 0, grey.shape[0] - 1)
    across = np.clip(np.arange(int(np.floor(columns[0])), int(np.ceil(columns[1]))), 0, grey.shape[1] - 1)
    return np.asarray(grey[down[0] : down[-1] + 1][down - down[0]][:, across])


def _without_rules(ink: _Ink) -> _Grey:
    """Return the ink without long level and upright runs: uint8, 0 or 1."""
    bits = ink.view(np.uint8)
    tallest = max(2 * SMALLEST, round(bits.shape[0] / RULE))
    level = level_runs(bits, int(RULE * min(tallest, 30)) | 1)
    upright = upright_runs(bits, min(2 * tallest, bits.shape[0] - 1) | 1)
    for runs in (level, upright):
        if runs is not None:
            bits = np.asarray(bits & (runs == 0), np.uint8)
    return bits


def _pieces(bits: _Grey) -> NDArray[np.float64]:
    """Return left, top, right and bottom of all components that are more than dirt: shape (pieces, 4)."""
    _, _, found, _ = cv2.connectedComponentsWithStats(bits, connectivity=8, ltype=label_type(bits.size))
    stats = np.asarray(found)[1:]
    left, top, width, height = stats[stats[:, cv2.CC_STAT_AREA] >= DIRT, : cv2.CC_STAT_AREA].T
    return np.stack([left, top, left + width, top + height], axis=1).astype(np.float64)


def _parts(pieces: NDArray[np.float64], *, tallest: float) -> NDArray[np.float64]:
    """Return those of the pieces that may be signs, from left to right."""
    width, height = pieces[:, 2] - pieces[:, 0], pieces[:, 3] - pieces[:, 1]
    boxes = pieces[(height >= SMALLEST) & (height <= tallest) & (width <= WIDEST * height)]
    chosen = boxes[np.argsort(boxes[:, 1] - boxes[:, 3])[:MOST_PARTS]]
    return np.asarray(chosen[np.argsort(chosen[:, 0], kind="stable")], np.float64)


def _reaching(row: PrintRow, pieces: NDArray[np.float64]) -> PrintRow:
    """Return the row with the bits of broken signs at its ends, and some paper for signs that are too faint."""
    left, top, right, bottom = pieces.T
    drop = row.slope * ((left + right) / 2 - row.left)
    inside = (top >= row.top + drop - SLACK * row.height) & (bottom <= row.top + drop + (1 + SLACK) * row.height)
    bits = inside & (bottom - top >= BIT * row.height)
    first, last = row.left, row.right
    for start, end in sorted(zip(left[bits].tolist(), right[bits].tolist(), strict=True), reverse=True):
        if start < first and end >= first - NEAR * row.height:
            first = start
    for start, end in sorted(zip(left[bits].tolist(), right[bits].tolist(), strict=True)):
        if end > last and start <= last + NEAR * row.height:
            last = end
    first, last = first - MARGIN * row.height, last + MARGIN * row.height
    return replace(row, left=first, right=last, top=row.top + row.slope * (first - row.left))


def _chains(parts: NDArray[np.float64]) -> list[list[int]]:
    """Return the parts that stand in a row, by their numbers."""
    left, top, right, bottom = parts.T
    height = bottom - top
    shorter, taller = np.minimum(height, height[:, None]), np.maximum(height, height[:, None])
    common = np.minimum(bottom, bottom[:, None]) - np.maximum(top, top[:, None])
    gap = left - right[:, None]
    linked = (taller <= ALIKE * shorter) & (common >= OVERLAP * shorter) & (gap <= GAP * taller)
    linked &= np.tri(len(parts), k=-1, dtype=np.bool_).T
    owner = list(range(len(parts)))
    for first, second in zip(*np.nonzero(linked), strict=True):
        _join(owner, int(first), int(second))
    chains: dict[int, list[int]] = {}
    for each in range(len(parts)):
        chains.setdefault(_root(owner, each), []).append(each)
    return list(chains.values())


def _root(owner: list[int], each: int) -> int:
    while owner[each] != each:
        owner[each] = each = owner[owner[each]]
    return each


def _join(owner: list[int], first: int, second: int) -> None:
    owner[_root(owner, second)] = _root(owner, first)


def _row(parts: NDArray[np.float64]) -> PrintRow:
    """Return the row that the parts stand in: as tall as its taller signs, level unless most of it slopes."""
    left, top, right, bottom = parts.T
    heights = bottom - top
    height = float(np.quantile(heights, 0.7))
    tall = heights >= 0.8 * height
    middles, centres = (left + right)[tall] / 2, (top + bottom)[tall] / 2
    slope = 0.0
    if tall.sum() >= 4 and np.ptp(middles) > 4 * height:
        slope = float(np.clip(np.polyfit(middles, centres, 1)[0], -STEEPEST, STEEPEST))
    first = float(left.min())
    centre = float(np.median(centres - slope * (middles - first)))
    return PrintRow(first, float(right.max()), centre - height / 2, height, slope, len(parts))
