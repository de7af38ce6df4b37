"""Which strings a field may hold."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidRequest
from forms.automaton import DEAD, DIGITS, Automaton, any_digits, at_most, extreme_strings, string_lengths
from forms.field_types import FIELD_TYPES, field_type


@pytest.mark.parametrize(
    ("automaton", "text", "accepted"),
    [
        (any_digits(), "", True),
        (any_digits(), "0042", True),
        (any_digits(), "4,2", False),
        (at_most(1), "", True),
        (at_most(1), "7", True),
        (at_most(1), "77", False),
        (at_most(3), "123", True),
        (at_most(3), "1234", False),
    ],
)
def test_an_automaton_accepts_its_strings_only(automaton: Automaton, text: str, accepted: bool) -> None:
    assert automaton.accepts(text) is accepted


def test_moves_are_the_steps_as_an_array() -> None:
    automaton = Automaton(steps=((DEAD,) * 9 + (1,), (0,) * 10), accepting=frozenset({1}))
    assert automaton.moves.sum() == 11
    assert automaton.moves[0, 9, 1]
    assert automaton.ends.tolist() == [False, True]


@given(
    steps=st.lists(st.lists(st.integers(DEAD, 2), min_size=10, max_size=10), min_size=3, max_size=3),
    accepting=st.frozensets(st.integers(0, 2)),
)
def test_the_lengths_and_ends_of_what_is_accepted(steps: list[list[int]], accepting: frozenset[int]) -> None:
    automaton = Automaton(tuple(map(tuple, steps)), accepting)
    ends, lengths = [], []
    for length in (1, 2, 3):
        texts = [text for text in map("".join, product(DIGITS, repeat=length)) if automaton.accepts(text)]
        ends += [min(texts), max(texts)] if texts else []
        lengths += [length] if texts else []
    assert list(extreme_strings(automaton, most=3)) == ends
    assert string_lengths(automaton, most=3) == tuple(lengths)


def test_field_types_are_found_by_name() -> None:
    assert set(FIELD_TYPES) >= {"digits", "digit"}
    assert field_type("digit").automaton.accepts("5")


def test_an_unknown_type_names_the_known_ones() -> None:
    with pytest.raises(InvalidRequest, match="digit, digits"):
        field_type("roman")
