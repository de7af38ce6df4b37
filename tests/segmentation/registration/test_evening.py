"""Light evened out: shadows go, strokes stay."""

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.registration.evening import PAPER_TONE, even_light


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
