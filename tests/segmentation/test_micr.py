"""MICR lines are found on whole cheques, and their windows show one symbol each, in its place."""

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.types import Box
from segmentation.micr import find_bands
from segmentation.micr_strip import GLYPH_HEIGHT, PITCH, RIGHT_EDGE, SIDE, STEP, TOP, BandLine, rectify
from tests.model.micr.cheques import Wear, cheque, micr_line

LINE = "⑈083654⑈ 500025033⑆ 290062⑈ 31"


def off_by(found: BandLine, true: BandLine) -> float:
    """Return how far the found baseline is from the true one at its ends, in heights of a digit."""
    ends = []
    for along in (0.0, true.length):
        x = true.x + math.cos(math.radians(true.degrees)) * along
        y = true.y + math.sin(math.radians(true.degrees)) * along
        ends.append(abs(found.y + math.tan(math.radians(found.degrees)) * (x - found.x) - y))
    return max(ends) / true.height


@pytest.mark.parametrize("width", [1000, 1400, 2400, 4000])
@pytest.mark.parametrize("degrees", [-3.0, 0.0, 0.6, 4.0])
def test_the_likeliest_band_is_the_line(width: int, degrees: float) -> None:
    page = cheque(LINE, width=width, wear=Wear(degrees=degrees, signature=True))
    found, true = find_bands(page.pixels)[0], micr_line(LINE, width=width, degrees=degrees)
    assert off_by(found, true) < 0.15
    assert found.pitch == pytest.approx(true.pitch, rel=0.02)
    assert found.height == pytest.approx(true.height, rel=0.07)


@pytest.mark.parametrize(
    "wear",
    [
        Wear(blur=2.5),
        Wear(ink=0.35, noise=5),
        Wear(broken=True),
        Wear(fat=True),
        Wear(security=True, quality=50),
        Wear(signature=True, stamp=True, degrees=1.0),
    ],
    ids=["blur", "low ink", "breaks", "fat print", "security print", "signature and stamp"],
)
def test_wear_does_not_hide_the_line(wear: Wear) -> None:
    page = cheque(LINE, wear=wear)
    true = micr_line(LINE, width=2400, degrees=wear.degrees)
    assert min(off_by(found, true) for found in find_bands(page.pixels)) < 0.2


@pytest.mark.parametrize("ink", [0.1, 0.3])
def test_a_line_much_fainter_than_the_other_print_is_found_when_faint_ink_is_looked_for(ink: float) -> None:
    page, true = cheque(LINE, wear=Wear(ink=ink, noise=2)), micr_line(LINE, width=2400)
    assert all(off_by(found, true) > 1 for found in find_bands(page.pixels))
    assert off_by(find_bands(page.pixels, faint=True)[0], true) < 0.15


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 3), (40, 40)])
def test_pages_too_small_for_a_line_have_none(shape: tuple[int, int]) -> None:
    assert find_bands(np.full(shape, 255, np.uint8)) == []
    assert find_bands(np.full(shape, 255, np.uint8), faint=True) == []


def test_a_blank_page_and_noise_have_no_convincing_line() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (500, 1200)).astype(np.uint8)
    assert find_bands(np.full((500, 1200), 240, np.uint8)) == []
    assert len(find_bands(noise, limit=2)) <= 2


def test_there_are_never_more_bands_than_asked_for() -> None:
    assert len(find_bands(cheque(LINE).pixels, limit=1)) == 1


def strip_of(text: str, *, width: int = 2400, degrees: float = 0.0) -> tuple[NDArray[np.uint8], BandLine]:
    return cheque(text, width=width, wear=Wear(degrees=degrees)).pixels, micr_line(text, width=width, degrees=degrees)


@pytest.mark.parametrize("width", [1000, 2400, 4800])
@pytest.mark.parametrize("degrees", [0.0, -2.5])
def test_a_strip_holds_the_line_at_one_size_whatever_the_scale(width: int, degrees: float) -> None:
    strip = rectify(*strip_of("8888888888", width=width, degrees=degrees))
    assert strip.pixels.shape == (SIDE, 10 * PITCH)
    rows = strip.pixels[:, PITCH : 9 * PITCH].mean(axis=1)
    inked = np.nonzero(rows > 40)[0]
    assert inked[0] == pytest.approx(TOP, abs=1.5)
    assert inked[-1] == pytest.approx(TOP + GLYPH_HEIGHT - 1, abs=1.5)
    bright = strip.pixels[strip.pixels > 100]
    assert 150 < bright.mean() <= 255


