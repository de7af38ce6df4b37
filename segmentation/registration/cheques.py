"""How a cheque may lie in a picture: its outline by the sheet's edges or the picture's own, and by its MICR line.

Outlines are guesses, the likeliest first; which one holds is for whoever can read the MICR line that should stand at
its foot. That line alone says much: E-13B is printed at eight symbols an inch, a quarter of an inch above the sheet's
lower edge (ANSI X9.100-160), so that it gives scale, turn and the lower edge where no edge of the sheet is seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from segmentation.micr_strip import BandLine
from segmentation.registration.geometry import (
    Size,
    Transform,
    as_grey,
    from_corners,
    rectangle,
    size_of,
    turned,
    turning,
)
from segmentation.registration.sheet import Sheet, find_sheet

SYMBOLS_PER_INCH: Final = 8.0

BASELINE_INCHES: Final = 0.25
"""Between the feet of the symbols and the sheet's lower edge."""

BASELINE_BOUNDS: Final = (0.05, 0.5)
"""What may be left of it once a sheet's edges are found: cut a little too close, or a rim kept."""

WIDTH_BOUNDS: Final = (5.2, 9.6)
"""Inches that a cheque is wide: personal ones 6, CTS-2010 8, business ones 8.5; with a rim, or a little cut off."""

MAX_SLOPE: Final = 0.03
"""Of the MICR line on a sheet that is laid right."""


@dataclass(frozen=True, slots=True)
class SheetSize:
    """A kind of cheque, in inches; `routing_end` is from the last digit of its routing number to the right edge."""

    width: float
    height: float
    routing_end: float


SHEETS: Final = {
    "us": SheetSize(6.0, 2.75, 4.44),
    "us_business": SheetSize(8.5, 3.5, 4.44),
    "canada": SheetSize(6.25, 2.75, 4.04),
    "cts2010": SheetSize(7.95, 3.62, 3.68),
}
"""By the layout of the MICR line: ANSI X9.100-160, CPA 006 and CTS-2010 fix where on the sheet it is printed."""

FRAME_CHANGE: Final = 1.45
"""By which the picture's proportions may differ from a cheque's and still show little else."""


MOST_OF_FRAME: Final = 0.85
"""Of the picture that a sheet covers when nothing lies around it: what is found inside is a printed border."""


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A guess at where a cheque lies.

    Attributes:
        transform: from the template's pixels to the picture's.
        residual_px: how far its edges are from straight lines, in pixels of the picture.
        from_edges: whether the sheet's edges were seen; else the picture's own are taken for them.
    """

    transform: Transform
    residual_px: float
    from_edges: bool


def outlines(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], size: Size) -> Iterator[Outline]:
    """Yield where a cheque of the proportions of `size` may lie, upright or turned, the likeliest first.

    Args:
        pixels: uint8, grey or BGR, as it came.
        size: of the template.
    """
    frame = size_of(as_grey(pixels))
    sheet = find_sheet(pixels, size)
    on_table = sheet is not None and _area(sheet.corners) < MOST_OF_FRAME * frame[0] * frame[1]
    if on_table and sheet is not None:
        yield from _of_sheet(sheet, size)
    for turn in range(4):
        if _change(frame if turn % 2 == 0 else frame[::-1], size) <= FRAME_CHANGE:
            yield _of_frame(frame, size, quarter_turns=turn)
    if sheet is not None and not on_table:
        yield from _of_sheet(sheet, size)


def _of_sheet(sheet: Sheet, size: Size) -> Iterator[Outline]:
    """Yield the two ways in which a wide sheet may lie."""
    outline = from_corners(size, sheet.corners)
    for turn in _turns(sheet.corners):
        yield Outline(turned(outline, size, turn), sheet.residual_px, from_edges=True)


def band_outline(line: BandLine, routing_end: float, sheet: SheetSize, size: Size) -> Outline:
    """Return where a cheque lies by its MICR line alone, as flat as that line says.

    Args:
        line: on the page.
        routing_end: pixels along the line's baseline to the end of its routing number.
        sheet: which kind of cheque it is.
        size: of the template.
    """
    inch = line.pitch * SYMBOLS_PER_INCH
    along = np.array([np.cos(np.radians(line.degrees)), np.sin(np.radians(line.degrees))])
    down = np.array([-along[1], along[0]])
    foot = np.array([line.x, line.y]) + along * routing_end + down * BASELINE_INCHES * inch
    right = foot + along * sheet.routing_end * inch
    left = right - along * sheet.width * inch
    up = down * sheet.height * inch
    corners = np.stack([left - up, right - up, right, left])
    return Outline(from_corners(size, corners), 0.0, from_edges=False)


def stands_at_foot(line: BandLine, size: Size) -> bool:
    """Return whether a MICR line on a laid page of `size` is where a cheque has it, at a cheque's scale."""
    inch = line.pitch * SYMBOLS_PER_INCH
    middle = line.y + np.tan(np.radians(line.degrees)) * size[0] / 2
    low, high = BASELINE_BOUNDS
    return bool(
        WIDTH_BOUNDS[0] <= size[0] / inch <= WIDTH_BOUNDS[1]
        and low <= (size[1] - middle) / inch <= high
        and abs(np.tan(np.radians(line.degrees))) <= MAX_SLOPE
    )


def _of_frame(frame: Size, size: Size, *, quarter_turns: int) -> Outline:
    upright = frame if quarter_turns % 2 == 0 else (frame[1], frame[0])
    onto_upright = from_corners(size, rectangle(upright))
    return Outline(turning(upright, quarter_turns) @ onto_upright, 0.0, from_edges=False)


def _turns(corners: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[int, int]:
    """Return by how many quarter turns a wide sheet with these corners may lie turned."""
    lengths = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    return (0, 2) if lengths[0] + lengths[2] >= lengths[1] + lengths[3] else (3, 1)


def _area(corners: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    return float(cv2.contourArea(corners.astype(np.float32)))


def _change(frame: Size, size: Size) -> float:
    change = (frame[0] / frame[1]) / (size[0] / size[1])
    return max(change, 1 / change)
