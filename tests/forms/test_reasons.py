"""Reasons beside a low confidence: what the ink shows, weighed against what the readers say."""

from dataclasses import replace

import pytest

from core.types import Box, DigitReading, ReviewReason
from forms.decoder import Decoded
from forms.field_specs import AmountSpec, DateSpec, DigitsSpec, FieldSpec, LuhnSpec
from forms.fusion import Fused, Proposal
from forms.policy import judge
from forms.reasons import CLEAR, FAINT, NOTHING, InkSigns
from tests.forms.rows import crop

SIDE = Box(0, 0, 20, 40)


def read(
    text: str = "42", *, other: float = 0.0, digit_share: float = 1.0, rivals: dict[str, float] | None = None
) -> Decoded:
    """Return a sure reading of both kinds of readers."""
    proposals = [Proposal(text, 0.95, -0.1, -0.1, allowed=True)]
    proposals += [Proposal(rival, share, -2.0, -2.0, allowed=True) for rival, share in (rivals or {}).items()]
    digits = tuple(DigitReading(char, 0.99, replace(SIDE, x=30 * place)) for place, char in enumerate(text))
    return Decoded(text, digits, 0.99, digit_share=digit_share, other=other, fused=Fused(tuple(proposals), text, text))


def reasons(decoded: Decoded, signs: InkSigns = NOTHING) -> tuple[ReviewReason, ...]:
    return judge(decoded, crop(), accept_confidence=0.9, signs=signs).review_reasons


@pytest.mark.parametrize(
    ("strike", "other", "void"),
    [(0, 0.05, False), (CLEAR, 0.05, True), (CLEAR, 0.0, False), (FAINT, 0.05, True), (FAINT, 0.005, False)],
)
def test_a_stroke_through_a_number_voids_it_where_the_readers_doubt_it_too(
    strike: int, other: float, void: bool
) -> None:
    assert reasons(read(other=other), InkSigns(strike=strike)) == ((ReviewReason.VOID,) if void else ())


def test_a_tangled_digit_was_written_over_unless_the_whole_number_was_struck_out() -> None:
    assert reasons(read(other=0.01), InkSigns(tangle=True)) == (ReviewReason.OVERWRITTEN,)
    assert reasons(read(other=0.0), InkSigns(tangle=True)) == ()
    assert reasons(read(other=0.01), InkSigns(tangle=True, strike=CLEAR)) == (ReviewReason.VOID,)


@pytest.mark.parametrize(("other", "amended"), [(0.001, True), (0.0001, False)])
def test_a_digit_beside_a_comb_replaces_one_in_it_where_the_readers_doubt_that(*, other: float, amended: bool) -> None:
    expected = (ReviewReason.OVERWRITTEN,) if amended else ()
    assert reasons(read(other=other), InkSigns(amended=True)) == expected


@pytest.mark.parametrize(
    ("rivals", "ambiguous"), [({"412": 0.04}, False), ({"412": 0.4}, True), ({"43": 0.4}, False), ({"": 0.4}, False)]
)
def test_a_likely_string_of_another_length_makes_the_cut_ambiguous(rivals: dict[str, float], ambiguous: bool) -> None:
    assert (ReviewReason.AMBIGUOUS_CUT in reasons(read(rivals=rivals))) is ambiguous


@pytest.mark.parametrize(
    ("other", "digit_share", "stranger"), [(0.03, 0.6, True), (0.03, 1.0, False), (0.0, 0.6, False)]
)
def test_a_sign_in_a_box_that_both_kinds_of_readers_doubt_is_no_digit(
    other: float, digit_share: float, stranger: bool
) -> None:
    decoded = read(other=other, digit_share=digit_share)
    found = judge(decoded, crop(), accept_confidence=0.9, comb_cells=2).review_reasons
    assert found == ((ReviewReason.NOT_A_DIGIT,) if stranger else ())
    assert reasons(decoded) == ()


