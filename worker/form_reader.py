"""A page of a form, read: each of its fields by the networks that know its writing, in the template's order.

```
Page ─ lay ─▶ page on the template ┬ cut ─▶ CutFields ┬ handwritten ─ FieldReader ─▶ ┐
                                   │                  └ printed ─ PrintReader ─────▶ ├ finished ─▶ PageReading
                                   └ bands ─ MicrReader ───────────────────────────▶ ┘
```
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from core.errors import InputError
from core.settings import Settings
from core.types import FieldReading, Page, PageReading, Phase, ProcessingStep, ReaderInfo
from forms.decoder import Decoded
from forms.templates import TemplateField
from segmentation.registration.target import Registered
from worker.field_reading import FieldReader
from worker.form_reading import MICR, PRINTED, CutField, Form, finished, settled
from worker.form_sheets import tell_sheet
from worker.micr import ARTIFACT as MICR_MODEL
from worker.micr import MicrReader
from worker.preparing import PreparedField
from worker.printed import ARTIFACT as PRINTED_MODEL
from worker.printed import PrintReader
from worker.timings import StageTimings


class FormReader:
    """Reads pages of forms; what reads print and E-13B is loaded when a form first needs it."""

    def __init__(self, fields: FieldReader, settings: Settings, timings: StageTimings) -> None:
        """Read handwriting with `fields`; what it costs is added to `timings`."""
        self._fields = fields
        self._settings = settings
        self._timings = timings

    @cached_property
    def micr(self) -> MicrReader:
        """What reads E-13B."""
        return MicrReader.load()

    @cached_property
    def _print(self) -> PrintReader:
        """What reads ordinary type."""
        return PrintReader.load()

    def steps(self, form: Form) -> list[ProcessingStep]:
        """Return which networks read the form beside those that read handwriting."""
        writings = {field.writing for field in form.template.fields}
        found = []
        if PRINTED in writings:
            found.append(ProcessingStep("recognise", _of(PRINTED_MODEL, self._print.info)))
        if MICR in writings:
            found.append(ProcessingStep("recognise", _of(MICR_MODEL, self.micr.info)))
        return found

    def read(
        self, page: Page, form: Form, *, target_error: float | None, expected_micr: str | None, chosen: bool = False
    ) -> PageReading:
        """Return the reading of a page of the form.

        Args:
            page: as it came.
            form: whose page it is.
            target_error: share of accepted fields that may be wrong, or None for that of each field or the settings.
            expected_micr: the caller's own MICR line; fields of a band that differ from it go to review.
            chosen: whether what the page shows has chosen the form, rather than the caller.

        Raises:
            InvalidRequest: the networks do not know what a field holds.
        """
        with self._timings.measure("segment"):
            laid = form.lay(page, micr=lambda: self.micr)
            try:
                sheet = tell_sheet(page, laid, form, chosen=chosen)
            except InputError as error:
                failure = error.failure(Phase.SEGMENT)
                return PageReading(page.index, page.width, page.height, failure=failure, reader=self._fields.info)
            cut = form.cut_fields(laid.page, sheet.number)
        readings = self._read_written(cut, target_error)
        readings += self._read_printed([each for each in cut if each.field.writing == PRINTED], target_error)
        places = {field.name: place for place, field in enumerate(form.template.fields)}
        readings.sort(key=lambda reading: places[reading.name])
        readings += self._read_bands(form, laid, sheet.number, target_error=target_error, expected=expected_micr)
        return PageReading(
            index=page.index,
            width=page.width,
            height=page.height,
            registration=replace(laid.registration, form_page=sheet.form_page),
            fields=finished(form, laid, readings, doubts=sheet.doubts),
            reader=self._fields.info,
        )

    def _read_written(self, cut: Sequence[CutField], target_error: float | None) -> list[FieldReading]:
        """Return the readings of those fields of a page that are handwritten."""
        written = [each for each in cut if each.field.writing != PRINTED]
        with self._timings.measure("segment"):
            fields = [self._prepare(each) for each in written]
        decoded = self._fields.recognise(fields, thorough=True)
        readings = [
            self._judge(own, field, each, target_error)
            for own, field, each in zip(written, fields, decoded, strict=True)
        ]
        with self._timings.measure("inspect"):
            return [settled(own, reading, fields=cut) for own, reading in zip(written, readings, strict=True)]

    def _judge(self, cut: CutField, field: PreparedField, decoded: Decoded, target_error: float | None) -> FieldReading:
        target = self._target(cut.field, target_error)
        return self._fields.judge(field, decoded, target_error=target, place=cut.place)

    def _prepare(self, cut: CutField) -> PreparedField:
        return self._fields.prepare(cut.crop, kind=cut.kind, as_it_came=cut.as_it_came, around=cut.around)

    def _read_printed(self, cut: Sequence[CutField], target_error: float | None) -> list[FieldReading]:
        with self._timings.measure("printed"):
            return [self._read_print(each, self._target(each.field, target_error)) for each in cut]

    def _read_print(self, cut: CutField, target_error: float) -> FieldReading:
        threshold = self._settings.accept_confidence
        if threshold is None:
            threshold = self._print.calibration.threshold(target_error)
        return self._print.read(cut.crop, cut.kind, accept_confidence=threshold)

    def _read_bands(
        self, form: Form, laid: Registered, number: int, *, target_error: float | None, expected: str | None
    ) -> list[FieldReading]:
        readings: list[FieldReading] = []
        with self._timings.measure("micr"):
            for field, box in form.bands(laid.page, number):
                target = self._target(field, target_error)
                readings += self.micr.read(laid.page, region=box, target_error=target, expected=expected)
        return readings

    def _target(self, field: TemplateField, stated: float | None) -> float:
        """Return the share of accepted readings that may be wrong: as stated, else the field's, else the settings'."""
        return stated or field.target_error or self._settings.target_error


def _of(model: str, info: ReaderInfo) -> dict[str, str | int | float | bool]:
    return {"model": model, "version": info.version, "sha256": info.sha256}
