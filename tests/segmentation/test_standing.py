"""Digits' boxes from where a line reader saw them: own ink and no specks, also where digits touch."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.types import Box
from model.mining import overlap
from segmentation.cuts import MAX_PIECES, find_components
from segmentation.lattice import cut_field
from segmentation.standing import REACH, boxes_at
from tests.segmentation.drawn import crop_of, field

HEIGHT = 40
MIDDLES = [52.0, 84.0, 116.0, 148.0]
"""Of the digits of `field`, 40 pixels tall and 0.8 heights apart."""


def digit_boxes(grey: NDArray[np.uint8], text: str = "2010") -> list[Box]:
    found = boxes_at(cut_field(crop_of(grey)), text, MIDDLES)
    assert found is not None
    return found


def test_each_digit_has_its_own_ink() -> None:
    grey = field("2010")
    dark = grey < 120
    for box, middle in zip(digit_boxes(grey), MIDDLES, strict=True):
        assert box.x <= middle < box.right
        rows, columns = np.nonzero(dark[:, round(middle) - 15 : round(middle) + 16])
        own = Box(int(columns.min()) + round(middle) - 15, int(rows.min()), int(np.ptp(columns)), int(np.ptp(rows)))
        assert abs(box.x - own.x) <= 3
        assert abs(box.y - own.y) <= 3
        assert abs(box.width - own.width) <= 5
        assert abs(box.height - own.height) <= 5


def test_boxes_lie_on_the_page() -> None:
    grey = field("2010")
    away = boxes_at(cut_field(crop_of(grey, x=300, y=40)), "2010", [each + 300 for each in MIDDLES])
    assert away == [Box(box.x + 300, box.y + 40, box.width, box.height) for box in digit_boxes(grey)]


def test_a_dash_and_a_speck_are_no_part_of_a_digit() -> None:
    grey = field("2010")
    clean = digit_boxes(grey)
    cv2.line(grey, (170, 40), (184, 40), 60, 3)
    cv2.circle(grey, (84, 12), 2, 60, -1)
    assert digit_boxes(grey) == clean


def test_digits_that_touch_are_parted_between_their_places() -> None:
    grey = field("2010")
    alone = digit_boxes(grey)
    cv2.line(grey, (52, 40), (116, 40), 60, 4)
    for box, own in zip(digit_boxes(grey), alone, strict=True):
        assert overlap(box, own) > 0.5


def test_a_rule_that_a_digit_touches_does_not_widen_its_box() -> None:
    grey = field("2010")
    alone = digit_boxes(grey)
    cv2.line(grey, (148, 52), (230, 52), 60, 2)
    *others, last = digit_boxes(grey)
    assert others == alone[:3]
    assert last.right <= MIDDLES[-1] + (REACH + 0.1) * HEIGHT


def test_a_long_rule_that_digits_stand_on_is_no_part_of_them() -> None:
    grey = field("2010")
    alone = digit_boxes(grey)
    cv2.line(grey, (0, 58), (grey.shape[1], 58), 60, 2)
    for box, own in zip(digit_boxes(grey), alone, strict=True):
        assert overlap(box, own) > 0.8


def test_the_bar_of_a_5_that_stands_apart_is_part_of_it_and_of_no_other_digit() -> None:
    grey = field("2010")
    *_, alone = digit_boxes(grey)
    cv2.line(grey, (160, alone.y + 2), (176, alone.y + 2), 60, 3)
    assert digit_boxes(grey)[-1] == alone
    with_bar = digit_boxes(grey, "2015")[-1]
    assert with_bar.right >= 175
    assert digit_boxes(grey, "2015")[:-1] == digit_boxes(grey)[:-1]
    below = field("2010")
    cv2.line(below, (166, alone.y + 25), (180, alone.y + 25), 60, 3)
    assert digit_boxes(below, "2015")[-1] == alone


def test_a_place_without_ink_tells_nothing() -> None:
    assert boxes_at(cut_field(crop_of(field("2010"))), "20101", [*MIDDLES, 700.0]) is None


@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.6), st.integers(8, 60), st.integers(8, 200), st.booleans())
def test_what_is_known_before_cutting_holds_after_it(
    seed: int, share: float, height: int, width: int, is_smooth: bool
) -> None:
    noise = np.random.default_rng(seed).random((height, width)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 2.0) if is_smooth else noise
    ink = np.asarray(noise < np.quantile(noise, share))
    components, pieces = find_components(ink), find_components(ink).pieces
    assert components.is_empty == (pieces.count == 0)
    assert components.text_height == pieces.text_height
    assert len(components.boxes) == len(components.areas)
    if pieces.count:
        assert components.boxes[:, :2].min(axis=0).tolist() == pieces.boxes[:, :2].min(axis=0).tolist()
        assert components.boxes[:, 2:].max(axis=0).tolist() == pieces.boxes[:, 2:].max(axis=0).tolist()
        assert components.areas.sum() == pieces.areas.sum() == np.count_nonzero(pieces.ids)
        for number in range(len(components.boxes)):
            assert pieces.areas[pieces.components == number].sum() == components.areas[number]


@pytest.mark.parametrize("width", [600, 4000])
def test_texture_is_empty_before_it_is_cut(width: int) -> None:
    ink = np.zeros((40, width), np.bool_)
    ink[10:30:2], ink[:, ::4] = True, False
    ink[18] = True
    components = find_components(ink)
    assert components.is_empty == (find_components(ink).pieces.count == 0)
    assert components.pieces.count <= MAX_PIECES
