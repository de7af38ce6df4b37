"""Writing beyond its field's box is followed; what else stands around the field is left out."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.types import Box
from segmentation.prepare import ink_map
from segmentation.spill import around, gather
from tests.segmentation.drawn import draw_digit

BOX = Box(120, 60, 160, 60)


def paper() -> NDArray[np.uint8]:
    return np.full((200, 520), 240, np.uint8)


def write(page: NDArray[np.uint8], *places: int, y: int = 66) -> NDArray[np.uint8]:
    for x in places:
        draw_digit(page, "2", (x, y), digit_height=46, tone=50)
    return page


def test_a_number_that_goes_on_beyond_its_box_is_cut_as_a_whole() -> None:
    page = write(paper(), 140, 185, 230, 275, 320)
    found = gather(page, BOX, [])
    whole, pixels = found.box, found.pixels
    assert whole.x <= BOX.x
    assert whole.right >= 350
    assert pixels.shape == (whole.height, whole.width)
    assert ink_map(pixels).sum() == pytest.approx(ink_map(page).sum(), rel=0.1)


@pytest.mark.parametrize("places", [(420,), ()])
def test_what_stands_far_away_stays_out(places: tuple[int, ...]) -> None:
    whole = gather(write(paper(), 150, 195, *places), BOX, []).box
    assert (whole.x, whole.width) == (BOX.x, BOX.width)


def test_what_is_in_another_field_is_that_ones() -> None:
    page = write(paper(), 140, 185, 230, 290, 335)
    found = gather(page, BOX, [Box(284, 60, 100, 60)])
    assert found.box.right <= 300
    assert ink_map(found.pixels)[:, 284 - found.box.x :].sum() == 0


@pytest.mark.parametrize(("places", "runs_on"), [((255, 290), True), ((230, 290), False), ((255,), False)])
def test_a_number_that_may_go_on_in_another_field_is_told(places: tuple[int, ...], runs_on: bool) -> None:
    page = write(paper(), 140, 185, *places)
    assert gather(page, BOX, [Box(284, 60, 100, 60)]).runs_on is runs_on


def test_what_stands_on_other_rows_in_another_field_does_not_go_on() -> None:
    page = write(write(paper(), 190, 235), 250, y=126)
    assert not gather(page, BOX, [Box(120, 124, 160, 60)]).runs_on


def test_a_word_above_the_line_is_left_out_though_the_field_grows() -> None:
    page = write(paper(), 140, 185, 230, 275)
    cv2.putText(page, "name", (150, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 60, 2)
    pixels = gather(page, BOX, []).pixels
    alone = write(paper(), 140, 185, 230, 275)
    assert ink_map(pixels).sum() == pytest.approx(ink_map(alone).sum(), rel=0.1)


def test_an_empty_field_stays_as_it_is() -> None:
    found = gather(write(paper(), 400), BOX, [])
    assert found.box == BOX
    assert not ink_map(np.ascontiguousarray(found.pixels)).any()


def test_the_surroundings_end_at_the_page() -> None:
    assert around(Box(10, 5, 100, 50), width=150, height=60) == Box(0, 0, 150, 60)
