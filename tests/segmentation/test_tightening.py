"""A digit's box without what stands beside or above it."""

import cv2
import numpy as np

from core.types import Box, DigitCrop
from segmentation.normalise import normalise_glyphs
from segmentation.tightening import main_ink_box


def candidate(ink: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> DigitCrop:
    x, y, width, height = cv2.boundingRect(ink)
    return DigitCrop(start=0, end=1, box=Box(x, y, width, height), glyph=normalise_glyphs([ink])[0])


def paper() -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.zeros((80, 120), np.uint8)


def near(found: Box, expected: Box, *, slack: int) -> bool:
    pairs = zip(
        (found.x, found.y, found.right, found.bottom),
        (expected.x, expected.y, expected.right, expected.bottom),
        strict=True,
    )
    return all(abs(a - b) <= slack for a, b in pairs)


def test_a_dash_beside_a_digit_is_left_out() -> None:
    ink = paper()
    cv2.rectangle(ink, (20, 15), (45, 65), 255, 5)
    alone = candidate(ink).box
    ink[38:42, 70:90] = 255
    both = candidate(ink)
    assert both.box.width > 1.4 * alone.width
    assert near(main_ink_box(both), alone, slack=3)


def test_a_speck_above_a_digit_is_left_out() -> None:
    ink = paper()
    cv2.rectangle(ink, (20, 30), (45, 75), 255, 5)
    alone = candidate(ink).box
    ink[2:6, 30:34] = 255
    assert near(main_ink_box(candidate(ink)), alone, slack=3)


def test_the_bar_of_a_five_stays() -> None:
    ink = paper()
    cv2.ellipse(ink, (40, 52), (18, 18), 0, -110, 150, 255, 6)
    ink[20:26, 30:62] = 255
    whole = candidate(ink)
    assert near(main_ink_box(whole), whole.box, slack=3)


def test_one_piece_keeps_its_box() -> None:
    ink = paper()
    cv2.circle(ink, (50, 40), 20, 255, 6)
    whole = candidate(ink)
    assert near(main_ink_box(whole), whole.box, slack=2)
