"""Printed frames around a field: a cheque's amount box, the row of boxes of a date.

Writing inside a frame is read from its interior, so that it fills the line that the line reader sees, and labels
beside the frame stay out.
"""

from bisect import bisect_right
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box
from segmentation.runs import label_type, level_runs

MIN_WIDTH_SHARE: Final = 0.38
"""A frame's top and bottom are at least this much of the field's width."""

MIN_HEIGHT_SHARE: Final = 0.3
"""A frame's height is at least this much of the field's."""

MIN_ASPECT: Final = 2.5
"""Frames around a number are this much wider than tall."""

MIN_COVERAGE: Final = 0.8
"""A printed line is inked along this much of its length; the tops of a row of zeros are not."""

_DOT_GAP: Final = np.ones((1, 5), np.uint8)
"""Window that joins the dots of a dotted line."""

_ASKEW: Final = np.ones((3, 1), np.uint8)
"""Window that joins the steps of a line that is a little askew."""


def find_frame(ink: NDArray[np.uint8]) -> Box | None:
    """Return the interior of the frame in `ink`, or None when there is none.

    A frame is a pair of long level lines, one above the other: sides are often missing, cut off or written over.

    Args:
        ink: uint8, shape (height, width), non-zero where there is ink; a field some 50 to 100 pixels high.
    """
    height = ink.shape[0]
    lines = _level_lines(ink)
    best: tuple[int, Box] | None = None
    for top in lines:
        for bottom in lines:
            gap = bottom.y - top.bottom
            left, right = max(top.x, bottom.x), min(top.right, bottom.right)
            shared = right - left
            longer = max(top.width, bottom.width)
            if gap < MIN_HEIGHT_SHARE * height or shared < max(MIN_ASPECT * gap, 0.8 * longer):
                continue
            inner = Box(x=left, y=top.bottom, width=shared, height=gap)
            # Of nested frames the smallest holds the writing.
            if (best is None or gap < best[0]) and _is_closed(ink, inner):
                best = gap, inner
    if best is None:
        return None
    return _without_sides(ink, best[1])


def _is_closed(ink: NDArray[np.uint8], frame: Box) -> bool:
    """Return whether the frame ends at an upright line or at the picture's edge, on both sides: rules do neither."""
    reach = max(4, round(0.12 * frame.height))
    inside = ink[frame.y : frame.bottom] > 0
    for end in (frame.x, frame.right):
        near = inside[:, max(0, end - reach) : end + reach]
        at_edge = end <= reach or end >= ink.shape[1] - reach
        if not at_edge and float(near.mean(axis=0).max()) < 0.7:
            return False
    return True


def _level_lines(ink: NDArray[np.uint8]) -> list[Box]:
    """Return the boxes of long level lines from top to bottom; dotted ones are joined."""
    height, width = ink.shape
    length = max(24, round(MIN_WIDTH_SHARE * width))
    if length >= width:
        return []
    bits = (ink > 0).view(np.uint8)
    dots_joined = np.asarray(cv2.morphologyEx(bits, cv2.MORPH_CLOSE, _DOT_GAP), np.uint8)
    thickened = cv2.dilate(dots_joined, _ASKEW)
    runs = level_runs(np.asarray(thickened, np.uint8), length)
    if runs is None:
        return []
    count, _, stats, _ = cv2.connectedComponentsWithStats(runs, connectivity=8, ltype=label_type(runs.size))
    thick = max(6, 0.14 * height)
    boxes = [
        Box(x=int(x), y=int(y), width=int(w), height=int(h))
        for x, y, w, h, _ in sorted(stats[1:count].tolist(), key=lambda row: row[1])
        if h <= thick
    ]
    return [box for box in boxes if _is_printed(dots_joined, box)]


def _is_printed(bits: NDArray[np.uint8], line: Box) -> bool:
    """Return whether a level run is a printed line: thin, and without the gaps between strokes that touch it."""
    rows = bits[line.slices]
    inked = sorted(rows.sum(axis=0).tolist())
    covered = len(inked) - bisect_right(inked, 0)
    middle = (inked[(len(inked) - 1) // 2] + inked[len(inked) // 2]) / 2
    return covered / len(inked) >= MIN_COVERAGE and middle <= max(3.0, 0.07 * bits.shape[0])


def _without_sides(ink: NDArray[np.uint8], frame: Box) -> Box:
    """Return the interior without the frame's own sides, which look like a 1."""
    inside = ink[frame.slices] > 0
    filled = inside.mean(axis=0) > 0.8
    reach = max(3, round(0.2 * frame.height))
    left, right = 0, frame.width
    starts = np.flatnonzero(filled[:reach])
    if len(starts):
        left = int(starts[-1]) + 1
    ends = np.flatnonzero(filled[-reach:])
    if len(ends):
        right = frame.width - reach + int(ends[0])
    if right - left < frame.height:
        return frame
    return Box(x=frame.x + left, y=frame.y, width=right - left, height=frame.height)
