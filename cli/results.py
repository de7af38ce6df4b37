"""`tallyscan results`: the readings of a batch, as far as it is read."""

from pathlib import Path

import click

from cli.client import Client
from cli.collecting import outcome_of
from cli.endpoint import find_endpoint
from cli.options import chosen_format, examples, load_settings, result_options, service_options
from cli.output import failure_lines, result_sink
from cli.stop import FAILED
from cli.terminal import say
from core.errors import NotFound, TallyscanError


@click.command(
    epilog=examples("tallyscan results 01JZX5M2…", "tallyscan results 01JZX5M2… --out readings.csv"),
)
@click.argument("batch_id", metavar="BATCH")
@result_options
@service_options
@click.pass_context
def results(
    ctx: click.Context,
    batch_id: str,
    format_name: str | None,
    out: Path | None,
    url: str | None,
    key: str | None,
    home: Path | None,
) -> None:
    """Fetch the readings of the batch with the id BATCH.

    What is not read yet stands there with its status; the exit code is 1 when a document has failed.
    """
    endpoint = find_endpoint(load_settings(home), url=url, key=key)
    failed = 0
    with Client(endpoint) as client:
        _refuse_unknown(client, batch_id)  # before a file is made
        with result_sink(chosen_format(format_name, out), out) as sink:
            for document in client.batch_documents(batch_id):
                outcome = outcome_of(document.filename, document)
                sink(outcome)
                failed += outcome.failed
                for line in failure_lines(outcome):
                    say(line, err=True)
    if failed:
        ctx.exit(FAILED)


def _refuse_unknown(client: Client, batch_id: str) -> None:
    """Say that there is no such batch, and what to do where the id is a document's."""
    try:
        client.batch(batch_id)
    except NotFound as error:
        try:
            document = client.document(batch_id)
        except TallyscanError:
            raise NotFound(f"The service knows no batch {batch_id!r}.") from error
        raise NotFound(f"{batch_id!r} is a document: 'tallyscan status {document.id}' shows its readings.") from error
