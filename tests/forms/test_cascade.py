"""What the line readers know of digits' places spares the glyph network most candidates, and hides no digit."""

import numpy as np
import pytest
from numpy.typing import NDArray

from core.types import Box
from forms.cascade import Marks, Span, digit_marks, is_settled, unseen_scores, worth_a_look
from forms.ctc import BLANK, Frames
from forms.decoder import log_odds
from forms.fusion import Fused, Proposal
from forms.joint import LineView, Weighed

CLASSES = (*"0123456789", "garbage")
HEIGHT = 40.0

PIECES = [Span(0, 1, 0, 12, 40), Span(1, 2, 14, 28, 38), Span(2, 3, 50, 78, 40), Span(3, 4, 82, 88, 5)]
"""Two halves of a digit about 14, a digit about 64, and a dot."""

HALVES = Span(0, 2, 0, 28, 40)
BOTH = Span(0, 3, 0, 78, 40)
DIGIT_AND_DOT = Span(2, 4, 50, 88, 40)


def seen_in(frames: dict[int, tuple[int, float]], *, count: int, readers: int = 2) -> LineView:
    """Return a line of `count` frames, ten pixels each, with the digits and their probabilities that `frames` names."""
    probabilities: NDArray[np.float64] = np.zeros((readers, count, 11))
    probabilities[:, :, BLANK] = 1.0
    for frame, (digit, sure) in frames.items():
        probabilities[:, frame, digit], probabilities[:, frame, BLANK] = sure, 1.0 - sure
    return LineView(Frames(probabilities, np.arange(count), count, 0.0), Box(100, 0, 10 * count, 30))


def fits(span: Span, marks: Marks) -> bool:
    spans = [*PIECES, *(() if span in PIECES else (span,))]
    return worth_a_look(spans, marks, text_height=HEIGHT)[spans.index(span)]


def test_marks_lie_where_digits_are_seen() -> None:
    marks = digit_marks(seen_in({2: (4, 0.95), 3: (4, 0.99), 7: (1, 0.6)}, count=10))
    assert marks.places == pytest.approx([130.0, 175.0])
    assert marks.sure == [True, False]


def test_marks_follow_the_picture_s_scale() -> None:
    marks = digit_marks(seen_in({2: (4, 0.95)}, count=10), left=20, scale=0.5)
    assert marks.places == pytest.approx([(125 - 20) * 0.5])


def test_different_digits_in_neighbouring_frames_are_two_marks() -> None:
    assert len(digit_marks(seen_in({2: (4, 0.95), 3: (5, 0.95)}, count=10)).places) == 2


def test_one_doubting_reader_makes_a_mark_unsure() -> None:
    line = seen_in({2: (4, 0.99)}, count=10)
    line.frames.probabilities[1, 2, [4, BLANK]] = 0.3, 0.7
    assert digit_marks(line).sure == [False]


def test_only_what_fits_the_marks_is_looked_at() -> None:
    marks = Marks([14.0, 64.0], [True, True])
    assert fits(HALVES, marks)
    assert fits(PIECES[2], marks)
    assert not fits(BOTH, marks), "two digits"
    assert not fits(PIECES[0], marks), "half a digit"
    assert not fits(PIECES[3], marks), "a dot"


def test_whatever_an_unsure_mark_touches_is_looked_at() -> None:
    marks = Marks([14.0, 64.0], [True, False])
    assert fits(BOTH, marks)
    assert fits(DIGIT_AND_DOT, marks)


def test_a_digit_that_the_line_readers_missed_is_looked_at() -> None:
    assert fits(PIECES[2], Marks([14.0], [True]))


def test_without_marks_everything_is_looked_at() -> None:
    assert worth_a_look(PIECES, Marks([], []), text_height=HEIGHT) == [True] * len(PIECES)


def test_what_was_not_seen_counts_as_no_digit() -> None:
    scores = unseen_scores(CLASSES)
    assert scores.sum() == pytest.approx(1.0)
    assert (log_odds(scores[None], classes=CLASSES) < -5).all()


@pytest.mark.parametrize(
    ("lines", "lattice", "by_lattice", "confidence", "settled"),
    [
        (-0.3, -0.1, "17", 0.99, True),
        (-0.3, -2.0, "17", 0.99, False),
        (-0.3, -0.1, "11", 0.99, False),
        (-0.01, -5.0, "11", 0.99, True),
        (-0.01, -0.1, "17", 0.5, False),
    ],
)
def test_support_or_certainty_settles_a_text(
    lines: float, lattice: float, by_lattice: str, confidence: float, settled: bool
) -> None:
    best = Proposal("17", 0.9, lattice, lines, True)
    fused = Fused((best,), by_lattice, "17")
    assert is_settled(Weighed(fused=fused, confidence=confidence)) is settled


def test_nothing_settles_a_text_that_the_line_readers_would_not_choose() -> None:
    fused = Fused((Proposal("17", 0.9, -0.01, -0.01, True),), "17", "11")
    assert not is_settled(Weighed(fused=fused, confidence=0.99))
    assert not is_settled(Weighed(fused=Fused((), None, None)))
    assert not is_settled(Weighed())
