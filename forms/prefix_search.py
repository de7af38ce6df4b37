"""The likeliest strings that a rule allows, found exactly: where a beam of prefixes would run into dead ends.

A check digit is settled by all digits before it. A beam keeps the prefixes that the ink likes best, and finds at the
end that none of them can be completed as the rule wants. Here every prefix weighs what all its valid completions weigh
together, so the first whole string that comes out on top is the likeliest valid one (best-first search over
prefixes, as Graves et al. 2006 do for the frames of line readers; here with the rule's automaton beside it).
"""

import heapq
import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from forms.automaton import DEAD, DIGITS, Automaton
from forms.beam_search import weighed_strings
from forms.ctc import BLANK, IMPOSSIBLE, Frames, line_texts
from forms.paths import NEVER, Edges, Posteriors

Floats = NDArray[np.float64]

MAX_EXPANDED: Final = 400
"""Prefixes that are looked at; where the evidence is so thin that more are needed, the best found so far counts."""


PROPOSED: Final = 4
"""Strings that are looked for."""

NEGLIGIBLE: Final = 1e-3
"""A string this much less likely than the best one changes nothing: a search for it would look at many prefixes."""

BEAM_STATES: Final = 64
"""An automaton of more states ties digits to one another, as check digits do: there, a beam is no good."""


class Found(NamedTuple):
    """A valid string, and its weight: the probability that the evidence gives it among all strings there are."""

    text: str
    weight: float


def lattice_strings(edges: Edges, automaton: Automaton, likely: Posteriors) -> dict[str, float]:
    """Return the likeliest strings of a lattice that the rule allows, best first, and the log weight of each.

    The beam is quick, and right where a prefix that the ink likes can be completed. Where the rule ties digits to one
    another, or the beam found nothing that is written, every prefix is weighed by its completions.
    """
    if automaton.states <= BEAM_STATES:
        weighed = weighed_strings(edges, automaton, likely)
        if any(weighed):
            return weighed
    return {each.text: edges.flow.log_total + math.log(each.weight) for each in valid_strings(edges, automaton)}


def line_strings(frames: Frames, automaton: Automaton) -> list[str]:
    """Return the likeliest strings by the line readers' mean that the rule allows, best first, as `lattice_strings`."""
    if automaton.states <= BEAM_STATES:
        return line_texts(frames, automaton)
    return [each.text for each in valid_line_strings(frames, automaton)]


class _Evidence(Protocol):
    """What is known of a field, prefix by prefix; a prefix is whatever `start` and `longer` return."""

    def start(self) -> Any:  # noqa: ANN401 - each kind has its own
        """Return the empty prefix."""

    def own(self, prefix: Any) -> float:  # noqa: ANN401
        """Return the weight of the prefix as a whole string."""

    def onward(self, prefix: Any, state: int) -> Floats:  # noqa: ANN401
        """Return, by digit that follows, the weight of all valid strings that begin so: shape (10,)."""

    def longer(self, prefix: Any, digit: int) -> Any:  # noqa: ANN401
        """Return the prefix with one more digit."""


def valid_strings(
    edges: Edges, automaton: Automaton, *, count: int = PROPOSED, negligible: float = NEGLIGIBLE
) -> list[Found]:
    """Return the likeliest strings of a lattice that `automaton` accepts, the likeliest first.

    Args:
        edges: the lattice with its scores.
        automaton: of the strings that may come out.
        count: how many are wanted; fewer where there are no more.
        negligible: share of the first one's weight below which none is wanted.
    """
    if edges.flow.log_total == NEVER:
        return []
    return _search(_LatticeEvidence(edges, automaton), automaton, count=count, negligible=negligible)


def valid_line_strings(
    frames: Frames, automaton: Automaton, *, count: int = PROPOSED, negligible: float = NEGLIGIBLE
) -> list[Found]:
    """Return the likeliest strings by the line readers' mean that `automaton` accepts, as `valid_strings` does."""
    if not frames.probabilities.shape[1]:
        return []
    return _search(_LineEvidence(frames, automaton), automaton, count=count, negligible=negligible)


