"""`tallyscan status`: how far a document or batch is."""

import time
from pathlib import Path

import click

from cli.client import Client
from cli.collecting import PAUSE_SECONDS, outcome_of
from cli.endpoint import find_endpoint
from cli.options import Finite, answer_format, examples, load_settings, service_options
from cli.output import outcome_table, print_json, print_table
from cli.replies import Batch, Document
from cli.stop import FAILED
from core.errors import NotFound
from core.status import Status

LONGEST_POLL_SECONDS = 30.0
"""Well below the silence at which the client takes a service for lost; services refuse to be asked for hours."""


@click.command(epilog=examples("tallyscan status 01JZX5M2…", "tallyscan status 01JZX5M2… --wait 30 --format json"))
@click.argument("found_id", metavar="ID")
@click.option(
    "--wait",
    "wait_seconds",
    type=Finite(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Wait that long for a document to be read.",
)
@answer_format
@service_options
@click.pass_context
def status(
    ctx: click.Context,
    found_id: str,
    wait_seconds: float,
    format_name: str,
    url: str | None,
    key: str | None,
    home: Path | None,
) -> None:
    """Show how far a document or a batch is; exit code 1 when the document, or one of the batch, has failed."""
    endpoint = find_endpoint(load_settings(home), url=url, key=key)
    with Client(endpoint) as client:
        found = _find(client, found_id, wait_seconds=wait_seconds)
    if format_name == "json":
        print_json(found.model_dump(mode="json"))
    elif isinstance(found, Batch):
        _show_batch(found)
    else:
        _show_document(found)
    if _has_failed(found):
        ctx.exit(FAILED)


def _find(client: Client, found_id: str, *, wait_seconds: float) -> Document | Batch:
    try:
        return _wait_for_document(client, found_id, seconds=wait_seconds)
    except NotFound:
        pass
    try:
        return client.batch(found_id)
    except NotFound as error:
        raise NotFound(f"The service knows neither a document nor a batch {found_id!r}.") from error


def _wait_for_document(client: Client, document_id: str, *, seconds: float) -> Document:
    """Return the document once it is finished, or as it is after `seconds`; one answer waits only so long."""
    deadline = time.monotonic() + seconds
    left = seconds
    while True:
        document = client.document(document_id, wait_seconds=min(left, LONGEST_POLL_SECONDS))
        left = deadline - time.monotonic()
        if document.finished or left <= 0:
            return document
        # A service with many waiting answers at once.
        client.patience.sleep(min(PAUSE_SECONDS, left))
        left = max(0.0, deadline - time.monotonic())


def _show_batch(batch: Batch) -> None:
    counts = [str(batch.counts.get(status, 0)) for status in Status]
    print_table(
        ("batch", "name", "total", *map(str, Status)), [(batch.id, batch.name or "", str(batch.total), *counts)]
    )


def _show_document(document: Document) -> None:
    pages = f"{document.progress.pages_done} of {document.progress.pages_total or '?'}"
    columns = ("document", "file", "status", "pages read", "attempts")
    print_table(columns, [(document.id, document.filename, str(document.status), pages, str(document.attempts))])
    if document.finished:
        outcome_table([outcome_of(document.filename, document)])


def _has_failed(found: Document | Batch) -> bool:
    if isinstance(found, Batch):
        return found.counts.get(Status.FAILED, 0) > 0
    return found.status is Status.FAILED
