"""A page of a form: laid over its template, its fields cut out, and what was read put back onto the page as it came.

```
Page ─ register ─▶ page on the template ─ cut_fields ─▶ FieldCrops … FieldReadings ─ finished ─▶ PageReading
```
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.types import Box, FieldCrop, FieldReading, Page, ReviewReason
from forms.checks import apply_checks
from forms.field_types import FieldType
from forms.templates import Template, TemplateField
from segmentation.decoding import DecodeLimits, decode_page
from segmentation.prepare import to_grey
from segmentation.registration.reference import prepare_reference
from segmentation.registration.register import register
from segmentation.registration.target import MarkerLayout, Method, Registered, RegistrationTarget
from worker import courtesy
from worker.cheque_laying import lay_cheque
from worker.micr import MicrReader
from worker.placing import put_back

MICR: Final = "micr"
"""Writing of a field that is a band of E-13B, whose parts are fields of their own."""


@dataclass(frozen=True, slots=True, eq=False)
class CutField:
    """A field, cut out of a page that is laid over its template.

    Attributes:
        field: of the template.
        crop: what is read.
        kind: what it may hold.
        found: whether it is where it was to be; False where it was sought and nothing told its place.
    """

    field: TemplateField
    crop: FieldCrop
    kind: FieldType
    found: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A template, ready to lay pages over it.

    Attributes:
        template: the fields and their rules.
        target: what pages are registered onto.
    """

    template: Template
    target: RegistrationTarget

    def lay(self, page: Page, *, micr: Callable[[], MicrReader] = MicrReader.load) -> Registered:
        """Return the page laid over the template.

        Args:
            page: as it came.
            micr: gives what reads E-13B, by which cheques are laid.
        """
        if self.target.method is Method.CHEQUE:
            return lay_cheque(page, self.target, micr())
        return register(page, self.target)

    def cut_fields(self, page: Page) -> list[CutField]:
        """Return the fields of a page that is laid over the template, bands of E-13B left out."""
        grey = to_grey(page)
        return [self._cut(field, page, grey) for field in self.template.fields if field.writing != MICR]

    def _cut(self, field: TemplateField, page: Page, grey: NDArray[np.uint8]) -> CutField:
        box, kind, found = self.box(field, page), field.field_type(), True
        if field.locate == courtesy.COURTESY_AMOUNT:
            box, kind, found = courtesy.locate(field, grey, box)
        pixels = grey[box.y : box.y + box.height, box.x : box.x + box.width]
        return CutField(field, FieldCrop(name=field.name, type=kind.name, box=box, pixels=pixels), kind, found)

    def bands(self, page: Page) -> list[tuple[TemplateField, Box]]:
        """Return the bands of E-13B and where they lie, across the whole page: its width tells the print's size."""
        found = [(field, self.box(field, page)) for field in self.template.fields if field.writing == MICR]
        return [(field, replace(box, x=0, width=page.width)) for field, box in found]

    def box(self, field: TemplateField, page: Page) -> Box:
        """Return where the field lies on a page that is laid over the template."""
        return self.template.place(field, width=page.width, height=page.height)


def open_form(template: Template, *, reference: bytes | None, limits: DecodeLimits) -> Form:
    """Return the template as a form.

    Args:
        template: says how pages are registered.
        reference: the file of the picture that it names, where it names one.
        limits: within which that is decoded.

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
    return Form(template, target)


def settled(cut: CutField, reading: FieldReading) -> FieldReading:
    """Return the reading of a field after what is particular to fields that were sought."""
    if cut.field.locate == courtesy.COURTESY_AMOUNT and courtesy.has_cents(cut.kind):
        reading = courtesy.settle_cents(reading, cut.kind)
    return reading if cut.found else _doubted(reading)


def finished(form: Form, laid: Registered, readings: Sequence[FieldReading]) -> tuple[FieldReading, ...]:
    """Return the readings after the template's checks, with their boxes on the page as it came."""
    checked = apply_checks(form.template, readings)
    return tuple(put_back(_doubted(reading) if laid.poor else reading, laid.undo) for reading in checked)


def _doubted(reading: FieldReading) -> FieldReading:
    reasons = (*reading.review_reasons, ReviewReason.REGISTRATION_POOR)
    return replace(reading, accepted=False, review_reasons=reasons)
