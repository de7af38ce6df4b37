"""Templates: which fields a form has, where they stand on it, what they may hold, and how a page is laid over it.

```
JSON ─ parse_template ─▶ Template ─ place ─▶ boxes in pixels ─ field_type ─▶ what the decoder walks ─ checks ─▶ readings
```

A template's version is counted by whoever stores it; a reading names the version that it was made with. The published
JSON Schema is written by `python -m forms.templates docs/template.schema.json`.
"""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from core.errors import InvalidRequest
from core.settings import MAX_TARGET_ERROR
from core.types import AUTO, Box
from forms.check_fit import CheckedField, cross_misfit, own_misfit
from forms.check_specs import AtLeast, CrossCheck, FieldCheck
from forms.faults import template_faults
from forms.field_specs import MAX_DIGITS, DigitsSpec, FieldSpec
from forms.field_types import FieldType
from forms.micr import PART_NAMES
from forms.published import json_schema, publish

MM_IN_INCH: Final = 25.4

_PART: Final = DigitsSpec(name="digits", length=None, min_length=None, max_length=None)
"""What the parts of a band hold, to checks."""

MAX_FIELDS: Final = 500
MAX_CHECKS: Final = 100
MAX_PAGES: Final = 100
MAX_SIDE: Final = 20_000.0
MAX_PIXELS: Final = 100_000_000
"""Of a page laid over a template: A3 at 600 dpi has 70 millions."""


NAME_PATTERN: Final = r"^[a-z0-9][a-z0-9_.-]{0,127}$"

TemplateName = Annotated[
    str,
    Field(pattern=NAME_PATTERN, description="Small letters, digits, `-`, `_` and `.`; a letter or digit first."),
]
FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Part(BaseModel):
    """Part of a template; what it does not know is refused, so that a misspelt option is not passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PageSize(_Part):
    """How large the form is: in millimetres as printed, or in pixels of a picture of it."""

    width: float = Field(gt=0, le=MAX_SIDE)
    height: float = Field(gt=0, le=MAX_SIDE)
    unit: Literal["mm", "px"] = "px"
    dpi: float = Field(300.0, ge=50, le=1200, description="At which a form in millimetres is read.")

    @model_validator(mode="after")
    def _check_pixels(self) -> Self:
        width, height = self.pixels
        if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
            raise ValueError(f"{width} × {height} pixels are too many; a lower dpi, or millimetres, would do")
        return self

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height in pixels that a page has once it is laid over the template."""
        scale = self.dpi / MM_IN_INCH if self.unit == "mm" else 1.0
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))


class Area(_Part):
    """A rectangle on the form, in the page's unit; `x`, `y` is its upper left corner."""

    x: float = Field(ge=0)
    y: float = Field(ge=0)
    width: float = Field(gt=0)
    height: float = Field(gt=0)

    @property
    def right(self) -> float:
        """How far to the right it ends."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """How far down it ends."""
        return self.y + self.height


class CornerMarkers(_Part):
    """Four equal marks in the corners of the form, in the page's unit."""

    side: float = Field(gt=0, description="Of a mark's black part.")
    margin: float = Field(ge=0, description="From the page's edges to the mark's.")
    coded: bool = Field(
        default=True,
        description="ArUco markers of DICT_4X4_50, numbered 0 to 3 clockwise from the upper left; else solid squares.",
    )


class RegistrationSpec(_Part):
    """How a page is laid over the template."""

    method: Literal["none", "page", "markers", "features", "cheque"] = Field(
        "none",
        description="none: the page is scaled; page: the sheet's edges are found; markers: marks in its corners; "
        "features: its print is found again; cheque: the sheet with a band of E-13B at its foot, turned any way.",
    )
    reference: Sha256 | None = Field(None, description="SHA-256 of a picture of the empty form.")
    filled: bool = Field(
        default=False,
        description="The reference is a form that somebody filled in, so nothing is taken out of fields as its print.",
    )
    markers: CornerMarkers | None = None
    max_residual_px: float = Field(6.0, gt=0, le=100, description="Pixels left from which a page goes to a person.")
    code: bool = Field(default=False, description="Whether each page has a QR code `tallyscan:NAME:VERSION:PAGE`.")

    @model_validator(mode="after")
    def _check_method(self) -> Self:
        if self.method == "features" and self.reference is None:
            raise ValueError("registration by features needs the reference, a picture of the empty form")
        if (self.method == "markers") != (self.markers is not None):
            raise ValueError("markers belong to registration by markers, and that needs them")
        return self


