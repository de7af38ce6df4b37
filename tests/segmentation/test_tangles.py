"""A digit over another has more loops and ink than one digit."""

import numpy as np
import pytest

from core.types import Box
from segmentation.line import prepare_line
from segmentation.tangles import has_tangle
from tests.segmentation.drawn import draw_digit

BOXES = [Box(27, 21, 42, 66), Box(107, 21, 42, 66)]


def field(first: str, *, over: str = "") -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    pixels = np.full((110, 190), 240, np.uint8)
    for char in first + over:
        draw_digit(pixels, char, (30, 24), digit_height=60, tone=40)
    draw_digit(pixels, "7", (110, 24), digit_height=60, tone=40)
    return pixels


@pytest.mark.parametrize("char", ["0", "1", "2", "4", "7"])
def test_a_digit_by_itself_is_no_tangle(char: str) -> None:
    assert not has_tangle(prepare_line(field(char)), BOXES)


@pytest.mark.parametrize(("char", "over"), [("0", "24"), ("4", "02")])
def test_a_digit_over_another_is(char: str, over: str) -> None:
    assert has_tangle(prepare_line(field(char, over=over)), BOXES)


def test_blank_paper_has_none() -> None:
    assert not has_tangle(prepare_line(np.full((60, 200), 240, np.uint8)), BOXES)
