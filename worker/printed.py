"""A field in ordinary type to its reading: joins rows of print, their network, and the field's type.

```
FieldCrop ─ find_rows ─▶ rows ─ lay_row ─▶ network ─▶ frames ─ numbers ─ choose ─▶ FieldReading
```
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, DigitReading, FieldCrop, FieldReading, ReaderInfo, ReviewReason
from forms.automaton import Automaton
from forms.confidence import Calibration, features
from forms.digitwise import alternatives, digit_shares
from forms.field_types import FieldType
from forms.printed import FIGURE, PrintedNumber, choose, find_spans, read_number, rivals, shortest
from forms.rules import contrast
from model.artifacts import SHIPPED, artifact_folder
from model.line.frames import FRAME_COLUMNS
from model.line_recogniser import LineRecogniser
from segmentation.printed import PRINT_VERSION, PrintRow, find_rows, lay_row
from worker.networks import CALIBRATION, load_calibration

ARTIFACT: Final = "printed"

MAX_OTHER: Final = 0.5
"""From this probability on that a sign in the number or close by is no digit, a person looks."""

HALF: Final = 0.5
"""Of the signs of the shortest number, so many parts a row must have to be read: some of its digits may touch."""

AT_RIM: Final = 2
"""Pixels from the field's rim: a number there may go on outside."""


@dataclass(frozen=True, slots=True)
class PrintReading:
    """What is printed in a field.

    Attributes:
        rows: where lines of print were found.
        numbers: all numbers on them.
        letters: whether anything was read that is no digit.
        chosen: the field's number, where there is one.
    """

    rows: tuple[PrintRow, ...]
    numbers: tuple[PrintedNumber, ...]
    letters: bool
    chosen: PrintedNumber | None


class PrintReader:
    """Reads fields in ordinary type with a small network of its own. Not for two threads at once."""

    def __init__(self, recogniser: LineRecogniser, calibration: Calibration) -> None:
        """Read with `recogniser`; `calibration` says what its evidence is worth."""
        self._recogniser = recogniser
        self.calibration = calibration

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
        return cls(recogniser, load_calibration(calibration or artifact_folder(ARTIFACT, root=root) / CALIBRATION))

    @property
    def info(self) -> ReaderInfo:
        """Which network reads."""
        return self._recogniser.info

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

    def judge(
        self, seen: PrintReading, crop: FieldCrop, kind: FieldType, *, accept_confidence: float
    ) -> FieldReading:
        """Return the field's reading, accepted only where nothing speaks against it."""
        chosen = seen.chosen
        text = chosen.best.text if chosen else ""
        confidence = self.confidence(chosen) if chosen else 0.0
        reasons = _reasons(seen, crop, confidence=confidence, accept_confidence=accept_confidence)
        return FieldReading(
            name=crop.name,
            type=crop.type,
            box=crop.box,
            text=text,
            value=kind.value(text),
            confidence=confidence,
            accepted=not reasons,
            review_reasons=reasons,
            digits=_digits(seen.rows, chosen, crop, confidence) if chosen else (),
        )

    def confidence(self, number: PrintedNumber) -> float:
        """Return the probability in 0..1 that the number is right as a whole."""
        if not number.fits:
            return 0.0
        return self.calibration.confidence(features(number.fused, other=number.other))

    def _look(self, grey: NDArray[np.uint8], automaton: Automaton, *, mended: bool = False) -> PrintReading:
        needed = max(1.0, HALF * shortest(automaton))
        rows = tuple(row for row in find_rows(grey, mended=mended) if row.parts >= needed)
        outputs = [logs[0] for logs in self._recogniser.classify([lay_row(grey, row) for row in rows])]
        middle = grey.shape[1] / 2, grey.shape[0] / 2
        numbers, letters = [], False
        for place, (row, logs) in enumerate(zip(rows, outputs, strict=True)):
            spans = find_spans(logs)
            letters |= bool(len(logs)) and not spans
            for span in spans:
                fused, frames = read_number(logs, span, automaton)
                if fused.proposals:
                    distance = _distance(row, frames, grey.shape, middle)
                    numbers.append(PrintedNumber(fused, tuple(frames), span.other, row.height, distance, place))
        return PrintReading(rows, tuple(numbers), letters, choose(numbers))
