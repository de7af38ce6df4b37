"""Lattice and line readers to one reading: the fused string, laid back onto the lattice digit by digit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.types import Box, DigitReading, FieldCrop, Lattice
from forms.confidence import Calibration, features
from forms.ctc import Frames, digit_frames
from forms.decoder import Decoded, digit_share, inside, score_edges, skipped_share
from forms.digitwise import alternatives, digit_shares
from forms.field_types import FieldType
from forms.fusion import ANYTHING, Fused, Proposal, fuse, line_proposals
from forms.paths import Edges, best_path, posteriors
from forms.separators import hanging, without
from forms.weights import Weights

SURE: Final = -0.3
"""A reader is sure of its own string from this log probability on."""

HESITANT: Final = -0.2
"""Line readers that give their string less than this log probability would be overruled by somebody surer."""

RATHER: Final = 1.0
"""Log odds by which the lattice then prefers another digit in one place, for a person to look. Of 2,239 accepted fields
of ORAND's and Meza's training parts two have both, one of them misread."""

FAR: Final = 5.0
"""Log weight that a candidate loses when it stands a digit's distance from where the line readers saw the digit."""

MIN_PITCH: Final = 0.35
"""Text heights; digits are no closer than this."""


@dataclass(frozen=True, slots=True)
class LineView:
    """The line readers' frames, and where on the page the line lies that they read."""

    frames: Frames
    box: Box

    def places_of(self, spans: Sequence[tuple[float, float]]) -> list[float]:
        """Return where on the page the middle of each span of frames lies, in columns."""
        step = self.box.width / self.frames.count
        return [(first + last + 1) / 2 * step + self.box.x for first, last in spans]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What lattice and line readers together hold for likeliest, before its digits are laid back onto the lattice.

    Attributes:
        edges: the lattice with its weights; None where there is nothing to read.
        fused: all proposals, in the same case None.
        confidence: probability in 0..1 that the best one is right; 0 where the field may hold none of them.
    """

    edges: Edges | None = None
    fused: Fused | None = None
    confidence: float = 0.0

    @property
    def text(self) -> str:
        """The best proposal's digits, if the field may hold them."""
        best = self.fused.proposals[0] if self.fused is not None and self.fused.proposals else None
        return best.text if best is not None and best.allowed else ""


def weigh(
    lattice: Lattice,
    scores: NDArray[np.float32],
    line: LineView,
    *,
    classes: tuple[str, ...],
    field_type: FieldType,
    calibration: Calibration,
    weights: Weights | None = None,
    by_lines: Sequence[str] | None = None,
) -> Weighed:
    """Return what lattice and line readers together hold for likeliest.

    Args:
        lattice: the field's candidates; without any, the field is empty.
        scores: float32, shape (len(lattice.candidates), len(classes)), probabilities.
        line: what the line readers say.
        classes: the ten digits first, then perhaps the class of what is no digit.
        field_type: says which strings may be chosen.
        calibration: weighs the readers, and turns the evidence into a probability.
        weights: of the lattice's evidence; None takes those of the network's kind.
        by_lines: what the line readers propose (`forms.fusion.line_proposals`), where that is known already.
    """
    if not lattice.candidates or not line.frames.count:
        return Weighed()
    edges = score_edges(lattice, scores, classes=classes, weights=weights)
    automaton = field_type.automaton
    by_lines = line_proposals(line.frames, automaton) if by_lines is None else by_lines
    readers = calibration.weights(field_type.name)
    fused = fuse(edges, posteriors(edges, ANYTHING), line.frames, automaton, weights=readers, by_lines=by_lines)
    return judged(edges, fused, line, calibration)


def without_commas(
    weighed: Weighed, boxes: Sequence[Box], line: LineView, *, calibration: Calibration
) -> Weighed | None:
    """Return what is likeliest once digits that stand like commas are taken for such; None where that changes nothing.

    Args:
        weighed: what holds for likeliest.
        boxes: of its text's ink, one each.
        line: what the line readers say.
        calibration: turns the evidence into a probability.
    """
    commas = hanging(weighed.text, boxes)
    if not commas or weighed.fused is None:
        return None
    fused = without(weighed.fused, commas)
    return None if fused is weighed.fused else judged(weighed.edges, fused, line, calibration)


def judged(edges: Edges | None, fused: Fused, line: LineView, calibration: Calibration) -> Weighed:
    """Return the proposals with the best one's confidence: none, where it is nothing that the field may hold.

    Args:
        edges: the lattice's.
        fused: all proposals.
        line: what the line readers say.
        calibration: turns the evidence into a probability.
    """
    weighed = Weighed(edges, fused)
    if not weighed.text:
        return weighed
    return replace(weighed, confidence=calibration.confidence(features(fused, other=line.frames.other)))


