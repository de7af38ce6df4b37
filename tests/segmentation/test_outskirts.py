"""Writing beside an empty field, told from what is far from it, what is no digit, and what other fields hold."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.types import Box
from segmentation.outskirts import is_written_beside, outskirts
from segmentation.surroundings import Surroundings
from tests.segmentation.drawn import draw_digit

BOX = Box(200, 130, 200, 60)


def page(*places: tuple[int, int]) -> NDArray[np.uint8]:
    """Return paper with a digit 40 pixels tall at each of the places."""
    grey = np.full((320, 620), 240, np.uint8)
    for place in places:
        draw_digit(grey, "2", place, digit_height=40, tone=50)
    return grey


@pytest.mark.parametrize("place", [(260, 205), (260, 70), (420, 140), (140, 140)])
def test_a_digit_close_to_the_box_is_writing_beside_it(place: tuple[int, int]) -> None:
    assert is_written_beside(Surroundings(page(place), BOX))
    assert not is_written_beside(Surroundings(page(place), BOX, (Box(place[0] - 5, place[1] - 5, 50, 50),)))


@pytest.mark.parametrize("place", [(260, 250), (260, 30), (480, 140), (60, 140), (280, 140)])
def test_a_digit_far_from_the_box_or_in_it_is_none(place: tuple[int, int]) -> None:
    assert not is_written_beside(Surroundings(page(place), BOX))


def test_dots_lines_and_brackets_are_none() -> None:
    grey = page()
    cv2.circle(grey, (420, 150), 5, 50, -1)
    cv2.line(grey, (180, 210), (480, 210), 50, 3)
    cv2.line(grey, (430, 80), (430, 300), 50, 3)
    assert not is_written_beside(Surroundings(grey, BOX))


def test_what_is_looked_at_ends_with_the_page() -> None:
    assert outskirts(Box(10, 5, 100, 50), width=150, height=90) == Box(0, 0, 150, 90)
