"""What a line reader says: strings and their probabilities out of its frames.

A line reader gives every frame of a line a distribution over the ten digits, `other` (a word, a drawing) and a blank.
A string's probability is the sum over all ways to spread it over the frames, blanks between (Graves et al. 2006).
Here `other` counts as a blank, and apart from that says how much of the field is no number.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forms.automaton import DEAD, DIGITS, Automaton

Floats = NDArray[np.float64]

BLANK: Final = len(DIGITS)
"""Column of the frames in which no digit starts or goes on."""

OTHER: Final = len(DIGITS)
"""Column of a line reader's outputs for what is no digit; its blank is the last one."""

CERTAIN: Final = 0.9995
"""Neighbouring frames that are as surely blank are taken for one."""

UNLIKELY: Final = 3e-4
"""The beam leaves out digits that are less probable than this in a frame."""

HOPELESS: Final = 1e-5
"""A prefix with less than this share of the likeliest one's weight is given up."""

FEW: Final = 2
"""Texts, once for each reader, that are weighed in plain numbers; over more of them numpy is faster."""

SUPPORT: Final = 3.0
"""Nats by which a reader may hold a text for less likely than the surest one does, and still say where it stands."""

IMPOSSIBLE: Final = 1e-300
"""Stands for a string that no way through the frames spells, so that its logarithm is a number."""


_Prefixes = dict[str, tuple[float, float, int]]
"""By prefix the weight of the ways that end in a blank, of those that end in its last digit, and its state."""


@dataclass(frozen=True, slots=True)
class Frames:
    """What the line readers say of one line.

    Attributes:
        probabilities: float, shape (readers, frames, 11): the ten digits, then blank; each frame sums to 1.
        places: int, shape (frames,): number of the line reader's frame that each one began as.
        count: number of the line reader's frames.
        other: probability in 0..1, the readers' mean of the surest frame, that something here is no digit.
    """

    probabilities: Floats
    places: NDArray[np.intp]
    count: int
    other: float


def frames_of(log_probabilities: NDArray[np.float32]) -> Frames:
    """Return the frames of line readers' outputs, runs of sure blanks as one.

    Args:
        log_probabilities: shape (readers, frames, 12), the last two `other` and blank.
    """
    given = np.exp(log_probabilities.astype(np.float64))
    probabilities = given[:, :, : BLANK + 1].copy()
    probabilities[:, :, BLANK] += given[:, :, OTHER + 1]
    others = given[0, :, OTHER] if len(given) == 1 else given[:, :, OTHER].mean(axis=0)
    sure = np.asarray((probabilities[:, :, BLANK] > CERTAIN).all(axis=0))
    begins = np.ones(len(sure), np.bool_)
    begins[1:] = ~(sure[1:] & sure[:-1])
    places = np.flatnonzero(begins)
    return Frames(probabilities[:, places], places, given.shape[1], float(others.max(initial=0.0)))


def line_texts(frames: Frames, automaton: Automaton, *, beam: int = 6) -> list[str]:
    """Return the likeliest strings under `automaton` by the readers' mean, best first (prefix beam search).

    Every prefix holds two weights: of the ways that end in a blank, and of those that end in its last digit.
    """
    mean = np.exp(np.log(np.maximum(frames.probabilities, IMPOSSIBLE)).mean(axis=0))
    prefixes: _Prefixes = {"": (1.0, 0.0, 0)}
    for frame in mean.tolist():
        likely = [(digit, frame[digit]) for digit in range(BLANK) if frame[digit] > UNLIKELY]
        prefixes = _likeliest(_grown(prefixes, frame, likely, automaton), beam)
    ranked = sorted(prefixes.items(), key=_by_weight)
    return [text for text, (_, _, state) in ranked if state in automaton.accepting]


