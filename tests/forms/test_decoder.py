"""From scores to text, confidence and the verdict."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.types import Box, Lattice, ReviewReason
from forms.decoder import Decoded, decode
from forms.field_types import field_type
from forms.policy import is_number, judge
from tests.forms.rows import CLASSES, WITH_GARBAGE, crop, digit_boxes, row, scores

DOT = Box(125, 46, 5, 5)


def read(
    lattice: Lattice,
    truth: dict[tuple[int, int], int],
    *,
    classes: tuple[str, ...] = WITH_GARBAGE,
    sure: float = 0.99,
    type_name: str = "digits",
) -> Decoded:
    table = scores(lattice, truth, classes=classes, sure=sure)
    return decode(lattice, table, classes=classes, crop=crop(type_name=type_name), field_type=field_type(type_name))


@pytest.mark.parametrize("classes", [CLASSES, WITH_GARBAGE])
def test_clear_digits_are_read_in_order(classes: tuple[str, ...]) -> None:
    decoded = read(row(digit_boxes(3)), {(0, 1): 4, (1, 2): 0, (2, 3): 7}, classes=classes)
    assert decoded.text == "407"
    assert [digit.char for digit in decoded.digits] == ["4", "0", "7"]
    assert [digit.box for digit in decoded.digits] == digit_boxes(3)


def test_clear_digits_are_read_with_confidence() -> None:
    decoded = read(row(digit_boxes(2)), {(0, 1): 4, (1, 2): 7}, sure=0.9999)
    assert decoded.confidence > 0.8
    assert all(digit.confidence > 0.85 for digit in decoded.digits)


def test_halves_of_a_digit_are_put_together() -> None:
    halves = [Box(20, 10, 12, 40), Box(30, 10, 15, 40), Box(60, 10, 25, 40)]
    decoded = read(row(halves), {(0, 2): 8, (2, 3): 3})
    assert decoded.text == "83"
    assert decoded.digits[0].box == Box(20, 10, 25, 40)


def test_a_dot_between_digits_is_passed_by() -> None:
    left, right = digit_boxes(3), [Box(140, 10, 25, 40), Box(175, 10, 25, 40)]
    decoded = read(row([*left, DOT, *right]), {(0, 1): 1, (1, 2): 2, (2, 3): 3, (4, 5): 4, (5, 6): 5})
    assert decoded.text == "12345"
    assert decoded.skipped_share < 0.1


def test_doubt_about_a_digit_is_an_alternative_and_lowers_the_confidence() -> None:
    lattice = row(digit_boxes(1))
    table = np.full((1, 11), 0.001, np.float32)
    table[0, [4, 9]] = [0.6, 0.39]
    decoded = decode(lattice, table, classes=WITH_GARBAGE, crop=crop(), field_type=field_type("digits"))
    assert decoded.text == "4"
    assert decoded.digits[0].alternatives[0].char == "9"
    assert decoded.digits[0].confidence > decoded.digits[0].alternatives[0].confidence > 0.1
    assert decoded.confidence < 0.8


def test_a_digit_field_reads_one_digit_of_several() -> None:
    decoded = read(row(digit_boxes(2)), {(0, 1): 3, (1, 2): 5}, type_name="digit")
    assert len(decoded.text) == 1
    assert len(decoded.digits) == 1


def test_a_second_digit_in_a_digit_field_leaves_the_first_in_doubt() -> None:
    one = read(row(digit_boxes(1)), {(0, 1): 3}, sure=0.9999, type_name="digit")
    two = read(row(digit_boxes(2)), {(0, 1): 3, (1, 2): 5}, sure=0.9999, type_name="digit")
    assert one.confidence > 0.8
    assert two.confidence < 0.2
    assert two.digits[0].confidence < 0.2
    assert two.confidence <= two.digits[0].confidence


def test_no_ink_reads_as_nothing_and_goes_to_a_person() -> None:
    decoded = read(Lattice(cuts=1, candidates=(), text_height=0.0), {})
    reading = judge(decoded, crop(), accept_confidence=0.0)
    assert (reading.text, reading.value, reading.confidence) == ("", None, 0.0)
    assert reading.review_reasons == (ReviewReason.EMPTY,)
    assert not reading.accepted


def test_a_scribble_is_not_digits() -> None:
    reading = judge(read(row(digit_boxes(4)), {}), crop(), accept_confidence=0.95)
    assert not reading.accepted
    assert set(reading.review_reasons) & {ReviewReason.NOT_DIGITS, ReviewReason.EMPTY}


def test_a_sure_reading_is_accepted_and_an_unsure_one_says_why() -> None:
    sure = Decoded(text="42", confidence=0.97, digit_share=0.99)
    unsure = Decoded(text="42", confidence=0.90, digit_share=0.99)
    assert judge(sure, crop(), accept_confidence=0.95).accepted
    reading = judge(unsure, crop(), accept_confidence=0.95)
    assert not reading.accepted
    assert reading.value == "42"
    assert reading.review_reasons == (ReviewReason.LOW_CONFIDENCE,)


@given(
    boxes=st.lists(
        st.builds(Box, st.integers(0, 380), st.integers(0, 50), st.integers(1, 90), st.integers(1, 60)), max_size=7
    ),
    seed=st.integers(0, 999),
    classes=st.sampled_from([CLASSES, WITH_GARBAGE]),
    type_name=st.sampled_from(["digits", "digit"]),
)
@settings(max_examples=60, deadline=None)
def test_any_lattice_and_scores_give_probabilities_and_boxes_in_the_field(
    boxes: list[Box], seed: int, classes: tuple[str, ...], type_name: str
) -> None:
    lattice = row(boxes)
    table = np.random.default_rng(seed).dirichlet([0.2] * len(classes), len(lattice.candidates)).astype(np.float32)
    field = crop(type_name=type_name)
    decoded = decode(lattice, table, classes=classes, crop=field, field_type=field_type(type_name))
    assert field_type(type_name).automaton.accepts(decoded.text)
    assert "".join(digit.char for digit in decoded.digits) == decoded.text
    assert 0 <= decoded.confidence <= 1
    for digit in decoded.digits:
        assert decoded.confidence <= digit.confidence + 1e-6 <= 1 + 2e-6
        assert digit.confidence + sum(other.confidence for other in digit.alternatives) <= 1 + 1e-6
        assert 0 <= digit.box.x < digit.box.right <= 400
        assert 0 <= digit.box.y < digit.box.bottom <= 60


@pytest.mark.parametrize(
    ("decoded", "number"),
    [
        (Decoded(text="42", confidence=0.3, digit_share=0.99), True),
        (Decoded(text="42", confidence=0.3, digit_share=0.6), False),
        (Decoded(text="42", confidence=0.3, digit_share=0.99, skipped_share=0.5), False),
        (Decoded(text="42", confidence=0.1, digit_share=0.99), False),
        (Decoded(text="4", confidence=0.7, digit_share=0.99), False),
        (Decoded(text="4", confidence=0.9, digit_share=0.99), True),
        (Decoded(text="1", confidence=0.9, digit_share=0.99), False),
        (Decoded(text="", confidence=0.9, digit_share=0.99), False),
    ],
)
def test_words_and_lone_strokes_are_no_numbers(decoded: Decoded, number: bool) -> None:
    assert is_number(decoded) is number
