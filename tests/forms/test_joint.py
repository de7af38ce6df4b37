"""Lattice and line readers together: which string wins, how sure it is, and where its digits stand."""

import numpy as np
import pytest

from core.types import Box, Lattice, ReviewReason
from forms.confidence import FEATURES, Calibration
from forms.ctc import frames_of
from forms.decoder import Decoded
from forms.digitwise import digit_shares, in_places
from forms.field_types import field_type
from forms.fusion import Fused, FusionWeights, Proposal
from forms.joint import LineView, readers_disagree
from forms.policy import judge
from tests.forms.jointly import decode_jointly
from tests.forms.rows import WITH_GARBAGE, crop, digit_boxes, row, scores
from tests.forms.test_ctc import peaks

PLAIN = Calibration(FusionWeights(), 0.0, (1.0, *[0.0] * (len(FEATURES) - 1)))
"""The share of the proposals is the confidence."""

LINE = Box(0, 10, 200, 40)


def read(
    lattice: Lattice,
    truth: dict[tuple[int, int], int],
    seen: list[tuple[int, int]],
    *,
    type_name: str = "digits",
    calibration: Calibration = PLAIN,
) -> Decoded:
    return decode_jointly(
        lattice,
        scores(lattice, truth, classes=WITH_GARBAGE, sure=0.99),
        LineView(frames_of(peaks(seen, count=100)), LINE),
        classes=WITH_GARBAGE,
        crop=crop(type_name=type_name),
        field_type=field_type(type_name),
        calibration=calibration,
    )


def test_what_both_say_is_read_surely_with_the_lattices_boxes() -> None:
    decoded = read(row(digit_boxes(2)), {(0, 1): 4, (1, 2): 7}, [(16, 4), (34, 7)])
    assert decoded.text == "47"
    assert decoded.confidence > 0.95
    assert not decoded.disagree
    assert [digit.box for digit in decoded.digits] == digit_boxes(2)


def test_what_the_lattice_cannot_spell_gets_boxes_from_the_line() -> None:
    decoded = read(row(digit_boxes(1)), {(0, 1): 4}, [(10, 4), (50, 7), (90, 7)])
    assert decoded.text == "477"
    boxes = [digit.box for digit in decoded.digits]
    assert boxes == sorted(boxes, key=lambda box: box.x)
    assert all(box.width > 0 and box.height > 0 for box in boxes)


def test_doubt_of_one_reader_shows_as_an_alternative() -> None:
    unsure = peaks([(16, 4), (34, 7)], count=100)
    unsure[:, 34, 1] = np.log(0.45)
    unsure[:, 34, 7] = np.log(0.53)
    lattice = row(digit_boxes(2))
    decoded = decode_jointly(
        lattice,
        scores(lattice, {(0, 1): 4, (1, 2): 1}, classes=WITH_GARBAGE, sure=0.6),
        LineView(frames_of(unsure), LINE),
        classes=WITH_GARBAGE,
        crop=crop(),
        field_type=field_type("digits"),
        calibration=PLAIN,
    )
    second = decoded.digits[1]
    assert {second.char, *(each.char for each in second.alternatives)} >= {"1", "7"}
    assert second.confidence + sum(each.confidence for each in second.alternatives) <= 1.0 + 1e-9
    assert decoded.digits[0].confidence > second.confidence >= decoded.confidence


def test_a_date_is_chosen_among_days_alone() -> None:
    boxes = digit_boxes(8)
    digits = [3, 1, 0, 2, 2, 0, 1, 6]
    lattice = row(boxes)
    seen = [(6 + 12 * place, digit) for place, digit in enumerate(digits)]
    decoded = read(lattice, {(place, place + 1): digit for place, digit in enumerate(digits)}, seen, type_name="date")
    assert decoded.text != "31022016"
    assert decoded.text == "" or field_type("date").value(decoded.text) is not None


def test_readers_that_are_sure_of_different_strings_are_reported() -> None:
    decoded = read(row(digit_boxes(2)), {(0, 1): 4, (1, 2): 7}, [(16, 9), (34, 3)])
    assert decoded.disagree
    reading = judge(decoded, crop(), accept_confidence=0.0)
    assert ReviewReason.READERS_DISAGREE in reading.review_reasons
    assert not reading.accepted


def two_digits(*, best: tuple[float, float], rival: tuple[str, float, float]) -> Fused:
    """Return 47 with the log probabilities of lattice and line readers, and another string with its own."""
    text, lattice, lines = rival
    return Fused(
        (Proposal("47", 0.9, *best, allowed=True), Proposal(text, 0.1, lattice, lines, allowed=True)), text, "47"
    )


@pytest.mark.parametrize(
    ("best", "rival", "expected"),
    [
        ((-2.8, -0.28), ("42", -1.4, -6.0), True),
        ((-2.8, -0.05), ("42", -1.4, -6.0), False),  # the line readers do not hesitate
        ((-2.0, -0.28), ("42", -1.4, -6.0), False),  # the lattice hardly prefers the other
        ((-2.8, -0.28), ("472", -1.4, -6.0), False),  # a matter of cuts, not of one digit
        ((-2.8, -0.28), ("92", -1.4, -6.0), False),
    ],
)
def test_hesitant_line_readers_against_the_lattice_over_one_digit_are_reported(
    best: tuple[float, float], rival: tuple[str, float, float], *, expected: bool
) -> None:
    assert readers_disagree(two_digits(best=best, rival=rival)) is expected


def test_a_word_is_not_accepted_as_a_number() -> None:
    word = peaks([(16, 4), (34, 7)], count=100)
    word[:, 60] = np.log(1e-4)
    word[:, 60, 10] = np.log(0.99)
    lattice = row(digit_boxes(2))
    decoded = decode_jointly(
        lattice,
        scores(lattice, {(0, 1): 4, (1, 2): 7}, classes=WITH_GARBAGE, sure=0.99),
        LineView(frames_of(word), LINE),
        classes=WITH_GARBAGE,
        crop=crop(),
        field_type=field_type("digits"),
        calibration=PLAIN,
    )
    assert judge(decoded, crop(), accept_confidence=0.0).review_reasons == (ReviewReason.NOT_DIGITS,)


def test_a_field_without_ink_is_empty() -> None:
    assert read(Lattice(cuts=1, candidates=(), text_height=0.0), {}, [(16, 4)]).text == ""


@pytest.mark.parametrize(
    ("text", "other", "found"),
    [
        ("4711", "4711", ["4", "7", "1", "1"]),
        ("4711", "471", ["4", "7", "1", ""]),
        ("471", "4711", ["4", "7", "1"]),
        ("4711", "9711", ["9", "7", "1", "1"]),
        ("12345", "1345", ["1", "", "3", "4", "5"]),
        ("1", "", [""]),
    ],
)
def test_another_string_is_laid_beside_the_reading(text: str, other: str, found: list[str]) -> None:
    laid = in_places(text, other)
    assert laid == found or sorted(laid) == sorted(found)


def test_shares_of_a_digit_add_up_over_the_proposals() -> None:
    proposals = [Proposal("47", 0.6, -1, -1, True), Proposal("41", 0.3, -1, -1, True), Proposal("4", 0.1, -1, -1, True)]
    first, second = digit_shares("47", proposals)
    assert first == pytest.approx({"4": 1.0})
    assert second == pytest.approx({"7": 0.6, "1": 0.3})
