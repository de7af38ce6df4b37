"""Light evened out: shadows go, strokes stay."""

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Page
from segmentation.prepare import is_inverted
from segmentation.registration.evening import PAPER_TONE, even_light, evenly_lit


def shaded(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture with half of it in a soft-edged shadow, darker to the bottom."""
    across = np.linspace(-1, 1, pixels.shape[1])
    light = (1 - 0.5 / (1 + np.exp(-across / 0.05)))[None] * np.linspace(1, 0.8, pixels.shape[0])[:, None]
    return np.round(pixels * light).astype(np.uint8)


def ruled() -> NDArray[np.uint8]:
    page = np.full((900, 700), 240, np.uint8)
    for row in range(60, 860, 40):
        cv2.line(page, (40, row), (660, row + 8), 140, 1, cv2.LINE_AA)
    return page


def test_paper_is_even_in_and_out_of_a_shadow() -> None:
    blank = even_light(shaded(np.full((900, 700), 240, np.uint8)))
    assert np.percentile(np.abs(blank.astype(int) - PAPER_TONE), 99) <= 12


def test_thin_strokes_keep_their_contrast() -> None:
    page = ruled()
    even = even_light(shaded(page))
    strokes, paper = page < 190, page == 240
    contrast = 1 - np.median(even[strokes]) / np.median(even[paper])
    assert contrast > 0.9 * (1 - np.median(page[strokes]) / 240)
    assert np.mean(even[strokes] < PAPER_TONE - 40) > 0.98


def test_a_large_dark_area_stays_dark() -> None:
    page = np.full((900, 700), 240, np.uint8)
    page[300:600, 200:500] = 30
    assert even_light(page)[400:500, 300:400].max() < 130


def test_hues_stay() -> None:
    page = np.full((300, 300, 3), 240, np.uint8)
    cv2.line(page, (20, 150), (280, 150), (200, 90, 40), 3)
    blue, green, red = even_light(page)[150, 150].tolist()
    assert blue > green > red


def test_black_and_tiny_pictures_do_no_harm() -> None:
    assert even_light(np.zeros((50, 60), np.uint8)).max() == 0
    assert even_light(np.full((1, 1), 200, np.uint8)).shape == (1, 1)


def deep_shadow(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a page of which all but a stripe lies in a shadow that leaves a third of the light."""
    columns = np.arange(pixels.shape[1])
    light = np.where((columns > 60) & (columns < 180), 1.0, 0.35).astype(np.float32)
    return np.asarray(pixels * cv2.GaussianBlur(light[None], (61, 1), 0), np.uint8)


def test_a_page_in_shadow_is_not_taken_for_a_negative() -> None:
    page = np.full((900, 700), 240, np.uint8)
    cv2.putText(page, "4711", (200, 400), cv2.FONT_HERSHEY_SIMPLEX, 3, 40, 5)
    dark = Page(0, deep_shadow(page))
    assert is_inverted(dark.pixels)
    lit = evenly_lit(dark)
    assert not is_inverted(lit.pixels)
    assert lit.pixels[500:, 120].min() > 200
    assert lit.pixels[500:, 600].min() > 200


def test_even_light_and_negatives_are_left_alone() -> None:
    page = Page(0, np.full((900, 700), 240, np.uint8))
    assert evenly_lit(page) is page
    negative = np.full((900, 700), 20, np.uint8)
    cv2.putText(negative, "4711", (200, 400), cv2.FONT_HERSHEY_SIMPLEX, 3, 240, 5)
    assert is_inverted(evenly_lit(Page(0, negative)).pixels)
