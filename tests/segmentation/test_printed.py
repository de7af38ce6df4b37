"""Lines of print are found in a loose box and laid level at one size."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from segmentation.printed import ABOVE, MAX_ROW_WIDTH, TEXT_ROWS, PrintRow, find_rows, lay_row

Grey = NDArray[np.uint8]

HEIGHT = 40
WIDTH = 26
PITCH = 34


def page(shape: tuple[int, int] = (180, 900), level: int = 235) -> Grey:
    return np.full(shape, level, np.uint8)


def put(grey: Grey, count: int, *, at: tuple[int, int], scale: float = 1.0, slope: float = 0.0) -> None:
    """Print a row of zeros, `HEIGHT` pixels tall, its upper left corner `at` column and row."""
    for place in range(count):
        x = at[0] + round(place * PITCH * scale)
        y = at[1] + round(slope * place * PITCH * scale)
        middle = x + round(WIDTH * scale / 2), y + round(HEIGHT * scale / 2)
        axes = round((WIDTH - 6) * scale / 2), round((HEIGHT - 6) * scale / 2)
        cv2.ellipse(grey, middle, axes, 0, 0, 360, 30, max(2, round(6 * scale)), cv2.LINE_AA)


def longest(grey: Grey) -> PrintRow:
    return find_rows(grey)[0]


def test_a_row_is_found_where_it_stands() -> None:
    grey = page()
    put(grey, 12, at=(200, 60))
    row = longest(grey)
    assert row.parts == 12
    assert (row.left, row.top) == pytest.approx((200 - HEIGHT / 2, 60), abs=3)
    assert row.height == pytest.approx(HEIGHT, abs=3)
    assert row.right == pytest.approx(200 + 11 * PITCH + WIDTH + HEIGHT / 2, abs=3)


@pytest.mark.parametrize("scale", [0.4, 0.7, 1.6])
def test_print_of_any_size_is_laid_at_one_size(scale: float) -> None:
    grey = page((300, 1200))
    put(grey, 10, at=(100, 90), scale=scale)
    laid = lay_row(grey, longest(grey))
    assert laid.shape[0] == 32
    inked = np.flatnonzero((laid > 128).any(axis=1))
    assert inked[0] == pytest.approx(ABOVE, abs=2)
    assert inked[-1] - inked[0] + 1 == pytest.approx(TEXT_ROWS, abs=3)
    assert laid.shape[1] == pytest.approx(TEXT_ROWS * (9 * PITCH + WIDTH + 2 * HEIGHT) / HEIGHT, rel=0.08)


@pytest.mark.parametrize("slope", [-0.04, 0.03])
def test_a_row_that_slopes_is_laid_level(slope: float) -> None:
    grey = page()
    put(grey, 16, at=(100, 80), slope=slope)
    row = longest(grey)
    assert row.slope == pytest.approx(slope, abs=0.008)
    laid = lay_row(grey, row) > 128
    halves = [np.flatnonzero(part.any(axis=1)).mean() for part in np.array_split(laid, 2, axis=1)]
    assert halves[0] == pytest.approx(halves[1], abs=1.0)


def test_a_broken_sign_at_the_end_of_a_row_stays_in_it() -> None:
    grey = page()
    put(grey, 12, at=(200, 60))
    grey[70:86, 196:234] = 235
    row = longest(grey)
    assert row.parts == 11
    assert row.left == pytest.approx(200 - HEIGHT / 2, abs=4)


def test_rows_above_one_another_are_told_apart() -> None:
    grey = page()
    put(grey, 8, at=(100, 20))
    put(grey, 5, at=(110, 110))
    assert [row.parts for row in find_rows(grey)] == [8, 5]


def test_a_frame_and_an_upright_line_do_not_hide_the_number() -> None:
    grey = page()
    put(grey, 12, at=(250, 60))
    cv2.rectangle(grey, (60, 50), (760, 110), 40, 2)
    cv2.line(grey, (230, 50), (230, 110), 40, 2)
    row = longest(grey)
    assert row.parts >= 11
    assert (row.top, row.height) == pytest.approx((60, HEIGHT), abs=5)


def test_figures_made_of_dots_are_found_once_they_are_mended() -> None:
    grey = page()
    put(grey, 12, at=(200, 60))
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]]
    grey[((y % 6) >= 3) | ((x % 6) >= 3)] = 235
    assert max((row.parts for row in find_rows(grey) if row.height > 20), default=0) == 0
    row = find_rows(grey, mended=True)[0]
    assert row.parts == 12
    assert row.height == pytest.approx(HEIGHT, abs=5)


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3), (40, 40)])
def test_paper_and_scraps_have_no_rows(shape: tuple[int, int]) -> None:
    assert find_rows(page(shape)) == []


def test_a_very_long_row_is_laid_smaller_and_not_cut() -> None:
    grey = page((60, 2600))
    put(grey, 75, at=(10, 12), scale=0.9)
    row = longest(grey)
    laid = lay_row(grey, row)
    assert laid.shape == (32, MAX_ROW_WIDTH)
    assert row.scale < TEXT_ROWS / row.height
    assert cv2.connectedComponents((laid > 100).astype(np.uint8))[0] - 1 == 75


def test_columns_of_a_laid_row_lead_back_to_the_picture() -> None:
    grey = page()
    put(grey, 12, at=(200, 60))
    row = longest(grey)
    laid = lay_row(grey, row)
    columns = np.flatnonzero((laid > 128).any(axis=0))
    box = row.box(float(columns[0]), float(columns[-1] + 1), within=grey.shape)
    assert (box.x, box.width) == pytest.approx((200, 11 * PITCH + WIDTH), abs=4)
    assert (box.y, box.height) == pytest.approx((60, HEIGHT), abs=4)


def test_a_row_at_the_rim_is_laid_on_repeated_paper() -> None:
    grey = page((60, 400))
    put(grey, 10, at=(4, 4))
    laid = lay_row(grey, PrintRow(4, 400, 4, HEIGHT))
    assert laid.shape[0] == 32
    assert laid[0].max() < 128
