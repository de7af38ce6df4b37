"""A MICR line to what its network sees: levelled, one size, ink bright, a window every seventh of a cell.

`segmentation.micr` finds lines, the network says what each window holds, `forms.micr_cells` chooses among them.
Training draws lines and calls `rectify` and `windows` too; the artifact names `MICR_VERSION`.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box
from segmentation.prepare import clip_box, ink_strength, threshold_ink

MICR_VERSION: Final = "micr-1"
"""Grows whenever a window changes: the artifact names it, and the loader refuses another."""

SIDE: Final = 28
PITCH: Final = 21
"""Columns of a strip from one symbol to the next."""

STEP: Final = 3
"""Columns from one window to the next: no symbol is further than 1.5 from a window made for its place."""

GLYPH_HEIGHT: Final = PITCH * 0.117 / 0.125
TOP: Final = (SIDE - GLYPH_HEIGHT) / 2
RIGHT_EDGE: Final = 22
"""Column of a window in which the right edge of its symbol lies."""

INK_LEVEL: Final = 200.0
"""Mean brightness that a strip's ink is brought to."""

FAINTEST: Final = 12.0
"""Ink less strong than this is not brightened any more: paper would be."""

PRESHRUNK_PITCH: Final = 30.0
"""A finer scan is shrunk to this pitch first, area by area: bilinear sampling alone would drop thin strokes."""

DARK: Final = 80
BLANK_BELOW: Final = 0.05
"""A cell with a smaller share of pixels brighter than `DARK` holds no symbol: drawn dashes, which have the least ink,
have a tenth and more, and paper photographed at its grainiest a twenty-fifth."""

_Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class BandLine:
    """Where a MICR line lies on a page, in its pixels.

    Attributes:
        x: of the baseline's left end.
        y: of the baseline's left end.
        degrees: turn of the baseline, clockwise positive as seen.
        height: of a digit.
        pitch: from one right edge to the next, along the baseline.
        length: of the baseline.
    """

    x: float
    y: float
    degrees: float
    height: float
    pitch: float
    length: float

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The affine transform from a strip to the page: float64, shape (2, 3)."""
        cos, sin = math.cos(math.radians(self.degrees)), math.sin(math.radians(self.degrees))
        across, down = self.pitch / PITCH, self.height / GLYPH_HEIGHT
        matrix = np.array([[across * cos, -down * sin, self.x], [across * sin, down * cos, self.y]])
        matrix[:, 2] -= matrix[:, 1] * (TOP + GLYPH_HEIGHT)
        return matrix

    @property
    def columns(self) -> int:
        """Width of its strip."""
        return max(1, round(self.length / self.pitch * PITCH))


@dataclass(frozen=True)
class Strip:
    """A rectified line.

    Attributes:
        pixels: uint8, shape (28, columns), ink bright on 0.
        line: where it came from.
    """

    pixels: _Grey
    line: BandLine

    @cached_property
    def windows(self) -> _Grey:
        """All windows from left to right: uint8, shape (n, 28, 28), the i-th symbol edge at column 3 i."""
        before = RIGHT_EDGE
        padded = cv2.copyMakeBorder(self.pixels, 0, 0, before, SIDE - before, cv2.BORDER_CONSTANT, value=0)
        views = np.lib.stride_tricks.sliding_window_view(padded, SIDE, axis=1)[:, ::STEP]
        return np.asarray(views.transpose(1, 0, 2), np.uint8)

    @cached_property
    def inked(self) -> NDArray[np.bool_]:
        """Shape (n,): which windows hold enough ink for a symbol."""
        counts = np.count_nonzero(self.pixels > DARK, axis=0)
        sums = np.concatenate([[0], np.cumsum(counts)])
        ends = np.clip(np.arange(len(self.windows)) * STEP + 2, 0, len(sums) - 1)
        starts = np.clip(ends - PITCH, 0, len(sums) - 1)
        return np.asarray(sums[ends] - sums[starts] > BLANK_BELOW * PITCH * SIDE)

    def box(self, window: int, *, page: tuple[int, int]) -> Box:
        """Return the box on the page, of height and width `page`, of the symbol whose cell ends with `window`."""
        return self.span(window, window, page=page)

    def span(self, first: int, last: int, *, page: tuple[int, int]) -> Box:
        """Return the box around the symbols of the windows `first` to `last`."""
        edge = self._left_edge(first), last * STEP + 0.5
        corners = np.array([[u, v, 1.0] for u in edge for v in (TOP - 0.5, TOP + GLYPH_HEIGHT + 0.5)])
        points = corners @ self.line.matrix.T
        return clip_box(points.min(axis=0), points.max(axis=0), width=page[1], height=page[0])

    def _left_edge(self, window: int) -> float:
        """Return the column where the ink of the window's symbol starts."""
        end = window * STEP
        widest = round(7.4 * 0.013 / 0.125 * PITCH)
        start = max(0, end - widest)
        inked = np.nonzero((self.pixels[:, start : max(end, start + 1)] > INK_LEVEL / 2).any(axis=0))[0]
        return float(start + (inked[0] if len(inked) else 0))


def rectify(grey: _Grey, line: BandLine) -> Strip:
    """Return the strip of `line` on the page: uint8, shape (28, line.columns).

    Args:
        grey: the page, uint8, dark ink on light paper.
        line: where it lies; parts of it may be outside of the page.
    """
    matrix = line.matrix
    strength, scale, left, top = _band(grey, line)
    to_band = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    # Centres of pixels: what is at 0.5 in one picture is at 0.5 in the other.
    half = 0.5 * (matrix[:, 0] + matrix[:, 1])
    lifted = np.vstack([np.column_stack([matrix[:, :2], matrix[:, 2] + half]), [0, 0, 1]])
    sampling = to_band @ lifted
    sampling[:, 2] -= 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    pixels = cv2.warpAffine(strength, sampling, (line.columns, SIDE), flags=flags, borderValue=0)
    return Strip(_evened(np.asarray(pixels, np.uint8)), line)


def _band(grey: _Grey, line: BandLine) -> tuple[_Grey, float, int, int]:
    """Return the ink of the page around the line, shrunk, with its scale and where it was cut from."""
    drop = math.sin(math.radians(line.degrees)) * line.length
    above, below = min(line.y, line.y + drop) - 2.2 * line.height, max(line.y, line.y + drop) + 1.2 * line.height
    run = math.cos(math.radians(line.degrees)) * line.length
    left, right = (int(np.clip(edge, 0, grey.shape[1])) for edge in (line.x - line.pitch, line.x + run + line.pitch))
    top, bottom = (int(np.clip(edge, 0, grey.shape[0])) for edge in (above, below))
    part = grey[top : max(bottom, top + 1), left : max(right, left + 1)]
    if part.size == 0:
        return np.zeros((1, 1), np.uint8), 1.0, left, top
    scale = min(1.0, PRESHRUNK_PITCH / line.pitch)
    if scale < 1.0:
        size = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    return ink_strength(np.ascontiguousarray(part)), scale, left, top


def _evened(strength: _Grey) -> _Grey:
    """Return the strip with its ink as bright as any other's."""
    ink = threshold_ink(strength)
    level = max(FAINTEST, float(strength[ink].mean()) if ink.any() else 255.0)
    return np.asarray(cv2.convertScaleAbs(strength, alpha=INK_LEVEL / level), np.uint8)
