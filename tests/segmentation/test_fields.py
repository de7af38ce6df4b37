"""Where numbers are found on a page."""

import cv2
import numpy as np
import pytest

from core.types import Box, Page
from segmentation.fields import find_numbers, is_blot, whole_page
from tests import factories
from tests.segmentation.drawn import field, framed_page


def _holds(outer: Box, inner: Box, *, slack: int = 3) -> bool:
    return (
        outer.x <= inner.x + slack
        and outer.y <= inner.y + slack
        and outer.right >= inner.right - slack
        and outer.bottom >= inner.bottom - slack
    )


def test_a_whole_page_is_one_field_of_the_type() -> None:
    page = Page(0, field("1042"))
    crop = whole_page(page, type_name="digits")
    assert (crop.name, crop.type) == ("digits", "digits")
    assert crop.box == Box(0, 0, page.width, page.height)
    assert crop.pixels.shape == (page.height, page.width)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_number_of_a_ledger_is_a_field_of_its_own(seed: int) -> None:
    drawn = factories.ledger_page(("1203", "99481", "640"), seed=seed)
    crops = find_numbers(Page(0, drawn.image))
    for number in drawn.fields:
        assert sum(_holds(crop.box, number.box) for crop in crops) == 1


def test_numbers_are_named_in_reading_order() -> None:
    page = np.full((300, 700), 225, np.uint8)
    for top, left in ((150, 20), (20, 400), (20, 20)):
        piece = field("42")
        page[top : top + piece.shape[0], left : left + piece.shape[1]] = piece
    crops = find_numbers(Page(0, page))
    assert [crop.name for crop in crops] == ["number_1", "number_2", "number_3"]
    assert [(crop.box.y > 100, crop.box.x > 300) for crop in crops] == [(False, False), (False, True), (True, False)]


def test_a_frame_is_not_part_of_the_number_in_it() -> None:
    crops = find_numbers(Page(0, framed_page()))
    assert len(crops) == 2
    assert all(crop.pixels.shape == (crop.box.height, crop.box.width) for crop in crops)
    assert all(crop.box.height < 80 for crop in crops)
    # The frame's sides, painted over, would be the darkest columns of the crop.
    assert all((crop.pixels < 100).sum(axis=0).max() < 0.75 * crop.box.height for crop in crops)


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (300, 300)])
@pytest.mark.parametrize("tone", [0, 128, 255])
def test_an_even_page_holds_no_number(shape: tuple[int, int], tone: int) -> None:
    assert find_numbers(Page(0, np.full(shape, tone, np.uint8))) == ()


def test_a_solid_blob_is_no_digit_and_digits_are_no_blobs() -> None:
    paper = np.full((30, 30), 230, np.uint8)
    blob, one, zero = paper.copy(), paper.copy(), paper.copy()
    blob[8:20, 9:20] = 30
    one[4:26, 13:18] = 30
    cv2.ellipse(zero, (15, 15), (7, 9), 0, 0, 360, 30, 3)
    assert is_blot(blob)
    assert not is_blot(one)
    assert not is_blot(zero)
    assert not is_blot(paper)