def lay_back(
    weighed: Weighed,
    lattice: Lattice,
    scores: NDArray[np.float32],
    line: LineView,
    *,
    classes: tuple[str, ...],
    crop: FieldCrop,
) -> Decoded:
    """Return the likeliest string with its digits in their places.

    Args:
        weighed: what holds for likeliest, of the same lattice, scores, line and classes.
        lattice: the field's candidates.
        scores: of them.
        line: what the line readers say.
        classes: of the scores.
        crop: the field, whose box bounds its digits' boxes.
    """
    edges, fused, text = weighed.edges, weighed.fused, weighed.text
    if edges is None or fused is None:
        return Decoded(text="")
    if not text:
        return Decoded(text="", other=line.frames.other, fused=fused)
    spans = digit_frames(line.frames, text)
    places = line.places_of(spans)
    path = best_path(edges, text, nearness=nearness(lattice, places))
    if path is None:
        boxes = _boxes_by_frames(line, spans, lattice)
    else:
        boxes = [lattice.candidates[step.edge].box for step in path if step.digit is not None]
    return Decoded(
        text=text,
        digits=digit_readings(text, fused.proposals, boxes, weighed.confidence, within=crop.box),
        confidence=weighed.confidence,
        digit_share=digit_share(scores, classes, path or ()),
        skipped_share=skipped_share(lattice, path or ()),
        other=line.frames.other,
        disagree=readers_disagree(fused),
        fused=fused,
        places=tuple(places),
    )


def digit_readings(
    text: str, proposals: Sequence[Proposal], boxes: Sequence[Box], confidence: float, *, within: Box
) -> tuple[DigitReading, ...]:
    """Return each digit with its share of the allowed proposals; it is right at least as often as the whole string is.

    Args:
        text: digits.
        proposals: all strings there are to choose from.
        boxes: of the digits.
        confidence: of the whole string.
        within: bounds the boxes.
    """
    readings = []
    allowed = [each for each in proposals if each.allowed]
    for char, box, shares in zip(text, boxes, digit_shares(text, allowed), strict=True):
        own = max(confidence, min(1.0, shares.get(char, 0.0)))
        others = {other: min(share, 1.0 - own) for other, share in shares.items() if other != char}
        readings.append(DigitReading(char, own, inside(box, within), alternatives(char, others)))
    return tuple(readings)


def readers_disagree(fused: Fused) -> bool:
    """Return whether lattice and line readers are each sure of another string, or torn over one digit."""
    if fused.lattice_text is None:
        return False
    own = {each.text: each for each in fused.proposals}
    both_sure = own[fused.lattice_text].lattice > SURE and own[fused.lines_text or ""].lines > SURE
    return (both_sure and not fused.agree) or _torn_over_a_digit(fused)


def _torn_over_a_digit(fused: Fused) -> bool:
    """Return whether line readers are hesitant about the best string, and the lattice prefers one other digit in it."""
    best = fused.proposals[0]
    return best.lines < HESITANT and any(
        each.allowed and each.lattice - best.lattice > RATHER and _differ_in_one(each.text, best.text)
        for each in fused.proposals[1:]
    )


def _differ_in_one(text: str, other: str) -> bool:
    return len(text) == len(other) and sum(map(str.__ne__, text, other)) == 1


def nearness(lattice: Lattice, places: Sequence[float]) -> NDArray[np.float64]:
    """Return how much less likely candidates are for each digit, the further from where the line readers saw it.

    The shape is (digits, candidates); the lattice alone tells 9 from 9 with a dash beside it by little.
    """
    seen = np.array(places)
    pitch = max(float(np.median(np.diff(seen))) if len(seen) > 1 else 0.0, MIN_PITCH * lattice.text_height)
    middles = np.array([each.box.x + each.box.width / 2 for each in lattice.candidates])
    return np.asarray(-FAR * np.abs(middles - seen[:, None]) / pitch)


def _boxes_by_frames(line: LineView, spans: list[tuple[float, float]], lattice: Lattice) -> list[Box]:
    """Return the digits' boxes by where the line readers saw them, as tall as the lattice's ink there."""
    step = line.box.width / line.frames.count
    middles = [(before[1] + after[0] + 1) / 2 for before, after in pairwise(spans)]
    # A digit reaches about half its neighbour's distance further than the frames in which it is seen.
    reach = (sum(b - a for a, b in pairwise(middles)) / max(1, len(middles) - 1)) or 8.0
    lefts = [max(0.0, spans[0][0] - reach / 2), *middles]
    rights = [*middles, min(float(line.frames.count), spans[-1][1] + 1 + reach / 2)]
    return [
        _around_ink(lattice, line.box, line.box.x + left * step, line.box.x + right * step)
        for left, right in zip(lefts, rights, strict=True)
    ]


def _around_ink(lattice: Lattice, line: Box, left: float, right: float) -> Box:
    pieces = [
        each.box
        for each in lattice.candidates
        if each.end == each.start + 1 and left < each.box.x + each.box.width / 2 < right
    ]
    if not pieces:
        return Box(x=int(left), y=line.y, width=max(1, round(right - left)), height=line.height)
    x, y = min(box.x for box in pieces), min(box.y for box in pieces)
    x_end, y_end = max(box.right for box in pieces), max(box.bottom for box in pieces)
    return Box(x=x, y=y, width=x_end - x, height=y_end - y)
