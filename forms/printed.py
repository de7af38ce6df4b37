"""Numbers on lines of print: which digits belong together, and what each number is under its field's type.

```
frames of a row ─ find_spans ─▶ where numbers stand ─ read_number ─▶ PrintedNumber ─ choose ─▶ the field's number
```

A reader of print says a digit, `other` for a letter or symbol, or nothing, frame by frame (CTC, Graves et al. 2006).
Marks between figures, as in 12/03/2016, are nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forms.automaton import DEAD, Automaton
from forms.ctc import OTHER, Frames, digit_frames, frames_of, line_log_probabilities, line_texts
from forms.fusion import ANYTHING, Fused, Proposal, ranked
from forms.prefix_search import line_strings

FIGURE: Final = 10.0
"""Frames that a figure is tall: `segmentation.printed` lays lines so."""

APART: Final = 1.5
"""Figures' heights from one digit to the next that part two numbers, where digits stand no wider anyway."""

WIDE: Final = 2.2
"""Times the line's usual distance from digit to digit: a group of digits ends there, and another number begins."""

BESIDE: Final = 1.3
"""Times the usual distance: what is printed closer to a number may be a part of it."""

CLOSE: Final = 2.5
"""Figures' heights: a digit that stands closer to a number may be its own."""

SPIKE: Final = 3
"""Frames around a digit in which it may still be seen."""

FITS: Final = 0.02
"""Share of the evidence from which a number is one that the field may hold."""

CLEARLY: Final = 0.5
"""Share of the evidence from which a number competes with another one."""

MUCH_SMALLER: Final = 0.6
"""Print of less than this height beside the chosen number's is no rival."""

_Logs = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Span:
    """Where a number stands on a row.

    Attributes:
        start: its first frame, paper included.
        stop: the frame behind its last.
        digits: how many digits the likeliest frames say.
        other: probability in 0..1 that one of its signs, or one close by, is no digit, or that a digit close by is its
            own.
    """

    start: int
    stop: int
    digits: int
    other: float


@dataclass(frozen=True, slots=True)
class PrintedNumber:
    """A number on a row of print.

    Attributes:
        fused: all that it may be, what the field may hold first.
        frames: where its best string's digits stand: first and last frame of the row.
        other: as `Span` has it.
        height: of its figures, in pixels.
        distance: pixels from its middle to the field's.
        row: number of the row.
    """

    fused: Fused
    frames: tuple[tuple[int, int], ...]
    other: float
    height: float
    distance: float
    row: int

    @property
    def best(self) -> Proposal:
        """What it most likely is, among what the field may hold where that is at all likely."""
        if self.fits:
            return self.fused.proposals[0]
        return max(self.fused.proposals, key=lambda each: each.share)

    @property
    def fits(self) -> bool:
        """Whether it is a number that the field may hold."""
        return self.fused.valid_share >= FITS

    @property
    def digits(self) -> int:
        """How many digits it has."""
        return len(self.best.text)


def find_spans(log_probabilities: _Logs) -> list[Span]:
    """Return where numbers stand on a row, from left to right.

    Args:
        log_probabilities: shape (frames, 12), the ten digits, `other`, blank.
    """
    best = log_probabilities.argmax(axis=1)
    edges = np.flatnonzero(np.diff(best, prepend=-1, append=-1))
    signs = [(int(best[a]), int(a), int(b) - 1) for a, b in pairwise(edges.tolist()) if best[a] <= OTHER]
    middles = [(first + last) / 2 for _, first, last in signs]
    usual = _usual_distance(signs, middles)
    far = max(APART * FIGURE, WIDE * usual)
    groups: list[list[int]] = []
    for place, (sign, _, _) in enumerate(signs):
        if sign == OTHER:
            continue
        follows = groups and groups[-1][-1] == place - 1 and middles[place] - middles[place - 1] <= far
        groups[-1].append(place) if follows else groups.append([place])
    return [_span(group, signs, log_probabilities, reach=BESIDE * usual) for group in groups]