class TemplateField(_Part):
    """A field of the form."""

    name: FieldName
    page: int = Field(1, ge=1, le=MAX_PAGES, description="Of the form, on which it stands.")
    type: FieldSpec
    box: Area
    cells: int | None = Field(None, ge=2, le=MAX_DIGITS, description="Printed boxes side by side, one for each digit.")
    locate: Literal["courtesy_amount"] | None = Field(
        None,
        description="The field is sought within `box`: courtesy_amount is what stands right of a printed $ or ₹. An "
        "amount whose type does not state its decimals has two behind a $, none behind a ₹.",
    )
    required: bool = Field(default=True, description="Whether an empty field goes to a person.")
    writing: Literal["handwritten", "printed", "micr"] = Field(
        "handwritten", description="printed: in ordinary type; micr: a band of E-13B, which is read as its parts."
    )
    target_error: float | None = Field(
        None, gt=0, le=MAX_TARGET_ERROR, description="Share of accepted readings that may be wrong."
    )
    checks: tuple[FieldCheck, ...] = Field((), max_length=MAX_CHECKS)

    @model_validator(mode="after")
    def _check_writing(self) -> Self:
        if self.writing != "handwritten" and (self.type.name == "letters" or self.locate is not None):
            raise ValueError("letters, and fields that are sought, are read where they are handwritten alone")
        return self

    @model_validator(mode="after")
    def _check_cells(self, info: ValidationInfo) -> Self:
        if self.cells is not None and not _is_kept(info):
            lengths = self.type.lengths()
            if not lengths or min(lengths) > self.cells:
                least = min(lengths, default=MAX_DIGITS + 1)
                raise ValueError(
                    f"{self.cells} boxes are too few for {self.name}: what it may hold has {least} digits or more"
                )
        return self

    @model_validator(mode="after")
    def _check_own_checks(self, info: ValidationInfo) -> Self:
        if _is_kept(info):
            return self
        if self.is_band and self.checks:
            raise ValueError(f"{_valueless(self.name)}; leave its own checks out")
        if fault := own_misfit(self.checks, CheckedField(self.name, self.type, self.cells)):
            raise ValueError(fault)
        return self

    @property
    def is_band(self) -> bool:
        """Whether it is a band of E-13B, whose parts are read as fields of their own."""
        return self.writing == "micr"

    @property
    def reading_names(self) -> tuple[str, ...]:
        """What its readings are called."""
        return PART_NAMES if self.is_band else (self.name,)

    def field_type(self) -> FieldType:
        """Return what the field may hold, as the decoder takes it."""
        return self.type.field_type(cells=self.cells)


def _is_kept(info: ValidationInfo) -> bool:
    """Return whether the template was found valid before: what would be refused today goes on being read as it was."""
    return bool(info.context and info.context["kept"])


def _valueless(band: str) -> str:
    """Return why no check looks at a band, and what one may look at instead."""
    return (
        f"the band {band} has no value of its own, but is read as its parts, which checks between fields may name: "
        f"{', '.join(PART_NAMES)}"
    )


def _check_name(name: str) -> str:
    if name == AUTO:
        raise ValueError(f"{AUTO!r} stands for choosing among templates")
    return name


