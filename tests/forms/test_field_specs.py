"""Field types with options: what they accept, held to checks written another way, and what comes out of a lattice."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from forms.automaton import DEAD, Automaton
from forms.decoder import decode
from forms.field_specs import FieldSpec
from forms.field_types import FIELD_TYPES, FieldType
from tests.forms.rows import WITH_GARBAGE, crop, digit_boxes, row, scores

Spec = str | dict[str, Any]

ADAPTER: TypeAdapter[Any] = TypeAdapter(FieldSpec)


def kind_of(spec: Spec, *, cells: int | None = None) -> FieldType:
    found: FieldType = ADAPTER.validate_python(spec).field_type(cells=cells)
    return found


def luhn_is_right(text: str) -> bool:
    total = 0
    for place, char in enumerate(reversed(text)):
        worth = int(char) * (1 + place % 2)
        total += worth if worth < 10 else worth - 9
    return total % 10 == 0


def aba_is_right(text: str) -> bool:
    a, b, c, d, e, f, g, h, i = map(int, text)
    return (3 * (a + d + g) + 7 * (b + e + h) + (c + f + i)) % 10 == 0


def iban_is_right(iban: str) -> bool:
    turned = iban[4:] + iban[:4]
    number = int("".join(str(int(char, 36)) for char in turned))
    return number % 97 == 1 and 2 <= int(iban[2:4]) <= 98


def is_day(text: str, year: slice, month: slice, day: slice) -> date | None:
    try:
        return date(int(text[year]), int(text[month]), int(text[day]))
    except ValueError:
        return None


def within(day: date | None, first: date, last: date) -> bool:
    return day is not None and first <= day <= last


CASES: dict[str, tuple[Spec, Callable[[str], bool]]] = {
    "digits": ({"name": "digits", "min_length": 2, "max_length": 4}, lambda text: 2 <= len(text) <= 4),
    "digits of one length": ({"name": "digits", "length": 3}, lambda text: len(text) == 3),
    "digit": ("digit", lambda text: len(text) == 1),
    "integer": (
        {"name": "integer", "minimum": 7, "maximum": 131},
        lambda text: text == str(int(text)) and 7 <= int(text) <= 131,
    ),
    "integer with zeros in front": (
        {"name": "integer", "minimum": 0, "maximum": 60, "leading_zeros": True},
        lambda text: len(text) <= 2 and int(text) <= 60,
    ),
    "amount up to a maximum": (
        {"name": "amount", "maximum": 1500},
        lambda text: (text[0] != "0" and int(text) <= 1500) or text == "0" or (text[0] == "0" and len(text) == 3),
    ),
    "amount in whole units": (
        {"name": "amount", "decimals": 0, "maximum": 99},
        lambda text: text == str(int(text)) and int(text) <= 99,
    ),
    "amount with decimals": (
        {"name": "amount", "decimals": 2, "maximum": 99},
        lambda text: len(text) >= 3 and (text[0] != "0" or len(text) == 3) and int(text) <= 9900,
    ),
    "date in a window": (
        {"name": "date", "order": "ymd", "year_digits": 4, "earliest": "2019-11-30", "latest": "2021-03-02"},
        lambda text: (
            len(text) == 8
            and within(is_day(text, slice(4), slice(4, 6), slice(6, 8)), date(2019, 11, 30), date(2021, 3, 2))
        ),
    ),
    "American date": (
        {"name": "date", "order": "mdy", "year_digits": 4, "earliest": "2020-01-01", "latest": "2024-12-31"},
        lambda text: (
            len(text) == 8
            and within(is_day(text, slice(4, 8), slice(2), slice(2, 4)), date(2020, 1, 1), date(2024, 12, 31))
        ),
    ),
    "luhn": (
        {"name": "luhn", "min_length": 3, "max_length": 6},
        lambda text: 3 <= len(text) <= 6 and luhn_is_right(text),
    ),
    "aba": ("aba_routing", lambda text: len(text) == 9 and aba_is_right(text)),
    "bsn": (
        {"name": "mod11", "variant": "bsn"},
        lambda text: (
            len(text) == 9 and (sum((9 - i) * int(c) for i, c in enumerate(text[:8])) - int(text[8])) % 11 == 0
        ),
    ),
    "isbn": (
        {"name": "mod11", "variant": "isbn10"},
        lambda text: len(text) == 10 and sum((10 - i) * int(c) for i, c in enumerate(text)) % 11 == 0,
    ),
    "orgnr": (
        {"name": "mod11", "variant": "orgnr"},
        lambda text: (
            len(text) == 9
            and int(text[8])
            == (11 - sum(w * int(c) for w, c in zip((3, 2, 7, 6, 5, 4, 3, 2), text[:8], strict=True)) % 11) % 11
        ),
    ),
    "own weights": (
        {"name": "mod11", "weights": [2, 0, 1]},
        lambda text: len(text) == 3 and (2 * int(text[0]) + int(text[2])) % 11 == 0,
    ),
    "Norwegian iban": (
        {"name": "iban", "country": "NO"},
        lambda text: len(text) == 13 and iban_is_right(f"NO{text}"),
    ),
    "German iban": ({"name": "iban", "country": "DE"}, lambda text: len(text) == 20 and iban_is_right(f"DE{text}")),
    "pattern": (
        {"name": "pattern", "pattern": r"(19|20)\d\d[1-4]|0{2,3}[^1-8]+"},
        lambda text: re.fullmatch(r"(19|20)\d\d[1-4]|0{2,3}[09]+", text) is not None,
    ),
}


@cache
def kind(name: str) -> FieldType:
    return kind_of(CASES[name][0])


@cache
def live(automaton: Automaton) -> dict[int, list[int]]:
    """Return by state the digits that lead on to an accepted string."""
    hopeful = set(automaton.accepting)
    while grown := {
        state for state, targets in enumerate(automaton.steps) if state not in hopeful and hopeful & set(targets)
    }:
        hopeful |= grown
    return {
        state: [digit for digit, target in enumerate(targets) if target in hopeful]
        for state, targets in enumerate(automaton.steps)
    }


def draw_accepted(data: st.DataObject, automaton: Automaton, *, longest: int = 22) -> str:
    """Return a string that the automaton accepts and that is not empty."""
    text, state = "", 0
    while len(text) < longest:
        choices = live(automaton)[state]
        if not choices or (text and state in automaton.accepting and data.draw(st.booleans())):
            break
        digit = data.draw(st.sampled_from(choices))
        text, state = text + str(digit), automaton.steps[state][digit]
    assume(text and state in automaton.accepting)
    return text


def read(text: str, kind: FieldType) -> str:
    """Return what is read where the ink says `text`, clearly."""
    lattice = row(digit_boxes(len(text)), merged=2)
    truth = {(place, place + 1): int(char) for place, char in enumerate(text)}
    table = scores(lattice, truth, classes=WITH_GARBAGE)
    return decode(lattice, table, classes=WITH_GARBAGE, crop=crop(), field_type=kind).text


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
@settings(max_examples=40)
def test_a_type_accepts_what_an_independent_check_does(name: str, data: st.DataObject) -> None:
    automaton, is_right = kind(name).automaton, CASES[name][1]
    accepted = draw_accepted(data, automaton)
    assert is_right(accepted)
    place = data.draw(st.integers(0, len(accepted) - 1))
    altered = accepted[:place] + data.draw(st.sampled_from("0123456789")) + accepted[place + 1 :]
    for text in (
        altered,
        accepted[:-1] or "0",
        accepted + "0",
        data.draw(st.text("0123456789", min_size=1, max_size=9)),
    ):
        assert automaton.accepts(text) == is_right(text), text


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
@settings(max_examples=8)
def test_every_accepted_string_is_read_from_its_perfect_lattice(name: str, data: st.DataObject) -> None:
    text = draw_accepted(data, kind(name).automaton)
    assert read(text, kind(name)) == text


@pytest.mark.parametrize("name", CASES)
@given(text=st.text("0123456789", min_size=1, max_size=14))
@settings(max_examples=8)
def test_no_rejected_string_ever_comes_out(name: str, text: str) -> None:
    found = read(text, kind(name))
    assert kind(name).automaton.accepts(found)
    assert found == text or not kind(name).automaton.accepts(text)


@pytest.mark.parametrize("name", CASES)
def test_nothing_written_is_accepted_and_has_no_value(name: str) -> None:
    assert kind(name).automaton.accepts("")
    assert kind(name).value("") is None


@pytest.mark.parametrize("name", CASES)
def test_automata_are_as_small_as_they_can_be(name: str) -> None:
    automaton = kind(name).automaton
    assert _distinct(automaton) == automaton.states
    assert automaton.states <= 2000


def _distinct(automaton: Automaton) -> int:
    """Return how many states can be told apart: the number of kinds once splitting them further changes nothing."""
    kinds = [int(state in automaton.accepting) for state in range(automaton.states)]
    while True:
        signatures = [
            (kinds[state], *(DEAD if target == DEAD else kinds[target] for target in targets))
            for state, targets in enumerate(automaton.steps)
        ]
        order = sorted(set(signatures))
        names = {signature: place for place, signature in enumerate(order)}
        refined = [names[signature] for signature in signatures]
        if len(order) == len(set(kinds)):
            return len(order)
        kinds = refined


@pytest.mark.parametrize(
    ("spec", "text", "value"),
    [
        ({"name": "integer", "maximum": 60, "leading_zeros": True}, "07", "7"),
        ({"name": "amount", "decimals": 0}, "42020", "42020.00"),
        ({"name": "amount", "decimals": 2}, "42020", "420.20"),
        ({"name": "amount", "decimals": 2}, "020", "0.20"),
        ({"name": "amount", "decimals": 2}, "20", None),
        ("amount", "050", "0.50"),
        ({"name": "amount", "maximum": 500}, "501", None),
        ({"name": "date", "order": "mdy"}, "12312024", "2024-12-31"),
        ({"name": "date", "order": "ymd", "year_digits": 2}, "240229", "2024-02-29"),
        ({"name": "date", "year_digits": 2}, "010169", "1969-01-01"),
        ({"name": "date", "year_digits": 2, "earliest": "2050-01-01", "latest": "2080-12-31"}, "010169", "2069-01-01"),
        ({"name": "date", "year_digits": 4}, "010169", None),
        ({"name": "iban", "country": "DE"}, "89370400440532013000", "DE89370400440532013000"),
        ({"name": "iban", "country": "BE"}, "68539007547034", "BE68539007547034"),
        ({"name": "iban", "country": "NO"}, "9386011117947", "NO9386011117947"),
        ({"name": "luhn"}, "79927398713", "79927398713"),
        ("aba_routing", "111000025", "111000025"),
        ({"name": "mod11", "variant": "nhs"}, "9434765919", "9434765919"),
        ({"name": "mod11", "variant": "bsn"}, "111222333", "111222333"),
    ],
)
def test_a_value_is_the_string_in_a_form_for_programs(spec: Spec, text: str, value: str | None) -> None:
    assert kind_of(spec).value(text) == value


@pytest.mark.parametrize("name", ["amount", "date", "digits"])
def test_without_options_a_type_is_the_one_of_that_name(name: str) -> None:
    assert kind_of(name).automaton == FIELD_TYPES[name].automaton
    assert kind_of(name).comb_cells == FIELD_TYPES[name].comb_cells


def test_a_date_format_without_window_accepts_what_the_plain_type_does() -> None:
    default, explicit = FIELD_TYPES["date"], kind_of({"name": "date", "year_digits": 4})
    day = date(1999, 12, 1)
    while day < date(2001, 3, 2):
        text = f"{day:%d%m%Y}"
        assert explicit.value(text) == default.value(text) == day.isoformat()
        day += timedelta(days=1)
    assert explicit.automaton.accepts("29022000")
    assert not explicit.automaton.accepts("29021900")


def test_a_comb_holds_no_more_digits_than_boxes() -> None:
    in_comb = kind_of({"name": "digits", "min_length": 2}, cells=4)
    assert [in_comb.automaton.accepts("1" * count) for count in range(6)] == [True, False, True, True, True, False]
    assert in_comb.comb_cells == (4,)


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ("roman", "roman"),
        ({"name": "digits", "length": 3, "max_length": 4}, "length excludes"),
        ({"name": "digits", "min_length": 5, "max_length": 4}, "above max_length"),
        ({"name": "integer", "minimum": 5, "maximum": 4}, "above maximum"),
        ({"name": "integer"}, "Field required"),
        ({"name": "amount", "decimals": 1}, "decimals"),
        ({"name": "date", "earliest": "2021-01-01", "latest": "2020-01-01"}, "after latest"),
        ({"name": "date", "earliest": "1800-01-01"}, "1900-01-01"),
        ({"name": "mod11"}, "exactly one"),
        ({"name": "mod11", "weights": [1, 0]}, "other than 0"),
        ({"name": "iban", "country": "GB"}, "digits alone"),
        ({"name": "pattern", "pattern": "12("}, "missing"),
        ({"name": "pattern", "pattern": "()"}, "no digit at all"),
        ({"name": "luhn", "lenght": 3}, "Extra inputs"),
    ],
)
def test_wrong_options_are_refused(spec: Spec, fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        ADAPTER.validate_python(spec)
