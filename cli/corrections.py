"""`tallyscan corrections`: what people said that fields read, as a list, and as a folder to learn from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import answer_format, examples, load_settings, service_options
from cli.output import counted, print_json, print_table
from cli.progress import progress_display
from cli.terminal import say

if TYPE_CHECKING:
    from core.settings import Settings
    from worker.exporting import Exported, Source


@click.group()
def corrections() -> None:
    """List and export what people said that fields read.

    With --url, of that service; without, straight out of the database in the home folder, for every owner.
    """


@corrections.command("list", epilog=examples("tallyscan corrections list", "tallyscan corrections list --format json"))
@answer_format
@service_options
def list_corrections(format_name: str, url: str | None, key: str | None, home: Path | None) -> None:
    """List the correction of each field that counts, oldest first."""
    with _source(load_settings(home), url=url, key=key) as source:
        rows = list(source.corrections())
    if format_name == "json":
        print_json([asdict(each) for each in rows])
        return
    columns = ("document", "file", "page", "field", "read", "truth", "by", "at")
    cells = (
        (
            each.document_id,
            each.filename,
            str(each.page + 1),
            each.field,
            each.read,
            each.text or f"({each.truth})",
            each.by,
            each.at,
        )
        for each in rows
    )
    print_table(columns, cells)


@corrections.command(
    short_help="Write the corrected and confirmed fields into a new folder.",
    epilog=examples(
        "tallyscan corrections export corrected/", "tallyscan corrections export corrected/ --url http://rack:8080"
    ),
)
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@service_options
def export(folder: Path, url: str | None, key: str | None, home: Path | None) -> None:
    """Write the corrected and confirmed fields into the new folder DIR, for `finetune` and `calibrate`.

    Pictures of the fields with their truth in labels.csv, and of their digits where these are found; provenance.json
    says where they come from. Nothing is sent anywhere.
    """
    from segmentation.decoding import DecodeLimits
    from worker.exporting import export as write
    from worker.networks import open_model

    settings = load_settings(home)
    glyphs = open_model(settings).glyphs
    with _source(settings, url=url, key=key) as source, progress_display() as display:
        bar = display.bar("fields", total=0)
        done = write(
            source,
            folder,
            glyphs=glyphs,
            limits=DecodeLimits.from_settings(settings),
            facts={"source": url or "database", "exported_at": datetime.now(UTC).isoformat(timespec="seconds")},
            on_field=partial(bar.step),
        )
    say(f"{folder}: {_told(done)}")


def _told(done: "Exported") -> str:
    """Return what was exported, and what was not and why."""
    parts = [counted(done.fields, "field"), counted(done.digits, "digit")]
    if done.left_out:
        parts.append(f"{done.left_out} left out: their scans cannot be cut")
    if done.printed:
        parts.append(f"{done.printed} left out: in print, of which readers of handwriting learn nothing")
    return ", ".join(parts)


@contextmanager
def _source(settings: "Settings", *, url: str | None, key: str | None) -> "Iterator[Source]":
    from cli.correction_sources import DatabaseSource, ServiceSource

    if url is not None:
        from cli.client import Client
        from cli.endpoint import find_endpoint

        with Client(find_endpoint(settings, url=url, key=key)) as client:
            yield ServiceSource(client, settings)
        return
    from cli.keys import open_store

    with open_store(settings) as store:
        yield DatabaseSource(store, settings)