def valid_weight(edges: Edges, automaton: Automaton) -> float:
    """Return the probability in 0..1 of all valid strings of a lattice together, among all strings there are."""
    return float(completions(edges, automaton)[0, 0]) if edges.flow.log_total > NEVER else 0.0


class _Entry(NamedTuple):
    """A prefix, or a whole string, in the order in which they are looked at.

    Attributes:
        rank: its weight, negative: the heaviest comes first.
        number: of the entry, which settles equal ranks.
        text: the prefix.
        state: of the automaton, after it.
        before: the prefix without its last digit, as the evidence keeps it; None of a whole string.
    """

    rank: float
    number: int
    text: str
    state: int
    before: Any


def _search(evidence: _Evidence, automaton: Automaton, *, count: int, negligible: float) -> list[Found]:
    start = evidence.start()
    waiting = _following(evidence, automaton, start, "", 0, number=0)
    heapq.heapify(waiting)
    found: list[Found] = []
    number, expanded = len(waiting), 1
    while waiting and len(found) < count:
        entry = heapq.heappop(waiting)
        if found and -entry.rank < negligible * found[0].weight:
            break
        if entry.before is None:
            found.append(Found(entry.text, -entry.rank))
            continue
        expanded += 1
        prefix = evidence.longer(entry.before, DIGITS.index(entry.text[-1]))
        following = _following(evidence, automaton, prefix, entry.text, entry.state, number=number)
        number += len(following)
        if expanded > MAX_EXPANDED:
            if found:
                break
            # Only the best way on is followed, to its end.
            waiting = following and [min(following)]
            continue
        for each in following:
            heapq.heappush(waiting, each)
    return found


def _following(
    evidence: _Evidence,
    automaton: Automaton,
    prefix: Any,  # noqa: ANN401 - each kind of evidence has its own
    text: str,
    state: int,
    *,
    number: int,
) -> list[_Entry]:
    """Return what a prefix leads to: itself as a whole string, and with one more digit."""
    entries = []
    if state in automaton.accepting and (own := evidence.own(prefix)) > 0.0:
        entries.append(_Entry(-own, number, text, state, None))
    for digit, weight in enumerate(evidence.onward(prefix, state).tolist()):
        if weight > 0.0:
            number += 1
            entries.append(_Entry(-weight, number, text + DIGITS[digit], automaton.steps[state][digit], prefix))
    return entries


def completions(edges: Edges, automaton: Automaton) -> Floats:
    """Return the weight of all valid ways on from each cut and state: shape (cuts, states), as shares of all paths.

    The arithmetic is in plain numbers: shares as in `forms.paths.Flow`, whose products along a path stay below one.
    """
    steps = _steps_of(automaton)
    onward = np.zeros((edges.cuts, automaton.states + 1))
    onward[-1, sorted(automaton.accepting)] = 1.0
    digit, skip = edges.flow.digit, edges.flow.skip
    by_start: list[list[int]] = [[] for _ in range(edges.cuts)]
    for edge, cut in enumerate(edges.starts.tolist()):
        by_start[cut].append(edge)
    after: dict[int, Floats] = {}
    for cut in range(edges.cuts - 2, -1, -1):
        for edge in by_start[cut]:
            end = int(edges.ends[edge])
            if end not in after:
                after[end] = onward[end][steps]
            onward[cut, :-1] += after[end] @ digit[edge] + skip[edge] * onward[end, :-1]
    return onward


def _steps_of(automaton: Automaton) -> NDArray[np.intp]:
    """Return the automaton's steps as an array, a digit that is not allowed leading to one more state, the last."""
    steps = np.array(automaton.steps, np.intp)
    return np.where(steps == DEAD, automaton.states, steps)


