"""Which candidates the glyph network must see, once the line readers have said where the digits stand.

Most merges of pieces hold no digit, two halves or one and a half, and to classify them takes most of a field's time.
Where the line readers are sure of a digit's place, only candidates that fit the place are looked at. If lattice and
line readers then agree, or the line readers are all but certain, the rest could not change the text; else it is looked
at, too.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from forms.ctc import BLANK, Frames
from forms.decoder import GARBAGE
from forms.joint import LineView, Weighed

SURE_MARK: Final = 0.9
"""All line readers see a digit at least so surely where its place is taken for known."""

FAINT_MARK: Final = 0.1
"""Where no line reader sees a digit more surely than this, there is none."""

OVERLAP: Final = 0.27
"""Text heights by which a digit may reach beyond the middle between its place and the next one."""

CORE: Final = 0.25
"""Text heights from a digit's place in which its own pieces lie."""

TALL: Final = 0.35
"""Text heights; what is lower may be a stain or a stroke of another digit, even at a digit's place."""

LOWEST: Final = 0.3
"""Text heights; a piece away from all places is a digit that was overlooked only if it is taller."""

APART: Final = 0.3
"""Text heights; and only if it is as far from them."""

DEEP: Final = 0.12
"""Text heights inside a candidate's sides from where on a place is surely its own."""

SLACK: Final = 0.04
"""Text heights outside of its sides where a place may still be its own."""

ALL_BUT_CERTAIN: Final = -0.05
"""Log probability from which on the line readers' string needs nobody's support."""

UNSEEN_DIGIT: Final = 0.0025
"""Probability of each digit for a piece that the glyph network did not see."""

UNDISPUTED: Final = 0.9
"""Below this confidence every piece of evidence is heard."""

SUPPORTED: Final = -0.7
"""Log probability from which on the lattice supports the same string."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Where line readers see digits, from left to right.

    Attributes:
        places: on the line that candidates lie on.
        sure: whether all line readers see a digit there.
    """

    places: list[float]
    sure: list[bool]


class Span(NamedTuple):
    """A candidate: cuts at its ends, left and right side and height, in the unit of the marks."""

    start: int
    end: int
    left: float
    right: float
    height: float


def digit_marks(line: LineView, *, left: float = 0.0, scale: float = 1.0) -> Marks:
    """Return where the line readers see digits: pixels of the page from `left` on, times `scale`."""
    frames = line.frames
    first_frame, step = (line.box.x - left) * scale, line.box.width * scale / max(frames.count, 1)
    groups = _groups(frames)
    digits = 1.0 - frames.probabilities[:, :, BLANK]
    places = frames.places.tolist()
    middles = [first_frame + ((places[first] + places[last]) / 2 + 0.5) * step for first, last in groups]
    sure = [bool(digits[:, first : last + 1].max(axis=1).min() >= SURE_MARK) for first, last in groups]
    return Marks(middles, sure)


def _groups(frames: Frames) -> list[tuple[int, int]]:
    """Return the first and last of neighbouring frames in which one and the same digit is seen."""
    seen = (1.0 - frames.probabilities[:, :, BLANK]).max(axis=0) > FAINT_MARK
    likeliest = frames.probabilities.mean(axis=0)[:, :BLANK].argmax(axis=1).tolist()
    places = frames.places.tolist()
    groups: list[tuple[int, int]] = []
    for frame in np.flatnonzero(seen).tolist():
        before = frame - 1
        joined = bool(groups) and groups[-1][1] == before and places[before] + 1 == places[frame]
        if joined and likeliest[before] == likeliest[frame]:
            groups[-1] = groups[-1][0], frame
        else:
            groups.append((frame, frame))
    return groups


def worth_a_look(spans: Sequence[Span], marks: Marks, *, text_height: float) -> list[bool]:
    """Return for each candidate whether it may be a digit where the line readers see some.

    Args:
        spans: all candidates of a lattice, in any order.
        marks: where digits are seen.
        text_height: of the writing, in the unit of both.
    """
    if not marks.places:
        return [True] * len(spans)
    known = _Known(marks, {span.start: span for span in spans if span.end == span.start + 1}, max(text_height, 1e-9))
    return [known.fits(span) for span in spans]


