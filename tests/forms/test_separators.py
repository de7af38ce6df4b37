"""Commas read as a 1: told by where they stand, and taken out of what was read."""

import pytest

from core.types import Box
from forms.fusion import Fused, Proposal
from forms.separators import ODDS, hanging, without

HEIGHT = 40


def standing(text: str, strokes: dict[int, tuple[int, int]] | None = None) -> list[Box]:
    """Return a box for each digit, 40 high from row 10 on; those in `strokes` begin and end at other rows."""
    boxes = []
    for number in range(len(text)):
        top, bottom = (strokes or {}).get(number, (10, 10 + HEIGHT))
        boxes.append(Box(30 * number, top, 20, bottom - top))
    return boxes


@pytest.mark.parametrize("rows", [(30, 62), (22, 60), (27, 50)])
def test_a_stroke_that_hangs_below_the_digits_is_a_comma(rows: tuple[int, int]) -> None:
    assert hanging("61300", standing("61300", {1: rows})) == [1]


@pytest.mark.parametrize("rows", [(10, 50), (0, 48), (19, 50), (4, 60)])
def test_a_one_may_be_small_tall_or_long(rows: tuple[int, int]) -> None:
    assert hanging("61300", standing("61300", {1: rows})) == []


def test_every_comma_of_a_number_is_found() -> None:
    assert hanging("21351800", standing("21351800", {1: (32, 62), 4: (32, 60)})) == [1, 4]


def test_neither_other_digits_nor_the_first_nor_one_of_two_are_commas() -> None:
    low = (30, 62)
    assert hanging("67300", standing("67300", {1: low})) == []
    assert hanging("16300", standing("16300", {0: low})) == []
    assert hanging("61", standing("61", {1: low})) == []


def proposals(*shares: tuple[str, float, bool]) -> Fused:
    return Fused(tuple(Proposal(text, share, -1.0, -1.0, allowed) for text, share, allowed in shares), None, None)


def test_the_number_without_its_comma_is_read() -> None:
    moved = without(proposals(("61300", 0.9, True), ("6300", 0.02, True), ("61360", 0.08, True)), [1])
    assert [each.text for each in moved.proposals] == ["6300", "61300", "61360"]
    comma, one, other = (each.share for each in moved.proposals)
    assert comma / one == pytest.approx(ODDS)
    assert one / other == pytest.approx(0.9 / 0.08)
    assert comma + one + other == pytest.approx(1.0)
    assert moved.proposals[0].layout > 0 == moved.proposals[1].layout


@pytest.mark.parametrize("text", ["630", "6300"])
def test_what_nobody_proposes_or_the_field_may_not_hold_is_not_read(text: str) -> None:
    given = proposals(("61300", 0.9, True), (text, 0.1, False))
    assert without(given, [1]) is given