class _LatticeEvidence:
    """A lattice: a prefix is its text, and its weight is the share of all paths that emit it."""

    def __init__(self, edges: Edges, automaton: Automaton) -> None:
        self._edges = edges
        self._steps = _steps_of(automaton)
        self._onward = completions(edges, automaton)

    def start(self) -> str:
        """Return the empty prefix."""
        return ""

    def own(self, prefix: str) -> float:
        """Return the share of all paths that emit exactly the prefix."""
        return self._edges.flow.emitting(prefix, self._edges.into)[-1]

    def onward(self, prefix: str, state: int) -> Floats:
        """Return by digit the share of all paths that emit the prefix, the digit, and something valid after them."""
        edges = self._edges
        ways = np.array(edges.flow.emitting(prefix, edges.into))[edges.starts]
        return np.asarray(ways @ (edges.flow.digit * self._onward[edges.ends[:, None], self._steps[state]]))

    def longer(self, prefix: str, digit: int) -> str:
        """Return the prefix with one more digit."""
        return prefix + DIGITS[digit]


class _Written(NamedTuple):
    """A prefix along the frames of a line: the weight of the ways that have written it by the end of each frame.

    Attributes:
        last: its last digit; `BLANK` for the empty prefix.
        blank: by frame, of the ways whose frame is a blank; the entry before the first frame comes first.
        digit: of those whose frame is still its last digit.
    """

    last: int
    blank: Sequence[float]
    digit: Sequence[float]


class _LineEvidence:
    """The line readers' frames, their geometric mean; weights need not add up to one."""

    def __init__(self, frames: Frames, automaton: Automaton) -> None:
        logs = np.log(np.maximum(frames.probabilities, IMPOSSIBLE))
        self._mean = np.exp(logs.mean(axis=0))
        self._columns = self._mean.T.tolist()
        self._steps = _steps_of(automaton)
        self._onward = self._completions(automaton)

    def _completions(self, automaton: Automaton) -> Floats:
        """Return the weight of all valid ways on before each frame, by the last digit: (frames + 1, states + 1, 11)."""
        count = len(self._mean)
        onward = np.zeros((count + 1, automaton.states + 1, BLANK + 1))
        onward[-1, sorted(automaton.accepting)] = 1.0
        digits = np.arange(BLANK)
        others = 1.0 - np.eye(BLANK)
        for frame in range(count - 1, -1, -1):
            after, seen = onward[frame + 1], self._mean[frame]
            begun = after[self._steps, digits] * seen[:BLANK]
            onward[frame, :-1] = seen[BLANK] * after[:-1, BLANK, None]
            onward[frame, :-1, BLANK] += begun.sum(axis=1)
            # A digit that goes on is the same digit; to write it twice takes a blank between.
            onward[frame, :-1, :BLANK] += seen[:BLANK] * after[:-1, :BLANK] + begun @ others
        return onward

    def start(self) -> _Written:
        """Return the empty prefix: blanks so far."""
        blank = [1.0]
        for share in self._columns[BLANK]:
            blank.append(blank[-1] * share)
        return _Written(BLANK, blank, [0.0] * len(blank))

    def own(self, prefix: _Written) -> float:
        """Return the weight of all ways that have written exactly the prefix at the end."""
        return prefix.blank[-1] + prefix.digit[-1]

    def onward(self, prefix: _Written, state: int) -> Floats:
        """Return by digit the weight of all ways that write it next, and something valid after it."""
        blank, digit = np.array(prefix.blank[:-1]), np.array(prefix.digit[:-1])
        ready = np.repeat((blank + digit)[:, None], BLANK, axis=1)
        if prefix.last != BLANK:
            ready[:, prefix.last] = blank
        after = self._onward[1:, self._steps[state], np.arange(BLANK)]
        return np.asarray((ready * self._mean[:, :BLANK] * after).sum(axis=0))

    def longer(self, prefix: _Written, digit: int) -> _Written:
        """Return the prefix with one more digit."""
        blank, written = [0.0], [0.0]
        shares = zip(self._columns[digit], self._columns[BLANK], prefix.blank, prefix.digit, strict=False)
        for own, nothing, before_blank, before_digit in shares:
            ready = before_blank if prefix.last == digit else before_blank + before_digit
            blank_now = (blank[-1] + written[-1]) * nothing
            written.append((written[-1] + ready) * own)
            blank.append(blank_now)
        return _Written(digit, blank, written)