class _Known:
    """What is known before the glyph network is asked: the marks, and the single pieces by their starts."""

    def __init__(self, marks: Marks, pieces: dict[int, Span], unit: float) -> None:
        self._places, self._sure = marks.places, marks.sure
        self._pieces = pieces
        self._unit = unit
        middles = [(one + other) / 2 for one, other in pairwise(marks.places)]
        self._ends = list(zip([-np.inf, *middles], [*middles, np.inf], strict=True))

    def fits(self, span: Span) -> bool:
        """Return whether the candidate may be a digit, or too little is known."""
        slack = SLACK * self._unit
        first = bisect_left(self._places, span.left - slack)
        last = bisect_left(self._places, span.right + slack)
        if last == first + 1:
            return not self._sure[first] or self._fits_place(span, first)
        if not all(self._sure[first:last]):
            return True
        if last > first and self._holds_two(span, first, last):
            return False
        own = self._nearest(span, first, last)
        if not self._sure[own]:
            return True
        return self._fits_place(span, own) if first < last else self._was_overlooked(span, own)

    def _holds_two(self, span: Span, first: int, last: int) -> bool:
        """Return whether two of the marks from `first` to `last` are surely inside the candidate."""
        deep = min(DEEP * self._unit, (span.right - span.left) / 4)
        return sum([span.left + deep < place < span.right - deep for place in self._places[first:last]]) > 1

    def _nearest(self, span: Span, first: int, last: int) -> int:
        """Return the mark nearest to the candidate's middle: of those that it holds, if it holds any."""
        middle = (span.left + span.right) / 2
        among = range(first, last) if first < last else range(max(0, first - 1), min(len(self._places), first + 1))
        return min(among, key=lambda mark: abs(self._places[mark] - middle))

    def _fits_place(self, span: Span, own: int) -> bool:
        """Return whether the candidate keeps to its mark's part of the line, and leaves out nothing of the digit."""
        low, high = self._ends[own]
        if max(low - span.left, span.right - high) > OVERLAP * self._unit and all(
            self._sure[max(0, own - 1) : own + 2]
        ):
            return False
        return not (self._is_core(span.start - 1, own) or self._is_core(span.end, own))

    def _is_core(self, piece: int, own: int) -> bool:
        """Return whether the piece lies where the digit of the mark does, and not in another's part."""
        span = self._pieces.get(piece)
        if span is None or span.height < TALL * self._unit:
            return False
        middle, (low, high) = (span.left + span.right) / 2, self._ends[own]
        return low < middle < high and abs(middle - self._places[own]) < CORE * self._unit

    def _was_overlooked(self, span: Span, near: int) -> bool:
        """Return whether a candidate away from all marks may be a digit that the line readers missed."""
        if span.end > span.start + 1 or span.height < LOWEST * self._unit:
            return False
        return abs((span.left + span.right) / 2 - self._places[near]) >= APART * self._unit


def is_settled(weighed: Weighed) -> bool:
    """Return whether what was read of some candidates would be read of all."""
    fused = weighed.fused
    if fused is None or not fused.proposals or not fused.proposals[0].allowed:
        return False
    best = fused.proposals[0]
    if best.text != fused.lines_text or weighed.confidence < UNDISPUTED:
        return False
    return best.lines > ALL_BUT_CERTAIN or (fused.agree and best.lattice > SUPPORTED)


def unseen_scores(classes: tuple[str, ...]) -> NDArray[np.float32]:
    """Return the scores of what the network did not see, for classes with `GARBAGE`: surely none of the digits."""
    scores = np.full(len(classes), UNSEEN_DIGIT, np.float32)
    scores[classes.index(GARBAGE)] = 1.0 - UNSEEN_DIGIT * (len(classes) - 1)
    return scores
