"""From bytes to a reading: joins decoding, segmentation, the network and the forms. Knows no Celery and no storage.

```
data ─ decode ─▶ Page ─ segment ─▶ Lattices and lines ─ networks ─▶ scores and frames ─ decode_field ─▶ PageReading
```

A worker process, `tallyscan read` and the benchmarks each hold one `Reader`.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.settings import Settings
from core.types import (
    Box,
    DocumentReading,
    FieldCrop,
    FieldReading,
    Lattice,
    Page,
    PageReading,
    Phase,
    ProcessingStep,
    ReaderInfo,
)
from forms.confidence import Calibration
from forms.ctc import frames_of
from forms.decoder import Decoded, decode
from forms.field_types import field_type
from forms.joint import LineView, decode_jointly
from forms.policy import is_number, judge, lattice_threshold
from forms.weights import IN_CELLS
from model.artifacts import SHIPPED
from segmentation.decoding import DecodeLimits, SourceInfo, decode_page, inspect
from segmentation.fields import find_numbers, whole_page
from segmentation.normalise import NORMALISATION_VERSION
from segmentation.prepare import Levelling, deskew, estimate_skew, ink_map, to_grey
from segmentation.preview import encode_preview
from segmentation.tightening import main_ink_box
from worker.networks import Networks, load_networks
from worker.preparing import PreparedField, prepare_field


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """How to read a document.

    Attributes:
        type_name: field type of each page as a whole, or None to find the numbers on it.
        target_error: share of accepted fields that may be wrong, or None for that of the settings.
    """

    type_name: str | None = None
    target_error: float | None = None


@dataclass(frozen=True, slots=True)
class PageResult:
    """A page's reading and its picture; a page that could not be decoded has no picture."""

    reading: PageReading
    preview: bytes | None