def _grown(prefixes: _Prefixes, frame: list[float], likely: list[tuple[int, float]], automaton: Automaton) -> _Prefixes:
    """Return the prefixes that the frame turns `prefixes` into; `likely` are the digits that it may hold."""
    blank = frame[BLANK]
    grown: _Prefixes = {}
    for text, (after_blank, after_digit, state) in prefixes.items():
        together = after_blank + after_digit
        last = ord(text[-1]) - 48 if text else BLANK
        _add(grown, text, together * blank, frame[last] * after_digit, state)
        for digit, probability in likely:
            following = automaton.steps[state][digit]
            if following != DEAD:
                before = after_blank if digit == last else together
                _add(grown, text + DIGITS[digit], 0.0, before * probability, following)
    return grown


def _likeliest(prefixes: _Prefixes, beam: int) -> _Prefixes:
    """Return the `beam` likeliest prefixes, the first one's weight near 1, without those that are hopeless beside it.

    What goes on in the same ways never catches up; what may go on in others does.
    """
    ranked = sorted(prefixes.items(), key=_by_weight)[:beam]
    scale = 1.0 / max(-_by_weight(ranked[0]), IMPOSSIBLE)
    kept: _Prefixes = {}
    best: dict[int, float] = {}
    for text, (after_blank, after_digit, state) in ranked:
        weight = after_blank + after_digit
        if weight >= HOPELESS * best.setdefault(state, weight):
            kept[text] = after_blank * scale, after_digit * scale, state
    return kept


def _by_weight(entry: tuple[str, tuple[float, float, int]]) -> float:
    return -(entry[1][0] + entry[1][1])


def line_log_probabilities(frames: Frames, texts: list[str]) -> Floats:
    """Return each reader's log probability of each text: shape (readers, texts)."""
    if len(texts) * len(frames.probabilities) <= FEW:
        totals = [[_total(own, text) for text in texts] for own in frames.probabilities]
        return np.log(np.maximum(np.array(totals, np.float64), IMPOSSIBLE))
    signs, jumps, ends = _spread(texts)
    emitted = frames.probabilities[:, :, signs]
    # Two places of nothing come first, so that a step from further left needs no case of its own.
    ways = np.zeros((len(emitted), len(signs), signs.shape[1] + 2))
    stay, one, two = ways[:, :, 2:], ways[:, :, 1:-1], ways[:, :, :-2]
    stay[:, :, :2] = emitted[:, 0, :, :2] if emitted.shape[1] else 0.0
    grown = np.empty_like(stay)
    for frame in range(1, emitted.shape[1]):
        np.multiply(two, jumps, out=grown)
        grown += one
        grown += stay
        np.multiply(grown, emitted[:, frame], out=stay)
    rows = np.arange(len(texts))
    total = stay[:, rows, ends] + np.where(ends > 0, stay[:, rows, np.maximum(ends - 1, 0)], 0.0)
    return np.asarray(np.log(np.maximum(total, IMPOSSIBLE)))


def _total(probabilities: Floats, text: str) -> float:
    """Return the probability of one text by one reader, whose frames come as shape (frames, 11).

    In plain numbers, which over a dozen of them are several times as fast as numpy, and in the same order.
    """
    if not len(probabilities):
        return 0.0
    signs, jumps, _ = _spread([text])
    emitted, may_jump = probabilities[:, signs[0]].tolist(), jumps[0].tolist()
    ways: list[float] = [*emitted[0][:2], *[0.0] * (len(may_jump) - 2)]
    for shares in emitted[1:]:
        ways = [
            (two * jump + one + stay) * share
            for two, one, stay, jump, share in zip(
                (0.0, 0.0, *ways), (0.0, *ways), ways, may_jump, shares, strict=False
            )
        ]
    return ways[2 * len(text)] + (ways[2 * len(text) - 1] if text else 0.0)


