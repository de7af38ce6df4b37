"""Rings, holes and inserted digits are seen; digits, dots in zeros, shadows, commas and rows of print are none."""

from time import process_time

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.types import Box, FieldCrop
from segmentation.intruders import has_inserted, is_covered, is_ringed
from segmentation.lattice import Cutting, cut_field
from tests.segmentation.drawn import draw_digit

HEIGHT = 60
LEFTS = (60, 110, 160)
TOP = 60
Grey = NDArray[np.uint8]


def number(text: str = "024") -> Grey:
    pixels = np.full((170, 280), 235, np.uint8)
    for char, left in zip(text, LEFTS, strict=False):
        draw_digit(pixels, char, (left, TOP), digit_height=HEIGHT, tone=50)
    return pixels


def boxes(count: int = 3) -> list[Box]:
    return [Box(left, TOP, 36, HEIGHT) for left in LEFTS[:count]]


def cut(pixels: Grey) -> Cutting:
    box = Box(0, 0, pixels.shape[1], pixels.shape[0])
    return cut_field(FieldCrop(name="field", type="digits", box=box, pixels=pixels))


def inserted(pixels: Grey) -> bool:
    cutting = cut(pixels)
    scaled = [
        Box(*(round(side * cutting.scale) for side in (each.x, each.y, each.width, each.height))) for each in boxes()
    ]
    return has_inserted(cutting.components, scaled)


def ringed(pixels: Grey) -> bool:
    cutting = cut(pixels)
    return is_ringed(cutting.components.ink, HEIGHT * cutting.scale)


@pytest.mark.parametrize("text", ["1", "7", "2", "12"])
def test_a_circle_around_a_number_is_no_zero(text: str) -> None:
    pixels = number(text)
    right = LEFTS[len(text) - 1] + 36
    middle = ((LEFTS[0] + right) // 2, TOP + HEIGHT // 2)
    assert not ringed(pixels)
    cv2.ellipse(pixels, middle, ((right - LEFTS[0]) // 2 + 25, HEIGHT // 2 + 18), 0, 0, 360, 50, 4, cv2.LINE_AA)
    assert ringed(pixels)


def test_a_dot_in_a_zero_and_a_stroke_through_it_are_no_signs_of_their_own() -> None:
    for start, end in (((0, 0), (0, 0)), ((-30, 40), (30, -40))):
        pixels = number("0")
        x, y = LEFTS[0] + 18, TOP + HEIGHT // 2
        cv2.line(pixels, (x + start[0], y + start[1]), (x + end[0], y + end[1]), 50, 5, cv2.LINE_AA)
        assert not ringed(pixels)


@pytest.mark.parametrize("char", ["0", "2", "4"])
def test_a_small_digit_above_the_number_belongs_into_it(char: str) -> None:
    pixels = number()
    assert not inserted(pixels)
    draw_digit(pixels, char, (92, 18), digit_height=30, tone=50)
    assert inserted(pixels)


def test_a_row_of_print_and_what_reaches_in_from_above_are_not_inserted() -> None:
    printed, above = number(), number()
    for left in (60, 85, 110, 135):
        draw_digit(printed, "2", (left, 18), digit_height=28, tone=50)
    cv2.line(above, (100, 0), (112, 34), 50, 5, cv2.LINE_AA)
    cv2.line(above, (112, 34), (124, 0), 50, 5, cv2.LINE_AA)
    assert not inserted(printed)
    assert not inserted(above)


def test_a_part_of_a_digit_is_not_inserted() -> None:
    pixels = number()
    draw_digit(pixels, "2", (92, 18), digit_height=30, tone=50)
    cutting = cut_field(FieldCrop("a", "digits", Box(0, 0, pixels.shape[1], pixels.shape[0]), pixels))
    tall = [Box(box.x, 10, box.width, box.bottom - 10) for box in boxes()]
    assert not has_inserted(cutting.components, [box.scaled(cutting.scale) for box in tall])


def test_a_comma_below_and_a_stroke_beside_are_not_inserted() -> None:
    pixels = number()
    cv2.line(pixels, (150, 116), (142, 138), 50, 5, cv2.LINE_AA)
    cv2.line(pixels, (215, 60), (230, 120), 50, 5, cv2.LINE_AA)
    assert not inserted(pixels)


@pytest.mark.parametrize("tone", [10, 55])
def test_a_punched_hole_covers_what_it_lies_on(tone: int) -> None:
    pixels = number()
    assert not is_covered(pixels, boxes())
    cv2.circle(pixels, (128, 80), 24, tone, -1, cv2.LINE_AA)
    assert is_covered(pixels, boxes())


def test_shadows_bold_pens_and_frames_cover_nothing() -> None:
    shadow, frame = number().astype(np.float32), number()
    shadow[:, 150:] *= 0.35
    cv2.rectangle(frame, (20, 30), (250, 150), 40, 12)
    bold = np.asarray(cv2.erode(number(), np.ones((7, 7), np.uint8)), np.uint8)
    for pixels in (shadow.astype(np.uint8), frame, bold):
        assert not is_covered(pixels, boxes())


def test_a_hole_in_a_large_picture_is_seen_at_once() -> None:
    pixels = number()
    cv2.circle(pixels, (128, 80), 24, 30, -1, cv2.LINE_AA)
    large = [cv2.resize(each, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC) for each in (number(), pixels)]
    began = process_time()
    found = [is_covered(np.asarray(each, np.uint8), [box.scaled(8) for box in boxes()]) for each in large]
    assert found == [False, True]
    # At full size one took eight seconds, and four times that at twice the size.
    assert process_time() - began < 1.0
