"""A template to start from: a field for each place to write that was found on an empty form."""

import re
from collections.abc import Sequence

from core.errors import InvalidRequest
from core.types import AUTO, Box
from forms.field_specs import MAX_DIGITS, DigitsSpec
from forms.templates import MAX_FIELDS, Area, PageSize, RegistrationSpec, Template, TemplateField


def drafted_template(
    blanks: Sequence[tuple[Box, int | None]],
    *,
    width: int,
    height: int,
    name: str,
    reference: str | None = None,
    filled: bool = False,
) -> Template:
    """Return a template whose fields `field_1`, `field_2`, … hold any digits.

    Args:
        blanks: of each field its box in pixels of the page, and how many boxes a comb has; in reading order.
        width: of the page in pixels.
        height: of the page in pixels.
        name: made a template's name.
        reference: SHA-256 of the page's file, by which scans are laid over it; without one they are scaled.
        filled: whether somebody filled in that page.

    Raises:
        InvalidRequest: there is no blank.
    """
    if not blanks:
        raise InvalidRequest(
            "No boxes, combs or lines to write on were found: scan the empty form level, at 200 dpi or more."
        )
    fields = tuple(
        TemplateField(
            name=f"field_{number}",
            type=DigitsSpec(name="digits", length=None, min_length=None, max_length=None),
            box=Area(x=box.x, y=box.y, width=box.width, height=box.height),
            cells=cells if cells is not None and cells <= MAX_DIGITS else None,
        )
        for number, (box, cells) in enumerate(blanks[:MAX_FIELDS], start=1)
    )
    return Template(
        name=template_name(name),
        description="",
        page=PageSize(width=width, height=height, unit="px"),
        registration=RegistrationSpec(
            method="features" if reference else "none", reference=reference, filled=filled and reference is not None
        ),
        fields=fields,
    )


def template_name(name: str) -> str:
    """Return `name` as a template's: small letters, digits and dashes."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64].strip("-")
    return plain if plain not in ("", AUTO) else "form"
