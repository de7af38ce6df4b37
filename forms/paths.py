"""Sums and maxima over all paths through a lattice: the arithmetic under the decoder.

A path leads from the first cut to the last. Each of its edges either emits one digit or skips its ink (a dot, a
dash, a stain). The weight of a path is the exponential of the sum of its edges' scores; the probability of a
string is the weight of all paths that emit it, over the weight of all paths that the automaton accepts.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forms.automaton import DEAD, DIGITS, Automaton

_Floats = NDArray[np.float64]

NEVER: Final = -np.inf

LIKELY: Final = 9.0
"""The beam looks at digits within this many nats of a candidate's best only."""


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


def forward(edges: Edges, automaton: Automaton) -> _Floats:
    """Return the log weight of all ways from the first cut to each cut and state: shape (cuts, states)."""
    weights = transitions(edges, automaton)
    alpha = np.full((edges.cuts, automaton.states), NEVER)
    alpha[0, 0] = 0.0
    for cut in range(1, edges.cuts):
        into = np.flatnonzero(edges.ends == cut)
        alpha[cut] = log_sum(alpha[edges.starts[into]][:, :, None] + weights[into], axis=(0, 1))
    return alpha


def backward(edges: Edges, automaton: Automaton) -> _Floats:
    """Return the log weight of all ways from each cut and state to the end: shape (cuts, states)."""
    weights = transitions(edges, automaton)
    beta = np.full((edges.cuts, automaton.states), NEVER)
    beta[-1, automaton.ends] = 0.0
    for cut in range(edges.cuts - 2, -1, -1):
        out = np.flatnonzero(edges.starts == cut)
        beta[cut] = log_sum(weights[out] + beta[edges.ends[out]][:, None, :], axis=(0, 2))
    return beta


def log_total(edges: Edges, automaton: Automaton) -> float:
    """Return the log weight of all accepted paths."""
    return float(log_sum(forward(edges, automaton)[-1][automaton.ends]))


def digit_posteriors(edges: Edges, automaton: Automaton) -> _Floats:
    """Return the probability that a path goes along each edge and emits each digit: shape (n, 10)."""
    alpha, beta = forward(edges, automaton), backward(edges, automaton)
    around = alpha[edges.starts][:, :, None, None] + beta[edges.ends][:, None, None, :]
    allowed = np.where(automaton.moves[None], around, NEVER)
    joint = log_sum(allowed, axis=(1, 3)).reshape(-1, len(DIGITS)) + edges.digit
    return np.exp(joint - log_sum(alpha[-1][automaton.ends]))


def best_strings(edges: Edges, automaton: Automaton, *, beam: int = 12) -> list[tuple[str, float]]:
    """Return the likeliest strings with the log weights of their paths, best first.

    Beam search over cuts; prefixes that are the same string in different cuttings are added up. The weights
    are exact where no prefix was dropped, else a little low.
    """
    prefixes: list[dict[tuple[str, int], float]] = [{} for _ in range(edges.cuts)]
    prefixes[0][("", 0)] = 0.0
    outgoing = _outgoing(edges)
    for cut in range(edges.cuts - 1):
        kept = _strongest(prefixes[cut], beam)
        for edge in outgoing[cut]:
            _extend(prefixes[int(edges.ends[edge])], kept, edges, edge, automaton)
    final = [(text, score) for (text, state), score in prefixes[-1].items() if state in automaton.accepting]
    return sorted(final, key=lambda entry: (-entry[1], entry[0]))[:beam]


def _outgoing(edges: Edges) -> list[list[int]]:
    outgoing: list[list[int]] = [[] for _ in range(edges.cuts)]
    for edge, start in enumerate(edges.starts.tolist()):
        outgoing[start].append(edge)
    return outgoing


def _strongest(prefixes: dict[tuple[str, int], float], beam: int) -> list[tuple[tuple[str, int], float]]:
    return sorted(prefixes.items(), key=lambda entry: -entry[1])[:beam]


def _extend(
    target: dict[tuple[str, int], float],
    kept: list[tuple[tuple[str, int], float]],
    edges: Edges,
    edge: int,
    automaton: Automaton,
) -> None:
    scores = edges.digit[edge].tolist()
    skip = float(edges.skip[edge])
    floor = max(scores) - LIKELY
    likely = [(digit, score) for digit, score in enumerate(scores) if score >= floor and score > NEVER]
    for (text, state), weight in kept:
        if skip > NEVER:
            _add(target, (text, state), weight + skip)
        for digit, score in likely:
            following = automaton.steps[state][digit]
            if following != DEAD:
                _add(target, (text + DIGITS[digit], following), weight + score)


def _add(target: dict[tuple[str, int], float], key: tuple[str, int], weight: float) -> None:
    target[key] = float(np.logaddexp(target[key], weight)) if key in target else weight


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
