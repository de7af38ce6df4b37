"""One reading out of two kinds of readers: the lattice of digits, and the line as a whole.

Each proposes its likeliest strings; every proposal gets the log probability that each reader gives it, the two are
weighed and added, and a proposal's share is what its total is worth among all. A string that one reader holds for
impossible keeps a floor, so that the other can still overrule it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forms.automaton import Automaton, any_digits
from forms.beam_search import weighed_strings
from forms.ctc import Frames, line_log_probabilities, line_texts
from forms.paths import NEVER, Edges, Posteriors, log_sum, string_log_weight
from forms.prefix_search import lattice_strings, line_strings

ANYTHING: Final = any_digits()
"""What a field may not hold is proposed, too: how much of the evidence is for it says something of the rest."""


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """How much each reader's word counts.

    Attributes:
        lattice: of the lattice's log probability.
        lines: of the mean log probability of the line readers.
        lattice_floor: the lattice says no less than this.
        lines_floor: the line readers say no less than this.
        digit: added for each digit of a string.
    """

    lattice: float = 0.35
    lines: float = 0.9
    lattice_floor: float = -14.0
    lines_floor: float = -30.0
    digit: float = 0.0


@dataclass(frozen=True, slots=True)
class Proposal:
    """A string, its share among all proposals, and what each kind of reader says of it.

    Attributes:
        text: digits.
        share: in 0..1; all proposals' shares, forbidden ones' too, sum to 1.
        lattice: log probability by the lattice; `NEVER` where it has no such path.
        lines: mean log probability by the line readers.
        allowed: whether the field's type allows it.
        layout: log weight that it has beside that for how its digits would stand (`forms.separators`, `.grouping`).
    """

    text: str
    share: float
    lattice: float
    lines: float
    allowed: bool
    layout: float = 0.0


@dataclass(frozen=True, slots=True)
class Fused:
    """All proposals, best allowed one first, and each kind of reader's own favourite."""

    proposals: tuple[Proposal, ...]
    lattice_text: str | None
    lines_text: str | None

    @property
    def valid_share(self) -> float:
        """How much of the evidence is for strings that the field may hold, in 0..1."""
        return sum(each.share for each in self.proposals if each.allowed)

    @property
    def agree(self) -> bool:
        """Whether both kinds of readers would choose the same string."""
        return self.lattice_text == self.lines_text


def fuse(
    edges: Edges,
    likely: Posteriors,
    frames: Frames,
    automaton: Automaton,
    *,
    weights: FusionWeights,
    by_lines: Sequence[str],
) -> Fused:
    """Return the proposals of both kinds of readers with their shares.

    Args:
        edges: the lattice with its scores.
        likely: its posteriors under `ANYTHING`.
        frames: the line readers' frames.
        automaton: of the strings that the field may hold.
        weights: of the readers.
        by_lines: the strings that the line readers propose.
    """
    by_lattice = _lattice_texts(edges, likely, automaton)
    texts = list(dict.fromkeys([*by_lattice, *by_lines]))
    if not texts:
        return Fused((), None, None)
    lines = line_log_probabilities(frames, texts).mean(axis=0)
    lattice = np.array([_lattice_log(edges, likely, text, by_lattice.get(text)) for text in texts])
    shares = fused_shares(lattice, lines, np.array([len(text) for text in texts]), weights)
    allowed = [automaton.accepts(text) for text in texts]
    proposals = ranked(
        Proposal(*each) for each in zip(texts, shares.tolist(), lattice.tolist(), lines.tolist(), allowed, strict=True)
    )
    return Fused(
        proposals,
        max(proposals, key=lambda each: (each.allowed, each.lattice)).text if by_lattice else None,
        max(proposals, key=lambda each: (each.allowed, each.lines)).text,
    )


def line_proposals(frames: Frames, automaton: Automaton) -> list[str]:
    """Return the strings that the line readers propose, those first that the field may hold."""
    allowed = line_strings(frames, automaton)
    return allowed if automaton == ANYTHING else allowed + line_texts(frames, ANYTHING)


def ranked(proposals: Iterable[Proposal]) -> tuple[Proposal, ...]:
    """Return the proposals, what the field may hold first, then by their shares."""
    return tuple(sorted(proposals, key=lambda each: (not each.allowed, -each.share)))


def laid_out(fused: Fused, log_weights: Mapping[str, float]) -> Fused:
    """Return the proposals with more or less of a share for how their digits would stand.

    Args:
        fused: at least one proposal.
        log_weights: by text what is added to the logarithm of its share; all other proposals keep theirs.
    """
    shares = [each.share * math.exp(log_weights.get(each.text, 0.0)) for each in fused.proposals]
    moved = (
        replace(each, share=share / sum(shares), layout=each.layout + log_weights.get(each.text, 0.0))
        for each, share in zip(fused.proposals, shares, strict=True)
    )
    return replace(fused, proposals=ranked(moved))


def fused_shares(
    lattice: NDArray[np.float64],
    lines: NDArray[np.float64],
    lengths: NDArray[np.int64],
    weights: FusionWeights,
    layout: NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float64]:
    """Return each string's share: the softmax of its score; all of shape (strings,)."""
    scores = fused_scores(lattice, lines, lengths, weights) + layout
    return np.asarray(np.exp(scores - log_sum(scores)))


def fused_scores(
    lattice: NDArray[np.float64], lines: NDArray[np.float64], lengths: NDArray[np.number], weights: FusionWeights
) -> NDArray[np.float64]:
    """Return each string's weighed log probabilities, added; all of one shape."""
    return np.asarray(
        weights.lattice * np.maximum(lattice, weights.lattice_floor)
        + weights.lines * np.maximum(lines, weights.lines_floor)
        + weights.digit * lengths
    )


def _lattice_texts(edges: Edges, likely: Posteriors, automaton: Automaton) -> dict[str, float]:
    """Return the lattice's likeliest strings, allowed ones first, with their log weights."""
    freely = weighed_strings(edges, ANYTHING, likely)
    if automaton == ANYTHING or (freely and automaton.accepts(next(iter(freely)))):
        return freely
    return lattice_strings(edges, automaton, likely) | freely


def _lattice_log(edges: Edges, likely: Posteriors, text: str, found: float | None) -> float:
    """Return the log probability of `text` by the lattice; `found` is its log weight where a search met it."""
    if likely.log_total == NEVER:
        return NEVER
    return min(0.0, (string_log_weight(edges, text) if found is None else found) - likely.log_total)