@dataclass(slots=True)
class StageTimings:
    """Seconds spent in each stage since the reader was loaded."""

    decode: float = 0.0
    segment: float = 0.0
    network: float = 0.0
    decode_field: float = 0.0

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add the time spent inside the block to `stage`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            setattr(self, stage, getattr(self, stage) + time.perf_counter() - started)

    def as_dict(self) -> dict[str, float]:
        """Return the seconds by stage."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class Reader:
    """One process's reader: the network loaded once, and the settings it reads with. Not for two threads at once."""

    def __init__(self, networks: Networks, settings: Settings) -> None:
        """Read with `networks`, within the settings' limits."""
        self._networks = networks
        self._settings = settings
        self._limits = DecodeLimits.from_settings(settings)
        # Asked for every field, and a search over all labelled ones each time.
        self._threshold = lru_cache(maxsize=64)(self._threshold_for)
        self.timings = StageTimings()

    @classmethod
    def load(cls, settings: Settings, *, root: Path = SHIPPED) -> "Reader":
        """Return a reader with the networks that the settings name, out of the folder of artifacts `root`.

        Raises:
            ArtifactMissing: a network is not there.
            ArtifactMismatch: a file was altered, or a network learnt from pictures that were made otherwise.
        """
        # A worker is one of many processes: threads of OpenCV's own would fight over the cores.
        cv2.setNumThreads(1)
        return cls(load_networks(settings.model, root=root, calibration=settings.calibration), settings)

    @property
    def info(self) -> ReaderInfo:
        """Which networks read."""
        return self._networks.info

    @property
    def calibration(self) -> Calibration | None:
        """What weighs the readers and turns their evidence into a probability; None without line readers."""
        return self._networks.calibration

    def inspect(self, data: bytes) -> SourceInfo:
        """Return what the file is and how many pages it has.

        Raises:
            InputError: the file cannot be read at all.
        """
        return inspect(data, self._limits)

    def read(self, data: bytes, *, request: ReadRequest) -> DocumentReading:
        """Return the reading of all pages of a document, none of them the reason for another's failure.

        Raises:
            InputError: the file cannot be read at all.
            InvalidRequest: there is no field type of that name.
        """
        source = self.inspect(data)
        pages = tuple(self._read_page(data, index, request)[0] for index in range(source.pages))
        return DocumentReading(pages=pages, reader=self.info, steps=self.steps(request))

    def read_page(self, data: bytes, index: int, *, request: ReadRequest) -> PageResult:
        """Return the reading of page `index` and its picture; a page that cannot be decoded carries its failure.

        Raises:
            InvalidRequest: there is no field type of that name.
        """
        reading, page = self._read_page(data, index, request)
        preview = encode_preview(page, max_side=self._settings.preview_max_side) if page else None
        return PageResult(reading=reading, preview=preview)

    def steps(self, request: ReadRequest) -> tuple[ProcessingStep, ...]:
        """Return the record of how documents are read under `request`."""
        locate = ProcessingStep("locate", {"type": request.type_name or "numbers"})
        normalise = ProcessingStep("normalise", {"version": NORMALISATION_VERSION})
        recognise = ProcessingStep("recognise", {"model": self._settings.model, "version": self.info.version})
        judged = ProcessingStep("judge", {"target_error": self._target_error(request)})
        return locate, normalise, recognise, judged

    def _read_page(self, data: bytes, index: int, request: ReadRequest) -> tuple[PageReading, Page | None]:
        if request.type_name is not None:
            field_type(request.type_name)
        try:
            page = self.decode_page(data, index)
        except InputError as error:
            return PageReading(index=index, width=0, height=0, failure=error.failure(Phase.DECODE)), None
        return self.read_pixels(page, request=request), page

    def decode_page(self, data: bytes, index: int) -> Page:
        """Return page `index` of the file.

        Raises:
            InputError: it cannot be decoded.
        """
        with self.timings.measure("decode"):
            return decode_page(data, index, limits=self._limits)

    def read_pixels(self, page: Page, *, request: ReadRequest) -> PageReading:
        """Return the reading of a page that is decoded already.

        Raises:
            InvalidRequest: there is no field type of that name.
        """
        fields, decoded, levelling = self.decode_fields(page, request=request)
        readings = [self._judge(*each, request=request) for each in zip(fields, decoded, strict=True)]
        return PageReading(
            index=page.index,
            width=page.width,
            height=page.height,
            skew_degrees=levelling.skew_degrees,
            fields=tuple(_undo(reading, levelling) for reading in readings),
        )

    def decode_fields(
        self, page: Page, *, request: ReadRequest
    ) -> tuple[list[PreparedField], list[Decoded], Levelling]:
        """Return the page's fields and what was read in each, before anything is accepted: calibration starts here.

        Raises:
            InvalidRequest: there is no field type of that name.
        """
        with self.timings.measure("segment"):
            crops, levelling = _locate(page, request)
            fields = [prepare_field(crop, with_line=self._reads_lines(crop)) for crop in crops]
        with self.timings.measure("network"):
            scores = self._classify([field.lattice for field in fields])
            frames = self._read_lines(fields)
        with self.timings.measure("decode_field"):
            decoded = [
                _tightened(self._decode(*each), each[0].lattice) for each in zip(fields, scores, frames, strict=True)
            ]
            if request.type_name is None:
                fields, decoded = _only_numbers(fields, decoded)
        return fields, decoded, levelling

    def _reads_lines(self, crop: FieldCrop) -> bool:
        """Return whether the line readers have a say: of a single glyph they know less than the glyph network."""
        return self._networks.lines is not None and crop.type != "digit"

    def _classify(self, lattices: Sequence[Lattice]) -> list[NDArray[np.float32]]:
        """Return the scores of each lattice's candidates, out of one call of the network."""
        glyphs = [candidate.glyph for lattice in lattices for candidate in lattice.candidates]
        bounds = np.cumsum([len(lattice.candidates) for lattice in lattices])[:-1]
        network = self._networks.glyphs
        if not glyphs:
            return [np.zeros((0, len(network.classes)), np.float32) for _ in lattices]
        return np.split(network.classify(np.stack(glyphs)), bounds)

    def _read_lines(self, fields: Sequence[PreparedField]) -> list[LineView | None]:
        """Return what the line readers say of each field that has a line and ink."""
        views: list[LineView | None] = [None] * len(fields)
        if self._networks.lines is None:
            return views
        lines = {place: field.line for place, field in enumerate(fields) if field.line and field.lattice.candidates}
        outputs = self._networks.lines.classify([line.pixels for line in lines.values()])
        for (place, line), output in zip(lines.items(), outputs, strict=True):
            corner = fields[place].crop.box
            box = replace(line.box, x=corner.x + line.box.x, y=corner.y + line.box.y)
            views[place] = LineView(frames_of(output), box)
        return views

    def _decode(self, field: PreparedField, scores: NDArray[np.float32], line: LineView | None) -> Decoded:
        classes, calibration = self._networks.glyphs.classes, self._networks.calibration
        kind = field_type(field.crop.type)
        weights = None if field.comb is None else IN_CELLS
        if line is None or calibration is None:
            return decode(field.lattice, scores, classes=classes, crop=field.crop, field_type=kind, weights=weights)
        return decode_jointly(
            field.lattice,
            scores,
            line,
            classes=classes,
            crop=field.crop,
            field_type=kind,
            calibration=calibration,
            weights=weights,
        )

    def _judge(self, field: PreparedField, decoded: Decoded, *, request: ReadRequest) -> FieldReading:
        threshold = self._settings.accept_confidence
        if threshold is None:
            target = self._target_error(request)
            threshold = lattice_threshold(target) if decoded.fused is None else self._threshold(target)
        cells = None if field.comb is None else len(field.comb.cells)
        found = request.type_name is None
        return judge(decoded, field.crop, accept_confidence=threshold, found=found, comb_cells=cells)

    def _threshold_for(self, target_error: float) -> float:
        calibration = self._networks.calibration
        return lattice_threshold(target_error) if calibration is None else calibration.threshold(target_error)

    def _target_error(self, request: ReadRequest) -> float:
        return self._settings.target_error if request.target_error is None else request.target_error


