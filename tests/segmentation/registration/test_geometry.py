"""Plane geometry: there and back, and what no sheet looks like."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import Box
from segmentation.registration.geometry import (
    boxes_back,
    from_corners,
    is_plausible,
    map_points,
    quarter_turns_of,
    rectangle,
    scaling,
    stretch_px,
    turned,
    turning,
    warp,
)

SIZE = (300, 400)


@given(st.integers(0, 250), st.integers(0, 350), st.integers(1, 50), st.integers(1, 50), st.sampled_from([1, 2, 3]))
def test_a_box_comes_back_from_a_scaled_page_to_the_pixel(x: int, y: int, width: int, height: int, factor: int) -> None:
    page = (SIZE[0] * factor, SIZE[1] * factor)
    box = boxes_back(scaling(SIZE, page), Box(x, y, width, height), width=page[0], height=page[1])
    assert box == Box(x * factor, y * factor, width * factor, height * factor)


@given(st.integers(0, 3), st.integers(0, 250), st.integers(0, 350))
def test_a_box_comes_back_from_a_turned_page_to_the_pixel(turns: int, x: int, y: int) -> None:
    form = np.full((SIZE[1], SIZE[0]), 255, np.uint8)
    form[y : y + 20, x : x + 30] = 0
    page = np.ascontiguousarray(np.rot90(form, -turns))
    there = Box(x, y, min(30, SIZE[0] - x), min(20, SIZE[1] - y))
    box = boxes_back(turning(SIZE, turns), there, width=page.shape[1], height=page.shape[0])
    inside = page[box.slices]
    assert inside.max() == 0
    assert inside.size == int((page == 0).sum())


@pytest.mark.parametrize("turns", range(4))
def test_laying_a_turned_page_gives_the_form_back(turns: int) -> None:
    form = np.random.default_rng(1).integers(0, 255, (SIZE[1], SIZE[0]), np.uint8)
    page = np.ascontiguousarray(np.rot90(form, -turns))
    assert np.abs(warp(page, turning(SIZE, turns), SIZE).astype(int) - form).max() <= 1
    assert quarter_turns_of(turning(SIZE, turns), SIZE) == turns


def test_a_template_turned_in_place_covers_the_same_corners() -> None:
    corners = rectangle(SIZE) * 0.7 + 20
    other = map_points(turned(from_corners(SIZE, corners), SIZE, 1), rectangle(SIZE))
    assert np.allclose(other, np.roll(corners, -1, axis=0), atol=1e-3)


@pytest.mark.parametrize(
    "corners",
    [
        [[0, 0], [0, 400], [300, 400], [300, 0]],  # mirrored
        [[0, 0], [300, 400], [300, 0], [0, 400]],  # folded
        [[150, 200], [152, 200], [152, 203], [150, 203]],  # a point
        [[0, 0], [300, 0], [190, 400], [110, 400]],  # from the horizon
        [[0, 0], [300, 0], [300, 90], [0, 90]],  # squeezed
        [[-290, 0], [10, 0], [10, 400], [-290, 400]],  # beside the picture
    ],
)
def test_what_no_sheet_looks_like_is_not_plausible(corners: list[list[float]]) -> None:
    assert not is_plausible(from_corners(SIZE, np.array(corners, np.float64)), SIZE, SIZE)


def test_a_sheet_in_perspective_is_plausible() -> None:
    corners = np.array([[30, 20], [260, 40], [290, 380], [10, 350]], np.float64)
    assert is_plausible(from_corners(SIZE, corners), SIZE, SIZE)
    assert is_plausible(turned(from_corners(SIZE, corners), SIZE, 2), SIZE, SIZE)


def test_equal_proportions_stretch_by_nothing() -> None:
    assert stretch_px(SIZE, (600, 800)) == pytest.approx(0.0, abs=1e-9)
    assert stretch_px(SIZE, (600, 900)) > 3


def test_a_finer_page_keeps_its_thin_strokes() -> None:
    page = np.full((1600, 1200), 255, np.uint8)
    page[::40, :] = 0
    laid = warp(page, scaling(SIZE, (1200, 1600)), SIZE)
    assert (laid.min(axis=1) < 220).sum() == 40
