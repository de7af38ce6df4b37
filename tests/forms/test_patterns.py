"""Patterns of digits, held to Python's own regular expressions."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import InvalidRequest
from forms.patterns import compile_pattern

DIGITS = "012"


def _quantified(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    repeat = st.sampled_from(["", "?", "*", "+", "{2}", "{1,2}", "{0,2}", "{1,}"])
    return st.builds("({}){}".format, inner, repeat)


atoms = st.sampled_from([*DIGITS, ".", "[01]", "[^1]", "[0-2]", r"\d", "[12]"])
patterns = st.recursive(
    atoms,
    lambda inner: st.one_of(
        _quantified(inner), st.builds("{}{}".format, inner, inner), st.builds("({}|{})".format, inner, inner)
    ),
    max_leaves=6,
)


@given(pattern=patterns, texts=st.lists(st.text(DIGITS, max_size=6), min_size=1, max_size=8))
def test_a_pattern_accepts_what_python_does(pattern: str, texts: list[str]) -> None:
    automaton = compile_pattern(pattern)
    for text in texts:
        assert automaton.accepts(text) == (re.fullmatch(pattern, text) is not None), text


@given(pattern=patterns)
def test_texts_that_match_by_making_are_accepted(pattern: str) -> None:
    automaton = compile_pattern(pattern)
    shortest = next(
        (text for length in range(5) for text in _texts(length) if re.fullmatch(pattern, text) is not None), None
    )
    assume(shortest is not None)
    assert automaton.accepts(str(shortest))


def _texts(length: int) -> list[str]:
    return [""] if length == 0 else [text + char for text in _texts(length - 1) for char in DIGITS]


@pytest.mark.parametrize(
    ("pattern", "at", "fault"),
    [
        ("12(", 4, "')' is missing"),
        ("12)", 3, "no counterpart"),
        ("*1", 1, "nothing stands in front"),
        ("1|+", 3, "nothing stands in front"),
        ("a", 1, "neither a digit"),
        ("[12", 4, "']' is missing"),
        ("[]", 3, "no digit"),
        ("[^0-9]", 7, "no digit"),
        ("[9-0]", 5, "backwards"),
        ("[a]", 2, "class of digits"),
        ("1{2", 4, "'}' is missing"),
        ("1{}", 3, "number is missing"),
        ("1{3,2}", 7, "backwards"),
        ("1{100}", 6, "more than 99"),
        (r"\w", 2, "only"),
        ("(" * 31 + "1" + ")" * 31, 32, "inside one another"),
    ],
)
def test_a_fault_is_named_with_its_place(pattern: str, at: int, fault: str) -> None:
    with pytest.raises(InvalidRequest, match=re.escape(f"character {at}: ")) as caught:
        compile_pattern(pattern)
    assert fault in str(caught.value)


@pytest.mark.parametrize("pattern", ["((1{99}){99}){99}", "(0|1)*1(0|1){14}", "1" * 501])
def test_a_pattern_that_is_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidRequest):
        compile_pattern(pattern)
