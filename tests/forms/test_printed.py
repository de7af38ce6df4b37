"""Frames of lines of print go in, numbers come out: which digits belong together, and which number is the field's."""

import numpy as np
import pytest
from numpy.typing import NDArray

from forms.automaton import any_digits
from forms.check_digits import luhn
from forms.field_specs import DigitsSpec
from forms.printed import PrintedNumber, choose, find_spans, read_number, rivals, shortest

Floats = NDArray[np.float32]

ACCOUNT = DigitsSpec(min_length=9, max_length=18).field_type().automaton


def frames(text: str, *, sure: float = 0.99, pitch: int = 6) -> Floats:
    """Return what a network says of a line: a sign every `pitch` frames, `x` a letter, a space only paper."""
    classes = np.full((len(text) * pitch + pitch, 12), (1 - sure) / 11)
    classes[:, 11] = sure
    for place, char in enumerate(text):
        if char != " ":
            row = place * pitch + pitch // 2
            classes[row] = (1 - sure) / 11
            classes[row, 10 if char == "x" else int(char)] = sure
    return np.log(classes).astype(np.float32)


def numbers(text: str, *, automaton: object = ACCOUNT, height: float = 30.0) -> list[PrintedNumber]:
    logs = frames(text)
    found = []
    for row, span in enumerate(find_spans(logs)):
        fused, places = read_number(logs, span, automaton)  # type: ignore[arg-type]
        found.append(PrintedNumber(fused, tuple(places), span.other, height, float(row), row))
    return found


def best(text: str) -> list[str]:
    return [number.best.text for number in numbers(text, automaton=any_digits())]


def test_a_number_is_what_stands_together() -> None:
    assert best("911010049001545") == ["911010049001545"]
    assert best("1234 5678 9012") == ["123456789012"]
    assert best("xx xx   911010") == ["911010"]
    assert best("426160    911010") == ["426160", "911010"]
    assert best("12x34") == ["12", "34"]
    assert best("xxx") == []
    assert best("") == []


def test_wide_print_is_one_number_and_its_gaps_are_told_from_its_pitch() -> None:
    for pitch in (4, 12, 17):
        logs = frames("300020101", pitch=pitch)
        assert [span.digits for span in find_spans(logs)] == [9], pitch
    assert [span.digits for span in find_spans(frames("300020101     4261", pitch=12))] == [9, 4]


def test_equal_digits_need_paper_between_them() -> None:
    assert best("0001100") == ["0001100"]


def test_each_digit_has_its_frames_on_the_row() -> None:
    (number,) = numbers("xx  911010049")
    assert number.best.text == "911010049"
    assert [first for first, _ in number.frames] == [6 * place + 3 for place in range(4, 13)]


def test_a_letter_that_touches_a_number_is_told_and_one_further_off_is_not() -> None:
    assert numbers("x911010049")[0].other > 0.9
    assert numbers("xx   911010049")[0].other < 0.1


def test_a_number_of_another_length_does_not_fit() -> None:
    (short,) = numbers("4261")
    assert not short.fits
    assert short.best.text == "4261"
    (fitting,) = numbers("911010049")
    assert fitting.fits
    assert fitting.fused.valid_share > 0.9


def test_the_fields_number_is_one_that_it_may_hold() -> None:
    found = numbers("911010049001545      426160")
    chosen = choose(found)
    assert chosen is not None
    assert chosen.best.text == "911010049001545"
    assert rivals(chosen, found) == []
    assert choose([]) is None


def test_two_numbers_that_fit_are_rivals_unless_one_is_much_smaller() -> None:
    found = numbers("911010049      300020101088")
    chosen = choose(found)
    assert chosen is not None
    assert chosen.best.text == "300020101088"
    assert [each.best.text for each in rivals(chosen, found)] == ["911010049"]
    small = numbers("911010049", height=12.0)
    assert rivals(chosen, [chosen, *small]) == []


def test_a_check_digit_is_asked_for() -> None:
    automaton = luhn(10, 10)
    logs = frames("4992739871", sure=0.9)
    (span,) = find_spans(logs)
    fused, _ = read_number(logs, span, automaton)
    allowed = [each.text for each in fused.proposals if each.allowed]
    assert all(automaton.accepts(text) for text in allowed)
    assert fused.proposals[0].allowed


@pytest.mark.parametrize(("low", "high"), [(1, 3), (9, 18)])
def test_the_shortest_string_of_a_type(low: int, high: int) -> None:
    assert shortest(DigitsSpec(min_length=low, max_length=high).field_type().automaton) == low
