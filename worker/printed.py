"""A field in ordinary type to its reading: joins rows of print, their network, and the field's type.

```
FieldCrop ─ find_rows ─▶ rows ─ lay_row ─▶ network ─▶ frames ─ numbers ─ choose ─▶ FieldReading
```
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import hypot
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import structlog
from numpy.typing import NDArray

from core.types import Box, DigitReading, FieldCrop, FieldReading, ReaderInfo, ReviewReason
from forms.automaton import Automaton
from forms.confidence import Calibration, features
from forms.digitwise import alternatives, digit_shares
from forms.field_types import FieldType
from forms.printed import FIGURE, PrintedNumber, choose, find_spans, read_number, rivals, shortest
from forms.rules import contrast
from model.artifacts import SHIPPED, artifact_folder
from model.line_recogniser import LineRecogniser
from segmentation.printed import PRINT_VERSION, PrintRow, find_rows, lay_row
from worker.networks import CALIBRATION, read_calibration

ARTIFACT: Final = "printed"

MAX_OTHER: Final = 0.5
"""From this probability on that a sign in the number or close by is no digit, a person looks."""

HALF: Final = 0.5
"""Of the signs of the shortest number, so many parts a row must have to be read: some of its digits may touch."""

AT_RIM: Final = 0.3
"""Figures' heights from the field's left or right rim: a number there may go on outside."""

ALIKE: Final = 0.5
"""Heights by which rows that are parts of one stand apart, at most, and how much smaller one of them may be."""

WIDEST: Final = 0.4
"""Half a figure's width, in its heights."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PrintReading:
    """What is printed in a field.

    Attributes:
        rows: where lines of print were found.
        numbers: all numbers on them.
        letters: whether there is print that is no number.
        chosen: the field's number, where there is one.
    """

    rows: tuple[PrintRow, ...]
    numbers: tuple[PrintedNumber, ...]
    letters: bool
    chosen: PrintedNumber | None


class PrintReader:
    """Reads fields in ordinary type with a small network of its own. Not for two threads at once."""

    def __init__(
        self, recogniser: LineRecogniser, calibration: Calibration, *, calibrated: tuple[str, ...] = ()
    ) -> None:
        """Read with `recogniser`.

        Args:
            recogniser: the network.
            calibration: says what its evidence is worth.
            calibrated: digests of the networks that the calibration was made for; empty where it does not say.
        """
        self._recogniser = recogniser
        self.calibration = calibration
        self._calibrated = calibrated

    @classmethod
    def load(cls, *, root: Path = SHIPPED, calibration: Path | None = None) -> "PrintReader":
        """Return a reader with the shipped network, or that in the folder of artifacts `root`.

        Raises:
            ArtifactMissing: the network is not there.
            ArtifactMismatch: a file was altered, or the network learnt from lines that were laid otherwise.
        """
        # A worker is one of many processes: threads of OpenCV's own would fight over the cores.
        cv2.setNumThreads(1)
        recogniser = LineRecogniser.load(ARTIFACT, line_version=PRINT_VERSION, root=root)
        made, calibrated = read_calibration(calibration or artifact_folder(ARTIFACT, root=root) / CALIBRATION)
        reader = cls(recogniser, made, calibrated=calibrated)
        if not reader.is_calibrated:
            log.warning("calibration was made for other networks: confidences mean little", model=ARTIFACT)
        return reader

    @property
    def info(self) -> ReaderInfo:
        """Which network reads."""
        return self._recogniser.info

    @property
    def is_calibrated(self) -> bool:
        """Whether the calibration was made for this network, or does not say for which."""
        return not self._calibrated or self.info.sha256 in self._calibrated

    def read(self, crop: FieldCrop, kind: FieldType, *, accept_confidence: float) -> FieldReading:
        """Return the reading of a field in ordinary type.

        Args:
            crop: the field, loosely cut: other print may stand around its number.
            kind: what it may hold.
            accept_confidence: below it, a person looks.
        """
        return self.judge(self.look(crop, kind), crop, kind, accept_confidence=accept_confidence)

    def look(self, crop: FieldCrop, kind: FieldType) -> PrintReading:
        """Return what is printed in the field, before anything is accepted: calibration starts here."""
        seen = self._look(crop.pixels, kind.automaton)
        if seen.chosen is None or not seen.chosen.fits:
            # Figures in dots, or broken ones, are no signs as they stand.
            again = self._look(crop.pixels, kind.automaton, mended=True)
            if again.chosen is not None and (seen.chosen is None or again.chosen.fits):
                return again
        return seen

    def judge(self, seen: PrintReading, crop: FieldCrop, kind: FieldType, *, accept_confidence: float) -> FieldReading:
        """Return the field's reading, accepted only where nothing speaks against it."""
        chosen = seen.chosen
        text = chosen.best.text if chosen else ""
        confidence = self.confidence(chosen) if chosen else 0.0
        digits = self._digits(seen, crop, confidence)
        at_rim = any(_is_at_rim(digit.box, crop.box) for digit in digits)
        reasons = _reasons(seen, at_rim=at_rim, confidence=confidence, accept_confidence=accept_confidence)
        return FieldReading(
            name=crop.name,
            type=crop.type,
            box=crop.box,
            text=text,
            value=kind.value(text),
            confidence=confidence,
            accepted=not reasons,
            review_reasons=reasons,
            digits=digits,
        )

    def confidence(self, number: PrintedNumber) -> float:
        """Return the probability in 0..1 that the number is right as a whole."""
        if not number.fits:
            return 0.0
        return self.calibration.confidence(features(number.fused, other=number.other))

    def _look(self, grey: NDArray[np.uint8], automaton: Automaton, *, mended: bool = False) -> PrintReading:
        needed = max(1.0, HALF * shortest(automaton))
        found_rows = find_rows(grey, mended=mended)
        rows = tuple(row for row in found_rows if row.parts >= needed)
        numbers: list[PrintedNumber] = []
        # What is too short, or gave no number, is print all the same: the field is not empty.
        letters = len(rows) < len(found_rows)
        for place, (row, (logs,)) in enumerate(zip(rows, self._recogniser.classify(_laid(grey, rows)), strict=True)):
            found = [(span, *read_number(logs, span, automaton)) for span in find_spans(logs)]
            letters |= not found or not all(frames for _, _, frames in found)
            for span, fused, frames in found:
                if frames:
                    distance = self._distance(row, frames, grey)
                    numbers.append(PrintedNumber(fused, tuple(frames), span.other, row.height, distance, place))
        chosen = choose(numbers)
        if chosen is not None and any(
            _level(rows[chosen.row], rows[each.row]) for each in numbers if each is not chosen
        ):
            # What stands level with it may be a part of it, torn off by digits too faint to be seen.
            chosen = replace(chosen, other=1.0)
        return PrintReading(rows, tuple(numbers), letters, chosen)

    def _distance(self, row: PrintRow, frames: Sequence[tuple[int, int]], grey: NDArray[np.uint8]) -> float:
        """Return how far the middle of what stands on the frames is from the field's, in pixels."""
        height, width = grey.shape
        columns = self._recogniser.frame_columns
        box = row.box(frames[0][0] * columns, (frames[-1][1] + 1) * columns, within=(height, width))
        return hypot(box.x + (box.width - width) / 2, box.y + (box.height - height) / 2)

    def _digits(self, seen: PrintReading, crop: FieldCrop, confidence: float) -> tuple[DigitReading, ...]:
        """Return the chosen number's digits, each at least as sure as the whole number."""
        number = seen.chosen
        if number is None:
            return ()
        text, row, columns = number.best.text, seen.rows[number.row], self._recogniser.frame_columns
        within = crop.pixels.shape[0], crop.pixels.shape[1]
        alike = [each for each in number.fused.proposals if each.allowed == number.best.allowed]
        digits = []
        for char, (left, right), shares in zip(text, _edges(number.frames), digit_shares(text, alike), strict=True):
            box = row.box(left * columns, right * columns, within=within)
            own = max(confidence, min(1.0, shares.get(char, 0.0)))
            others = {other: min(share, 1.0 - own) for other, share in shares.items() if other != char}
            placed = replace(box, x=box.x + crop.box.x, y=box.y + crop.box.y)
            digits.append(DigitReading(char, own, placed, alternatives(char, others)))
        return tuple(digits)


