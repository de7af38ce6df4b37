"""Sums and maxima over all paths through a lattice: the arithmetic under the decoder.

A path leads from the first cut to the last. Each of its edges either emits one digit or skips its ink (a dot, a
dash, a stain). The weight of a path is the exponential of the sum of its edges' scores; the probability of a
string is the weight of all paths that emit it, over the weight of all paths that the automaton accepts.

A field has some 35 edges between ten cuts, for which loops over plain numbers are several times as fast as numpy:
what every field needs is done in them, and only automata of several states take whole arrays.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forms.automaton import DIGITS, Automaton, any_digits

_Floats = NDArray[np.float64]

NEVER: Final = -np.inf

VANISHING: Final = 1e-250
"""A product of shares below this may have lost something to underflow: it is found again from logarithms."""

_ANYTHING: Final = any_digits()


@dataclass(frozen=True)
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

    @cached_property
    def into(self) -> list[list[tuple[int, int]]]:
        """By cut the edges that end there: the cut that each starts at, and its number."""
        into: list[list[tuple[int, int]]] = [[] for _ in range(self.cuts)]
        for edge, (start, end) in enumerate(zip(self.starts.tolist(), self.ends.tolist(), strict=True)):
            into[end].append((start, edge))
        return into

    @cached_property
    def flow(self) -> "Flow":
        """How the weight of all strings flows along the edges."""
        return _flow(self)


@dataclass(frozen=True)
class Flow:
    """The weight of all paths as shares of what flows into each cut: numbers in 0..1, however long the field.

    Attributes:
        log_total: log weight of all paths; `NEVER` where there is none.
        digit: shape (n, 10): share of all ways to the edge's end that come along it and emit a digit there.
        skip: shape (n,): share that comes along it and emits nothing.
    """

    log_total: float
    digit: _Floats
    skip: _Floats
    _emitting: dict[str, list[float]] = field(default_factory=dict)

    @cached_property
    def _columns(self) -> list[list[float]]:
        """By digit the edges' shares, and after them their shares of skips."""
        return [*self.digit.T.tolist(), self.skip.tolist()]

    def emitting(self, text: str, into: list[list[tuple[int, int]]]) -> list[float]:
        """Return by cut the share of all ways to it that emit `text`; texts that begin alike share the work.

        Args:
            text: digits.
            into: of the lattice's edges.
        """
        shares = self._emitting.get(text)
        if shares is not None:
            return shares
        shares = self._skipping(into)
        for length in range(1, len(text) + 1):
            prefix = text[:length]
            known = self._emitting.get(prefix)
            if known is None:
                known = self._emitting[prefix] = self._followed_by(prefix[-1], shares, into)
            shares = known
        return shares

    def _skipping(self, into: list[list[tuple[int, int]]]) -> list[float]:
        skip = self._columns[-1]
        shares = [1.0]
        for ways in into[1:]:
            shares.append(sum([shares[start] * skip[edge] for start, edge in ways]))
        return shares

    def _followed_by(self, char: str, before: list[float], into: list[list[tuple[int, int]]]) -> list[float]:
        digit, skip = self._columns[DIGITS.index(char)], self._columns[-1]
        shares = [0.0]
        for ways in into[1:]:
            shares.append(sum([before[start] * digit[edge] + shares[start] * skip[edge] for start, edge in ways]))
        return shares


def _flow(edges: Edges) -> Flow:
    highest = np.maximum(edges.digit.max(axis=1, initial=NEVER), edges.skip)
    safe = np.where(highest > NEVER, highest, 0.0)
    digit, skip = np.exp(edges.digit - safe[:, None]), np.exp(edges.skip - safe)
    with np.errstate(divide="ignore"):
        weights = (np.log(digit.sum(axis=1) + skip) + safe).tolist()
    log_to = [0.0]
    for ways in edges.into[1:]:
        log_to.append(_log_sum([log_to[start] + weights[edge] for start, edge in ways]))
    to = np.array(log_to)
    reached = np.where(to > NEVER, to, 0.0)
    scale = np.exp(np.minimum(to[edges.starts] + safe - reached[edges.ends], 0.0))
    return Flow(log_to[-1], digit * scale[:, None], skip * scale)


def _log_sum(values: list[float]) -> float:
    """Return the logarithm of the sum of the exponentials; far faster than numpy's on a few numbers."""
    highest = max(values, default=NEVER)
    return highest + math.log(sum([math.exp(value - highest) for value in values])) if highest > NEVER else NEVER


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
    if automaton == _ANYTHING:
        return edges.flow.log_total
    return float(log_sum(forward(edges, transitions(edges, automaton))[-1][automaton.ends]))


