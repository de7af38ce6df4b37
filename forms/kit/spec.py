"""The page of YAML that a form is made from: its title, sections, fields and checks.

```
YAML ─ forms.kit.spec_file ─▶ FormSpec ─ forms.kit.layout ─▶ Layout ─▶ Template, and a PDF
```

The published JSON Schema is written by `python -m forms.kit.spec docs/form-spec.schema.json`.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from core.settings import MAX_TARGET_ERROR
from core.types import AUTO
from forms.check_fit import CheckedField, cross_misfit, own_misfit
from forms.check_specs import AtLeast, CrossCheck, FieldCheck
from forms.field_specs import MAX_DIGITS, DateSpec, FieldSpec
from forms.published import json_schema, publish
from forms.templates import MAX_CHECKS, MAX_FIELDS, FieldName

MAX_NAME: Final = 48
"""Characters of a form's name: it is printed in the code, whose squares get smaller the more it says."""

MAX_SECTIONS: Final = 100

FORM_PATTERN: Final = rf"^[a-z0-9][a-z0-9_.-]{{0,{MAX_NAME - 1}}}$"

HELP: Final = "Please write with a dark pen, one digit in each box, and stay inside the boxes."
PAGE_WORDS: Final = "Page {page} of {pages}"

Line = Annotated[str, Field(min_length=1, max_length=120)]
Paragraph = Annotated[str, Field(max_length=400)]


@lru_cache(maxsize=256)
def possible_lengths(kind: FieldSpec) -> tuple[int, ...]:
    """Return how many digits a field of this type may have, ascending; making its automaton takes a while."""
    return kind.lengths()


class _Part(BaseModel):
    """Part of a specification; what it does not know is refused, so that a misspelt option is not passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FormField(_Part):
    """A field to be filled in."""

    name: FieldName
    label: Line | None = Field(None, description="What stands above the field; without it, its name.")
    help: Paragraph = Field("", description="A smaller line below the label.")
    type: FieldSpec = Field(description="What it may hold, as in a template.")
    cells: int | None = Field(
        None,
        ge=0,
        le=MAX_DIGITS,
        description="Boxes, one for each digit; 0 for one plain box. Without it, a type of a certain length gets that "
        "many, and any other a plain box.",
    )
    width: float | None = Field(
        None, ge=12, le=165, description="Of a plain box in millimetres; without it, by the digits that it may hold."
    )
    unit: Annotated[str, Field(max_length=12)] = Field("", description="Printed behind the field, such as kg.")
    required: bool = Field(default=True, description="Whether an empty field goes to a person.")
    target_error: float | None = Field(
        None, gt=0, le=MAX_TARGET_ERROR, description="Share of accepted readings that may be wrong."
    )
    checks: tuple[FieldCheck, ...] = Field((), max_length=MAX_CHECKS)

    @model_validator(mode="after")
    def _check_cells(self) -> Self:
        lengths = possible_lengths(self.written_type)
        if not lengths:
            raise ValueError(f"it cannot be written in {MAX_DIGITS} digits or fewer")
        if self.cells and not any(length <= self.cells for length in lengths):
            raise ValueError(f"{self.cells} boxes are too few: what it may hold has {min(lengths)} digits or more")
        if self.comb_cells and self.width is not None:
            raise ValueError("width is for plain boxes; a row of boxes is as wide as its boxes")
        return self

    @model_validator(mode="after")
    def _check_own_checks(self) -> Self:
        if fault := own_misfit(self.checks, self.checked):
            raise ValueError(fault)
        return self

    @property
    def checked(self) -> CheckedField:
        """The field as checks see it."""
        return CheckedField(self.name, self.written_type, self.comb_cells, self.required)

    @property
    def written_type(self) -> FieldSpec:
        """The type as the form asks for it: days have years of four digits where nothing else is said."""
        if isinstance(self.type, DateSpec) and self.type.year_digits is None:
            return self.type.model_copy(update={"year_digits": 2 if self.cells == 6 else 4})
        return self.type

    @property
    def comb_cells(self) -> int | None:
        """Number of boxes in a row, one for each digit; None for a plain box."""
        if self.cells is not None:
            return self.cells if self.cells > 1 else None
        lengths = possible_lengths(self.written_type)
        return lengths[0] if len(lengths) == 1 and lengths[0] > 1 else None

    @property
    def most_digits(self) -> int:
        """How many digits it may hold at most."""
        return possible_lengths(self.written_type)[-1]

    @property
    def caption(self) -> str:
        """What stands above the field."""
        return self.label or self.name.replace("_", " ").capitalize()


class FormSection(_Part):
    """Fields that belong together, under a heading."""

    title: Annotated[str, Field(max_length=120)] = ""
    help: Paragraph = ""
    new_page: bool = Field(default=False, description="Whether it begins on a page of its own.")
    fields: Annotated[tuple[FormField, ...], Field(max_length=MAX_FIELDS), AtLeast(1)]


def _check_form(name: str) -> str:
    if name == AUTO:
        raise ValueError(f"{AUTO!r} stands for choosing among templates")
    return name


def _check_page_words(words: str) -> str:
    try:
        words.format(page=1, pages=2)
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError("it may name {page} and {pages}, and nothing else in braces") from error
    return words


class FormSpec(_Part):
    """A form: what is asked, and on which paper."""

    form: Annotated[
        str,
        Field(pattern=FORM_PATTERN, description="Name of the form and of its template."),
        AfterValidator(_check_form),
    ]
    title: Line = Field(description="Heading of every page.")
    description: str = Field("", max_length=1000, description="For people, in the list of templates.")
    help: Paragraph = Field(HELP, description="A line below the title.")
    paper: Literal["A4", "Letter"] = "A4"
    tint: Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")] = Field(
        "#ff9f6b", description="Colour of the boxes: light, so that it drops out where writing is read."
    )
    page_words: Annotated[str, Field(max_length=60), AfterValidator(_check_page_words)] = Field(
        PAGE_WORDS, description="What the foot of each page says; {page} and {pages} stand for the numbers."
    )
    fields: tuple[FormField, ...] = Field((), max_length=MAX_FIELDS, description="Of a form without sections.")
    sections: tuple[FormSection, ...] = Field((), max_length=MAX_SECTIONS)
    checks: tuple[CrossCheck, ...] = Field((), max_length=MAX_CHECKS, description="Between fields of one page.")

    @model_validator(mode="after")
    def _check_fields(self) -> Self:
        if bool(self.fields) == bool(self.sections):
            raise ValueError("a form has either fields or sections with fields")
        names = [field.name for field in self.all_fields()]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two fields are called {', '.join(sorted(twice))}")
        if len(names) > MAX_FIELDS:
            raise ValueError(f"a form has at most {MAX_FIELDS} fields")
        for check in self.checks:
            if unknown := set(check.names) - set(names):
                raise ValueError(f"a check names fields that there are not: {', '.join(sorted(unknown))}")
        if fault := cross_misfit(self.checks, {field.name: field.checked for field in self.all_fields()}):
            raise ValueError(fault)
        return self

    def parts(self) -> tuple[FormSection, ...]:
        """Return the sections; a form without any is one without a heading."""
        return self.sections or (FormSection(title="", help="", fields=self.fields),)

    def all_fields(self) -> Iterator[FormField]:
        """Yield the fields in their order."""
        for part in self.parts():
            yield from part.fields


def spec_schema() -> dict[str, Any]:
    """Return the JSON Schema of specifications."""
    return json_schema(FormSpec, title="Tallyscan form")


if __name__ == "__main__":
    publish(spec_schema())
