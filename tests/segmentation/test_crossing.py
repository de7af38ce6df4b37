"""Digits written across a frame's printed side, told from what else stands beside the frame."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.types import Box
from segmentation.crossing import crosses_side
from segmentation.surroundings import Surroundings
from tests.segmentation.drawn import draw_digit

SIZE = 46
FRAME = Box(120, 60, 200, 74)
"""The interior; its printed lines are three pixels thick."""


def page() -> NDArray[np.uint8]:
    grey = np.full((200, 440), 240, np.uint8)
    cv2.rectangle(grey, (FRAME.x - 2, FRAME.y - 2), (FRAME.right + 1, FRAME.bottom + 1), 80, 3)
    return grey


def write(grey: NDArray[np.uint8], x: int, y: int = 74) -> NDArray[np.uint8]:
    draw_digit(grey, "2", (x, y), digit_height=SIZE, tone=50)
    return grey


def crosses(grey: NDArray[np.uint8], sides: str = "lrtb", others: Sequence[Box] = ()) -> bool:
    return crosses_side(Surroundings(grey, FRAME, tuple(others)), FRAME, SIZE, sides=sides)


@pytest.mark.parametrize("x", [160, 220, 270])
def test_digits_inside_cross_no_side(x: int) -> None:
    assert not crosses(write(page(), x))


@pytest.mark.parametrize(
    ("side", "x", "y"), [("l", 98, 74), ("l", 106, 74), ("r", 304, 74), ("r", 309, 74), ("t", 200, 30), ("b", 200, 118)]
)
def test_a_digit_across_a_side_is_seen_at_that_side_alone(side: str, x: int, y: int) -> None:
    grey = write(page(), x, y)
    assert crosses(grey, side)
    assert not crosses(grey, "".join(other for other in "lrtb" if other != side))


def test_what_stands_beside_the_frame_or_in_another_field_does_not_cross_it() -> None:
    grey = write(write(page(), 338), 60)
    assert not crosses(grey)
    across = write(page(), 304)
    assert crosses(across)
    assert not crosses(across, others=[Box(FRAME.right, 60, 100, 74)])


def test_a_frame_of_the_next_cell_does_not_cross_this_one() -> None:
    grey = page()
    cv2.rectangle(grey, (FRAME.right + 1, FRAME.y - 2), (FRAME.right + 90, FRAME.bottom + 1), 80, 3)
    assert not crosses(grey)


def test_at_the_pages_edge_there_is_nothing_to_see() -> None:
    grey = np.ascontiguousarray(page()[:, : FRAME.right + 3])
    assert not crosses(grey, "r")