def _locate(page: Page, request: ReadRequest) -> tuple[tuple[FieldCrop, ...], Levelling]:
    """Return the fields of the levelled page, and the way back to the page as it came."""
    if request.type_name:
        return (whole_page(page, type_name=request.type_name),), Levelling(0.0, page.width, page.height)
    grey = to_grey(page)
    level, levelling = deskew(grey, estimate_skew(ink_map(grey)))
    return find_numbers(Page(index=page.index, pixels=level, dpi=page.dpi)), levelling


def _only_numbers(
    fields: Sequence[PreparedField], decoded: Sequence[Decoded]
) -> tuple[list[PreparedField], list[Decoded]]:
    """Return what is a number rather than a word, named again in its order."""
    numbers = [(field, each) for field, each in zip(fields, decoded, strict=True) if is_number(each)]
    named = [
        replace(field, crop=replace(field.crop, name=f"number_{number}"))
        for number, (field, _) in enumerate(numbers, start=1)
    ]
    return named, [each for _, each in numbers]


def _tightened(decoded: Decoded, lattice: Lattice) -> Decoded:
    """Return what was read with each digit's box around its own ink alone."""
    candidates = {candidate.box: candidate for candidate in lattice.candidates}
    digits = tuple(
        replace(digit, box=main_ink_box(candidates[digit.box])) if digit.box in candidates else digit
        for digit in decoded.digits
    )
    return replace(decoded, digits=digits)


def _undo(reading: FieldReading, levelling: Levelling) -> FieldReading:
    """Return the reading with its boxes on the page as it came."""
    if levelling.skew_degrees == 0.0:
        return reading
    digits = tuple(replace(digit, box=levelling.undo(digit.box)) for digit in reading.digits)
    return replace(reading, box=_around(levelling.undo(reading.box), [digit.box for digit in digits]), digits=digits)


def _around(field: Box, digits: Sequence[Box]) -> Box:
    """Return the box around a field's and all its digits' boxes: rounding may push a corner out by a pixel."""
    boxes = [field, *digits]
    x, y = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.x + box.width for box in boxes), max(box.y + box.height for box in boxes)
    return Box(x=x, y=y, width=right - x, height=bottom - y)
