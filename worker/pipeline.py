"""From bytes to a reading: joins decoding, segmentation, the network and the forms. Knows no Celery and no storage.

```
data ─ decode ─▶ Page ─ segment ─▶ Lattices and lines ─ networks ─▶ scores and frames ─ decode_field ─▶ PageReading
```

A worker process, `tallyscan read` and the benchmarks each hold one `Reader`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import structlog

from core.errors import InputError, InternalError, InvalidRequest, TallyscanError
from core.form_pages import in_form_order
from core.settings import Settings
from core.types import (
    AUTO,
    DocumentReading,
    FieldCrop,
    Page,
    PageReading,
    Phase,
    ProcessingStep,
    ReaderInfo,
    merged_steps,
)
from forms.confidence import Calibration
from forms.decoder import Decoded
from forms.field_types import field_type
from forms.policy import is_number
from model.artifacts import SHIPPED
from segmentation.decoding import DecodeLimits, SourceInfo, decode_page, inspect, open_document
from segmentation.fields import find_numbers, is_blot, whole_page
from segmentation.memory import ran_out_of_memory
from segmentation.normalise import NORMALISATION_VERSION
from segmentation.prepare import Levelling, deskew, estimate_skew, ink_map, to_grey
from segmentation.preview import encode_preview
from worker.choosing import Choose, named, unknown
from worker.field_reading import FieldReader
from worker.form_reader import FormReader
from worker.form_reading import Form
from worker.networks import Networks, open_model
from worker.placing import put_back
from worker.preparing import PreparedField
from worker.timings import StageTimings

log = structlog.get_logger(__name__)


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
    """A page's reading and its picture, and how it was read; a page that could not be decoded has no picture."""

    reading: PageReading
    preview: bytes | None
    steps: tuple[ProcessingStep, ...] = ()


class Reader:
    """One process's reader: the network loaded once, and the settings it reads with. Not for two threads at once."""

    def __init__(self, networks: Networks, settings: Settings) -> None:
        """Read with `networks`, within the settings' limits."""
        self._networks = networks
        self._settings = settings
        self._limits = DecodeLimits.from_settings(settings)
        self.timings = StageTimings()
        self._fields = FieldReader(networks, settings, self.timings)
        self._forms = FormReader(self._fields, settings, self.timings)

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
        found = [self._read_alone(document.page, index, request) for index in range(document.source.pages)]
        steps = merged_steps(*(self.steps(request, form=form) for *_, form in found))
        return DocumentReading(pages=in_form_order(tuple(page for page, *_ in found)), reader=self.info, steps=steps)

    def read_page(self, data: bytes, index: int, *, request: ReadRequest) -> PageResult:
        """Return the reading of page `index` and its picture; a page that cannot be decoded carries its failure.

        Raises:
            InvalidRequest: there is no field type of that name.
        """
        reading, page, form = self._read_page(partial(decode_page, data, limits=self._limits), index, request)
        preview = encode_preview(page, max_side=self._settings.preview_max_side) if page else None
        return PageResult(reading=reading, preview=preview, steps=self.steps(request, form=form))

    def steps(self, request: ReadRequest, *, form: Form | None) -> tuple[ProcessingStep, ...]:
        """Return the record of how a page was read under `request`, by the template `form` if by any."""
        by = {"type": request.type_name or "numbers"} if form is None else {"template": form.template.name}
        by = by if request.choose is None else {"template": AUTO}
        locate = ProcessingStep("locate", {**by})
        normalise = ProcessingStep("normalise", {"version": NORMALISATION_VERSION})
        recognise = ProcessingStep("recognise", {"model": self._networks.name, "version": self.info.version})
        judged = ProcessingStep("judge", {"target_error": self._target_error(request)})
        others = [] if form is None else self._forms.steps(form)
        return locate, normalise, recognise, *others, judged

    def _read_alone(
        self, decode: Callable[[int], Page], index: int, request: ReadRequest
    ) -> tuple[PageReading, Page | None, Form | None]:
        """Return what `_read_page` does, and of a page on which something unforeseen went wrong its failure."""
        try:
            return self._read_page(decode, index, request)
        except TallyscanError:
            raise
        except Exception as error:
            if ran_out_of_memory(error):
                raise
            log.exception("unforeseen error", page=index, error=type(error).__name__)
            return self._failed(index, InternalError(), Phase.RECOGNISE), None, request.form

    def _failed(self, index: int, error: TallyscanError, phase: Phase) -> PageReading:
        return PageReading(index=index, width=0, height=0, failure=error.failure(phase), reader=self.info)

    def _read_page(
        self, decode: Callable[[int], Page], index: int, request: ReadRequest
    ) -> tuple[PageReading, Page | None, Form | None]:
        """Return the page as read and as decoded, and the form that it was read by."""
        if request.type_name is not None:
            field_type(request.type_name)
        try:
            with self.timings.measure("decode"):
                page = decode(index)
        except InputError as error:
            return self._failed(index, error, Phase.DECODE), None, request.form
        reading, form = self._read_by(page, request)
        return reading, page, form

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
        return self._read_by(page, request)[0]

    def _read_by(self, page: Page, request: ReadRequest) -> tuple[PageReading, Form | None]:
        """Return the reading of a page, and the form that it was read by."""
        if request.choose is not None:
            return self._read_chosen(page, request.choose, replace(request, choose=None))
        if request.form is not None:
            return self._read_form(page, request.form, request), request.form
        return self._read_fields(page, request), None

    def _read_fields(self, page: Page, request: ReadRequest) -> PageReading:
        fields, decoded, levelling = self.decode_fields(page, request=request)
        target_error, found = self._target_error(request), request.type_name is None
        readings = [
            self._fields.judge(field, each, target_error=target_error, found=found)
            for field, each in zip(fields, decoded, strict=True)
        ]
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

    def _read_chosen(self, page: Page, choose: Choose, request: ReadRequest) -> tuple[PageReading, Form | None]:
        """Return the reading by the template that fits the page and that, or of all numbers on it, none accepted."""
        with self.timings.measure("choose"):
            chosen = choose(page, lambda: self._forms.micr)
        form = None if chosen is None else chosen.open()
        # Whoever sends a MICR line along sends a cheque.
        if chosen is None or form is None or (request.expected_micr is not None and not form.template.has_micr):
            return unknown(self._read_fields(page, request)), None
        try:
            reading = self._read_form(page, form, request, chosen=True)
        except InvalidRequest as error:
            # The networks do not know what the template asks for: no reason for other pages to fail.
            failure = error.failure(Phase.RECOGNISE)
            return PageReading(page.index, page.width, page.height, failure=failure, reader=self.info), form
        return named(reading, chosen.use), form

    def _read_form(self, page: Page, form: Form, request: ReadRequest, *, chosen: bool = False) -> PageReading:
        return self._forms.read(
            page, form, target_error=request.target_error, expected_micr=request.expected_micr, chosen=chosen
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
            fields = [self._fields.prepare(crop) for crop in crops]
        # Found on a page, a word may look like a number at a glance.
        decoded = self._fields.recognise(fields, thorough=request.thorough or request.type_name is None)
        if request.type_name is None:
            fields, decoded = _only_numbers(fields, decoded)
        return fields, decoded, levelling

    def _target_error(self, request: ReadRequest) -> float:
        return self._settings.target_error if request.target_error is None else request.target_error


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
