"""Sums and maxima over all paths through a lattice: the arithmetic under the decoder.

A path leads from the first cut to the last. Each of its edges either emits one digit or skips its ink (a dot, a
dash, a stain). The weight of a path is the exponential of the sum of its edges' scores; the probability of a
string is the weight of all paths that emit it, over the weight of all paths that the automaton accepts.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forms.automaton import DEAD, DIGITS, Automaton

_Floats = NDArray[np.float64]

NEVER: Final = -np.inf

UNLIKELY: Final = 1e-4
"""The beam leaves out moves that are less probable than this."""


@dataclass(frozen=True, slots=True)
class Edges:
    """A lattice's candidates with their scores, in any order.

    Attributes:
        cuts: number of cuts.
        starts: int, shape (n,): cut at which each edge starts.
        ends: int, shape (n,): cut at which it ends.
        digit: float, shape (n, 10): log weight of emitting each digit.
        skip: float, shape (n,): log weight of emitting nothing; `NEVER` where that is not allowed.
    """

    cuts: int
    starts: NDArray[np.intp]
    ends: NDArray[np.intp]
    digit: _Floats
    skip: _Floats


@dataclass(frozen=True, slots=True)
class Step:
    """One edge of a path: which, and the digit it emits (None where it skips)."""

    edge: int
    digit: int | None


def log_sum(values: _Floats, axis: int | tuple[int, ...] | None = None) -> _Floats:
    """Return the logarithm of the sum of the exponentials; `NEVER` where all are."""
    highest = np.max(values, axis=axis, keepdims=True, initial=NEVER)
    safe = np.where(np.isfinite(highest), highest, 0.0)
    with np.errstate(divide="ignore"):
        total = np.log(np.sum(np.exp(values - safe), axis=axis, keepdims=True)) + safe
    return np.asarray(np.squeeze(total, axis=axis))


def transitions(edges: Edges, automaton: Automaton) -> _Floats:
    """Return the log weight of each edge between each pair of states: shape (n, states, states)."""
    emitting = np.where(automaton.moves[None], edges.digit[:, None, :, None], NEVER)
    weights = log_sum(emitting, axis=2).reshape(-1, automaton.states, automaton.states)
    stay = np.arange(automaton.states)
    weights[:, stay, stay] = np.logaddexp(weights[:, stay, stay], edges.skip[:, None])
    return weights


def forward(edges: Edges, weights: _Floats) -> _Floats:
    """Return the log weight of all ways from the first cut to each cut and state: shape (cuts, states).

    `weights` are the edges' `transitions`.
    """
    alpha = np.full((edges.cuts, weights.shape[1]), NEVER)
    alpha[0, 0] = 0.0
    for cut in range(1, edges.cuts):
        into = np.flatnonzero(edges.ends == cut)
        alpha[cut] = log_sum(alpha[edges.starts[into]][:, :, None] + weights[into], axis=(0, 1))
    return alpha


def backward(edges: Edges, weights: _Floats, automaton: Automaton) -> _Floats:
    """Return the log weight of all ways from each cut and state to an accepting end: shape (cuts, states)."""
    beta = np.full((edges.cuts, automaton.states), NEVER)
    beta[-1, automaton.ends] = 0.0
    for cut in range(edges.cuts - 2, -1, -1):
        out = np.flatnonzero(edges.starts == cut)
        beta[cut] = log_sum(weights[out] + beta[edges.ends[out]][:, None, :], axis=(0, 2))
    return beta


@dataclass(frozen=True, slots=True)
class Posteriors:
    """What all accepted paths of a lattice say together.

    Attributes:
        log_total: log weight of all of them; `NEVER` where there is none.
        digit: shape (n, 10): probability that the path goes along an edge and emits a digit there.
        skip: shape (n,): probability that it goes along an edge and emits nothing.
    """

    log_total: float
    digit: _Floats
    skip: _Floats


def log_total(edges: Edges, automaton: Automaton) -> float:
    """Return the log weight of all paths that `automaton` accepts; `NEVER` where there is none."""
    return float(log_sum(forward(edges, transitions(edges, automaton))[-1][automaton.ends]))


def posteriors(edges: Edges, automaton: Automaton) -> Posteriors:
    """Return the posteriors of all edges (forward-backward, Baum 1972)."""
    weights = transitions(edges, automaton)
    alpha, beta = forward(edges, weights), backward(edges, weights, automaton)
    total = float(log_sum(alpha[-1][automaton.ends]))
    if total == NEVER:
        return Posteriors(NEVER, np.zeros_like(edges.digit), np.zeros_like(edges.skip))
    around = alpha[edges.starts][:, :, None, None] + beta[edges.ends][:, None, None, :]
    emitting = log_sum(np.where(automaton.moves[None], around, NEVER), axis=(1, 3)).reshape(edges.digit.shape)
    staying = log_sum(alpha[edges.starts] + beta[edges.ends], axis=1)
    return Posteriors(total, np.exp(emitting + edges.digit - total), np.exp(staying + edges.skip - total))


def best_strings(edges: Edges, automaton: Automaton, likely: Posteriors, *, beam: int = 8) -> list[str]:
    """Return the likeliest strings, best first.

    Beam search over cuts; prefixes that are the same string in different cuttings are added up. Moves that
    hardly any path makes are left out.
    """
    prefixes: list[dict[tuple[str, int], float]] = [{} for _ in range(edges.cuts)]
    prefixes[0]["", 0] = 0.0
    for cut, moves in enumerate(_moves(edges, likely)[:-1]):
        kept = sorted(prefixes[cut].items(), key=lambda entry: -entry[1])[:beam]
        for end, digit, score in moves:
            _extend(prefixes[end], kept, digit, score, automaton)
    final = [(weight, text) for (text, state), weight in prefixes[-1].items() if state in automaton.accepting]
    return [text for _, text in sorted(final, reverse=True)[:beam]]


def _moves(edges: Edges, likely: Posteriors) -> list[list[tuple[int, int | None, float]]]:
    """Return by starting cut the moves that matter: cut they end at, digit (None is a skip), score."""
    moves: list[list[tuple[int, int | None, float]]] = [[] for _ in range(edges.cuts)]
    for edge in np.flatnonzero(likely.skip > UNLIKELY).tolist():
        moves[edges.starts[edge]].append((int(edges.ends[edge]), None, float(edges.skip[edge])))
    for edge, digit in np.argwhere(likely.digit > UNLIKELY).tolist():
        moves[edges.starts[edge]].append((int(edges.ends[edge]), digit, float(edges.digit[edge, digit])))
    return moves


def _extend(
    target: dict[tuple[str, int], float],
    kept: list[tuple[tuple[str, int], float]],
    digit: int | None,
    score: float,
    automaton: Automaton,
) -> None:
    for (text, state), weight in kept:
        following = state if digit is None else automaton.steps[state][digit]
        if following == DEAD:
            continue
        key = (text if digit is None else text + DIGITS[digit], following)
        target[key] = _add(target.get(key, NEVER), weight + score)


def _add(first: float, second: float) -> float:
    """Return log(exp(first) + exp(second)); far faster than numpy's on single numbers."""
    low, high = (first, second) if first < second else (second, first)
    return high + math.log1p(math.exp(low - high)) if high > NEVER else NEVER


