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

LINE_VERSION: Final = "1"
"""Changes whenever `prepare_line` gives other pixels; an artifact's manifest names it."""

LINE_HEIGHT: Final = 32
MIN_LINE_WIDTH: Final = 16
MAX_LINE_WIDTH: Final = 384

WORKING_HEIGHT: Final = 64
"""Fields are brought to this height first: the windows below are sized for it."""

MAX_WORKING_WIDTH: Final = 1600


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
        ink, scale = _ink_at_working_height(grey[frame.y : frame.y + frame.height, frame.x : frame.x + frame.width])
        bits = _binary(ink)
    band = text_band(bits)
    part = ink[band.y : band.y + band.height, band.x : band.x + band.width]
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
    count, _, found, _ = cv2.connectedComponentsWithStats(bits, connectivity=8)
    parts = np.asarray(found[1:count], np.int32)
    stats = parts[_is_writing(parts, height=height, width=width)]
    if not len(stats):
        return Box(x=0, y=0, width=width, height=height)
    tall = stats[stats[:, cv2.CC_STAT_HEIGHT] >= 0.45 * stats[:, cv2.CC_STAT_HEIGHT].max()]
    top = int(tall[:, cv2.CC_STAT_TOP].min())
    bottom = int((tall[:, cv2.CC_STAT_TOP] + tall[:, cv2.CC_STAT_HEIGHT]).max())
    left = int(stats[:, cv2.CC_STAT_LEFT].min())
    right = int((stats[:, cv2.CC_STAT_LEFT] + stats[:, cv2.CC_STAT_WIDTH]).max())
    margin = max(2, round(0.08 * (bottom - top)))
    top, bottom = max(0, top - margin), min(height, bottom + margin)
    left, right = max(0, left - 3 * margin), min(width, right + 3 * margin)
    return Box(x=left, y=top, width=right - left, height=bottom - top)


def _ink_at_working_height(grey: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Return the picture's ink at the working height, and how much smaller a pixel of it is, across and down."""
    scale = WORKING_HEIGHT / grey.shape[0]
    width = min(max(8, round(grey.shape[1] * scale)), MAX_WORKING_WIDTH)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = np.asarray(cv2.resize(grey, (width, WORKING_HEIGHT), interpolation=method), np.uint8)
    return _ink(resized), (grey.shape[1] / width, 1 / scale)


def _ink(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return how much darker each pixel is than its paper, full ink near 255."""
    side = min(max(9, (min(grey.shape) // 2) | 1), 35)
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    paper = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, window, borderType=cv2.BORDER_REPLICATE)
    paper = cv2.GaussianBlur(paper, (0, 0), 5).astype(np.float32)
    drop = np.clip(paper - grey, 0, None) / np.maximum(paper, 32)
    full = max(float(np.percentile(drop, 98.5)), 0.06)
    return np.asarray(np.clip(drop * (255 / full), 0, 255), np.uint8)


def _binary(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.threshold(ink, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1], np.uint8)


def _is_writing(stats: NDArray[np.int32], *, height: int, width: int) -> NDArray[np.bool_]:
    """Return which components are neither specks nor parts of a frame or ruling line."""
    tall, wide = stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_WIDTH]
    speck = (stats[:, cv2.CC_STAT_AREA] < 12) | (np.maximum(tall, wide) < 0.08 * height)
    flat = (wide > 5 * tall) & (wide > 0.3 * width) & (tall < 0.25 * height)
    left, right = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_LEFT] + wide
    side = (tall > 0.6 * height) & (wide < 0.12 * height) & ((left <= 2) | (right >= width - 2))
    return np.asarray(~(speck | flat | side), np.bool_)


def _scaled(box: Box, scale: tuple[float, float], *, within: Box) -> Box:
    """Return the box in the pixels of the picture that was shrunk or grown, at least one pixel of it."""
    across, down = scale
    x, y = min(int(box.x * across), within.width - 1), min(int(box.y * down), within.height - 1)
    right = min(within.width, round((box.x + box.width) * across))
    bottom = min(within.height, round((box.y + box.height) * down))
    return Box(x=x, y=y, width=max(1, right - x), height=max(1, bottom - y))
