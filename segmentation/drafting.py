"""What an empty form asks for: its boxes, its combs, and the blanks above its lines.

```
Page of an empty form ─ level and upright lines ─▶ interiors, lines left over ─▶ Blanks in reading order
```

`forms.drafts` makes a template of them. What is printed inside a box is its label: only the empty part counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, Page
from segmentation.prepare import ink_strength, shrink, threshold_ink, to_grey

WORKING_SIDE: Final = 2000
"""The longer side, in pixels: a line of a form is one to six of them thick."""

MIN_CELL: Final = 0.007
"""Of the longer side: no digit fits into a box less tall. 2 mm on A4."""

MAX_BOX_HEIGHT: Final = 0.09
"""Of the longer side: what is taller is a part of the form with other things in it."""

MIN_FILL: Final = 0.9
"""Share of its bounding rectangle that a box's inside fills."""

LEVEL_RUN: Final = 0.012
"""Of the longer side: level ink without a gap is a line from here on; the bar of a T is shorter."""

MIN_LINE: Final = 0.035
"""Of the longer side: the shortest line to write on."""

MAX_LINE: Final = 0.7
"""Of the page's width: what is longer divides the form."""

MAX_THICKNESS: Final = 0.004
"""Of the longer side."""

DOT_PITCH: Final = 0.009
"""Of the longer side: the dots of a dotted line are nearer to one another."""

DOT_SIZE: Final = 0.0035
"""Of the longer side, at most."""

DOTS_LEVEL: Final = 3
"""Pixels by which the dots of a line lie above one another; the scraps of faint letters lie anywhere."""

MIN_DOTS: Final = 10

MIN_LEVEL: Final = 0.85
"""Of a row's dots that lie on one level."""

MAX_SLOPE: Final = 0.01
"""Pixels that a line of a scanned form falls for each pixel that it is long."""

LABEL_INK: Final = 0.004
"""Share of a box that is inked by more than dust: it holds a label."""

MIN_FREE: Final = 0.4
"""Share of a box's width that is left to write in beside its label."""

WRITING_HEIGHT: Final = 0.022
"""Of the longer side: what is taken above a line, where so much is free; 6.5 mm on A4."""

MIN_COMB: Final = 3
"""Equal boxes side by side from which they are a comb."""

CELL_ASPECT: Final = (0.4, 1.7)
"""Heights that a comb's box is wide."""

SAME: Final = 0.2
"""By which the boxes of a comb, and the distances between them, differ at most."""

MAX_GAP: Final = 0.8
"""Widths of a comb's box between one and the next."""

_Bits = NDArray[np.uint8]


class Kind(StrEnum):
    """What is printed around a blank."""

    BOX = "box"
    COMB = "comb"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Blank:
    """A place to write on a form: its box in pixels of the page, and the boxes of a comb side by side."""

    kind: Kind
    box: Box
    cells: int | None = None


def find_blanks(page: Page) -> tuple[Blank, ...]:
    """Return the places to write on an empty form, in reading order.

    Args:
        page: level, as a scanner gives it, or the form's own picture.
    """
    grey = to_grey(page)
    scale = min(1.0, WORKING_SIDE / max(grey.shape))
    ink = threshold_ink(ink_strength(shrink(grey, scale))).view(np.uint8)
    cells = _cells(ink)
    blanks = [*_in_cells(cells, ink), *_on_lines(ink, cells)]
    whole = Box(0, 0, page.width, page.height)
    return tuple(replace(blank, box=_enlarged(blank.box, scale, whole)) for blank in _reading_order(blanks))


def _cells(ink: _Bits) -> list[Box]:
    """Return the insides of all rectangles of a box's size, whatever is printed in them."""
    side = max(ink.shape)
    level = _level(ink)
    walls = cv2.dilate(level | _meeting(_upright(ink), level), np.ones((3, 3), np.uint8))
    _, _, mat, _ = cv2.connectedComponentsWithStats((walls == 0).view(np.uint8), connectivity=4)
    boxes = []
    for x, y, width, height, area in np.asarray(mat, np.int64)[1:].tolist():
        tall = MIN_CELL * side <= height <= MAX_BOX_HEIGHT * side
        outer = x == 0 or y == 0 or x + width == ink.shape[1] or y + height == ink.shape[0]
        if tall and not outer and width >= CELL_ASPECT[0] * height and area >= MIN_FILL * width * height:
            boxes.append(Box(x, y, width, height))
    return boxes