def posteriors(edges: Edges, automaton: Automaton) -> Posteriors:
    """Return the posteriors of all edges (forward-backward, Baum 1972)."""
    if automaton == _ANYTHING:
        return _posteriors_of_anything(edges)
    weights = transitions(edges, automaton)
    alpha, beta = forward(edges, weights), backward(edges, weights, automaton)
    total = float(log_sum(alpha[-1][automaton.ends]))
    if total == NEVER:
        return Posteriors(NEVER, np.zeros_like(edges.digit), np.zeros_like(edges.skip))
    around = alpha[edges.starts][:, :, None, None] + beta[edges.ends][:, None, None, :]
    emitting = log_sum(np.where(automaton.moves[None], around, NEVER), axis=(1, 3)).reshape(edges.digit.shape)
    staying = log_sum(alpha[edges.starts] + beta[edges.ends], axis=1)
    return Posteriors(total, np.exp(emitting + edges.digit - total), np.exp(staying + edges.skip - total))


def _posteriors_of_anything(edges: Edges) -> Posteriors:
    """Return the posteriors where every string is accepted: what flows out of the last cut, followed back."""
    flow = edges.flow
    if flow.log_total == NEVER:
        return Posteriors(NEVER, np.zeros_like(edges.digit), np.zeros_like(edges.skip))
    along = (flow.digit.sum(axis=1) + flow.skip).tolist()
    through = [0.0] * edges.cuts
    through[-1] = 1.0
    for cut in range(edges.cuts - 1, 0, -1):
        for start, edge in edges.into[cut]:
            through[start] += through[cut] * along[edge]
    at_end = np.array(through)[edges.ends]
    return Posteriors(flow.log_total, flow.digit * at_end[:, None], flow.skip * at_end)


def string_log_weight(edges: Edges, text: str) -> float:
    """Return the log weight of all paths that emit `text`."""
    if len(text) >= edges.cuts:
        return NEVER
    share = edges.flow.emitting(text, edges.into)[-1]
    if share > VANISHING:
        return edges.flow.log_total + math.log(share)
    return _along(edges, _emitted(edges, text), combine=_log_sum)[-1][-1]


def best_path(edges: Edges, text: str, *, nearness: _Floats | None = None) -> tuple[Step, ...] | None:
    """Return the heaviest path that emits `text` (Viterbi 1967), or None where there is none.

    Args:
        edges: the lattice's.
        text: digits.
        nearness: shape (len(text), n), added to the weight of an edge where it emits the digit at that position.
    """
    if len(text) >= edges.cuts:
        return None
    emitted = _emitted(edges, text, nearness=nearness)
    table = _along(edges, emitted, combine=max)
    if table[-1][-1] == NEVER:
        return None
    steps: list[Step] = []
    cut, position = edges.cuts - 1, len(text)
    while cut:
        edge, emits, cut = _step_back(edges, emitted, table, (cut, position))
        position -= emits
        steps.append(Step(edge, DIGITS.index(text[position]) if emits else None))
    return tuple(reversed(steps))


def _emitted(edges: Edges, text: str, *, nearness: _Floats | None = None) -> list[list[float]]:
    """Return by position in `text` the edges' log weights of emitting the digit there."""
    weights = edges.digit.T[[DIGITS.index(char) for char in text]]
    near: list[list[float]] = (weights if nearness is None else weights + nearness).tolist()
    return near


def _along(edges: Edges, emitted: list[list[float]], *, combine: Callable[[list[float]], float]) -> list[list[float]]:
    """Return by number of digits and cut the log weight of the ways to it that emit so many: their sum or maximum.

    Each digit takes an edge, so the first few end no earlier than at the cut of their number; and the last cuts, from
    which the rest does not fit, are left out.
    """
    skip, length = edges.skip.tolist(), len(emitted)
    table: list[list[float]] = []
    for position in range(length + 1):
        row = [NEVER] * position or [0.0]
        before, digit = (table[-1], emitted[position - 1]) if position else ([], [])
        for ways in edges.into[len(row) : edges.cuts - length + position]:
            weights = [row[start] + skip[edge] for start, edge in ways]
            if position:
                weights += [before[start] + digit[edge] for start, edge in ways]
            row.append(combine(weights) if weights else NEVER)
        table.append(row)
    return table


def _step_back(
    edges: Edges, emitted: list[list[float]], table: list[list[float]], at: tuple[int, int]
) -> tuple[int, bool, int]:
    """Return of the heaviest way to a cut and position of `table` the last edge, if it emits, and the cut before."""
    cut, position = at
    ways: list[tuple[float, int, bool, int]] = []
    if position:
        before, digit = table[position - 1], emitted[position - 1]
        ways += [(before[start] + digit[edge], edge, True, start) for start, edge in edges.into[cut]]
    ways += [(table[position][start] + float(edges.skip[edge]), edge, False, start) for start, edge in edges.into[cut]]
    _, edge, emits, start = max(ways, key=_weight)
    return edge, emits, start


def _weight(way: tuple[float, int, bool, int]) -> float:
    return way[0]
