"""A cheque's currency sign: found in a fount that its patterns lack, at any size, and not where there is none."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.types import Box
from segmentation.courtesy import beside, find_sign

WIDTH, HEIGHT = 1800, 825
AREA = Box(1000, 180, 740, 320)


def cheque(sign: str, *, size: int = 60, paper: int = 225, screen: bool = False) -> NDArray[np.uint8]:
    """Return a cheque's right part with a sign at (1200, 300), an amount beside it and a word below."""
    page = Image.new("L", (WIDTH, HEIGHT), paper)
    draw = ImageDraw.Draw(page)
    fount = ImageFont.load_default(size)
    draw.text((1200, 300), sign, fill=40, font=fount)
    draw.text((1290, 295), "233.00", fill=60, font=ImageFont.load_default(54))
    draw.text((1050, 420), "DOLLARS", fill=40, font=ImageFont.load_default(40))
    draw.line((1000, 365, 1180, 365), fill=60, width=3)
    grey = np.array(page)
    if screen:
        grey[::6, ::6] = np.clip(grey[::6, ::6].astype(int) - 90, 0, 255)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.0), np.uint8)


@pytest.mark.parametrize("size", [44, 60, 84])
@pytest.mark.parametrize("paper", [120, 250])
@pytest.mark.parametrize("screen", [False, True])
def test_a_printed_dollar_sign_is_found_where_it_is(size: int, paper: int, *, screen: bool) -> None:
    sign = find_sign(cheque("$", size=size, paper=paper, screen=screen), AREA)
    assert sign is not None
    assert sign.char == "$"
    assert abs(sign.box.x + sign.box.width / 2 - (1200 + 0.29 * size)) < 0.15 * size
    assert abs(sign.box.height - 0.86 * size) < 0.3 * size


def test_the_amount_is_what_stands_right_of_the_sign() -> None:
    sign = find_sign(cheque("$"), AREA)
    assert sign is not None
    box = beside(sign, AREA)
    assert sign.box.right < box.x < 1290
    assert box.right == AREA.right
    assert box.y < 295
    assert box.bottom > 350


@pytest.mark.parametrize("other", ["", "8", "5", "B", "&"])
def test_nothing_else_is_taken_for_a_sign(other: str) -> None:
    assert find_sign(cheque(other), AREA) is None


def test_an_area_smaller_than_any_sign_holds_none() -> None:
    assert find_sign(cheque("$"), Box(1200, 300, 4, 4)) is None
