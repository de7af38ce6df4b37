"""The search for valid strings, held to the listing of all paths and of all ways through frames."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.algebra import intersection, minimised, of_length, of_strings, or_nothing
from forms.automaton import DIGITS, Automaton
from forms.check_digits import luhn, weighted
from forms.ctc import BLANK, Frames
from forms.fusion import ANYTHING
from forms.paths import Edges
from forms.patterns import compile_pattern
from forms.prefix_search import MAX_EXPANDED, valid_line_strings, valid_strings, valid_weight
from tests.forms.test_paths import edges, strings

AUTOMATA = (
    ANYTHING,
    or_nothing(weighted((2, 3, 1), modulus=5)),
    or_nothing(luhn(2, 3)),
    weighted((1, 1), modulus=11, remainder=8),
    compile_pattern("(14|7)*"),
    compile_pattern("[147]7?4"),
    of_strings({"147", "741", "4"}),
)


@given(lattice=edges(), automaton=st.sampled_from(AUTOMATA))
def test_the_likeliest_valid_strings_are_those_of_brute_force(lattice: Edges, automaton: Automaton) -> None:
    listed, everything = strings(lattice, automaton), sum(strings(lattice, ANYTHING).values())
    expected = sorted(((weight / everything, text) for text, weight in listed.items()), reverse=True)
    found = valid_strings(lattice, automaton, count=200, negligible=0.0)
    assert [each.weight for each in found] == pytest.approx([weight for weight, _ in expected])
    assert {each.text for each in found} == set(listed)
    assert valid_weight(lattice, automaton) == pytest.approx(sum(weight for weight, _ in expected))


@given(lattice=edges(), automaton=st.sampled_from(AUTOMATA))
def test_the_first_is_the_best(lattice: Edges, automaton: Automaton) -> None:
    listed = strings(lattice, automaton)
    found = valid_strings(lattice, automaton, count=1)
    assert [text for text, _ in found] == ([max(listed, key=lambda text: listed[text])] if listed else [])


@given(seed=st.integers(0, 10_000), count=st.integers(1, 5), automaton=st.sampled_from(AUTOMATA))
def test_line_strings_are_those_of_brute_force(seed: int, count: int, automaton: Automaton) -> None:
    frames = _frames(seed, count)
    weights: dict[str, float] = {}
    for labels in product((1, 4, 7, BLANK), repeat=count):
        weight = float(np.prod([frames.probabilities[0, frame, label] for frame, label in enumerate(labels)]))
        text = _collapsed(labels)
        if automaton.accepts(text):
            weights[text] = weights.get(text, 0.0) + weight
    found = valid_line_strings(frames, automaton, count=200, negligible=0.0)
    assert {each.text: each.weight for each in found if each.weight > 1e-12} == pytest.approx(weights)
    assert [each.weight for each in found] == sorted((each.weight for each in found), reverse=True)


def _frames(seed: int, count: int) -> Frames:
    """Return frames that know the digits 1, 4 and 7 only."""
    rng = np.random.default_rng(seed)
    probabilities = np.zeros((1, count, BLANK + 1))
    drawn = rng.exponential(1.0, (count, 4)) + 1e-3
    probabilities[0][:, [1, 4, 7, BLANK]] = drawn / drawn.sum(axis=1, keepdims=True)
    return Frames(probabilities, np.arange(count), count, 0.0)


def _collapsed(labels: tuple[int, ...]) -> str:
    kept = [label for place, label in enumerate(labels) if place == 0 or label != labels[place - 1]]
    return "".join(DIGITS[label] for label in kept if label != BLANK)


def test_thin_evidence_still_ends_in_a_valid_string() -> None:
    pieces = 24
    starts = np.arange(pieces)
    lattice = Edges(
        cuts=pieces + 1, starts=starts, ends=starts + 1, digit=np.zeros((pieces, 10)), skip=np.full(pieces, -np.inf)
    )
    automaton = weighted((1,) * pieces, modulus=97)
    assert pieces * 10 < MAX_EXPANDED < 10**pieces
    found = valid_strings(lattice, automaton)
    assert found
    assert all(automaton.accepts(each.text) for each in found)


@given(texts=st.sets(st.text("019", max_size=5), max_size=12), length=st.tuples(st.integers(0, 3), st.integers(3, 5)))
def test_algebra_keeps_to_the_strings(texts: set[str], length: tuple[int, int]) -> None:
    automaton = of_strings(texts)
    both = intersection(automaton, of_length(*length))
    for text in {*texts, "", "0", "19", "1909", "01910"}:
        assert automaton.accepts(text) == (text in texts)
        assert minimised(automaton).accepts(text) == (text in texts)
        assert or_nothing(automaton).accepts(text) == (text in texts or text == "")
        assert both.accepts(text) == (text in texts and length[0] <= len(text) <= length[1])


def test_nothing_is_added_to_a_loop_but_the_empty_string() -> None:
    even = compile_pattern("1(01)*")
    assert [or_nothing(even).accepts(text) for text in ("", "1", "101", "10", "01")] == [True, True, True, False, False]
