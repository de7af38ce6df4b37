"""Forms for tests of the kit: the examples, and small ones."""

from functools import cache
from pathlib import Path

from forms.kit.layout import Layout, lay_out
from forms.kit.spec import FormSpec
from forms.kit.spec_file import load_spec, parse_spec
from forms.kit.typeface import Typeface, open_typeface

SPECS = ("water-meter", "exam-cover")

EXAMPLES = Path(__file__).resolve().parent.parent.parent.parent / "examples" / "forms"


def example_path(name: str) -> Path:
    """Return where an example's specification lies."""
    return EXAMPLES / f"{name}.yaml"


@cache
def typeface() -> Typeface:
    """Return the typeface that comes along."""
    return open_typeface()


def example(name: str) -> Layout:
    """Return an example, laid out."""
    return lay_out(load_spec(example_path(name)), typeface())


def small(*, pages: int = 1, form: str = "slip", length: int = 5) -> Layout:
    """Return a form with a row of boxes on each page: `first`, `second`, …."""
    names = ("first", "second", "third")[:pages]
    sections = [
        {
            "title": name.title(),
            "new_page": True,
            "fields": [{"name": name, "type": {"name": "digits", "length": length}}],
        }
        for name in names
    ]
    return lay_out(FormSpec.model_validate({"form": form, "title": "A slip", "sections": sections}), typeface())


def laid(text: str) -> Layout:
    """Return the form that YAML states, laid out."""
    return lay_out(parse_spec(text.encode(), source="form.yaml"), typeface())
