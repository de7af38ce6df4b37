"""The likeliest strings of a lattice, by beam search along its cuts."""

import math
from typing import Final

import numpy as np

from forms.automaton import DEAD, DIGITS, Automaton
from forms.paths import NEVER, Edges, Posteriors

UNLIKELY: Final = 1e-4
"""The beam leaves out moves that are less probable than this."""

HOPELESS: Final = 9.2
"""Nats by which a prefix may be less likely than another in the same place; it would never catch up."""


def best_strings(edges: Edges, automaton: Automaton, likely: Posteriors, *, beam: int = 8) -> list[str]:
    """Return the likeliest strings, best first."""
    return list(weighed_strings(edges, automaton, likely, beam=beam))


def weighed_strings(edges: Edges, automaton: Automaton, likely: Posteriors, *, beam: int = 8) -> dict[str, float]:
    """Return the likeliest strings, best first, and the log weight of each by the paths that were followed.

    Beam search over cuts; prefixes that are the same string in different cuttings are added up. Moves that
    hardly any path makes are left out.
    """
    prefixes: list[dict[tuple[str, int], float]] = [{} for _ in range(edges.cuts)]
    prefixes[0]["", 0] = 0.0
    for cut, moves in enumerate(_moves(edges, likely)[:-1]):
        kept = _likeliest(prefixes[cut], beam)
        for end, digit, score in moves:
            if digit is None:
                _skip(prefixes[end], kept, score)
            else:
                _emit(prefixes[end], kept, digit, score, automaton.steps)
    final = [(weight, text) for (text, state), weight in prefixes[-1].items() if state in automaton.accepting]
    final.sort(reverse=True)
    return {text: weight for weight, text in final[:beam] if weight >= final[0][0] - HOPELESS}


def _likeliest(prefixes: dict[tuple[str, int], float], beam: int) -> list[tuple[tuple[str, int], float]]:
    """Return the `beam` likeliest prefixes without those that are hopeless beside another of the same state."""
    best: dict[int, float] = {}
    return [
        entry
        for entry in sorted(prefixes.items(), key=_by_weight)[:beam]
        if entry[1] >= best.setdefault(entry[0][1], entry[1]) - HOPELESS
    ]


def _by_weight(entry: tuple[tuple[str, int], float]) -> float:
    return -entry[1]


def _moves(edges: Edges, likely: Posteriors) -> list[list[tuple[int, int | None, float]]]:
    """Return by starting cut the moves that matter: cut they end at, digit (None is a skip), score."""
    moves: list[list[tuple[int, int | None, float]]] = [[] for _ in range(edges.cuts)]
    starts, ends = edges.starts.tolist(), edges.ends.tolist()
    skips = np.flatnonzero(likely.skip > UNLIKELY)
    for edge, score in zip(skips.tolist(), edges.skip[skips].tolist(), strict=True):
        moves[starts[edge]].append((ends[edge], None, score))
    emitting, digits = np.nonzero(likely.digit > UNLIKELY)
    scores = edges.digit[emitting, digits].tolist()
    for edge, digit, score in zip(emitting.tolist(), digits.tolist(), scores, strict=True):
        moves[starts[edge]].append((ends[edge], digit, score))
    return moves


def _skip(target: dict[tuple[str, int], float], kept: list[tuple[tuple[str, int], float]], score: float) -> None:
    """Add the prefixes that go on without a digit."""
    for key, weight in kept:
        known = target.get(key)
        target[key] = weight + score if known is None else _add(known, weight + score)


def _emit(
    target: dict[tuple[str, int], float],
    kept: list[tuple[tuple[str, int], float]],
    digit: int,
    score: float,
    steps: tuple[tuple[int, ...], ...],
) -> None:
    """Add the prefixes that go on with a digit, where the automaton has it."""
    char = DIGITS[digit]
    for (text, state), weight in kept:
        following = steps[state][digit]
        if following != DEAD:
            key = (text + char, following)
            known = target.get(key)
            target[key] = weight + score if known is None else _add(known, weight + score)


def _add(first: float, second: float) -> float:
    """Return log(exp(first) + exp(second)); far faster than numpy's on single numbers."""
    low, high = (first, second) if first < second else (second, first)
    return high + math.log1p(math.exp(low - high)) if high > NEVER else NEVER
