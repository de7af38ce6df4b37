"""Writing in a field in which nothing was read, told from dashes and from what is left of print."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from segmentation.lattice import cut_field
from segmentation.unread import holds_writing
from tests.segmentation.drawn import crop_of, draw_digit


def paper() -> NDArray[np.uint8]:
    return np.full((90, 320), 240, np.uint8)


def is_written(grey: NDArray[np.uint8]) -> bool:
    return holds_writing(cut_field(crop_of(grey)).components)


@pytest.mark.parametrize("top", [-38, -30, 20, 66, 76])
def test_digits_and_what_the_field_has_of_them_are_writing(top: int) -> None:
    page = np.full((250, 320), 240, np.uint8)
    for place, char in enumerate("274"):
        draw_digit(page, char, (60 + 50 * place, 80 + top), digit_height=50, tone=50)
    assert is_written(np.ascontiguousarray(page[80:170]))


def test_blank_paper_and_dashes_are_none() -> None:
    grey = paper()
    assert not is_written(grey)
    cv2.line(grey, (60, 47), (120, 43), 50, 3)
    assert not is_written(grey)


@pytest.mark.parametrize("x", [0, 318])
def test_what_is_left_of_a_printed_side_is_none(x: int) -> None:
    grey = paper()
    grey[30:70, x : x + 2] = 60
    assert not is_written(grey)


def test_the_end_of_a_stroke_from_above_is_none_and_more_of_it_is() -> None:
    grey = paper()
    grey[:7, 100:104] = 50
    assert not is_written(grey)
    grey[:12, 100:104] = 50
    assert is_written(grey)
