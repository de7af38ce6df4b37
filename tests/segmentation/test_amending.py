"""A digit right above or below a comb, told from print, from what sticks out of the boxes and from other fields."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.types import Box
from segmentation.amending import is_amended
from segmentation.combs import find_comb
from segmentation.surroundings import Surroundings
from tests.segmentation.drawn import draw_digit

Grey = NDArray[np.uint8]
ROW = Box(100, 130, 480, 70)
FIELD = Box(90, 120, 500, 90)
DIGIT = 40


def page(*places: tuple[int, int]) -> Grey:
    """Return a filled comb of eight boxes on its page, with a digit more at each of the places."""
    grey = np.full((340, 700), 240, np.uint8)
    for cell in range(8):
        left, right = (ROW.x + 60 * end for end in (cell, cell + 1))
        cv2.rectangle(grey, (left, ROW.y), (right, ROW.bottom), 90, 2)
        draw_digit(grey, "27042014"[cell], (left + 16, ROW.y + 14), digit_height=DIGIT, tone=50)
    for place in places:
        draw_digit(grey, "2", place, digit_height=DIGIT, tone=50)
    return grey


def amended(grey: Grey, *others: Box) -> bool:
    comb = find_comb(np.ascontiguousarray(grey[FIELD.slices]), cells=(8,))
    assert comb is not None
    return is_amended(Surroundings(grey, FIELD, others), comb)


@pytest.mark.parametrize("y", [ROW.y - DIGIT - 14, ROW.bottom + 14])
def test_a_digit_right_above_or_below_a_comb_amends_it_unless_another_field_holds_it(y: int) -> None:
    assert not amended(page())
    assert amended(page((240, y)))
    assert not amended(page((240, y)), Box(230, y - 10, 70, 60))


def test_the_picture_of_a_field_alone_shows_what_is_in_it() -> None:
    grey = page((240, ROW.bottom + 14))
    comb = find_comb(grey, cells=(8,))
    assert comb is not None
    assert is_amended(Surroundings(grey, Box(0, 0, 700, 340)), comb)


@pytest.mark.parametrize("y", [ROW.y - DIGIT - 45, ROW.bottom + 45])
def test_a_digit_further_off_does_not(y: int) -> None:
    assert not amended(page((240, y)))


def test_letters_below_the_boxes_and_rows_of_other_numbers_do_not() -> None:
    assert not amended(page(*((116 + 60 * cell, ROW.bottom + 12) for cell in range(8))))
    lettered = page()
    cv2.putText(lettered, "Read on (day, month, year)", (100, 118), cv2.FONT_HERSHEY_COMPLEX, 0.8, 60, 2, cv2.LINE_AA)
    assert not amended(lettered)


def test_what_sticks_out_of_a_box_does_not() -> None:
    grey = page()
    cv2.line(grey, (270, ROW.y - 25), (260, ROW.y + 40), 50, 4)
    assert not amended(grey)
