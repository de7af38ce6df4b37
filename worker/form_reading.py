"""A page of a form: laid over its template, its fields cut out, and what was read put back onto the page as it came.

```
Page ─ register ─▶ page on the template ─ cut_fields ─▶ CutFields … FieldReadings ─ finished ─▶ PageReading
                                             └ print out ◀─ the template's blank, the colour of its guides
```
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.types import Box, FieldCrop, FieldReading, Page, ReviewReason
from forms.checks import apply_checks
from forms.field_types import FieldType
from forms.templates import Template, TemplateField
from segmentation.decoding import DecodeLimits, decode_page
from segmentation.prepare import to_grey
from segmentation.registration.evening import evenly_lit
from segmentation.registration.reference import prepare_reference
from segmentation.registration.register import register
from segmentation.registration.target import MarkerLayout, Method, Registered, RegistrationTarget
from segmentation.surroundings import Surroundings
from worker import courtesy
from worker.cheque_laying import lay_cheque
from worker.cutting import Sheet
from worker.micr import MicrReader
from worker.number_doubts import Place
from worker.placing import put_back

MICR: Final = "micr"
"""Writing of a field that is a band of E-13B, whose parts are fields of their own."""

PRINTED: Final = "printed"
"""Writing of a field in ordinary type."""


@dataclass(frozen=True, slots=True, eq=False)
class CutField:
    """A field of a form, cut out of a page.

    Attributes:
        field: as the template has it.
        crop: without print, where the template's print is known.
        kind: what it may hold.
        as_it_came: with the print in it, where that tells something more: where a comb's boxes are.
        found: whether it is where it was to be; False where it was sought and nothing told its place.
        around: gives it on the page, where nothing was taken out of it; a comb on the page without print.
        runs_on: where something was, whether its writing may go on in another field.
        sheet: the page, where writing that no field holds is to be told from its print; None where it is not.
        others: where the form's other fields are.
    """

    field: TemplateField
    crop: FieldCrop
    kind: FieldType
    as_it_came: FieldCrop | None = None
    found: bool = True
    around: Callable[[], Surroundings] | None = None
    runs_on: bool = False
    sheet: Sheet | None = None
    others: tuple[Box, ...] = ()

    @property
    def place(self) -> Place:
        """Where its number stands."""
        of_cheque = self.field.locate == courtesy.COURTESY_AMOUNT
        return Place(of_cheque, beside_sign=of_cheque and self.found)

    def is_written_beside(self, fields: Sequence["CutField"]) -> bool:
        """Return whether writing stands beside it that neither it nor another one of `fields`, the page's, holds."""
        if self.sheet is None:
            return False
        holding = [each.crop.box for each in fields if each is not self]
        return self.sheet.is_written_beside(self.crop.box, [*self.others, *holding])


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A template, ready to lay pages over it.

    Attributes:
        template: the fields and their rules.
        target: what pages are registered onto.
        blank: the empty form on the template's pixels, grey; None where nobody has it.
        versions: those whose print is the template's, so that pages printed as one of them may be read by it; None
            where that is not known.
    """

    template: Template
    target: RegistrationTarget
    blank: NDArray[np.uint8] | None = None
    versions: frozenset[int] | None = None

    def lay(self, page: Page, *, micr: Callable[[], MicrReader] = MicrReader.load) -> Registered:
        """Return the page laid over the template.

        Args:
            page: as it came.
            micr: gives what reads E-13B, by which cheques are laid.
        """
        if self.target.method is Method.CHEQUE:
            return lay_cheque(page, self.target, micr())
        return register(page, self.target)

    def cut_fields(self, page: Page, number: int = 1) -> list[CutField]:
        """Return the fields of page `number` of the form, laid over the template; bands of E-13B left out."""
        # The picture of the empty form shows its first page.
        blank = self.blank if number == 1 else None
        page = evenly_lit(page)
        sheet = Sheet(page, to_grey(page), blank=blank, guides=self.template.guides)
        fields = self.template.fields_on(number)
        return [self._cut(field, sheet, fields) for field in fields if field.writing != MICR]

    def _cut(self, field: TemplateField, sheet: Sheet, fields: Sequence[TemplateField]) -> CutField:
        kind = field.field_type()
        others = tuple(self.box(each, sheet.page) for each in fields if each is not field)
        if field.locate == courtesy.COURTESY_AMOUNT:
            box, kind, found = courtesy.locate(field, sheet.grey, self.box(field, sheet.page))
            pixels = sheet.grey[box.slices]
            crop = FieldCrop(field.name, kind.name, box, pixels)
            return CutField(field, crop, kind, found=found, around=partial(sheet.around, box, others))
        if field.writing == PRINTED:
            # The readers of print take other print around it into account, and were calibrated with it.
            sheet = replace(sheet, blank=None, guides=None)
        box = self.box(field, sheet.page)
        cut = sheet.cut(field.name, kind, box, others=others)
        around = partial(sheet.around, box, others) if sheet.is_plain else None
        if around is None and kind.comb_cells:
            # Taking print out is a tenth of reading a page, and few combs are asked about.
            around = partial(sheet.clean_around, box, others)
        return CutField(
            field, cut.crop, kind, cut.as_it_came, around=around, runs_on=cut.runs_on, sheet=sheet, others=others
        )

    def bands(self, page: Page, number: int = 1) -> list[tuple[TemplateField, Box]]:
        """Return the bands of E-13B and where they lie, across the whole page: its width tells the print's size."""
        found = [(field, self.box(field, page)) for field in self.template.fields_on(number) if field.writing == MICR]
        return [(field, replace(box, x=0, width=page.width)) for field, box in found]

    def box(self, field: TemplateField, page: Page) -> Box:
        """Return where the field lies on a page that is laid over the template."""
        return self.template.place(field, width=page.width, height=page.height)


