"""A form's specification to its template and its PDF; the template comes first, for the code names its version."""

from typing import Final

from pydantic import ValidationError

from core.errors import InvalidRequest
from forms.faults import template_faults
from forms.kit.layout import MARKERS, Blank, Layout
from forms.templates import PageSize, RegistrationSpec, Template, TemplateField

DPI: Final = 200.0
"""At which forms are read: a box for a digit is 59 pixels wide."""

MAX_RESIDUAL_PX: Final = 4.0
"""Half a millimetre at that."""


def template_of(layout: Layout) -> Template:
    """Return the template of a laid out form.

    Raises:
        InvalidRequest: a check looks at fields of several pages.
    """
    try:
        return _template_of(layout)
    except ValidationError as error:
        faults = "; ".join(message for _, message in template_faults(error))
        raise InvalidRequest(f"{layout.spec.form} makes no valid template: {faults}.") from error


def _template_of(layout: Layout) -> Template:
    spec = layout.spec
    fields = tuple(
        _field(blank, page=number) for number, page in enumerate(layout.pages, start=1) for blank in page.blanks
    )
    return Template(
        name=spec.form,
        description=spec.description or spec.title,
        page=PageSize(width=layout.width, height=layout.height, unit="mm", dpi=DPI),
        pages=len(layout.pages),
        registration=RegistrationSpec(
            method="markers", reference=None, markers=MARKERS, max_residual_px=MAX_RESIDUAL_PX, code=True
        ),
        fields=fields,
        checks=spec.checks,
    )


def _field(blank: Blank, *, page: int) -> TemplateField:
    asked = blank.asked
    return TemplateField(
        name=asked.name,
        page=page,
        type=asked.written_type,
        box=blank.read,
        cells=blank.cells,
        required=asked.required,
        writing="handwritten",
        target_error=asked.target_error,
        checks=asked.checks,
    )
