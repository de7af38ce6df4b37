"""From bytes to a reading: joins decoding, segmentation, the network and the forms. Knows no Celery and no storage.

```
data ─ decode ─▶ Page ─ segment ─▶ Lattices and lines ─ networks ─▶ scores and frames ─ decode_field ─▶ PageReading
```

A worker process, `tallyscan read` and the benchmarks each hold one `Reader`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Final

import cv2

from core.errors import InputError, InvalidRequest
from core.form_pages import in_form_order
from core.settings import Settings
from core.types import (
    AUTO,
    DocumentReading,
    FieldCrop,
    FieldReading,
    Page,
    PageReading,
    Phase,
    ProcessingStep,
    ReaderInfo,
)
from forms.confidence import Calibration
from forms.decoder import Decoded
from forms.field_types import field_type
from forms.policy import is_number, judge, lattice_threshold
from forms.templates import TemplateField
from model.artifacts import SHIPPED
from segmentation.decoding import DecodeLimits, SourceInfo, decode_page, inspect, open_document
from segmentation.fields import find_numbers, is_blot, whole_page
from segmentation.normalise import NORMALISATION_VERSION
from segmentation.prepare import Levelling, deskew, estimate_skew, ink_map, to_grey
from segmentation.preview import encode_preview
from worker.choosing import Choose, named, unknown
from worker.form_reading import MICR, PRINTED, CutField, Form, finished, settled
from worker.form_sheets import tell_sheet
from worker.inspecting import inspect_ink
from worker.lettering import check_known, read_letters
from worker.micr import ARTIFACT as MICR_MODEL
from worker.micr import MicrReader
from worker.networks import Networks, open_model
from worker.placing import put_back
from worker.preparing import PreparedField, prepare_field
from worker.printed import ARTIFACT as PRINTED_MODEL
from worker.printed import PrintReader
from worker.recognising import Recognition
from worker.timings import StageTimings

WITHOUT_LINE: Final = frozenset({"digit", "letters"})
"""Types in which line readers have no say: they know less of a single glyph than the glyph network, and no letters."""


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """How to read a document.

    Attributes:
        type_name: field type of each page as a whole, or None to find the numbers on it.
        target_error: share of accepted fields that may be wrong, or None for that of the field or the settings.
        form: template that says where the fields are; `type_name` is None then.
        expected_micr: the caller's own MICR line; fields of a form's band that differ from it go to review.
        thorough: whether every reader is asked of every field, also where the first ones leave no doubt.
        choose: chooses the form of each page; the two others are None then.
    """

    type_name: str | None = None
    target_error: float | None = None
    form: Form | None = None
    expected_micr: str | None = None
    thorough: bool = False
    choose: Choose | None = None


@dataclass(frozen=True, slots=True)
class PageResult:
    """A page's reading and its picture; a page that could not be decoded has no picture."""

    reading: PageReading
    preview: bytes | None


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
        self._recognition = Recognition(networks, self.timings)

    @classmethod
    def load(cls, settings: Settings, *, root: Path = SHIPPED) -> "Reader":
        """Return a reader with the networks that the settings name, out of the folder of artifacts `root`.

        Raises:
            ArtifactMissing: a network is not there.
            ArtifactMismatch: a file was altered, or a network learnt from pictures that were made otherwise.
        """
        return cls.of(open_model(settings, root=root), settings)

    @classmethod
    def of(cls, networks: Networks, settings: Settings) -> "Reader":
        """Return a reader with these networks, for a process that is one of many."""
        # Threads of OpenCV's own would fight over the cores.
        cv2.setNumThreads(1)
        return cls(networks, settings)

    @property
    def info(self) -> ReaderInfo:
        """Which networks read."""
        return self._networks.info

    @property
    def name(self) -> str:
        """Name or id of the model that reads."""
        return self._networks.name

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

        Pages of a form come in the form's order.

        Raises:
            InputError: the file cannot be read at all.
            InvalidRequest: there is no field type of that name.
        """
        with self.timings.measure("decode"):
            document = open_document(data, self._limits)
        pages = tuple(self._read_page(document.page, index, request)[0] for index in range(document.source.pages))
        return DocumentReading(pages=in_form_order(pages), reader=self.info, steps=self.steps(request))

    def read_page(self, data: bytes, index: int, *, request: ReadRequest) -> PageResult:
        """Return the reading of page `index` and its picture; a page that cannot be decoded carries its failure.

        Raises:
            InvalidRequest: there is no field type of that name.
        """
        reading, page = self._read_page(partial(decode_page, data, limits=self._limits), index, request)
        preview = encode_preview(page, max_side=self._settings.preview_max_side) if page else None
        return PageResult(reading=reading, preview=preview)

    def steps(self, request: ReadRequest) -> tuple[ProcessingStep, ...]:
        """Return the record of how documents are read under `request`."""
        form = request.form
        by = {"type": request.type_name or "numbers"} if form is None else {"template": form.template.name}
        by = by if request.choose is None else {"template": AUTO}
        locate = ProcessingStep("locate", {**by})
        normalise = ProcessingStep("normalise", {"version": NORMALISATION_VERSION})
        recognise = ProcessingStep("recognise", {"model": self._networks.name, "version": self.info.version})
        judged = ProcessingStep("judge", {"target_error": self._target_error(request)})
        return locate, normalise, recognise, *self._others(form), judged

    def _others(self, form: Form | None) -> list[ProcessingStep]:
        """Return which networks read the form beside those that read handwriting."""
        writings = {field.writing for field in form.template.fields} if form else set()
        found = []
        if PRINTED in writings:
            found.append(ProcessingStep("recognise", _of(PRINTED_MODEL, self._print.info)))
        if MICR in writings:
            found.append(ProcessingStep("recognise", _of(MICR_MODEL, self._micr.info)))
        return found

    def _read_page(
        self, decode: Callable[[int], Page], index: int, request: ReadRequest
    ) -> tuple[PageReading, Page | None]:
        if request.type_name is not None:
            field_type(request.type_name)
        try:
            with self.timings.measure("decode"):
                page = decode(index)
        except InputError as error:
            return PageReading(
                index=index, width=0, height=0, failure=error.failure(Phase.DECODE), reader=self.info
            ), None
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
        if request.choose is not None:
            return self._read_chosen(page, request.choose, replace(request, choose=None))
        if request.form is not None:
            return self._read_form(page, request.form, request)
        fields, decoded, levelling = self.decode_fields(page, request=request)
        readings = [self._judge(*each, request=request) for each in zip(fields, decoded, strict=True)]
        if levelling.skew_degrees != 0.0:
            readings = [put_back(reading, levelling.undo) for reading in readings]
        return PageReading(
            index=page.index,
            width=page.width,
            height=page.height,
            skew_degrees=levelling.skew_degrees,
            fields=tuple(readings),
            reader=self.info,
        )

    def _read_chosen(self, page: Page, choose: Choose, request: ReadRequest) -> PageReading:
        """Return the reading by the template that fits the page, or of all numbers on it, none accepted."""
        with self.timings.measure("choose"):
            chosen = choose(page, lambda: self._micr)
        form = None if chosen is None else chosen.open()
        # Whoever sends a MICR line along sends a cheque.
        if chosen is None or form is None or (request.expected_micr is not None and not form.template.has_micr):
            return unknown(self.read_pixels(page, request=request))
        try:
            reading = self._read_form(page, form, replace(request, form=form), chosen=True)
        except InvalidRequest as error:
            # The networks do not know what the template asks for: no reason for other pages to fail.
            failure = error.failure(Phase.RECOGNISE)
            return PageReading(page.index, page.width, page.height, failure=failure, reader=self.info)
        return named(reading, chosen.use)

    def _read_form(self, page: Page, form: Form, request: ReadRequest, *, chosen: bool = False) -> PageReading:
        with self.timings.measure("segment"):
            laid = form.lay(page, micr=lambda: self._micr)
            try:
                sheet = tell_sheet(page, laid, form, chosen=chosen)
            except InputError as error:
                failure = error.failure(Phase.SEGMENT)
                return PageReading(page.index, page.width, page.height, failure=failure, reader=self.info)
            cut = form.cut_fields(laid.page, sheet.number)
            written = [each for each in cut if each.field.writing != PRINTED]
            fields = [
                prepare_field(
                    each.crop, with_line=self._reads_lines(each.crop), kind=each.kind, as_it_came=each.as_it_came
                )
                for each in written
            ]
        decoded = self._recognise(fields, thorough=True)
        readings = [
            settled(place, self._judge(field, each, request=_for_field(request, place.field)))
            for place, field, each in zip(written, fields, decoded, strict=True)
        ]
        with self.timings.measure("printed"):
            readings += [self._read_print(each, request) for each in cut if each.field.writing == PRINTED]
        places = {field.name: place for place, field in enumerate(form.template.fields)}
        readings.sort(key=lambda reading: places[reading.name])
        with self.timings.measure("micr"):
            for field, box in form.bands(laid.page, sheet.number):
                target = request.target_error or field.target_error or self._settings.target_error
                expected = request.expected_micr
                readings += self._micr.read(laid.page, region=box, target_error=target, expected=expected)
        return PageReading(
            index=page.index,
            width=page.width,
            height=page.height,
            registration=replace(laid.registration, form_page=sheet.form_page),
            fields=finished(form, laid, readings, doubts=sheet.doubts),
            reader=self.info,
        )

    def _read_print(self, cut: CutField, request: ReadRequest) -> FieldReading:
        threshold = self._settings.accept_confidence
        if threshold is None:
            target = request.target_error or cut.field.target_error or self._settings.target_error
            threshold = self._print.calibration.threshold(target)
        return self._print.read(cut.crop, cut.kind, accept_confidence=threshold)

    @cached_property
    def _print(self) -> PrintReader:
        """What reads ordinary type, loaded when a form first has a field in it."""
        return PrintReader.load()

    @cached_property
    def _micr(self) -> MicrReader:
        """What reads E-13B, loaded when a form first has a band of it."""
        return MicrReader.load()

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
        # Found on a page, a word may look like a number at a glance.
        decoded = self._recognise(fields, thorough=request.thorough or request.type_name is None)
        if request.type_name is None:
            fields, decoded = _only_numbers(fields, decoded)
        return fields, decoded, levelling

    def _recognise(self, fields: Sequence[PreparedField], *, thorough: bool) -> list[Decoded]:
        """Return what was read in each field: letters by the glyph network alone, all else by both kinds of readers.

        Raises:
            InvalidRequest: the networks do not know what a field holds.
        """
        check_known([field.kind for field in fields], self._networks.glyphs.classes)
        digits = [field for field in fields if not field.kind.letters]
        numbers = iter(self._recognition.read(digits, thorough=thorough))
        return [read_letters(field, self._networks.glyphs) if field.kind.letters else next(numbers) for field in fields]

    def _reads_lines(self, crop: FieldCrop) -> bool:
        """Return whether the line readers have a say."""
        return self._networks.lines is not None and crop.type not in WITHOUT_LINE

    def _judge(self, field: PreparedField, decoded: Decoded, *, request: ReadRequest) -> FieldReading:
        threshold = self._settings.accept_confidence
        if threshold is None:
            target = self._target_error(request)
            threshold = lattice_threshold(target) if decoded.fused is None else self._threshold(target)
        cells = None if field.comb is None else len(field.comb.cells)
        found = request.type_name is None and request.form is None
        with self.timings.measure("inspect"):
            signs = inspect_ink(field, decoded)
        return judge(
            decoded,
            field.crop,
            accept_confidence=threshold,
            found=found,
            comb_cells=cells,
            kind=field.kind,
            signs=signs,
        )

    def _threshold_for(self, target_error: float) -> float:
        calibration = self._networks.calibration
        return lattice_threshold(target_error) if calibration is None else calibration.threshold(target_error)

    def _target_error(self, request: ReadRequest) -> float:
        return self._settings.target_error if request.target_error is None else request.target_error


def _of(model: str, info: ReaderInfo) -> dict[str, str | int | float | bool]:
    return {"model": model, "version": info.version, "sha256": info.sha256}


def _for_field(request: ReadRequest, field: TemplateField) -> ReadRequest:
    return replace(request, target_error=request.target_error or field.target_error)


def _locate(page: Page, request: ReadRequest) -> tuple[tuple[FieldCrop, ...], Levelling]:
    """Return the fields of the levelled page, and the way back to the page as it came."""
    if request.type_name:
        return (whole_page(page, type_name=request.type_name),), Levelling(0.0, page.width, page.height)
    grey = to_grey(page)
    level, levelling = deskew(grey, estimate_skew(ink_map(grey)))
    found = find_numbers(Page(index=page.index, pixels=level, dpi=page.dpi))
    return tuple(crop for crop in found if not is_blot(crop.pixels)), levelling


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
