"""`tallyscan templates`: the forms that are read, with a running service or in this machine's own database."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import answer_format, examples, load_settings, service_options
from cli.output import counted, print_json, print_table
from cli.terminal import say
from core.errors import InvalidRequest

if TYPE_CHECKING:
    from cli.template_shelf import Kept
    from core.types import Page
    from forms.field_specs import FieldSpec
    from forms.templates import Template


@click.group()
def templates() -> None:
    """Say what a form's fields are, and where they stand on it.

    With --url, or while a service runs on this machine, its templates are meant; else those in the database of the
    home folder. Where a command asks for a TEMPLATE, that is a stored or built-in one's name, or a JSON file.
    """


@templates.command(epilog=examples("tallyscan templates add meter-card.json", "tallyscan templates add cheque-cts2010"))
@click.argument("source", metavar="FILE")
@answer_format
@service_options
def add(source: str, format_name: str, url: str | None, key: str | None, home: Path | None) -> None:
    """Check a template and store it as the next version of its name.

    FILE is a JSON file, or the name of a built-in template, to store it as it is now. The reference that its
    registration names, a picture of the empty form, is sought beside the file, whatever it is called.
    """
    from cli.template_shelf import find_reference, open_shelf

    template = _file_or_builtin(source)
    reference = find_reference(template, Path(source).parent)
    with open_shelf(load_settings(home), url=url, key=key) as shelf:
        kept = shelf.put(template, reference)
    if format_name == "json":
        print_json(_as_json(kept))
        return
    say(f"{kept.template.name} version {kept.version}: {counted(len(kept.template.fields), 'field')}")


@templates.command(
    "list",
    short_help="List the templates, stored and built in.",
    epilog=examples("tallyscan templates list", "tallyscan templates list --format json"),
)
@answer_format
@service_options
def list_templates(format_name: str, url: str | None, key: str | None, home: Path | None) -> None:
    """List the templates: the latest version of each, and the built-in ones."""
    kept = list(_all(home, url=url, key=key))
    if format_name == "json":
        print_json([_as_json(each) for each in kept])
        return
    print_table(
        ("name", "version", "fields", "description"),
        (
            (each.template.name, _version(each), str(len(each.template.fields)), each.template.description)
            for each in kept
        ),
    )


@templates.command(
    short_help="Show a template's fields, their types and places.",
    epilog=examples("tallyscan templates show meter-card", "tallyscan templates show meter-card.json"),
)
@click.argument("name", metavar="TEMPLATE")
@click.option("--version", type=click.IntRange(min=1), help="A version [default: the latest].")
@answer_format
@service_options
def show(name: str, version: int | None, format_name: str, url: str | None, key: str | None, home: Path | None) -> None:
    """Show a template's fields, their types and places; a file is checked by that, too."""
    from cli.template_shelf import find_template

    kept = find_template(name, load_settings(home), url=url, key=key, version=version)
    if format_name == "json":
        print_json(_as_json(kept))
        return
    page = kept.template.page
    say(f"{kept.template.name} ({_version(kept)}), {page.width:g} × {page.height:g} {page.unit}")
    columns = ("field", "page", "type", "x", "y", "width", "height", "cells", "required")
    print_table(columns, _field_rows(kept.template))


@templates.command(epilog=examples("tallyscan templates export meter-card --out meter-card.json"))
@click.argument("name", metavar="TEMPLATE")
@click.option("--version", type=click.IntRange(min=1), help="A version [default: the latest].")
@click.option(
    "--out", "-o", type=click.Path(dir_okay=False, path_type=Path), help="The file to write [default: stdout]."
)
@service_options
def export(
    name: str, version: int | None, out: Path | None, url: str | None, key: str | None, home: Path | None
) -> None:
    """Write a template as JSON, to be changed and added again."""
    from cli.template_shelf import find_template

    kept = find_template(name, load_settings(home), url=url, key=key, version=version)
    _write_json(kept.template.as_json(), out)


@templates.command(
    short_help="Offer a template no longer; its versions stay.",
    epilog=examples("tallyscan templates remove meter-card"),
)
@click.argument("name")
@service_options
def remove(name: str, url: str | None, key: str | None, home: Path | None) -> None:
    """Offer a template no longer; its versions stay, for the documents that were read with them."""
    from cli.template_shelf import open_shelf

    with open_shelf(load_settings(home), url=url, key=key) as shelf:
        shelf.remove(name)
    say(f"{name} removed")


