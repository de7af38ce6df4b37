"""`tallyscan forms`: forms of one's own, from a page of YAML to paper, and their templates."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import examples, load_settings, service_options
from cli.output import counted
from cli.terminal import say
from core.errors import InvalidRequest

if TYPE_CHECKING:
    from forms.templates import Template


@click.group()
def forms() -> None:
    """Make forms that can be printed, filled in, scanned and read, without measuring a box."""


@forms.command(
    epilog=examples(
        "tallyscan forms make meter-card.yaml --out meter-card.pdf",
        "tallyscan forms make meter-card.yaml --no-register --template-out meter-card.json",
    )
)
@click.argument("spec", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The PDF to write [default: the form's name, here].",
)
@click.option(
    "--template-out", type=click.Path(dir_okay=False, path_type=Path), help="Write the template to this file, too."
)
@click.option(
    "--register/--no-register", default=True, show_default=True, help="Store the template as its name's next version."
)
@click.option(
    "--font",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TrueType font, for letters that the usual one lacks.",
)
@service_options
def make(
    spec: Path,
    out: Path | None,
    template_out: Path | None,
    register: bool,
    font: Path | None,
    url: str | None,
    key: str | None,
    home: Path | None,
) -> None:
    """Draw the form that a page of YAML describes, and store its template.

    SPEC says the form's name, title, fields, their types and lengths. Each page of the PDF has markers in its corners,
    by which scans of it are laid straight, and a QR code for template, version and page. Print it at its own size,
    without fitting it to the paper, have it filled in, and read the scans with --template and the form's name.
    """
    from forms.kit.drawing import draw_form
    from forms.kit.layout import lay_out
    from forms.kit.making import template_of
    from forms.kit.spec_file import load_spec
    from forms.kit.typeface import open_typeface

    typeface = open_typeface(font)
    layout = lay_out(load_spec(spec), typeface)
    template = template_of(layout)
    # First stored, then drawn: the code on the paper names the version that the store counted.
    version = _stored(template, url=url, key=key, home=home) if register else 0
    pdf = out or Path(f"{template.name}.pdf")
    _write(pdf, draw_form(layout, typeface, version=version))
    if template_out is not None:
        _write(template_out, (json.dumps(template.as_json(), indent=2, ensure_ascii=False) + "\n").encode())
    kept = f"version {version}" if register else "not registered"
    fields, pages = counted(len(template.fields), "field"), counted(template.pages, "page")
    say(f"{template.name} {kept}: {fields} on {pages}, {pdf}")


def _stored(template: "Template", *, url: str | None, key: str | None, home: Path | None) -> int:
    from cli.template_shelf import open_shelf

    with open_shelf(load_settings(home), url=url, key=key) as shelf:
        return shelf.put(template).version or 0


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InvalidRequest(f"Cannot write {path}: {error.strerror}.") from error