class Template(_Part):
    """A form."""

    name: Annotated[TemplateName, AfterValidator(_check_name)]
    description: str = Field("", max_length=1000, description="For people.")
    page: PageSize
    pages: int = Field(1, ge=1, le=MAX_PAGES, description="How many pages the form has, all of one size.")
    registration: RegistrationSpec = RegistrationSpec()
    guides: Annotated[str, Field(pattern="^(auto|#[0-9a-fA-F]{6})$")] | None = Field(
        None,
        description="Colour of boxes and rules that drop out on colour scans, as #rrggbb; auto finds it, in hues that "
        "pens do not have.",
    )
    fields: Annotated[tuple[TemplateField, ...], Field(max_length=MAX_FIELDS), AtLeast(1)]
    checks: tuple[CrossCheck, ...] = Field((), max_length=MAX_CHECKS, description="Between fields.")

    @model_validator(mode="after")
    def _check_fields(self) -> Self:
        faults, names = [], set[str]()
        for place, field in enumerate(self.fields):
            if field.name in names:
                faults.append(_fault(f"two fields are called {field.name}", "fields", place, "name"))
            if not self._holds(field.box):
                faults.append(_fault(f"the box of {field.name} reaches beyond the page", "fields", place, "box"))
            names.add(field.name)
        if faults:
            raise ValidationError.from_exception_data("Template", faults)
        return self

    @model_validator(mode="after")
    def _check_bands(self, info: ValidationInfo) -> Self:
        if _is_kept(info):
            return self
        bands = [field for field in self.fields if field.is_band]
        if taken := sorted({field.name for field in self.fields}.intersection(PART_NAMES)) if bands else []:
            raise ValueError(
                f"{', '.join(taken)} cannot be a field's name beside the band {bands[0].name}, whose parts are called "
                f"{', '.join(PART_NAMES)}; call it something else"
            )
        for page in range(1, self.pages + 1):
            if len(names := [band.name for band in bands if band.page == page]) > 1:
                raise ValueError(f"{' and '.join(names)} are bands of one page, whose parts would have the same names")
        return self

    @model_validator(mode="after")
    def _check_checks(self, info: ValidationInfo) -> Self:
        if _is_kept(info):
            return self
        bands = {field.name for field in self.fields if field.is_band}
        known = {
            name: CheckedField(name, _PART, required=field.required)
            if field.is_band
            else CheckedField(name, field.type, field.cells, field.required)
            for field in self.fields
            for name in field.reading_names
        }
        for check in self.checks:
            if valueless := [name for name in check.names if name in bands]:
                raise ValueError(f"a check names {valueless[0]}, but {_valueless(valueless[0])}")
            if unknown := set(check.names) - set(known):
                raise ValueError(f"a check names fields that there are not: {', '.join(sorted(unknown))}")
        if fault := cross_misfit(self.checks, known):
            raise ValueError(fault)
        return self

    @model_validator(mode="after")
    def _check_pages(self, info: ValidationInfo) -> Self:
        pages = {field.name: field.page for field in self.fields}
        if beyond := [name for name, page in pages.items() if page > self.pages]:
            raise ValueError(f"{', '.join(beyond)} would stand beyond the form's last page, which is {self.pages}")
        if bare := set(range(1, self.pages + 1)) - set(pages.values()):
            raise ValueError(f"there is no field on page {', '.join(map(str, sorted(bare)))}")
        # Parts of a band are on each page that has one.
        found = [
            {name for field in self.fields_on(page) for name in field.reading_names} for page in set(pages.values())
        ]
        for check in () if _is_kept(info) else self.checks:
            if not any(names.issuperset(check.names) for names in found):
                # Pages are read apart from one another, and may come in any order, or not at all.
                raise ValueError(f"a check looks at fields of several pages: {', '.join(check.names)}")
        return self

    def fields_on(self, page: int) -> tuple[TemplateField, ...]:
        """Return the fields of one page of the form."""
        return tuple(field for field in self.fields if field.page == page)

    def _holds(self, box: Area) -> bool:
        slack = 1e-6 * self.page.width
        return box.right <= self.page.width + slack and box.bottom <= self.page.height + slack

    def place(self, field: TemplateField, *, width: int, height: int) -> Box:
        """Return the field's box on a page of so many pixels that is laid over the template; at least one pixel."""
        across, down = width / self.page.width, height / self.page.height
        x, y = min(round(field.box.x * across), width - 1), min(round(field.box.y * down), height - 1)
        right = min(width, max(x + 1, round(field.box.right * across)))
        bottom = min(height, max(y + 1, round(field.box.bottom * down)))
        return Box(x=x, y=y, width=right - x, height=bottom - y)

    @property
    def has_micr(self) -> bool:
        """Whether a band of E-13B is on the form."""
        return any(field.is_band for field in self.fields)

    def as_json(self) -> dict[str, Any]:
        """Return the template as it is stored and sent: two of the same content are the same dictionary."""
        body = self.model_dump(mode="json", exclude_none=True)
        # What forms of one page without a code do not need is left out: so stored ones are still what they were.
        for part, name, plain in [(body, "pages", 1), (body["registration"], "code", False)]:
            if part[name] == plain:
                del part[name]
        if not self.registration.filled:
            del body["registration"]["filled"]
        for field in body["fields"]:
            if field["page"] == 1:
                del field["page"]
        return body


def _fault(message: str, *place: str | int) -> InitErrorDetails:
    """Return what is wrong at a place inside of what a validator looks at."""
    # As an argument, for a message that holds braces would be taken for a format.
    kind = PydanticCustomError("value_error", "{message}", {"message": message})
    return InitErrorDetails(type=kind, loc=place, input=None)


def fits_print(template: Template, printed: Template) -> bool:
    """Return whether a page that was printed as one version of a form can be read by another one.

    Args:
        template: by which it is to be read.
        printed: as which it was printed; what its fields may hold does not matter.
    """
    laid, was = template.registration, printed.registration
    same = (template.page, template.pages, laid.method, laid.markers, laid.code) == (
        printed.page,
        printed.pages,
        was.method,
        was.markers,
        was.code,
    )
    places = {field.name: (field.page, field.box, field.cells) for field in printed.fields}
    return same and all(places.get(each.name) == (each.page, each.box, each.cells) for each in template.fields)


def parse_template(body: object, *, name: str | None = None, kept: bool = False) -> Template:
    """Return the template that `body` states.

    Args:
        body: JSON, parsed.
        name: under which it is stored; None takes the one in `body`.
        kept: it was found valid when it was stored, perhaps by an earlier version with fewer rules for checks.

    Raises:
        InvalidRequest: it is no valid template; the sentence names every fault by its place.
    """
    if isinstance(body, dict) and name is not None:
        stated = body.get("name", name)
        if stated != name:
            raise InvalidRequest(f"The template is called {stated!r} inside, and is to be stored as {name!r}.")
        body = {**body, "name": name}
    try:
        return Template.model_validate(body, context={"kept": kept})
    except ValidationError as error:
        faults = [f"{place}: {message}" for place, message in template_faults(error)]
        raise InvalidRequest(f"The template is not valid: {'; '.join(faults)}.") from error


def template_schema() -> dict[str, Any]:
    """Return the JSON Schema of templates."""
    return json_schema(Template, title="Tallyscan template")


if __name__ == "__main__":
    publish(template_schema())
