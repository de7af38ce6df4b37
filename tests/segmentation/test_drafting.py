"""Which places to write are found on an empty form, and which print is left alone."""

import numpy as np
import pytest

from core.types import Box, Page
from segmentation.drafting import Blank, Kind, find_blanks
from tests.segmentation.blank_form import ASKED, blank_form


def overlap(first: Box, second: Box) -> float:
    """Return the share of both boxes together that they have in common."""
    width = min(first.right, second.right) - max(first.x, second.x)
    height = min(first.bottom, second.bottom) - max(first.y, second.y)
    common = max(0, width) * max(0, height)
    return common / (first.width * first.height + second.width * second.height - common)


def found_for(blanks: tuple[Blank, ...], box: Box) -> Blank:
    return max(blanks, key=lambda blank: overlap(blank.box, box))


@pytest.mark.parametrize(
    ("angle_degrees", "noise"), [(0.0, 0.0), (0.0, 6.0), (0.15, 3.0)], ids=["as printed", "grain", "a little askew"]
)
def test_every_place_to_write_is_found_and_nothing_else(angle_degrees: float, noise: float) -> None:
    blanks = find_blanks(blank_form(angle_degrees=angle_degrees, noise=noise))
    found = [(name, found_for(blanks, box), box) for name, _, box, _ in ASKED]
    assert [(name, blank.kind, blank.cells) for name, blank, _ in found] == [
        (name, kind, cells) for name, kind, _, cells in ASKED
    ]
    assert [name for name, blank, box in found if overlap(blank.box, box) < 0.7] == []
    assert len(blanks) == len(ASKED)


def test_the_cells_of_a_comb_are_its_equal_parts() -> None:
    blanks = find_blanks(blank_form())
    for name, _, box, cells in ASKED:
        if cells:
            found = found_for(blanks, box)
            assert abs(found.box.width / cells - box.width / cells) < 0.06 * box.width / cells, name
            assert abs(found.box.x - box.x) < 8, name


def test_blanks_come_in_reading_order() -> None:
    tops = [blank.box.y for blank in find_blanks(blank_form())]
    assert tops == sorted(tops)


def test_boxes_are_in_pixels_of_the_page() -> None:
    small = blank_form()
    large = Page(index=0, pixels=np.kron(small.pixels, np.ones((2, 2), np.uint8)))
    doubled = [(blank.box.x / 2, blank.box.width / 2, blank.cells) for blank in find_blanks(large)]
    assert doubled == [
        (pytest.approx(blank.box.x, abs=4), pytest.approx(blank.box.width, abs=6), blank.cells)
        for blank in find_blanks(small)
    ]


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3), (40, 40)])
def test_any_picture_has_an_answer(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, size, np.uint8)
    for pixels in (noise, np.full(size, 255, np.uint8), np.zeros(size, np.uint8)):
        for blank in find_blanks(Page(index=0, pixels=pixels)):
            assert blank.kind in set(Kind)
            assert blank.box.right <= size[1]
            assert blank.box.bottom <= size[0]
