"""Grey, polarity, ink, ruling lines and skew."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.types import Box, Page
from segmentation.prepare import (
    Levelling,
    deskew,
    estimate_skew,
    find_frames,
    ink_map,
    is_inverted,
    remove_rules,
    to_grey,
)
from tests.segmentation.drawn import GOLDEN, STEPS, field, framed_page, ruled_field


@pytest.mark.parametrize("name", sorted(STEPS))
def test_a_step_gives_its_golden_image(name: str) -> None:
    golden = cv2.imread(str(GOLDEN / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
    assert golden is not None
    made = STEPS[name]()
    assert made.shape == golden.shape
    # Another processor's arithmetic may round a pixel on an edge the other way.
    assert np.mean(np.abs(made.astype(int) - golden) > 8) < 0.002


def test_colour_and_grey_pages_look_the_same() -> None:
    grey = field("1042")
    colour = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    assert np.array_equal(to_grey(Page(0, colour)), to_grey(Page(0, grey)))


def test_bright_ink_on_dark_paper_is_turned_over() -> None:
    dark = np.asarray(255 - field("1042"), np.uint8)
    assert is_inverted(dark)
    assert np.array_equal(to_grey(Page(0, dark)), field("1042"))


@pytest.mark.parametrize("paper", [80, 120, 215])
def test_dark_ink_is_left_as_it_is_on_any_paper(paper: int) -> None:
    assert not is_inverted(field("1042", paper=paper, tone=paper // 4))


@pytest.mark.parametrize("noise", [0, 2, 8])
def test_an_empty_sheet_holds_no_ink(noise: int) -> None:
    shade = np.linspace(230, 150, 300)[None].repeat(80, axis=0)
    noisy = shade + np.random.default_rng(1).normal(0, noise, shade.shape)
    assert not ink_map(np.clip(noisy, 0, 255).astype(np.uint8)).any()


def test_faint_ink_under_a_shadow_is_ink() -> None:
    faint = field("1042", tone=150)
    strong = ink_map(field("1042", tone=20))
    assert np.mean(ink_map(faint) == strong) > 0.98


def test_a_ruling_line_goes_and_the_digits_stay() -> None:
    mended = remove_rules(ink_map(ruled_field()))
    clean = ink_map(field("1042"))
    assert np.mean(mended[clean]) > 0.9
    assert mended[~clean].sum() < 0.25 * ink_map(ruled_field())[~clean].sum()


def test_a_one_is_no_ruling_line() -> None:
    ones = ink_map(field("111"))
    assert np.array_equal(remove_rules(ones), ones)


def test_frames_are_found_and_a_one_inside_a_box_is_not() -> None:
    ink = ink_map(framed_page())
    rest = ink & ~find_frames(ink)
    assert rest[40:95, 60:80].sum() == ink[40:95, 60:80].sum()
    # Of the box's upper side, only its corners may be left.
    assert rest[15:26, 140:410].sum() < 0.05 * ink[15:26, 140:410].sum()


@pytest.mark.parametrize("degrees", [-9.0, -3.0, 0.0, 1.0, 6.0])
def test_skew_is_measured_and_undone(degrees: float) -> None:
    page = _lines_of_text()
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turned = np.asarray(cv2.warpAffine(page, turn, (width, height), borderValue=220.0), np.uint8)
    measured = estimate_skew(ink_map(turned))
    assert measured == pytest.approx(degrees, abs=0.3)
    level, _ = deskew(turned, measured)
    assert estimate_skew(ink_map(level)) == pytest.approx(0.0, abs=0.3)


def test_a_blank_page_has_no_skew() -> None:
    assert estimate_skew(np.zeros((100, 100), np.bool_)) == 0.0


@given(
    skew=st.floats(-15, 15),
    size=st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
    place=st.tuples(*[st.floats(0, 1)] * 4),
)
def test_the_way_back_from_a_levelled_page_stays_on_the_page(
    skew: float, size: tuple[int, int], place: tuple[float, float, float, float]
) -> None:
    width, height = size
    x, y = int(place[0] * (width - 1)), int(place[1] * (height - 1))
    box = Box(x, y, 1 + int(place[2] * (width - x - 1)), 1 + int(place[3] * (height - y - 1)))
    back = Levelling(skew_degrees=skew, width=width, height=height).undo(box)
    assert 0 <= back.x < back.right <= width
    assert 0 <= back.y < back.bottom <= height


def test_the_way_back_finds_the_ink_again() -> None:
    page = np.full((400, 600), 220, np.uint8)
    page[100:120, 400:450] = 30
    level, levelling = deskew(page, 4.0)
    x, y, width, height = cv2.boundingRect((level < 100).view(np.uint8))
    back = levelling.undo(Box(x, y, width, height))
    assert back.x <= 400
    assert back.y <= 100
    assert back.right >= 450
    assert back.bottom >= 120
    assert back.width < 70


@given(height=st.integers(1, 40), width=st.integers(1, 200), fill=st.integers(0, 255), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_any_picture_has_an_ink_map_of_its_own_shape(height: int, width: int, fill: int, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 2, (height, width)) * fill
    grey = noise.astype(np.uint8)
    ink = ink_map(grey)
    assert ink.shape == grey.shape
    assert not (remove_rules(ink) & ~ink).any()
    assert not (find_frames(ink) & ~ink).any()


def _lines_of_text() -> NDArray[np.uint8]:
    page = np.full((500, 700), 220, np.uint8)
    rng = np.random.default_rng(5)
    for top in range(80, 420, 40):
        for left in range(80, 620, 16):
            if rng.random() < 0.8:
                page[top : top + 14, left : left + 9] = 40
    return page
