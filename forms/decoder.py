"""Scores to text: the likeliest string of a lattice under its field's automaton, and how sure it is.

Every candidate weighs by the network's odds that it is a digit rather than a piece of one, and by its geometry;
dots and dashes are skipped. The confidence is the posterior of the whole string: all paths that emit it over all
paths there are, so doubt about the cutting counts as much as doubt about a digit. All means all: a field type that
allows one digit says which string is chosen, not that the field holds one, so two digits in it leave any one in doubt.

`forms.joint` decodes with the line readers beside it.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.types import Box, DigitReading, FieldCrop, Lattice
from forms.automaton import DIGITS, any_digits
from forms.digitwise import alternatives
from forms.field_types import FieldType
from forms.fusion import Fused
from forms.geometry import SHAPE, boxes_of, features, outline
from forms.paths import NEVER, Edges, Step, best_path, log_total, posteriors, string_log_weight
from forms.prefix_search import BEAM_STATES, lattice_strings
from forms.rules import RuleContrast, contrast_in_lattice
from forms.weights import WITH_GARBAGE, WITHOUT_GARBAGE, Weights

GARBAGE: Final = "garbage"
"""Name of the network's class for what is no digit."""

CLOSED_WORLD: Final = 2.5
"""Nats of doubt that a network without a garbage class leaves whether a candidate is a digit at all."""

MAX_ODDS: Final = 12.0
"""Log odds beyond this are the network's overconfidence."""

FREE: Final = any_digits()
"""All strings there are, among which every confidence is a share."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a lattice says.

    Attributes:
        text: the likeliest string; empty when there is no digit.
        digits: its digits in reading order.
        confidence: probability in 0..1 that `text` is right as a whole.
        digit_share: mean probability in 0..1 that what was read as digits are digits at all.
        skipped_share: share of the candidates' area that was passed over.
        other: probability in 0..1 that something in the field is no digit, by the line readers.
        disagree: whether lattice and line readers are each sure of another string.
        fused: all proposals of lattice and line readers; None where the lattice alone was read.
        places: columns of the page in which line readers saw the middles of the digits; none where they were not asked.
        rule: what the field's type did to the lattice's reading, where it alone was read; see `forms.rules`.
    """

    text: str
    digits: tuple[DigitReading, ...] = ()
    confidence: float = 0.0
    digit_share: float = 0.0
    skipped_share: float = 0.0
    other: float = 0.0
    disagree: bool = False
    fused: Fused | None = None
    places: tuple[float, ...] = ()
    rule: RuleContrast | None = None


def decode(
    lattice: Lattice,
    scores: NDArray[np.float32],
    *,
    classes: tuple[str, ...],
    crop: FieldCrop,
    field_type: FieldType,
    weights: Weights | None = None,
) -> Decoded:
    """Return the likeliest string of `lattice`.

    Args:
        lattice: the field's candidates.
        scores: float32, shape (len(lattice.candidates), len(classes)), probabilities.
        classes: the ten digits first, then perhaps `GARBAGE`.
        crop: the field, whose box bounds its digits' boxes.
        field_type: says which strings may be chosen.
        weights: of the evidence; None takes those of the network's kind.
    """
    if not lattice.candidates:
        return Decoded(text="")
    edges = score_edges(lattice, scores, classes=classes, weights=weights)
    # Of a rule with many states, what each digit weighs under it would take more arithmetic than it is worth.
    walked = field_type.automaton if field_type.automaton.states <= BEAM_STATES else FREE
    likely = posteriors(edges, walked)
    strings = lattice_strings(edges, field_type.automaton, likely)
    if not strings:
        return Decoded(text="", rule=contrast_in_lattice(edges, field_type.automaton, text=None))
    text = next(iter(strings))
    path = best_path(edges, text) or ()
    everything = likely.log_total if walked == FREE else log_total(edges, FREE)
    confidence = float(np.exp(min(0.0, string_log_weight(edges, text) - everything)))
    walked_share = float(np.exp(min(0.0, likely.log_total - everything)))
    supports = likely.digit * walked_share
    return Decoded(
        text=text,
        digits=_read_digits(lattice, edges, supports, path, confidence, within=crop.box),
        confidence=confidence,
        digit_share=digit_share(scores, classes, path),
        skipped_share=skipped_share(lattice, path),
        rule=contrast_in_lattice(
            edges,
            field_type.automaton,
            text=text,
            valid_share=walked_share if walked is field_type.automaton else None,
        ),
    )