def _level(ink: _Bits) -> _Bits:
    """Return the level lines; a line that is a little askew steps from row to row."""
    run = max(16, round(LEVEL_RUN * max(ink.shape)))
    joined = cv2.dilate(ink, np.ones((3, 1), np.uint8))
    lines = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, run), np.uint8), borderValue=0)
    return np.asarray(cv2.bitwise_and(lines, ink), np.uint8)


def _upright(ink: _Bits) -> _Bits:
    run = max(10, round(MIN_CELL * max(ink.shape)))
    joined = cv2.dilate(ink, np.ones((1, 3), np.uint8))
    lines = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((run, 1), np.uint8), borderValue=0)
    return np.asarray(cv2.bitwise_and(lines, ink), np.uint8)


def _meeting(upright: _Bits, level: _Bits) -> _Bits:
    """Return the upright lines that reach a level one, as sides of boxes do and stems of letters do not."""
    _, labels, _, _ = cv2.connectedComponentsWithStats(upright, connectivity=8)
    near = cv2.dilate(level, np.ones((7, 7), np.uint8)) > 0
    reaching = np.zeros(int(labels.max()) + 1, np.uint8)
    reaching[labels[near]] = 1
    reaching[0] = 0
    return np.asarray(reaching[labels], np.uint8)


def _in_cells(cells: Sequence[Box], ink: _Bits) -> list[Blank]:
    """Return combs of equal boxes, letters in them or not, and the other boxes one by one, each without its label."""
    combs, rest = _combs(cells)
    ends = {box: _label_end(box, ink) for box in rest}
    open_boxes = [box for box in rest if not _labels_next(box, ends)]
    single = [free for box in open_boxes if (free := _beside_label(box, ink)) is not None and _holds_number(free)]
    return [*combs, *(Blank(Kind.BOX, box) for box in single)]


def _labels_next(box: Box, ends: dict[Box, int | None]) -> bool:
    """Return whether a box with print in it says what the box at its right is for, or stands beside another label.

    Args:
        box: one of `ends`.
        ends: of each box where its label ends, see `_label_end`.
    """
    if ends[box] == 0:
        return False
    for other, end in ends.items():
        beside = 0 <= other.x - box.right <= 0.3 * box.height
        if beside and abs(other.y - box.y) <= SAME * box.height and (end == 0 or end is None):
            return True
    return False


def _holds_number(box: Box) -> bool:
    """Return whether a box by itself is more than a place for a tick: it is wider than tall."""
    return box.width >= 1.3 * box.height


