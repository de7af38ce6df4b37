"""Strokes through a number: found where it was struck out, and not in what writing has by itself."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.types import Box
from segmentation.line import prepare_line
from segmentation.strikes import Strike, find_strike
from tests.segmentation.drawn import draw_digit

Grey = NDArray[np.uint8]
HEIGHT = 60
PITCH = 52


def number(text: str) -> tuple[Grey, list[Box]]:
    """Return a number on paper and its digits' boxes."""
    field = np.full((110, 60 + PITCH * len(text)), 240, np.uint8)
    boxes = []
    for place, char in enumerate(text):
        draw_digit(field, char, (30 + PITCH * place, 24), digit_height=HEIGHT, tone=40)
        window = field[:, 30 + PITCH * place - 8 : 30 + PITCH * (place + 1) - 8]
        rows, columns = np.nonzero(window < 200)
        left = 30 + PITCH * place - 8 + int(columns.min())
        boxes.append(Box(left, int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1))
    return field, boxes


def line_through(field: Grey, start: tuple[int, int], end: tuple[int, int]) -> Grey:
    struck = field.copy()
    cv2.line(struck, start, end, 40, 4, cv2.LINE_AA)
    return struck


@pytest.mark.parametrize("text", ["42", "1724", "204217", "10"])
@pytest.mark.parametrize("fall", [-12, 0, 15])
def test_a_stroke_through_all_digits_is_found(text: str, fall: int) -> None:
    field, boxes = number(text)
    middle = 24 + HEIGHT // 2
    struck = line_through(field, (14, middle - fall // 2), (field.shape[1] - 14, middle + fall // 2))
    assert find_strike(prepare_line(struck), boxes) is Strike.CLEAR
    assert find_strike(prepare_line(field), boxes) is Strike.NONE


def test_two_strokes_across_each_other_are_found() -> None:
    field, boxes = number("204217")
    right = field.shape[1] - 20
    struck = line_through(line_through(field, (20, 26), (right, 84)), (20, 84), (right, 26))
    assert find_strike(prepare_line(struck), boxes) is not Strike.NONE


@pytest.mark.parametrize("y", [24 + HEIGHT + 4, 24 + HEIGHT - 3, 24 + HEIGHT + 14])
def test_a_line_to_write_on_strikes_nothing_out(y: int) -> None:
    field, boxes = number("1724")
    ruled = line_through(field, (2, y), (field.shape[1] - 3, y))
    assert find_strike(prepare_line(ruled), boxes) is Strike.NONE


def test_a_stroke_that_ends_before_the_last_digit_is_a_bar() -> None:
    field, boxes = number("1724")
    barred = line_through(field, (30 + PITCH - 6, 52), (30 + 2 * PITCH, 52))
    assert find_strike(prepare_line(barred), boxes) is Strike.NONE


def test_dashes_beside_a_number_are_not_through_it() -> None:
    field, boxes = number("1724")
    wide = np.full((110, field.shape[1] + 200), 240, np.uint8)
    wide[:, : field.shape[1]] = field
    tailed = line_through(wide, (field.shape[1] - 10, 54), (field.shape[1] + 180, 54))
    assert find_strike(prepare_line(tailed), boxes) is Strike.NONE


def test_one_digit_with_a_bar_is_a_digit() -> None:
    field, boxes = number("7")
    assert find_strike(prepare_line(line_through(field, (20, 52), (90, 52))), boxes) is Strike.NONE


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-50, 700), st.integers(-50, 150), st.integers(1, 300), st.integers(1, 200)), max_size=6
    ),
    st.integers(0, 99),
)
def test_any_boxes_on_any_picture_get_an_answer(sides: list[tuple[int, int, int, int]], seed: int) -> None:
    field = np.random.default_rng(seed).integers(0, 256, (60, 300)).astype(np.uint8)
    assert find_strike(prepare_line(field), [Box(*each) for each in sorted(sides)]) in set(Strike)