def open_form(
    template: Template, *, reference: bytes | None, limits: DecodeLimits, versions: frozenset[int] | None = None
) -> Form:
    """Return the template as a form.

    Args:
        template: says how pages are registered.
        reference: the file of the picture that it names, where it names one.
        limits: within which that is decoded.
        versions: those whose print is the template's; None where that is not known.

    Raises:
        InputError: the reference cannot be decoded.
    """
    spec, size = template.registration, template.page.pixels
    scale = size[0] / template.page.width
    marks, markers = spec.markers, None
    if marks is not None:
        markers = MarkerLayout.at_corners(size, side=marks.side * scale, margin=marks.margin * scale, coded=marks.coded)
    picture = None if reference is None else prepare_reference(decode_page(reference, 0, limits=limits), size)
    target = RegistrationTarget(
        Method(spec.method), size, reference=picture, markers=markers, max_residual_px=spec.max_residual_px
    )
    known = picture is not None and not spec.filled
    return Form(template, target, blank=picture.grey if picture is not None and known else None, versions=versions)


def settled(cut: CutField, reading: FieldReading, *, fields: Sequence[CutField] = ()) -> FieldReading:
    """Return the reading of a field with what its place on the page says beside its digits.

    Args:
        cut: the field.
        reading: of it.
        fields: all of its page, which hold writing as far as they were cut.
    """
    if cut.runs_on or (not reading.text and cut.is_written_beside(fields)):
        reading = _doubted(reading, (ReviewReason.CUT_OFF,))
    return reading if cut.found else _doubted(reading, (ReviewReason.REGISTRATION_POOR,))


def finished(
    form: Form, laid: Registered, readings: Sequence[FieldReading], *, doubts: Sequence[ReviewReason] = ()
) -> tuple[FieldReading, ...]:
    """Return the readings after the template's checks, with their boxes on the page as it came.

    Args:
        form: whose fields they are.
        laid: the page that they were read on.
        readings: of its fields.
        doubts: why a person should look at all of them.
    """
    checked = apply_checks(form.template, readings)
    doubts = (*doubts, ReviewReason.REGISTRATION_POOR) if laid.poor else doubts
    return tuple(put_back(_doubted(reading, doubts) if doubts else reading, laid.undo) for reading in checked)


def _doubted(reading: FieldReading, doubts: Sequence[ReviewReason]) -> FieldReading:
    return replace(reading, accepted=False, review_reasons=tuple(dict.fromkeys((*reading.review_reasons, *doubts))))