def _level(row: PrintRow, other: PrintRow) -> bool:
    """Return whether the two rows may be parts of one: about as tall, and level with each other."""
    middle = (other.left + other.right) / 2
    drop = other.top + other.height / 2 - row.top - row.height / 2 - row.slope * (middle - row.left)
    return abs(drop) < ALIKE * row.height and ALIKE < other.height / row.height < 1 / ALIKE


def _laid(grey: NDArray[np.uint8], rows: Sequence[PrintRow]) -> list[NDArray[np.uint8]]:
    return [lay_row(grey, row) for row in rows]


def _reasons(
    seen: PrintReading, *, at_rim: bool, confidence: float, accept_confidence: float
) -> tuple[ReviewReason, ...]:
    chosen = seen.chosen
    if chosen is None:
        return (ReviewReason.EMPTY, ReviewReason.NOT_DIGITS) if seen.letters else (ReviewReason.EMPTY,)
    reasons = []
    if not chosen.fits:
        reasons.append(ReviewReason.INVALID_FORMAT)
    else:
        rule = contrast(chosen.fused)
        if rule is not None and rule.conflict:
            reasons.append(ReviewReason.RULE_CONFLICT)
    if rivals(chosen, seen.numbers):
        reasons.append(ReviewReason.SEVERAL_NUMBERS)
    if chosen.other >= MAX_OTHER:
        reasons.append(ReviewReason.NOT_A_DIGIT)
    if confidence < accept_confidence or at_rim:
        reasons.append(ReviewReason.LOW_CONFIDENCE)
    return tuple(reasons)


def _edges(frames: tuple[tuple[int, int], ...]) -> list[tuple[float, float]]:
    """Return from which frame to which each digit reaches: half way to its neighbours, but no wider than a figure."""
    middles = [(first + last + 1) / 2 for first, last in frames]
    between = [(before + after) / 2 for before, after in pairwise(middles)]
    lefts = [middles[0] - WIDEST * FIGURE, *between]
    rights = [*between, middles[-1] + WIDEST * FIGURE]
    return [
        (max(left, middle - WIDEST * FIGURE), min(right, middle + WIDEST * FIGURE))
        for left, middle, right in zip(lefts, middles, rights, strict=True)
    ]


def _is_at_rim(box: Box, field: Box) -> bool:
    return min(box.x - field.x, field.right - box.right) < AT_RIM * box.height
