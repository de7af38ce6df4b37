"""Digits that a field's edge cuts off: told by the page around the field, or by what is left of them at its rim."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.types import Box
from segmentation.lattice import cut_field
from segmentation.rims import is_cut_off
from segmentation.surroundings import Surroundings
from tests.segmentation.drawn import crop_of, draw_digit

Grey = NDArray[np.uint8]
SIZE = 46
PITCH = 44
LEFT, TOP = 60, 40


def page(text: str) -> tuple[Grey, list[Box]]:
    """Return a number on a page, and its digits' boxes."""
    grey = np.full((130, 2 * LEFT + PITCH * len(text)), 240, np.uint8)
    boxes = []
    for place, char in enumerate(text):
        alone = np.full_like(grey, 240)
        draw_digit(alone, char, (LEFT + PITCH * place, TOP), digit_height=SIZE, tone=50)
        rows, columns = np.nonzero(alone < 200)
        boxes.append(Box(int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1))
        np.minimum(grey, alone, out=grey)
    return grey, boxes


def is_cut(
    grey: Grey, field: Box, boxes: list[Box], *, on_page: bool, sides: str = "lrtb", others: Sequence[Box] = ()
) -> bool:
    """Return what is said of `field`, of whose digits those with their middles in it were read."""
    pixels = np.ascontiguousarray(grey[field.slices])
    cutting = cut_field(crop_of(pixels))
    read = [_within(box, field) for box in boxes if field.x <= box.x + box.width / 2 < field.right]
    around = Surroundings(grey, field, tuple(others)) if on_page else None
    return is_cut_off(cutting.components, cutting.strength, cutting.scale, read, sides=sides, around=around)


def without_an_end(grey: Grey, boxes: list[Box], side: str) -> Box:
    """Return a field that ends between the two first digits, or the two last ones."""
    left = boxes[0].right + 5 if side == "l" else 20
    right = boxes[-1].x - 5 if side == "r" else grey.shape[1] - 20
    return Box(left, 10, right - left, 110)


def _within(box: Box, field: Box) -> Box:
    left, top = max(box.x, field.x), max(box.y, field.y)
    right = min(box.right, field.right)
    bottom = min(box.bottom, field.bottom)
    return Box(left - field.x, top - field.y, right - left, bottom - top)


@pytest.mark.parametrize("on_page", [True, False])
@pytest.mark.parametrize("text", ["2410", "77", "0142"])
def test_a_number_that_stands_free_is_whole(text: str, *, on_page: bool) -> None:
    grey, boxes = page(text)
    assert not is_cut(grey, Box(20, 10, grey.shape[1] - 40, 110), boxes, on_page=on_page)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("text", ["2410", "0142", "7007"])
def test_on_a_page_ink_that_leads_over_a_side_tells(text: str, share: float) -> None:
    grey, boxes = page(text)
    first, last = boxes[0], boxes[-1]
    left = first.x + round(share * first.width)
    right = last.x + round(share * last.width)
    assert is_cut(grey, Box(left, 10, grey.shape[1] - 20 - left, 110), boxes, on_page=True)
    assert is_cut(grey, Box(20, 10, right - 20, 110), boxes, on_page=True)


def test_on_a_page_ink_that_leads_over_top_or_foot_tells() -> None:
    grey, boxes = page("2410")
    assert is_cut(grey, Box(20, 10, grey.shape[1] - 40, TOP + 30 - 10), boxes, on_page=True)
    assert is_cut(grey, Box(20, TOP + 16, grey.shape[1] - 40, 80), boxes, on_page=True)
    # The very end of a stem is missed by nobody.
    assert not is_cut(grey, Box(20, 10, grey.shape[1] - 40, TOP + SIZE - 4 - 10), boxes, on_page=True)


def test_of_a_picture_of_the_field_alone_a_sign_at_the_rim_tells_that_nobody_read() -> None:
    grey, boxes = page("2400")
    last = boxes[-1]
    field = Box(20, 10, last.x + round(0.45 * last.width) - 20, 110)
    assert is_cut(grey, field, boxes, on_page=False)


def test_of_a_picture_of_the_field_alone_a_digit_that_only_touches_the_rim_tells_nothing() -> None:
    grey, boxes = page("2402")
    first = boxes[0]
    tight = Box(first.x + 1, 10, grey.shape[1] - 20 - first.x, 110)
    assert not is_cut(grey, tight, boxes, on_page=False)


def test_of_a_picture_of_the_field_alone_a_digit_along_the_rim_tells() -> None:
    grey, boxes = page("4120")
    stem = boxes[0]
    # Right through the 4's stem, of which most lies along the edge then.
    column = stem.x + int(np.argmin(grey[TOP : TOP + SIZE, stem.x : stem.right].mean(axis=0)))
    assert is_cut(grey, Box(column, 10, grey.shape[1] - 20 - column, 110), boxes, on_page=False)


@pytest.mark.parametrize("text", ["2410", "0142", "20"])
def test_of_a_picture_of_the_field_alone_all_digits_broadly_at_top_or_foot_tell(text: str) -> None:
    grey, boxes = page(text)
    width = grey.shape[1] - 40
    for share in (0.3, 0.5):
        rest = round((1 - share) * SIZE)
        assert is_cut(grey, Box(20, 10, width, TOP + rest - 10), boxes, on_page=False)
        assert is_cut(grey, Box(20, TOP + SIZE - rest, width, 80), boxes, on_page=False)
        assert not is_cut(grey, Box(20, 10, width, TOP + rest - 10), boxes, on_page=False, sides="lrt")


