"""The MICR line of a page to fields: joins band, strip, network and layouts. Knows no Celery and no storage.

```
Page ─ find_bands ─▶ BandLine ─ rectify ─▶ Strip ─ network ─▶ windows' classes ─ choose_cells ─ parse ─▶ FieldReadings
```
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.micr import CLASSES, DIGITS, NONE
from core.types import Alternative, Box, DigitReading, FieldReading, Page, ReaderInfo, ReviewReason
from forms.micr import LEAST_KNOWN, MicrField, MicrLine, differing, parse, parse_text
from forms.micr_cells import MicrCells, choose_cells
from forms.micr_layouts import FAMILIES
from model.artifacts import SHIPPED
from model.recogniser import Recogniser
from segmentation.micr import find_bands
from segmentation.micr_strip import MICR_VERSION, BandLine, Strip, rectify
from segmentation.prepare import to_grey

ARTIFACT: Final = "micr"
TYPE: Final = "micr"

SURE_EVIDENCE: Final = 120.0
"""Log odds from which a band is the MICR line, and no other is looked at: fifteen clear symbols."""

LEAST_EVIDENCE: Final = 80.0
"""Log odds below which there is no MICR line: a bad one has five a symbol, and lines have seventeen and more."""

EXPECTED: Final = ("cheque_number", "routing", "account", "transaction_code")
"""Fields that are reported as empty where a line lacks them: each of these families' cheques has them."""

EXPECTED_OF: Final = {"cts2010": EXPECTED, "us": EXPECTED[:3], "canada": EXPECTED[:3]}


@dataclass(frozen=True, slots=True)
class BandReading:
    """A band as read: its strip, and its cells from left to right."""

    strip: Strip
    cells: MicrCells


class MicrReader:
    """Reads MICR lines with its own small network. Not for two threads at once."""

    def __init__(self, recogniser: Recogniser) -> None:
        """Read with `recogniser`, whose classes are those of `core.micr.CLASSES`."""
        self._recogniser = recogniser

    @classmethod
    def load(cls, *, root: Path = SHIPPED) -> "MicrReader":
        """Return a reader with the shipped network, or that in the folder of artifacts `root`.

        Raises:
            ArtifactMissing: the network is not there.
            ArtifactMismatch: its file was altered, or it learnt from strips that were made otherwise.
        """
        # A worker is one of many processes: threads of OpenCV's own would fight over the cores.
        cv2.setNumThreads(1)
        return cls(Recogniser.load(ARTIFACT, normalisation_version=MICR_VERSION, root=root))

    @property
    def info(self) -> ReaderInfo:
        """Which network reads."""
        return self._recogniser.info

    def read(
        self,
        page: Page,
        *,
        target_error: float = 0.01,
        families: Collection[str] = FAMILIES,
        expected: str | None = None,
        region: Box | None = None,
    ) -> tuple[FieldReading, ...]:
        """Return the fields of the page's MICR line, or those that it should have as empty where there is none.

        Where there is none, but something that is laid out like one, the empty fields have `not_digits` as well.

        Args:
            page: a cheque, upright and no more than a few degrees askew.
            target_error: share of accepted fields that may be wrong.
            families: of layouts that the cheque may have: cts2010, us, canada.
            expected: the caller's own MICR line; fields that differ from it go to review.
            region: part of the page in which the line lies; its width is taken for the cheque's.

        Raises:
            InvalidRequest: there is no family of that name.
        """
        band = self.read_band(page, region=region)
        line = parse(band.cells.probabilities, families=families) if band else MicrLine("", (), 0.0)
        wrong = differing(line, parse_text(expected, families=families)) if expected is not None else ()
        if band is None or not line.fields:
            box = region or Box(0, 0, page.width, page.height)
            unread = next(_lines(to_grey(page), region), None) is not None
            names = dict.fromkeys((*_expected_of(families), *wrong))
            return tuple(_compared(_empty(name, box, unread=unread), wrong) for name in names)
        readings = [_reading(field, line, band, page=page, target_error=target_error) for field in line.fields]
        # What the caller's line has and this one lacks is missing as well.
        missing = [name for name in dict.fromkeys((*EXPECTED_OF[line.family], *wrong)) if name not in line.texts()]
        readings += [_empty(name, _line_box(band, page)) for name in missing]
        return tuple(_compared(reading, wrong) for reading in readings)

    def read_band(self, page: Page, *, region: Box | None = None) -> BandReading | None:
        """Return the band that is most surely a MICR line, read; None where none is.

        Args:
            page: a cheque.
            region: part of the page in which the line lies.
        """
        grey = to_grey(page)
        best: BandReading | None = None
        for line in _lines(grey, region):
            strip = rectify(grey, line)
            band = BandReading(strip, choose_cells(self._classify(strip)))
            if best is None or band.cells.evidence > best.cells.evidence:
                best = band
            if best.cells.evidence >= SURE_EVIDENCE:
                break
        return best if best and best.cells.evidence >= LEAST_EVIDENCE else None

    def _classify(self, strip: Strip) -> NDArray[np.float32]:
        """Return the classes' probabilities in each window; those without ink hold no symbol."""
        probabilities = np.zeros((len(strip.windows), len(CLASSES)), np.float32)
        probabilities[:, NONE] = 1.0
        probabilities[strip.inked] = self._recogniser.classify(strip.windows[strip.inked])
        return probabilities