def test_what_is_no_number_as_a_whole_is_not_said_to_hold_one_wrong_sign() -> None:
    assert reasons(read(other=0.3, digit_share=0.6)) == (ReviewReason.NOT_DIGITS,)


def test_a_line_that_was_read_as_a_digit_beside_others_is_none() -> None:
    decoded = read("01")
    long = replace(decoded.digits[1], box=Box(0, 0, 200, 40))
    assert reasons(replace(decoded, digits=(decoded.digits[0], long))) == (ReviewReason.NOT_A_DIGIT,)


@pytest.mark.parametrize(
    ("heights", "other", "marks"),
    [((40, 40), 0.0, False), ((40, 38), 0.03, True), ((40, 38), 0.005, False), ((40, 20), 0.005, True)],
)
def test_strokes_side_by_side_are_a_number_of_1s_unless_the_readers_doubt_them(
    heights: tuple[int, int], other: float, marks: bool
) -> None:
    decoded = read("11", other=other)
    digits = tuple(
        replace(digit, box=replace(SIDE, height=height, width=6))
        for digit, height in zip(decoded.digits, heights, strict=True)
    )
    assert reasons(replace(decoded, digits=digits)) == ((ReviewReason.NOT_A_DIGIT,) if marks else ())


def test_boxes_that_nobody_stated_must_hold_one_digit_each() -> None:
    assert reasons(read(), InkSigns(boxes=6)) == (ReviewReason.COMB_MISFIT,)
    assert reasons(read(), InkSigns(boxes=2)) == ()


def placed(*boxes: Box) -> Decoded:
    """Return a sure reading of digits that stand there."""
    text = "2401728"[: len(boxes)]
    digits = tuple(DigitReading(char, 0.99, box) for char, box in zip(text, boxes, strict=True))
    return replace(read(text), digits=digits)


def in_row(*lefts: int) -> Decoded:
    return placed(*(replace(SIDE, x=left) for left in lefts))


@pytest.mark.parametrize(
    ("decoded", "several"),
    [
        (in_row(0, 30, 60), False),
        (in_row(0, 30, 125), False),  # 1.9 heights
        (in_row(0, 30, 60, 170, 200), True),
        (in_row(0, 110), True),
        (in_row(0, 110, 220, 330), False),  # evenly wide: boxes that nobody stated
        (placed(SIDE, replace(SIDE, x=30), replace(SIDE, x=60, y=38)), True),
        (placed(SIDE, replace(SIDE, x=30), replace(SIDE, x=60, y=25)), False),
        (placed(Box(0, 0, 30, 66), Box(60, 20, 20, 20), Box(128, 20, 20, 20)), False),  # small zeros behind commas
    ],
)
def test_groups_far_apart_and_rows_are_numbers_of_their_own(decoded: Decoded, several: bool) -> None:
    assert reasons(decoded) == ((ReviewReason.SEVERAL_NUMBERS,) if several else ())


APART = in_row(0, 30, 60, 90, 220, 250)


@pytest.mark.parametrize(
    ("spec", "cells"),
    [
        (DateSpec(), None),
        (LuhnSpec(), None),
        (DigitsSpec(length=6), None),
        (DigitsSpec(), 6),
        (AmountSpec(decimals=2), None),
    ],
)
def test_what_the_type_explains_is_no_second_number(spec: FieldSpec, cells: int | None) -> None:
    found = judge(APART, crop(), accept_confidence=0.9, kind=spec.field_type(cells=cells)).review_reasons
    assert ReviewReason.SEVERAL_NUMBERS not in found
    assert reasons(APART) == (ReviewReason.SEVERAL_NUMBERS,)


@pytest.mark.parametrize("spec", [DigitsSpec(min_length=3, max_length=8), AmountSpec(), AmountSpec(decimals=0)])
def test_what_it_does_not_explain_is(spec: FieldSpec) -> None:
    found = judge(APART, crop(), accept_confidence=0.9, kind=spec.field_type()).review_reasons
    assert found == (ReviewReason.SEVERAL_NUMBERS,)


