"""Where the fields of a page are: the whole page, or every run of characters that may be a number.

Without a template nothing says where numbers stand, so all writing is cut into runs, as wide as a word; the
decoder's confidence later tells numbers from words.
"""

from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, FieldCrop, Page
from segmentation.cuts import largest
from segmentation.prepare import clip_box, find_frames, ink_strength, shrink, threshold_ink, to_grey

PAGE_PIXELS: Final = 4_000_000
"""Runs are sought on a page no larger than this; what is read is cut from the full one."""

MIN_HEIGHT: Final = 9
"""Pixels; digits below this height cannot be told apart."""

MAX_CHARACTERS: Final = 12_000
"""Of a page; more than this is texture, and only the largest are looked at. A dense ledger has half as many: the
smallest are its 1s, without which the numbers around them would be read wrong."""

MAX_RUNS: Final = 3000
"""Of a page; a full page of print has some 800 words, and only the largest of more are read."""

MAX_GAP: Final = 1.0
"""Heights between two characters of one number."""

MAX_LENGTH: Final = 20.0
"""Heights that a number is long at most: what is longer is a sentence, or the pattern of a border."""

_Ints = NDArray[np.int64]

BLOT_ASPECT: Final = 0.6
BLOT_SHARE: Final = 0.9
"""Of its box that a blob fills: a thick 1 fills as much, but is slimmer."""


def whole_page(page: Page, *, type_name: str) -> FieldCrop:
    """Return the page as one field of the type, named after it."""
    box = Box(x=0, y=0, width=page.width, height=page.height)
    return FieldCrop(name=type_name, type=type_name, box=box, pixels=to_grey(page))


def find_numbers(page: Page) -> tuple[FieldCrop, ...]:
    """Return every run of characters on a level page that may be a number, in reading order.

    They are named `number_1`, `number_2`, … and are of type `digits`.
    """
    grey = to_grey(page)
    scale = min(1.0, (PAGE_PIXELS / grey.size) ** 0.5)
    small = shrink(grey, scale)
    strength = ink_strength(small)
    ink = threshold_ink(strength)
    frames = find_frames(ink)
    boxes = _characters(ink & ~frames)
    runs = _reading_order(_largest_runs(_short_enough(_join(boxes, _groups(boxes)))))
    clean = _paint_out(grey, frames)
    return tuple(_crop(clean, run / scale, name=f"number_{number}") for number, run in enumerate(runs, start=1))


def _paint_out(grey: NDArray[np.uint8], frames: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return `grey` with the frames in the tone of the paper beside them."""
    if not frames.any():
        return grey
    lines = cv2.dilate(frames.view(np.uint8), np.ones((3, 3), np.uint8))
    lines = cv2.resize(lines, (grey.shape[1], grey.shape[0]), interpolation=cv2.INTER_NEAREST)
    paper = cv2.dilate(grey, np.ones((15, 15), np.uint8))
    return np.where(lines > 0, paper, grey)


def _characters(ink: NDArray[np.bool_]) -> _Ints:
    """Return left, top, right, bottom of each component of a character's size: shape (n, 4), by its left side."""
    _, _, mat, _ = cv2.connectedComponentsWithStats(ink.view(np.uint8), connectivity=8)
    stats = np.asarray(mat, np.int64)[1:]
    x, y, width, height, area = stats.T
    keep = (height >= MIN_HEIGHT) & (area >= 12) & (height <= max(0.9 * min(ink.shape), 0.3 * max(ink.shape)))
    keep = largest(area, keep, most=MAX_CHARACTERS)
    boxes = np.stack([x, y, x + width, y + height], axis=1)[keep]
    return np.asarray(boxes[np.argsort(boxes[:, 0], kind="stable")])


def _groups(boxes: _Ints) -> _Ints:
    """Return the number of the run that each character belongs to: its smallest member's index."""
    group = np.arange(len(boxes))
    first, second = _neighbours(boxes)
    while True:
        lowest = group.copy()
        np.minimum.at(lowest, first, group[second])
        np.minimum.at(lowest, second, group[first])
        lowest = lowest[lowest]
        if np.array_equal(lowest, group):
            return group
        group = lowest


def _neighbours(boxes: _Ints) -> tuple[_Ints, _Ints]:
    """Return the index pairs of characters that stand beside each other on one line."""
    left, top, right, bottom = boxes.T
    height = bottom - top
    pairs = []
    for index in range(len(boxes)):
        # Sorted by their left sides, so candidates follow until one starts too far right.
        reach = right[index] + MAX_GAP * 3 * height[index]
        others = np.arange(index + 1, np.searchsorted(left, reach, side="right"))
        tall = np.maximum(height[others], height[index])
        small = np.minimum(height[others], height[index])
        common = np.minimum(bottom[others], bottom[index]) - np.maximum(top[others], top[index])
        near = left[others] - right[index] <= MAX_GAP * tall
        beside = others[near & (common >= 0.4 * small) & (tall <= 3 * small)]
        pairs.append(np.stack([np.full_like(beside, index), beside]))
    first, second = np.concatenate(pairs, axis=1) if pairs else np.zeros((2, 0), np.int64)
    return first, second


def _join(boxes: _Ints, group: _Ints) -> _Ints:
    """Return the box around each run."""
    runs = [boxes[group == number] for number in np.unique(group)]
    corners = [np.concatenate([run[:, :2].min(axis=0), run[:, 2:].max(axis=0)]) for run in runs]
    return np.array(corners, np.int64).reshape(-1, 4)


def _short_enough(runs: _Ints) -> _Ints:
    return np.asarray(runs[runs[:, 2] - runs[:, 0] <= MAX_LENGTH * (runs[:, 3] - runs[:, 1])])


def _largest_runs(runs: _Ints) -> _Ints:
    area = (runs[:, 2] - runs[:, 0]) * (runs[:, 3] - runs[:, 1])
    return np.asarray(runs[largest(area, np.ones(len(runs), np.bool_), most=MAX_RUNS)])


def _reading_order(runs: _Ints) -> _Ints:
    """Return the runs line by line, each line from left to right."""
    middle = (runs[:, 1] + runs[:, 3]) / 2
    by_height = np.argsort(middle, kind="stable")
    line = np.zeros(len(runs), np.int64)
    for before, index in pairwise(by_height.tolist()):
        same = middle[index] - middle[before] <= 0.5 * (runs[index, 3] - runs[index, 1])
        line[index] = line[before] + (not same)
    return np.asarray(runs[np.lexsort((runs[:, 0], line))])


def _crop(grey: NDArray[np.uint8], run: NDArray[np.float64], *, name: str) -> FieldCrop:
    """Return the field around a run, with a rim that holds its soft edges and its separators' tails."""
    rim = 0.2 * (run[3] - run[1]) + 2
    box = clip_box(run[:2] - rim, run[2:] + rim, width=grey.shape[1], height=grey.shape[0])
    pixels = np.ascontiguousarray(grey[box.slices])
    return FieldCrop(name=name, type="digits", box=box, pixels=pixels)


def is_blot(grey: NDArray[np.uint8]) -> bool:
    """Return whether a crop holds one solid blob about as wide as tall, and so no digit: each has paper within.

    Args:
        grey: uint8, shape (height, width), dark ink on lighter paper.
    """
    ink = grey < (int(grey.min()) + int(grey.max())) / 2
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return False
    height, width = int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
    return BLOT_ASPECT <= width / height <= 1 / BLOT_ASPECT and int(ink.sum()) >= BLOT_SHARE * height * width