def _lines(grey: NDArray[np.uint8], region: Box | None) -> Iterator[BandLine]:
    """Yield where on the page the line may be; faint ink is only looked for where no other was convincing."""
    left, top = (region.x, region.y) if region else (0, 0)
    part = grey[top : top + region.height, left : left + region.width] if region else grey
    for faint in (False, True):
        for line in find_bands(part, faint=faint):
            yield replace(line, x=line.x + left, y=line.y + top)


def _reading(field: MicrField, line: MicrLine, band: BandReading, *, page: Page, target_error: float) -> FieldReading:
    digits = tuple(_digit(char, cell, band, page) for char, cell in zip(field.text, field.cells, strict=True))
    reasons = []
    if line.known < LEAST_KNOWN:
        reasons.append(ReviewReason.INVALID_FORMAT)
    if field.check_failed:
        reasons.append(ReviewReason.CHECK_FAILED)
    confidence = field.probability if line.known >= LEAST_KNOWN else field.probability * line.known
    if confidence < 1.0 - target_error:
        reasons.append(ReviewReason.LOW_CONFIDENCE)
    return FieldReading(
        name=f"{TYPE}_{field.name}",
        type=TYPE,
        box=_around([digit.box for digit in digits]),
        text=field.text,
        value=None if field.check_failed else field.text,
        confidence=confidence,
        accepted=not reasons,
        review_reasons=tuple(reasons),
        digits=digits,
    )


def _digit(char: str, cell: int, band: BandReading, page: Page) -> DigitReading:
    shares = band.cells.probabilities[cell, : len(DIGITS)]
    shares = shares / shares.sum()
    order = [DIGITS[index] for index in np.argsort(-shares)[:3] if DIGITS[index] != char][:2]
    return DigitReading(
        char=char,
        confidence=float(shares[int(char)]),
        box=band.strip.box(band.cells.windows[cell], page=(page.height, page.width)),
        alternatives=tuple(Alternative(other, float(shares[int(other)])) for other in order),
    )


def _compared(reading: FieldReading, wrong: Collection[str]) -> FieldReading:
    """Return the reading, sent to review where it is not what the caller's line says."""
    if reading.name.removeprefix(f"{TYPE}_") not in wrong:
        return reading
    reasons = tuple(dict.fromkeys((*reading.review_reasons, ReviewReason.CHECK_FAILED)))
    return replace(reading, accepted=False, review_reasons=reasons)


def _expected_of(families: Collection[str]) -> list[str]:
    """Return the names of all that a MICR line of one of these families should say."""
    return [name for family in FAMILIES if family in families for name in EXPECTED_OF[family]]


def _empty(name: str, box: Box, *, unread: bool = False) -> FieldReading:
    """Return a field without text; where something stands there that is no MICR line, with that as a reason."""
    return FieldReading(
        name=f"{TYPE}_{name}",
        type=TYPE,
        box=box,
        text="",
        value=None,
        confidence=0.0,
        accepted=False,
        review_reasons=(ReviewReason.EMPTY, ReviewReason.NOT_DIGITS) if unread else (ReviewReason.EMPTY,),
    )


def _line_box(band: BandReading, page: Page) -> Box:
    windows = band.cells.windows
    return band.strip.span(windows[0], windows[-1], page=(page.height, page.width))


def _around(boxes: Sequence[Box]) -> Box:
    x, y = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    return Box(x, y, right - x, bottom - y)
