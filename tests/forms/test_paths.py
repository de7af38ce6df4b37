"""Sums and maxima over paths, held to the listing of all paths."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.automaton import DEAD, DIGITS, Automaton, any_digits, at_most
from forms.beam_search import best_strings
from forms.paths import NEVER, Edges, Step, best_path, log_total, posteriors, string_log_weight

NO_TWIN = Automaton(steps=((1,) * 5 + (0,) * 5, (DEAD,) * 5 + (0,) * 5), accepting=frozenset({0}))
"""After a digit below 5 comes one of 5 or more: an automaton that looks at the digits themselves."""

AUTOMATA = (any_digits(), at_most(1), at_most(2), NO_TWIN)


@st.composite
def edges(draw: st.DrawFn) -> Edges:
    """Return a small lattice with random weights; only three digits are possible, so that all paths can be listed."""
    cuts = draw(st.integers(1, 4))
    pairs = [(start, end) for start in range(cuts) for end in range(start + 1, min(start + 3, cuts))]
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    digit = np.full((len(pairs), 10), NEVER)
    digit[:, [1, 4, 7]] = rng.normal(0, 3, (len(pairs), 3))
    single = np.array([end == start + 1 for start, end in pairs], np.bool_)
    skip = np.where(single, rng.normal(0, 3, len(pairs)), NEVER)
    starts, ends = (np.array([pair[side] for pair in pairs], np.intp) for side in (0, 1))
    return Edges(cuts=cuts, starts=starts, ends=ends, digit=digit, skip=skip)


def all_paths(lattice: Edges, cut: int = 0) -> Iterator[tuple[float, tuple[Step, ...]]]:
    """Yield every path from `cut` to the end with its score."""
    if cut == lattice.cuts - 1:
        yield 0.0, ()
    for edge in np.flatnonzero(lattice.starts == cut).tolist():
        moves = [(digit, score) for digit, score in enumerate(lattice.digit[edge].tolist())]
        for digit, score in [*moves, (None, float(lattice.skip[edge]))]:
            if score > NEVER:
                for rest, steps in all_paths(lattice, int(lattice.ends[edge])):
                    yield score + rest, (Step(edge, digit), *steps)


def text_of(steps: tuple[Step, ...]) -> str:
    return "".join(DIGITS[step.digit] for step in steps if step.digit is not None)


def strings(lattice: Edges, automaton: Automaton) -> dict[str, float]:
    """Return the weight of every accepted string, by listing."""
    weights: dict[str, float] = defaultdict(float)
    for score, steps in all_paths(lattice):
        if automaton.accepts(text_of(steps)):
            weights[text_of(steps)] += float(np.exp(score))
    return dict(weights)


@given(lattice=edges(), automaton=st.sampled_from(AUTOMATA))
@settings(deadline=None)
def test_the_total_is_the_sum_over_all_paths(lattice: Edges, automaton: Automaton) -> None:
    total = sum(strings(lattice, automaton).values())
    assert np.exp(posteriors(lattice, automaton).log_total) == pytest.approx(total)
    assert np.exp(log_total(lattice, automaton)) == pytest.approx(total)


@given(lattice=edges(), automaton=st.sampled_from(AUTOMATA))
@settings(deadline=None)
def test_the_probabilities_of_all_strings_sum_to_one(lattice: Edges, automaton: Automaton) -> None:
    listed = strings(lattice, automaton)
    if not listed:
        return
    log_total = posteriors(lattice, automaton).log_total
    shares = [np.exp(string_log_weight(lattice, text) - log_total) for text in listed]
    assert sum(shares) == pytest.approx(1.0)
    assert shares == pytest.approx([weight / np.exp(log_total) for weight in listed.values()])


@given(lattice=edges(), automaton=st.sampled_from(AUTOMATA))
@settings(deadline=None)
def test_the_best_string_is_the_heaviest_of_all(lattice: Edges, automaton: Automaton) -> None:
    listed = strings(lattice, automaton)
    found = best_strings(lattice, automaton, posteriors(lattice, automaton), beam=64)
    if not listed:
        assert found == []
        return
    assert listed[found[0]] == pytest.approx(max(listed.values()), rel=0.01)


@given(lattice=edges())
@settings(deadline=None)
def test_the_best_path_of_a_string_is_the_heaviest_that_spells_it(lattice: Edges) -> None:
    best: dict[str, float] = {}
    scores: dict[tuple[Step, ...], float] = {}
    for score, steps in all_paths(lattice):
        scores[steps] = score
        best[text_of(steps)] = max(score, best.get(text_of(steps), NEVER))
    for text, score in best.items():
        path = best_path(lattice, text)
        assert path is not None
        assert text_of(path) == text
        assert scores[path] == pytest.approx(score)


def test_nearness_decides_between_candidates_that_weigh_about_the_same() -> None:
    one = np.log(np.eye(10)[[1, 1, 1]] + 1e-9)
    lattice = Edges(3, np.array([0, 1, 0]), np.array([1, 2, 2]), one, np.full(3, -0.1))
    assert [step.edge for step in best_path(lattice, "1") or ()] == [2]
    near_the_first = best_path(lattice, "1", nearness=np.array([[0.0, -9.0, -5.0]]))
    assert near_the_first == (Step(0, 1), Step(1, None))


@given(lattice=edges(), automaton=st.sampled_from(AUTOMATA))
@settings(deadline=None)
def test_the_posteriors_of_the_edges_over_any_piece_sum_to_one(lattice: Edges, automaton: Automaton) -> None:
    if not strings(lattice, automaton):
        return
    likely = posteriors(lattice, automaton)
    along = likely.digit.sum(axis=1) + likely.skip
    for piece in range(lattice.cuts - 1):
        over = (lattice.starts <= piece) & (lattice.ends > piece)
        assert along[over].sum() == pytest.approx(1.0)


def test_a_string_that_no_path_spells_has_no_path() -> None:
    lattice = Edges(2, np.array([0]), np.array([1]), np.zeros((1, 10)), np.array([0.0]))
    assert best_path(lattice, "12") is None
    assert string_log_weight(lattice, "12") == NEVER