def _label_end(box: Box, ink: _Bits) -> int | None:
    """Return the column of the box, from its left side, at which its label ends; 0 without one, None if it is full."""
    rim = max(2, box.height // 10)
    inside = ink[box.y + rim : box.bottom - rim, box.x + rim : box.right - rim]
    if inside.size == 0 or float(inside.mean()) < LABEL_INK:
        return 0
    inked = np.flatnonzero(inside.any(axis=0))
    end = rim + int(inked[-1]) + 1 + box.height // 4
    return end if box.width - end >= MIN_FREE * box.width else None


def _beside_label(box: Box, ink: _Bits) -> Box | None:
    end = _label_end(box, ink)
    return None if end is None else replace(box, x=box.x + end, width=box.width - end)


def _combs(boxes: Sequence[Box]) -> tuple[list[Blank], list[Box]]:
    """Return the combs among boxes, and the boxes that belong to none."""
    combs: list[Blank] = []
    rest: list[Box] = []
    for row in _rows(boxes):
        for run in _runs(row):
            if len(run) >= MIN_COMB:
                combs.append(_comb(run))
            else:
                rest += run
    return combs, rest


def _rows(boxes: Sequence[Box]) -> list[list[Box]]:
    """Return boxes of one height that stand side by side, each row from left to right."""
    rows: list[list[Box]] = []
    for box in sorted(boxes, key=lambda box: (box.y, box.x)):
        for row in rows:
            near = abs(row[0].y - box.y) <= SAME * box.height
            if near and abs(row[0].height - box.height) <= SAME * box.height:
                row.append(box)
                break
        else:
            rows.append([box])
    return [sorted(row, key=lambda box: box.x) for row in rows]


def _runs(row: Sequence[Box]) -> list[list[Box]]:
    """Return the row cut wherever the boxes, or the distances between them, are no longer equal."""
    runs: list[list[Box]] = []
    for box in row:
        if runs and _goes_on(runs[-1], box):
            runs[-1].append(box)
        else:
            runs.append([box])
    return runs


def _goes_on(run: Sequence[Box], box: Box) -> bool:
    """Return whether a box continues a comb; one box between them may be lost to what is written in it."""
    last = run[-1]
    pitch = float(box.x - last.x)
    steady = True
    if len(run) > 1:
        known = _pitch(run)
        pitch /= 2 if abs(pitch - 2 * known) < abs(pitch - known) else 1
        steady = abs(pitch - known) <= max(2.0, 0.5 * SAME * known)
    fits = CELL_ASPECT[0] * box.height <= box.width <= CELL_ASPECT[1] * box.height
    equal = abs(box.width - last.width) <= max(2.0, SAME * last.width)
    return fits and equal and steady and pitch - last.width <= MAX_GAP * last.width


def _pitch(run: Sequence[Box]) -> float:
    return float(np.median([after.x - before.x for before, after in pairwise(run)]))


def _comb(run: Sequence[Box]) -> Blank:
    """Return the comb whose equal parts are the run's boxes, with half the distance to the next on both sides."""
    pitch = _pitch(run)
    gap = pitch - float(np.median([box.width for box in run]))
    left, right = max(0, round(run[0].x - gap / 2)), round(run[-1].right + gap / 2)
    top, bottom = min(box.y for box in run), max(box.bottom for box in run)
    return Blank(Kind.COMB, Box(left, top, right - left, bottom - top), cells=round((right - left) / pitch))


def _on_lines(ink: _Bits, cells: Sequence[Box]) -> list[Blank]:
    """Return the blanks above lines that belong to no box, and below lines from whose ends sides hang down."""
    side = max(ink.shape)
    upright = _upright(ink)
    blanks = []
    for line in [*_solid_lines(ink), *_dotted_lines(ink)]:
        if not MIN_LINE * side <= line.width <= MAX_LINE * ink.shape[1] or _is_wall(line, cells):
            continue
        rising, hanging = _sides(line, upright, upwards=True), _sides(line, upright, upwards=False)
        least = 1.2 * MIN_CELL * side
        if min(hanging) >= least:
            free = _beside_label(Box(line.x, line.bottom, line.width, min(hanging)), ink)
            if free is not None and free.height <= MAX_BOX_HEIGHT * side:
                blanks.append(Blank(Kind.BOX, free))
        elif max(hanging) >= least or (max(rising) >= least > min(rising)):
            continue  # a corner's mark
        elif (above := _free_above(line, ink)) is not None:
            blanks.append(Blank(Kind.LINE, above))
    return blanks


def _solid_lines(ink: _Bits) -> list[Box]:
    """Return thin level lines; pieces of one that is askew, or was scanned with gaps, as one."""
    side = max(ink.shape)
    _, _, mat, _ = cv2.connectedComponentsWithStats(cv2.dilate(_level(ink), np.ones((3, 5), np.uint8)), connectivity=8)
    pieces = [Box(x, y + 1, width, max(1, height - 2)) for x, y, width, height, _ in np.asarray(mat)[1:].tolist()]
    thin = [box for box in pieces if box.height <= max(4, MAX_THICKNESS * side)]
    lines: list[Box] = []
    for box in sorted(thin, key=lambda box: box.x):
        for place, line in enumerate(lines):
            gap = box.x - line.right
            if abs(line.y - box.y) <= 6 and gap <= MIN_LINE * side:
                lines[place] = _around(line, box)
                break
        else:
            lines.append(box)
    return lines


def _dotted_lines(ink: _Bits) -> list[Box]:
    """Return rows of many dots on one level; the dots of letters and sentences stand alone."""
    side = max(ink.shape)
    _, labels, mat, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    stats = np.asarray(mat, np.int64)
    small = stats[:, 2:4].max(axis=1) <= max(3.0, DOT_SIZE * side)
    dots = small.astype(np.uint8)[labels]
    joined = cv2.morphologyEx(dots, cv2.MORPH_CLOSE, np.ones((1, round(DOT_PITCH * side) | 1), np.uint8))
    _, rows, mat, _ = cv2.connectedComponentsWithStats(cv2.dilate(joined, np.ones((3, 1), np.uint8)), connectivity=8)
    x, y, width, height = stats[small, :4].T
    row_of_dot = rows[y + height // 2, x + width // 2]
    lines = []
    for row, (left, top, long, tall, _) in enumerate(np.asarray(mat, np.int64).tolist()):
        members = np.flatnonzero(row_of_dot == row)
        if row == 0 or len(members) < MIN_DOTS:
            continue
        feet = (y + height)[members]
        level = np.abs(feet - np.median(feet)) <= (DOTS_LEVEL + MAX_SLOPE * long) / 2 + 1
        # The colon of a label joins on: its upper dot lies above the others.
        if np.count_nonzero(level) >= max(MIN_DOTS, MIN_LEVEL * len(members)):
            lines.append(Box(left, top, long, tall))
    return lines


def _sides(line: Box, upright: _Bits, *, upwards: bool) -> tuple[int, int]:
    """Return how long the upright lines are that start at the left and the right end of a level one."""
    reach = 8
    lengths = []
    for end in (line.x, line.right):
        columns = np.asarray(upright[:, max(0, end - reach) : end + reach].any(axis=1))
        on = columns[: line.bottom][::-1] if upwards else columns[line.y :]
        start = int(np.argmax(on[:reach])) if bool(np.any(on[:reach])) else len(on)
        gaps = np.flatnonzero(~on[start:])
        lengths.append(int(gaps[0]) if len(gaps) else len(on) - start)
    return lengths[0], lengths[1]


def _around(first: Box, second: Box) -> Box:
    x, y = min(first.x, second.x), min(first.y, second.y)
    right = max(first.right, second.right)
    bottom = max(first.bottom, second.bottom)
    return Box(x, y, right - x, bottom - y)


def _is_wall(line: Box, cells: Sequence[Box]) -> bool:
    """Return whether a level line is the upper or lower side of a box."""
    for box in cells:
        near = min(abs(line.y - box.bottom), abs(line.bottom - box.y)) <= 6
        if near and box.x < line.right and line.x < box.right:
            return True
    return False


def _free_above(line: Box, ink: _Bits) -> Box | None:
    """Return what is free above a line, with a little below it for descenders; None where something stands on it."""
    side = max(ink.shape)
    wanted = round(WRITING_HEIGHT * side)
    gap = 2
    top = max(0, line.y - wanted)
    rows = ink[top : line.y - gap, line.x + gap : line.right - gap].mean(axis=1)
    inked = np.flatnonzero(rows > LABEL_INK)
    free = len(rows) if not len(inked) else len(rows) - 1 - int(inked[-1])
    if free < 1.2 * MIN_CELL * side:
        return None
    below = min(ink.shape[0], line.bottom + free // 8)
    start = line.y - gap - free
    return Box(line.x, start, line.width, below - start)


def _reading_order(blanks: Sequence[Blank]) -> list[Blank]:
    """Return the blanks line by line, each line from left to right."""
    lines: list[list[Blank]] = []
    for blank in sorted(blanks, key=lambda blank: blank.box.y + blank.box.height / 2):
        middle = blank.box.y + blank.box.height / 2
        last = lines[-1][-1].box if lines else None
        if last is not None and abs(last.y + last.height / 2 - middle) <= 0.5 * min(last.height, blank.box.height):
            lines[-1].append(blank)
        else:
            lines.append([blank])
    return [blank for line in lines for blank in sorted(line, key=lambda blank: blank.box.x)]


def _enlarged(box: Box, scale: float, within: Box) -> Box:
    """Return the box in pixels of the page."""
    x, y = round(box.x / scale), round(box.y / scale)
    right = min(within.width, round(box.right / scale))
    bottom = min(within.height, round(box.bottom / scale))
    return Box(x, y, max(1, right - x), max(1, bottom - y))