@templates.command(
    short_help="Propose a template from scans of a form, empty or filled in.",
    epilog=examples(
        "tallyscan templates draft blank.png --name meter-card --out meter-card.json",
        "tallyscan templates draft filled/*.jpg --name exam-cover --out exam-cover.json",
    ),
)
@click.argument("scans", metavar="SCAN...", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--name", help="Name of the template [default: by the file's name].")
@click.option(
    "--page", "page_number", type=click.IntRange(min=1), default=1, show_default=True, help="Page of the file."
)
@click.option(
    "--filled", is_flag=True, help="The one scan is filled in: what it shows is not taken out of other scans as print."
)
@click.option(
    "--out", "-o", type=click.Path(dir_okay=False, path_type=Path), help="The file to write [default: stdout]."
)
def draft(scans: tuple[Path, ...], name: str | None, page_number: int, filled: bool, out: Path | None) -> None:
    """Propose a template from a scan of an empty form, or from five or more that were filled in.

    Boxes, combs and underlined blanks become fields of digits: name them, and give each its type. A scan of one page
    becomes the template's reference, by which other scans are laid over it: keep it beside the template. Out of
    several scans, which different people filled in, the empty form is composed and written beside the template as
    NAME.blank.png.
    """
    from forms.drafts import drafted_template
    from segmentation.drafting import find_blanks

    if len(scans) > 1:
        data, named = _composed(scans, page_number, name or scans[0].stem, out)
        page, page_number = _decode(data, 1), 1
    else:
        data, named = _load(scans[0]), name or scans[0].stem
        page = _decode(data, page_number)
    template = drafted_template(
        [(found.box, found.cells) for found in find_blanks(page)],
        width=page.width,
        height=page.height,
        name=named,
        reference=hashlib.sha256(data).hexdigest() if page_number == 1 else None,
        filled=filled and len(scans) == 1,
    )
    _write_json(template.as_json(), out)
    say(f"{counted(len(template.fields), 'field')} found; look at them with: tallyscan templates preview", err=True)


@templates.command(
    short_help="Draw a template's boxes on a scan.",
    epilog=examples("tallyscan templates preview meter-card.json scan.png --out preview.png"),
)
@click.argument("name", metavar="TEMPLATE")
@click.argument("scan", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out", "-o", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The picture to write, a PNG."
)
@click.option(
    "--page", "page_number", type=click.IntRange(min=1), default=1, show_default=True, help="Page of the file."
)
@service_options
def preview(
    name: str, scan: Path, out: Path, page_number: int, url: str | None, key: str | None, home: Path | None
) -> None:
    """Draw a template's boxes on a scan, to see whether they are where the writing is.

    The scan is taken as it lies: the template is stretched over it. Where a field has a comb, its boxes are drawn as
    they are found, or a note that they are not.
    """
    from cli.template_shelf import find_template
    from segmentation.outlines import draw_outlines, outline

    template = find_template(name, load_settings(home), url=url, key=key).template
    page = _decode(_load(scan), page_number)
    outlines = [
        outline(page, field.name, template.place(field, width=page.width, height=page.height), cells=field.cells)
        for field in template.fields
    ]
    _write(out, draw_outlines(page, outlines))
    say(f"{counted(len(outlines), 'field')} drawn on {out}")


def _file_or_builtin(source: str) -> "Template":
    from cli.template_shelf import load_template
    from forms.builtins import builtin_templates

    builtin = builtin_templates().get(source)
    return builtin if builtin is not None and not Path(source).exists() else load_template(Path(source))


def _all(home: Path | None, *, url: str | None, key: str | None) -> "Iterator[Kept]":
    from cli.template_shelf import Kept, has_shelf, open_shelf
    from forms.builtins import builtin_templates

    settings = load_settings(home)
    if not has_shelf(settings, url=url):
        yield from map(Kept, builtin_templates().values())
        return
    with open_shelf(settings, url=url, key=key) as shelf:
        yield from shelf.all()


def _composed(scans: tuple[Path, ...], page_number: int, name: str, out: Path | None) -> tuple[bytes, str]:
    """Return the empty form that scans of filled ones were printed as, a PNG that lies beside `out`, and its name."""
    from forms.drafts import template_name
    from segmentation.registration.blank import compose_file

    data = compose_file([_decode(_load(scan), page_number) for scan in scans])
    beside = (Path() if out is None else out.parent) / f"{template_name(name)}.blank.png"
    _write(beside, data)
    say(f"the empty form was composed of {len(scans)} scans: {beside}", err=True)
    return data, name


def _load(path: Path) -> bytes:
    from cli.scans import load_scan

    return load_scan(path, max_bytes=load_settings().max_file_bytes)


def _decode(data: bytes, number: int) -> "Page":
    from segmentation.decoding import DecodeLimits, decode_page

    return decode_page(data, number - 1, limits=DecodeLimits.from_settings(load_settings()))


def _as_json(kept: "Kept") -> dict[str, Any]:
    created = kept.created_at.isoformat(timespec="seconds") if kept.created_at else None
    return {
        "name": kept.template.name,
        "version": kept.version,
        "created_at": created,
        "template": kept.template.as_json(),
    }


def _version(kept: "Kept") -> str:
    """Return what stands for a version; of what has none, whether it comes with the program or out of a file."""
    from forms.builtins import builtin_templates

    if kept.version is not None:
        return f"version {kept.version}"
    return "built in" if kept.template == builtin_templates().get(kept.template.name) else "file"


def _field_rows(template: "Template") -> Iterator[tuple[str, ...]]:
    for field in template.fields:
        box = (f"{value:g}" for value in (field.box.x, field.box.y, field.box.width, field.box.height))
        cells = "" if field.cells is None else str(field.cells)
        required = "yes" if field.required else "no"
        yield field.name, str(field.page), _type_with_options(field.type), *box, cells, required


def _type_with_options(field_type: "FieldSpec") -> str:
    """Return a type's name, and behind it the options that say more than the name alone."""
    options = field_type.model_dump(mode="json", exclude={"name"}, exclude_defaults=True)
    return " ".join([field_type.name, *(f"{name}={value}" for name, value in options.items())])


def _write_json(value: dict[str, Any], out: Path | None) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        _write(out, text.encode())


def _write(out: Path, data: bytes) -> None:
    try:
        out.write_bytes(data)
    except OSError as error:
        raise InvalidRequest(f"Cannot write {out}: {error.strerror}.") from error