def read_number(log_probabilities: _Logs, span: Span, automaton: Automaton) -> tuple[Fused, list[tuple[int, int]]]:
    """Return what the digits of a span may be, and on which frames of the row the best string's stand."""
    frames = frames_of(log_probabilities[None, span.start : span.stop])
    texts = [text for text in dict.fromkeys((*line_strings(frames, automaton), *line_texts(frames, ANYTHING))) if text]
    if not texts:
        return Fused((), None, None), []
    fused = _fused(frames, texts, automaton)
    best = fused.proposals[0] if fused.valid_share >= FITS else max(fused.proposals, key=lambda each: each.share)
    places = digit_frames(frames, best.text)
    return fused, [(int(first) + span.start, int(last) + span.start) for first, last in places]


def choose(numbers: Sequence[PrintedNumber]) -> PrintedNumber | None:
    """Return the field's number: one that it may hold, the longest, nearest its middle; None where there is none."""
    return max(numbers, key=lambda each: (each.fits, _clear(each), each.digits, -each.distance), default=None)


def rivals(chosen: PrintedNumber, numbers: Sequence[PrintedNumber]) -> list[PrintedNumber]:
    """Return the other numbers that the field may as well hold."""
    return [
        each
        for each in numbers
        if (each.row, each.frames) != (chosen.row, chosen.frames)
        and _clear(each)
        and each.height >= MUCH_SMALLER * chosen.height
    ]


@lru_cache(maxsize=256)
def shortest(automaton: Automaton) -> int:
    """Return how many digits the shortest string has that is not empty; 0 where there is none."""
    reached, length = {0}, 0
    seen: set[int] = set()
    while reached - seen:
        seen |= reached
        length += 1
        reached = {target for state in reached for target in automaton.steps[state] if target != DEAD}
        if reached & automaton.accepting:
            return length
    return 0


def _clear(number: PrintedNumber) -> bool:
    return number.fused.valid_share >= CLEARLY


def _usual_distance(signs: Sequence[tuple[int, int, int]], middles: Sequence[float]) -> float:
    """Return the median distance from digit to neighbouring digit, in frames."""
    steps = [
        after - before
        for (left, _, _), (right, _, _), before, after in zip(signs, signs[1:], middles, middles[1:], strict=False)
        if OTHER not in {left, right}
    ]
    return float(np.median(steps)) if len(steps) > 1 else 0.7 * FIGURE


def _span(group: Sequence[int], signs: Sequence[tuple[int, int, int]], logs: _Logs, *, reach: float) -> Span:
    first, last = group[0], group[-1]
    start = 0 if not first else (signs[first - 1][2] + signs[first][1] + 1) // 2
    stop = len(logs) if last + 1 == len(signs) else (signs[last][2] + signs[last + 1][1] + 1) // 2
    start, stop = max(start, signs[first][1] - round(2 * FIGURE)), min(stop, signs[last][2] + 1 + round(2 * FIGURE))
    near = logs[max(0, signs[first][1] - round(reach)) : signs[last][2] + 1 + round(reach), OTHER]
    doubt = max(float(near.max()), _digits_close_by(logs, signs[first][1], signs[last][2]))
    return Span(start, max(stop, start + 1), len(group), float(np.exp(doubt)))


def _digits_close_by(logs: _Logs, first: int, last: int) -> float:
    """Return the log probability of the surest digit close to the number that is none of it: it may be torn apart."""
    before = logs[max(0, first - round(CLOSE * FIGURE)) : max(0, first - SPIKE), :OTHER]
    after = logs[last + 1 + SPIKE : last + 1 + round(CLOSE * FIGURE), :OTHER]
    return max(float(part.max(initial=-np.inf)) for part in (before, after))


def _fused(frames: Frames, texts: list[str], automaton: Automaton) -> Fused:
    logs = line_log_probabilities(frames, texts).mean(axis=0)
    shares = np.exp(logs - logs.max())
    shares = shares / shares.sum()
    return Fused(
        ranked(
            Proposal(text, share, 0.0, log, automaton.accepts(text))
            for text, share, log in zip(texts, shares.tolist(), logs.tolist(), strict=True)
        ),
        None,
        texts[int(logs.argmax())],
    )
