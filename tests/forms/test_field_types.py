"""What amounts and dates may be, and what they mean."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.automaton import Automaton, finite
from forms.field_types import FIELD_TYPES, field_type
from forms.values import date_value


@pytest.mark.parametrize("name", sorted(FIELD_TYPES))
def test_nothing_written_is_accepted_and_has_no_value(name: str) -> None:
    assert field_type(name).automaton.accepts("")
    assert field_type(name).value("") is None


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("digits", "0042", "0042"),
        ("digit", "7", "7"),
        ("digit", "77", None),
        ("amount", "42020", "42020.00"),
        ("amount", "0", "0.00"),
        ("amount", "050", "0.50"),
        ("amount", "9999999999999", "9999999999999.00"),
        ("amount", "10000000000000", None),
        ("amount", "05", None),
        ("amount", "0500", None),
        ("date", "03012016", "2016-01-03"),
        ("date", "030116", "2016-01-03"),
        ("date", "311269", "1969-12-31"),
        ("date", "311268", "2068-12-31"),
        ("date", "29022000", "2000-02-29"),
        ("date", "29021900", None),
        ("date", "290200", "2000-02-29"),
        ("date", "290219", None),
        ("date", "29022019", None),
        ("date", "30022020", None),
        ("date", "31042020", None),
        ("date", "00012020", None),
        ("date", "01132020", None),
        ("date", "01012100", None),
        ("date", "0101201", None),
        ("date", "0101", None),
        ("date", "1a012016", None),
    ],
)
def test_a_value_is_the_string_in_a_form_for_programs(name: str, text: str, value: str | None) -> None:
    assert field_type(name).value(text) == value


def test_every_day_of_two_centuries_is_a_date() -> None:
    day, kind = date(1900, 1, 1), field_type("date")
    while day.year < 2100:
        assert kind.value(f"{day:%d%m%Y}") == day.isoformat()
        day += timedelta(days=1)


@given(st.one_of(st.text("0123", min_size=6, max_size=8), st.text("0123456789", max_size=9)))
def test_the_automaton_of_dates_accepts_what_has_a_value(text: str) -> None:
    assert field_type("date").automaton.accepts(text) == (text == "" or date_value(text) is not None)


@pytest.mark.parametrize(("name", "states"), [("amount", 16), ("date", 29)])
def test_automata_are_small(name: str, states: int) -> None:
    automaton = field_type(name).automaton
    assert automaton.states == states
    assert _distinct_states(automaton) == states


def test_a_finite_automaton_leaves_out_what_leads_nowhere() -> None:
    automaton = finite("", lambda text, digit: f"{text}{digit}" if len(text) < 2 else None, complete="12".__eq__)
    assert automaton.accepts("12")
    assert not automaton.accepts("1")
    assert automaton.states == 3


def _distinct_states(automaton: Automaton) -> int:
    """Return how many states can be told apart (Moore 1956)."""
    kind = {state: int(state in automaton.accepting) for state in range(automaton.states)} | {-1: -1}
    while True:
        signatures = {
            state: (kind[state], *(kind[to] for to in automaton.steps[state])) for state in kind if state >= 0
        }
        names = {signature: name for name, signature in enumerate(sorted(set(signatures.values())))}
        refined = {state: names[signature] for state, signature in signatures.items()} | {-1: -1}
        if len(set(refined.values())) == len(set(kind.values())):
            return len(names)
        kind = refined


@pytest.mark.parametrize(("name", "cells"), [("date", (8, 6)), ("digits", ()), ("digit", ()), ("amount", ())])
def test_only_dates_are_expected_in_combs(name: str, cells: tuple[int, ...]) -> None:
    assert field_type(name).comb_cells == cells