def test_of_a_picture_of_the_field_alone_top_and_foot_tell_nothing_of_some_digits_or_of_one() -> None:
    grey, boxes = page("2417")
    foot = max(box.bottom for box in boxes)
    # Cut closely, and one digit longer than the others.
    lower = Box(boxes[3].x, boxes[3].y + 12, boxes[3].width, boxes[3].height)
    moved = np.roll(grey, 12, axis=0)
    grey[:, lower.x - 2 : lower.right + 2] = moved[:, lower.x - 2 : lower.right + 2]
    assert not is_cut(grey, Box(20, 10, grey.shape[1] - 40, foot + 6 - 10), [*boxes[:3], lower], on_page=False)
    grey, boxes = page("7")
    assert not is_cut(grey, Box(20, 10, grey.shape[1] - 40, TOP + 30 - 10), boxes, on_page=False)


def test_a_rule_along_the_foot_is_no_cut() -> None:
    grey, boxes = page("2410")
    foot = max(box.bottom for box in boxes)
    field = Box(20, 10, grey.shape[1] - 40, foot - 2 - 10)
    assert is_cut(grey, Box(20, 10, field.width, field.height - 8), boxes, on_page=False)
    # The digits stand on it, so that its mended remains join them at the rim.
    cv2.rectangle(grey, (4, foot - 6), (grey.shape[1] - 4, foot + 8), 60, -1)
    assert not is_cut(grey, field, boxes, on_page=False)


def test_what_stands_across_a_rule_or_far_away_is_nobodys() -> None:
    grey, boxes = page("2410")
    cv2.line(grey, (0, 100), (grey.shape[1], 100), 90, 2)
    whole = Box(20, 10, grey.shape[1] - 40, 110)
    assert not is_cut(grey, whole, boxes, on_page=True)
    assert not is_cut(grey, whole, boxes, on_page=False)


def test_a_side_that_a_frame_closes_is_not_asked() -> None:
    grey, boxes = page("2410")
    cut = Box(20, 10, boxes[-1].x + 8 - 20, 110)
    assert is_cut(grey, cut, boxes, on_page=True, sides="r")
    assert not is_cut(grey, cut, boxes, on_page=True, sides="l")


def test_a_field_in_which_nothing_was_read_may_hold_part_of_a_digit() -> None:
    grey, boxes = page("24")
    assert not is_cut(grey, Box(4, 10, 40, 110), [], on_page=True)
    part = Box(4, 10, boxes[0].x + 8 - 4, 110)
    assert is_cut(grey, part, [], on_page=True)
    assert not is_cut(grey, part, [], on_page=False)
    # The writing of the field next to it.
    assert not is_cut(grey, part, [], on_page=True, others=[Box(boxes[0].x + 6, 10, 90, 110)])


@pytest.mark.parametrize("side", ["l", "r"])
def test_a_digit_that_stands_next_to_the_number_outside_is_missed(side: str) -> None:
    grey, boxes = page("24107")
    field = without_an_end(grey, boxes, side)
    assert is_cut(grey, field, boxes, on_page=True)
    assert not is_cut(grey, field, boxes, on_page=False)


@pytest.mark.parametrize("side", ["l", "r"])
def test_in_another_field_a_digit_is_missed_only_where_it_stands_as_close_as_those_of_one_number(side: str) -> None:
    grey, boxes = page("24107")
    field = without_an_end(grey, boxes, side)
    left, right = field.x, field.right
    other = Box(0, 10, left, 110) if side == "l" else Box(right, 10, 60, 110)
    assert is_cut(grey, field, boxes, on_page=True, others=[other])
    apart = grey.copy()
    if side == "l":
        apart[:, :left] = np.roll(grey[:, :left], -7, axis=1)
    else:
        apart[:, right:] = np.roll(grey[:, right:], 7, axis=1)
    assert is_cut(apart, field, boxes, on_page=True)
    assert not is_cut(apart, field, boxes, on_page=True, others=[other])


def test_printed_lines_around_a_cell_are_no_part_of_its_digits() -> None:
    grey, boxes = page("2410")
    cell = Box(boxes[0].x - 6, TOP - 8, boxes[-1].right + 12 - boxes[0].x, SIZE + 11)
    for x in (cell.x, cell.right):
        cv2.line(grey, (x, 0), (x, grey.shape[0]), 90, 2)
    for y in (cell.y, cell.bottom):
        cv2.line(grey, (0, y), (grey.shape[1], y), 90, 2)
    inside = Box(cell.x + 3, cell.y + 3, cell.width - 5, cell.height - 5)
    assert not is_cut(grey, inside, boxes, on_page=True)


def test_at_the_pages_edge_nobody_knows_what_was_outside() -> None:
    grey, boxes = page("2400")
    scan = np.ascontiguousarray(grey[:, : boxes[-1].x + round(0.45 * boxes[-1].width)])
    assert is_cut(scan, Box(20, 10, scan.shape[1] - 20, 110), boxes, on_page=True)