def test_digits_in_boxes_that_are_seen_may_stand_apart() -> None:
    assert judge(APART, crop(), accept_confidence=0.9, comb_cells=6).review_reasons == ()


def test_a_number_that_may_go_on_outside_goes_to_a_person() -> None:
    assert reasons(read(), InkSigns(cut_off=True)) == (ReviewReason.CUT_OFF,)
    empty = read("")
    assert reasons(empty, InkSigns(cut_off=True)) == (ReviewReason.EMPTY, ReviewReason.CUT_OFF)


def test_what_nobody_could_read_in_an_empty_field_goes_to_a_person() -> None:
    assert reasons(read("")) == (ReviewReason.EMPTY,)
    assert reasons(read(""), InkSigns(unread=True)) == (ReviewReason.EMPTY, ReviewReason.NOT_DIGITS)


def test_a_field_that_the_readers_hold_for_empty_without_being_sure_goes_to_a_person() -> None:
    doubtful = Fused(
        (Proposal("", 0.7, -0.4, -0.4, allowed=True), Proposal("7", 0.3, -1.2, -1.2, allowed=True)), "", ""
    )
    assert reasons(replace(read(""), fused=doubtful)) == (ReviewReason.EMPTY, ReviewReason.LOW_CONFIDENCE)
    # There was no ink to ask them about.
    assert reasons(replace(read(""), fused=Fused((), None, None))) == (ReviewReason.EMPTY,)
    assert reasons(replace(read(""), fused=None)) == (ReviewReason.EMPTY,)


@pytest.mark.parametrize("sign", ["inserted", "covered"])
def test_a_number_that_was_amended_or_covered_goes_to_a_person_however_sure_it_is(sign: str) -> None:
    assert reasons(read(), InkSigns(**{sign: True})) == (ReviewReason.OVERWRITTEN,)


def test_a_number_in_a_ring_may_have_the_ring_among_its_digits() -> None:
    assert reasons(read("0"), InkSigns(ringed=True)) == (ReviewReason.NOT_A_DIGIT,)


def standing(text: str, *boxes: Box) -> Decoded:
    """Return a sure reading whose digits stand in these boxes."""
    decoded = read(text)
    digits = tuple(replace(digit, box=box) for digit, box in zip(decoded.digits, boxes, strict=True))
    return replace(decoded, digits=digits)


def row(count: int) -> list[Box]:
    return [replace(SIDE, x=30 * place) for place in range(count)]


@pytest.mark.parametrize(
    ("text", "last", "unit"),
    [
        ("250", Box(60, -2, 12, 14), True),  # 25°
        ("250", Box(60, 24, 16, 16), False),  # a small 0 on the line
        ("259", Box(60, 14, 18, 40), True),  # 25g
        ("259", Box(60, 4, 18, 46), False),  # a 9 with a long tail
        ("251", Box(60, 14, 18, 40), False),
    ],
)
def test_a_unit_behind_a_number_is_none_of_its_digits(text: str, last: Box, unit: bool) -> None:
    found = reasons(standing(text, *row(2), last))
    assert found == ((ReviewReason.NOT_A_DIGIT,) if unit else ())


def test_two_raised_zeros_are_cents_and_no_degrees() -> None:
    cents = [Box(60, -2, 12, 14), Box(75, -2, 12, 14)]
    assert ReviewReason.NOT_A_DIGIT not in reasons(standing("4200", *row(2), *cents))


@pytest.mark.parametrize(("text", "height", "ditto"), [("11", 10, True), ("11", 30, False), ("17", 10, False)])
def test_ones_low_in_their_field_may_be_ditto_marks(text: str, height: int, ditto: bool) -> None:
    boxes = [Box(10 + 8 * place, 10, 3, height) for place in range(2)]
    field = replace(crop(), box=Box(0, 0, 100, 40))
    found = judge(standing(text, *boxes), field, accept_confidence=0.9).review_reasons
    assert (ReviewReason.NOT_A_DIGIT in found) is ditto