def digit_frames(frames: Frames, text: str) -> list[tuple[float, float]]:
    """Return the first and last frame of each digit of `text` on the likeliest way (Viterbi 1967).

    The frames are the line reader's own. Readers see one digit a frame or two apart, and on the way through the mean
    of their frames it might vanish or stand twice: each reader has a way of its own, and the places are the means of
    those that hold the text for about as likely as the surest one does.
    """
    if not text or not len(frames.places):
        return []
    signs, jumps, _ = _spread([text])
    logs = np.log(np.maximum(frames.probabilities[:, :, signs[0]], IMPOSSIBLE))
    origin, best = _likeliest_ways(logs, may_jump=jumps[0, 2:] > 0)
    ends = best[:, -2:]
    sure = np.flatnonzero(ends.max(axis=1) >= ends.max() - SUPPORT).tolist()
    lasts = best.shape[1] - 2 + (ends[:, 1] >= ends[:, 0])
    ways = [_spans(frames, origin[:, reader], last=int(lasts[reader]), digits=len(text)) for reader in sure]
    return [
        (_mean([first for first, _ in spans]), _mean([last for _, last in spans])) for spans in zip(*ways, strict=True)
    ]


def _mean(values: list[int]) -> float:
    return sum(values) / len(values)


def _likeliest_ways(logs: Floats, *, may_jump: NDArray[np.bool_]) -> tuple[NDArray[np.intp], Floats]:
    """Return how many signs before each one lies the one that the likeliest way comes from, and the ways' log weights.

    Args:
        logs: shape (readers, frames, signs), the log probability of each sign of a text with blanks around its digits.
        may_jump: shape (signs - 2,), whether a way may come from the sign before the blank before.

    Returns:
        Shape (frames, readers, signs), and at the last frame, shape (readers, signs).
    """
    readers, count, width = logs.shape
    origin = np.zeros((count, readers, width), np.intp)
    ways = np.full((3, readers, width), -np.inf)
    best = np.full((readers, width), -np.inf)
    best[:, :2] = logs[:, 0, :2]
    jump_cost = np.where(may_jump, 0.0, -np.inf)
    for frame in range(1, count):
        ways[0] = best
        ways[1, :, 1:] = best[:, :-1]
        ways[2, :, 2:] = best[:, :-2] + jump_cost
        origin[frame] = ways.argmax(axis=0)
        best = ways.max(axis=0) + logs[:, frame]
    return origin, best


def _spans(frames: Frames, origin: NDArray[np.intp], *, last: int, digits: int) -> list[tuple[int, int]]:
    """Return the first and last frame of each digit on the way back from the sign `last`."""
    visited = [last]
    for frame in range(len(origin) - 1, 0, -1):
        visited.append(visited[-1] - int(origin[frame, visited[-1]]))
    visited.reverse()
    spans: list[tuple[int, int]] = []
    for digit in range(digits):
        held = [int(frames.places[frame]) for frame, sign in enumerate(visited) if sign == 2 * digit + 1]
        before = spans[-1][1] if spans else 0
        spans.append((held[0], held[-1]) if held else (before, before))
    return spans


def _add(grown: _Prefixes, text: str, after_blank: float, after_digit: float, state: int) -> None:
    known = grown.get(text)
    if known is None:
        grown[text] = (after_blank, after_digit, state)
    else:
        grown[text] = (known[0] + after_blank, known[1] + after_digit, state)


def _spread(texts: list[str]) -> tuple[NDArray[np.intp], Floats, NDArray[np.intp]]:
    """Return the texts with blanks around every digit, padded with blanks.

    The shapes are (texts, longest), twice: the signs; and 1 where a digit may follow the one before without a blank.
    Then each text's last place.
    """
    longest = 2 * max((len(text) for text in texts), default=0) + 1
    signs = np.full((len(texts), max(longest, 2)), BLANK, np.intp)
    jumps = np.zeros(signs.shape)
    for row, text in enumerate(texts):
        digits = list(map(int, text))
        signs[row, 1 : 2 * len(digits) : 2] = digits
        jumps[row, 3 : 2 * len(digits) : 2] = [before != after for before, after in pairwise(digits)]
    return signs, jumps, np.array([2 * len(text) for text in texts], np.intp)
