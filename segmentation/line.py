"""A field as one line for the line reader: its writing bright on black, 32 pixels high.

Training and recognition both call `prepare_line`, so that they see one distribution.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box
from segmentation.frames import find_frame
from segmentation.line_ink import line_ink
from segmentation.runs import label_type

LINE_VERSION: Final = "1"
"""Changes whenever `prepare_line` gives other pixels; an artifact's manifest names it."""

LINE_HEIGHT: Final = 32
MIN_LINE_WIDTH: Final = 16
MAX_LINE_WIDTH: Final = 384

WORKING_HEIGHT: Final = 64
"""Fields are brought to this height first: the windows below are sized for it."""

MAX_WORKING_WIDTH: Final = 1600

SPECK_AREA: Final = 12
"""Pixels; fewer are dirt."""


@dataclass(frozen=True, slots=True)
class Line:
    """A field's writing as the line reader sees it.

    Attributes:
        pixels: uint8, shape (32, width), ink 255 on 0; 16 to 384 columns.
        box: the part of the field's picture that it shows.
        frame: the interior of the frame printed around the writing, where there is one.
    """

    pixels: NDArray[np.uint8]
    box: Box
    frame: Box | None = None


def prepare_line(grey: NDArray[np.uint8]) -> Line:
    """Return the field's writing as a line.

    The paper is estimated by a morphological closing, so that security print and shadows fade. Where a frame is
    printed around the writing, its interior counts alone.

    Args:
        grey: uint8, shape (height, width), dark ink on lighter paper.
    """
    frame = Box(x=0, y=0, width=grey.shape[1], height=grey.shape[0])
    ink, scale = _ink_at_working_height(grey)
    bits = _binary(ink)
    inner = find_frame(bits)
    if inner is not None:
        frame = _scaled(inner, scale, within=frame)
        ink, scale = _ink_at_working_height(grey[frame.slices])
        bits = _binary(ink)
    band = text_band(bits)
    part = ink[band.slices]
    width = min(max(round(band.width * LINE_HEIGHT / band.height), MIN_LINE_WIDTH), MAX_LINE_WIDTH)
    method = cv2.INTER_AREA if band.height >= LINE_HEIGHT else cv2.INTER_LINEAR
    pixels = np.asarray(cv2.resize(part, (width, LINE_HEIGHT), interpolation=method), np.uint8)
    shown = _scaled(band, scale, within=Box(x=0, y=0, width=frame.width, height=frame.height))
    shown = Box(x=frame.x + shown.x, y=frame.y + shown.y, width=shown.width, height=shown.height)
    return Line(pixels, shown, None if inner is None else frame)


def text_band(bits: NDArray[np.uint8]) -> Box:
    """Return where the writing stands among `bits`, non-zero where there is ink, with a margin; else everything.

    What is nearly as tall as the tallest part says from where to where, so that small digits after a comma stay in,
    and rules, specks and sides of a frame do not widen it.
    """
    height, width = bits.shape
    parts = _writing(bits)
    if not parts:
        return Box(x=0, y=0, width=width, height=height)
    tallest = max(down for _, _, _, down in parts)
    tall = [(y, y + down) for _, y, _, down in parts if down >= 0.45 * tallest]
    top, bottom = min(y for y, _ in tall), max(end for _, end in tall)
    left, right = min(x for x, _, _, _ in parts), max(x + across for x, _, across, _ in parts)
    margin = max(2, round(0.08 * (bottom - top)))
    top, bottom = max(0, top - margin), min(height, bottom + margin)
    left, right = max(0, left - 3 * margin), min(width, right + 3 * margin)
    return Box(x=left, y=top, width=right - left, height=bottom - top)


def _writing(bits: NDArray[np.uint8]) -> list[tuple[int, int, int, int]]:
    """Return left, top, width, height of the components that are neither specks nor parts of a frame or ruling line.

    In plain numbers: once the specks are gone, a field has some ten.
    """
    height, width = bits.shape
    _, _, found, _ = cv2.connectedComponentsWithStats(bits, connectivity=8, ltype=label_type(bits.size))
    stats = np.asarray(found)[1:]
    large = stats[stats[:, cv2.CC_STAT_AREA] >= SPECK_AREA, : cv2.CC_STAT_AREA].tolist()
    return [(x, y, across, down) for x, y, across, down in large if _is_writing(x, across, down, (height, width))]


def _ink_at_working_height(grey: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Return the picture's ink at the working height, and how much smaller a pixel of it is, across and down."""
    scale = WORKING_HEIGHT / grey.shape[0]
    width = min(max(8, round(grey.shape[1] * scale)), MAX_WORKING_WIDTH)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = np.asarray(cv2.resize(grey, (width, WORKING_HEIGHT), interpolation=method), np.uint8)
    return line_ink(resized), (grey.shape[1] / width, 1 / scale)


def _binary(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.threshold(ink, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1], np.uint8)


def _is_writing(left: int, across: int, down: int, shape: tuple[int, int]) -> bool:
    """Return whether a component is neither a speck nor a part of a frame or ruling line, by its place and size."""
    height, width = shape
    speck = max(across, down) < 0.08 * height
    flat = across > 5 * down and across > 0.3 * width and down < 0.25 * height
    at_side = left <= 2 or left + across >= width - 2
    return not (speck or flat or (at_side and down > 0.6 * height and across < 0.12 * height))


def _scaled(box: Box, scale: tuple[float, float], *, within: Box) -> Box:
    """Return the box in the pixels of the picture that was shrunk or grown, at least one pixel of it."""
    across, down = scale
    x, y = min(int(box.x * across), within.width - 1), min(int(box.y * down), within.height - 1)
    right = min(within.width, round(box.right * across))
    bottom = min(within.height, round(box.bottom * down))
    return Box(x=x, y=y, width=max(1, right - x), height=max(1, bottom - y))
