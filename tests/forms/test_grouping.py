"""Commas speak for the number between whose digits they stand where people write them."""

import pytest

from core.types import Box
from forms.field_specs import AmountSpec, IntegerSpec
from forms.fusion import Fused, Proposal, laid_out
from forms.grouping import GROUPED, MISGROUPED, SLASHED, grouping_log_weight

OPEN = AmountSpec().field_type()
WHOLE = AmountSpec(decimals=0).field_type()
CENTS = AmountSpec(decimals=2).field_type()
COUNT = IntegerSpec(maximum=10**9).field_type()


def boxes(text: str, *, last: int = 40) -> list[Box]:
    """Return a box for each digit, all 40 high but the last one."""
    return [Box(30 * place, 10, 20, last if place == len(text) - 1 else 40) for place in range(len(text))]


@pytest.mark.parametrize("commas", [{3}, {3, 6}, {3, 5}, {3, 5, 7}])
def test_whole_numbers_are_parted_by_thousands_or_lakhs(commas: set[int]) -> None:
    text = "123456789"
    for kind in (OPEN, WHOLE, COUNT):
        assert grouping_log_weight(text, boxes(text), commas, kind) == GROUPED


@pytest.mark.parametrize("commas", [{4}, {3, 4}, {3, 5, 6}, {1}])
def test_a_comma_elsewhere_speaks_against_a_number(commas: set[int]) -> None:
    text = "123456789"
    for kind in (OPEN, WHOLE, CENTS, COUNT):
        assert grouping_log_weight(text, boxes(text), commas, kind) == MISGROUPED


def test_lakhs_without_thousands_say_nothing() -> None:
    assert grouping_log_weight("71651000", boxes("71651000"), {5}, OPEN) == 0.0


def test_no_comma_says_nothing() -> None:
    assert grouping_log_weight("120000", boxes("120000"), set(), OPEN) == 0.0


def test_a_point_before_cents_is_judged_elsewhere_unless_the_type_has_none() -> None:
    text = "120050"
    for commas in ({2}, {2, 5}):
        assert grouping_log_weight(text, boxes(text), commas, OPEN) == 0.0
        assert grouping_log_weight(text, boxes(text), commas, CENTS) == GROUPED
        assert grouping_log_weight(text, boxes(text), commas, COUNT) == MISGROUPED
    assert grouping_log_weight(text, boxes(text), {3}, CENTS) == 0.0


@pytest.mark.parametrize("text", ["990001", "990007", "990004"])
def test_a_last_digit_far_taller_than_the_others_is_a_slash(text: str) -> None:
    assert grouping_log_weight(text, boxes(text, last=80), set(), OPEN) == SLASHED
    assert grouping_log_weight(text, boxes(text, last=50), set(), OPEN) == 0.0


def test_a_tall_nought_is_no_slash() -> None:
    assert grouping_log_weight("99000", boxes("99000", last=80), set(), OPEN) == 0.0


def test_one_of_two_digits_may_be_tall() -> None:
    assert grouping_log_weight("11", boxes("11", last=80), set(), OPEN) == 0.0


def test_shares_follow_the_weights_and_stay_one_together() -> None:
    given = Fused(tuple(Proposal(t, s, -1.0, -1.0, True) for t, s in (("748000", 0.6), ("7480000", 0.4))), None, None)
    moved = laid_out(given, {"7480000": GROUPED})
    assert [each.text for each in moved.proposals] == ["7480000", "748000"]
    assert sum(each.share for each in moved.proposals) == pytest.approx(1.0)
    assert [each.layout for each in moved.proposals] == [GROUPED, 0.0]
    # Weighed twice, both weights count.
    again = laid_out(moved, {"7480000": -GROUPED})
    assert [each.text for each in again.proposals] == ["748000", "7480000"]
    assert again.proposals[1].layout == 0.0
    assert again.proposals[0].share == pytest.approx(0.6)
