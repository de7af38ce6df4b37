"""The templates that come with Tallyscan: JSON files in `forms/builtin/`, each named after its template."""

import json
from functools import cache
from pathlib import Path
from typing import Final

from core.errors import UnknownTemplate
from forms.templates import Template, parse_template

FOLDER: Final = Path(__file__).resolve().parent / "builtin"


@cache
def builtin_templates() -> dict[str, Template]:
    """Return the built-in templates by name, in the order of their names."""
    files = sorted(FOLDER.glob("*.json"), key=lambda file: file.stem)
    return {file.stem: parse_template(json.loads(file.read_text("utf-8")), name=file.stem) for file in files}


def builtin_template(name: str) -> Template:
    """Return the built-in template of that name.

    Raises:
        UnknownTemplate: there is none.
    """
    try:
        return builtin_templates()[name]
    except KeyError:
        raise UnknownTemplate(f"There is no template {name!r}.") from None
