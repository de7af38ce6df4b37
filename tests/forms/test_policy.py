"""Accept or review."""

import pytest

from core.types import Box, DigitReading, ReviewReason
from forms.decoder import Decoded
from forms.field_specs import DigitsSpec
from forms.policy import judge
from tests.forms.rows import crop


def decoded(text: str, *boxes: Box) -> Decoded:
    digits = tuple(DigitReading(char=char, confidence=0.99, box=box) for char, box in zip(text, boxes, strict=True))
    return Decoded(text=text, digits=digits, confidence=0.99, digit_share=0.99)


@pytest.mark.parametrize(("width", "accepted"), [(10, True), (40, True), (64, True), (65, False), (300, False)])
def test_what_is_far_wider_than_tall_is_no_digit(width: int, accepted: bool) -> None:
    reading = judge(decoded("41", Box(0, 0, 30, 40), Box(40, 0, width, 40)), crop(), accept_confidence=0.95)
    assert reading.accepted is accepted
    assert reading.review_reasons == (() if accepted else (ReviewReason.NOT_DIGITS,))


@pytest.mark.parametrize(
    ("text", "found", "accepted"), [("1", True, False), ("7", True, False), ("1", False, True), ("3", True, True)]
)
def test_a_lone_sign_like_a_bit_of_a_frame_that_nobody_asked_for_goes_to_a_person(
    text: str, found: bool, accepted: bool
) -> None:
    reading = judge(decoded(text, Box(0, 0, 10, 40)), crop(), accept_confidence=0.95, found=found)
    assert reading.accepted is accepted
    assert reading.review_reasons == (() if accepted else (ReviewReason.LOW_CONFIDENCE,))


def test_eleven_on_a_page_is_a_number() -> None:
    boxes = Box(0, 0, 10, 40), Box(30, 0, 10, 40)
    assert judge(decoded("11", *boxes), crop(), accept_confidence=0.95, found=True).accepted


@pytest.mark.parametrize(("cells", "misfit"), [(None, False), (2, False), (8, True)])
def test_each_printed_box_must_hold_one_digit(cells: int | None, misfit: bool) -> None:
    boxes = (Box(0, 0, 20, 40), Box(40, 0, 20, 40))
    reading = judge(decoded("42", *boxes), crop(), accept_confidence=0.5, comb_cells=cells)
    assert (ReviewReason.COMB_MISFIT in reading.review_reasons) is misfit
    assert reading.accepted is not misfit


@pytest.mark.parametrize(("text", "misfit"), [("4217", False), ("421", True), ("42171", True)])
def test_of_stated_boxes_that_are_not_seen_the_number_is_known(text: str, misfit: bool) -> None:
    kind = DigitsSpec(min_length=1, max_length=9).field_type(cells=4)
    row = decoded(text, *(Box(30 * place, 0, 20, 40) for place in range(len(text))))
    reading = judge(row, crop(), accept_confidence=0.5, kind=kind)
    assert (ReviewReason.COMB_MISFIT in reading.review_reasons) is misfit