def string_log_weight(edges: Edges, text: str) -> float:
    """Return the log weight of all paths that emit `text`."""
    return float(_along(edges, text, best=False)[-1, -1])


def best_path(edges: Edges, text: str) -> tuple[Step, ...] | None:
    """Return the heaviest path that emits `text` (Viterbi 1967), or None where there is none."""
    table = _along(edges, text, best=True)
    if not np.isfinite(table[-1, -1]):
        return None
    steps: list[Step] = []
    cut, position = edges.cuts - 1, len(text)
    while cut:
        step = _step_back(edges, text, table, (cut, position))
        steps.append(step)
        position -= step.digit is not None
        cut = int(edges.starts[step.edge])
    return tuple(reversed(steps))


def _along(edges: Edges, text: str, *, best: bool) -> _Floats:
    """Return the log weight (sum or maximum) of the ways to each cut that emit each prefix: (cuts, len + 1)."""
    digits = np.array([DIGITS.index(char) for char in text], np.intp)
    table = np.full((edges.cuts, len(text) + 1), NEVER)
    table[0, 0] = 0.0
    for cut in range(1, edges.cuts):
        into = np.flatnonzero(edges.ends == cut)
        before = table[edges.starts[into]]
        skipped = before + edges.skip[into, None]
        emitted = np.full_like(before, NEVER)
        emitted[:, 1:] = before[:, :-1] + edges.digit[into][:, digits]
        ways = np.concatenate([skipped, emitted])
        table[cut] = ways.max(axis=0, initial=NEVER) if best else log_sum(ways, axis=0)
    return table


def _step_back(edges: Edges, text: str, table: _Floats, at: tuple[int, int]) -> Step:
    """Return the last step of the heaviest way to a cut and position of `table`."""
    cut, position = at
    digit = DIGITS.index(text[position - 1]) if position else None
    into = np.flatnonzero(edges.ends == cut)
    skipped = table[edges.starts[into], position] + edges.skip[into]
    if digit is None:
        return Step(edge=int(into[np.argmax(skipped)]), digit=None)
    emitted = table[edges.starts[into], position - 1] + edges.digit[into, digit]
    if skipped.max() > emitted.max():
        return Step(edge=int(into[np.argmax(skipped)]), digit=None)
    return Step(edge=int(into[np.argmax(emitted)]), digit=digit)