def test_a_window_ends_with_its_symbol() -> None:
    strip = rectify(*strip_of("1111111111"))
    # 1.3 modules, or 2.9 columns, lie between a symbol's edge and its cell's.
    ends = [round((cell * PITCH - 2.9) / STEP) for cell in range(1, 11)]
    for end in ends:
        columns = np.nonzero(strip.windows[end][:, RIGHT_EDGE - 8 : RIGHT_EDGE + 4].max(axis=0) > 100)[0]
        assert RIGHT_EDGE - 8 + columns[-1] == pytest.approx(RIGHT_EDGE - 1, abs=2)
        assert strip.inked[end]


def test_windows_without_ink_are_told() -> None:
    strip = rectify(*strip_of("88      88"))
    assert not strip.inked[28:49].any()
    assert strip.inked.any()
    assert len(strip.windows) == len(strip.inked)


@given(
    degrees=st.floats(-6, 6),
    height=st.floats(8, 90),
    stretch=st.floats(0.85, 1.2),
    x=st.floats(-20, 400),
    window=st.integers(8, 60),
)
@settings(max_examples=60)
def test_boxes_lie_on_the_page_where_the_strip_says(
    degrees: float, height: float, stretch: float, x: float, window: int
) -> None:
    line = BandLine(x, 500.0, degrees, height, height * 1.07 * stretch, height * 20)
    strip = rectify(np.full((1000, 2000), 255, np.uint8), line)
    box = strip.box(window, page=(1000, 2000))
    assert 0 <= box.x < box.right <= 2000
    assert 0 <= box.y < box.bottom <= 1000
    along = window * STEP / PITCH * line.pitch
    edge = line.x + math.cos(math.radians(degrees)) * along
    if 0 < edge < 1990:
        slack = 2 + height * (0.1 + abs(math.sin(math.radians(degrees))))
        assert box.right == pytest.approx(edge, abs=slack)


def test_a_symbols_box_is_tight_around_its_ink() -> None:
    pixels, line = strip_of("1111111111")
    strip = rectify(pixels, line)
    box = strip.box(round((3 * PITCH - 2.9) / STEP), page=pixels.shape[:2])
    left = line.x + (3 * 0.125 / 0.013 - 1.3 - 4) * line.pitch * 0.013 / 0.125
    assert box.x == pytest.approx(left, abs=0.1 * line.pitch)
    assert box.bottom == pytest.approx(line.y, abs=0.12 * line.height)
    assert box.height == pytest.approx(line.height, rel=0.15)


def test_a_line_outside_of_the_page_is_blank() -> None:
    strip = rectify(np.full((50, 50), 255, np.uint8), BandLine(0.0, 900.0, 0.0, 20.0, 21.0, 100.0))
    assert not strip.inked.any()
    assert strip.box(3, page=(50, 50)).height >= 1


def test_the_line_is_found_on_every_real_cheque(shared_data: Path) -> None:
    paths = sorted((shared_data / "idrbt_cheques" / "images").glob("*.jpg"))[::4]
    for path in paths:
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        band = find_bands(np.asarray(grey, np.uint8))[0]
        assert 0.85 < band.y / grey.shape[0] < 0.99
        # 300 dots an inch: the pitch is an eighth of one.
        assert band.pitch == pytest.approx(37.5, abs=1.0)


def test_the_span_of_two_windows_holds_both_boxes() -> None:
    strip = rectify(*strip_of("8888888888"))
    span, first, last = (
        strip.span(6, 27, page=(1080, 2400)),
        strip.box(6, page=(1080, 2400)),
        strip.box(27, page=(1080, 2400)),
    )
    assert span == Box(first.x, first.y, last.right - first.x, first.height)