def score_edges(
    lattice: Lattice, scores: NDArray[np.float32], *, classes: tuple[str, ...], weights: Weights | None = None
) -> Edges:
    """Return the lattice's edges with the log weight of each digit, and of being skipped."""
    weights = weights or (WITH_GARBAGE if GARBAGE in classes else WITHOUT_GARBAGE)
    shape = outline(lattice)
    odds = log_odds(scores, classes=classes)
    weighed = features(shape) @ _table(weights)
    skip = weighed[:, -1] + weights.skip_network * odds.max(axis=1)
    return Edges(
        cuts=lattice.cuts,
        starts=shape.starts,
        ends=shape.ends,
        digit=weights.network * odds + weighed[:, :-1],
        skip=np.where(shape.ends == shape.starts + 1, skip, NEVER),
    )


@lru_cache(maxsize=8)
def _table(weights: Weights) -> NDArray[np.float64]:
    """Return what each feature counts for each of the ten digits, and in the last column for a skip: (21, 11)."""
    table = np.zeros((len(weights.digit) + len(weights.skip), len(DIGITS) + 1))
    table[: len(weights.digit), :-1] = np.array(weights.digit)[:, None]
    table[SHAPE, :-1] += np.array(weights.by_digit).T
    table[len(weights.digit) :, -1] = weights.skip
    return table


def log_odds(scores: NDArray[np.float32], *, classes: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the log odds of each digit against being none: shape (n, 10)."""
    logs = np.log(np.maximum(scores.astype(np.float64), 1e-7))
    none = logs[:, [classes.index(GARBAGE)]] if GARBAGE in classes else -CLOSED_WORLD
    return np.asarray(np.clip(logs[:, : len(DIGITS)] - none, -MAX_ODDS, MAX_ODDS))


def _read_digits(
    lattice: Lattice,
    edges: Edges,
    likely: NDArray[np.float64],
    path: tuple[Step, ...],
    confidence: float,
    *,
    within: Box,
) -> tuple[DigitReading, ...]:
    places = [(step.edge, step.digit) for step in path if step.digit is not None]
    spans = boxes_of(lattice)[:, [0, 2]]
    supports = [likely[_same_place(spans, edges, edge)].sum(axis=0) for edge, _ in places]
    return tuple(
        _read_digit(digit, support, confidence, inside(lattice.candidates[edge].box, within))
        for (edge, digit), support in zip(places, supports, strict=True)
    )


def _read_digit(digit: int, support: NDArray[np.float64], string_confidence: float, box: Box) -> DigitReading:
    """Return the digit with its posterior; it is right at least as often as the whole string is."""
    own = float(np.clip(support[digit], string_confidence, 1.0))
    others = np.where(np.arange(len(support)) == digit, 0.0, support)
    others *= min(1.0, (1.0 - own) / max(others.sum(), 1e-12))
    return DigitReading(
        char=DIGITS[digit],
        confidence=own,
        box=box,
        alternatives=alternatives(DIGITS[digit], dict(zip(DIGITS, others.tolist(), strict=True))),
    )


def _same_place(spans: NDArray[np.float64], edges: Edges, edge: int) -> NDArray[np.bool_]:
    """Return which candidates lie over most of the same width as `edge`; `spans` are all lefts and rights.

    Cuttings that differ by a splinter support each other's digit; no path holds two of them.
    """
    left, right = spans[edge]
    common = np.minimum(spans[:, 1], right) - np.maximum(spans[:, 0], left)
    union = np.maximum(spans[:, 1], right) - np.minimum(spans[:, 0], left)
    shares_piece = (edges.starts < edges.ends[edge]) & (edges.ends > edges.starts[edge])
    return np.asarray(shares_piece & (common > 0.5 * union))


def inside(box: Box, within: Box) -> Box:
    """Return the part of `box` inside `within`, at least one pixel."""
    x, y = max(box.x, within.x), max(box.y, within.y)
    right = min(box.right, within.right)
    bottom = min(box.bottom, within.bottom)
    return Box(x=x, y=y, width=max(1, right - x), height=max(1, bottom - y))


def digit_share(scores: NDArray[np.float32], classes: tuple[str, ...], path: tuple[Step, ...]) -> float:
    """Return the mean probability that what `path` reads as digits are digits at all."""
    read = [step.edge for step in path if step.digit is not None]
    if not read:
        return 0.0
    if GARBAGE in classes:
        return float(1.0 - scores[read, classes.index(GARBAGE)].mean())
    return float(scores[read, : len(DIGITS)].max(axis=1).mean())


def skipped_share(lattice: Lattice, path: tuple[Step, ...]) -> float:
    """Return the share of the pieces' area that `path` passes over."""
    areas = [lattice.candidates[step.edge].box for step in path]
    total = sum(box.width * box.height for box in areas)
    skipped = sum(b.width * b.height for b, step in zip(areas, path, strict=True) if step.digit is None)
    return skipped / total if total else 0.0
