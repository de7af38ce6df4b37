"""The edges of a sheet: found in clutter and shadow, and not made up where there are none."""

import cv2
import numpy as np
import pytest

from segmentation.registration.sheet import find_sheet
from tests.segmentation.registration.drawn import A4, capture, draw_form, phone


@pytest.mark.parametrize("seed", [201, 202, 203, 204])
def test_corners_are_found_to_the_pixel(seed: int) -> None:
    pixels, corners = capture(draw_form(seed), phone(seed))
    sheet = find_sheet(pixels, A4)
    assert sheet is not None
    away = min(np.hypot(*(np.roll(sheet.corners, turn, axis=0) - corners).T).max() for turn in range(4))
    assert away < 1.5
    assert sheet.residual_px < 1.0


def test_a_grey_picture_will_do() -> None:
    pixels, corners = capture(draw_form(7), phone(207))
    sheet = find_sheet(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8), A4)
    assert sheet is not None
    assert min(np.hypot(*(np.roll(sheet.corners, turn, axis=0) - corners).T).max() for turn in range(4)) < 1.5


def test_a_printed_frame_is_no_sheet() -> None:
    form = draw_form(3)
    cv2.rectangle(form, (60, 60), (A4[0] - 60, A4[1] - 60), 0, 5)
    assert find_sheet(form, A4) is None


def test_a_table_without_a_sheet_has_none() -> None:
    rng = np.random.default_rng(1)
    table = cv2.GaussianBlur(rng.normal(120, 40, (900, 700, 3)).astype(np.float32), (0, 0), 4)
    assert find_sheet(np.clip(table, 0, 255).astype(np.uint8), A4) is None


def test_a_sheet_that_is_cut_off_on_one_side_ends_at_the_picture() -> None:
    picture = np.full((1000, 800, 3), (60, 80, 110), np.uint8)
    cv2.fillPoly(picture, [np.array([[0, 60], [700, 80], [690, 950], [0, 940]], np.int32)], (235, 238, 240))
    sheet = find_sheet(picture, A4)
    assert sheet is not None
    assert sheet.corners[:, 0].min() == pytest.approx(0, abs=2)
    assert sheet.corners[:, 0].max() == pytest.approx(700, abs=3)
