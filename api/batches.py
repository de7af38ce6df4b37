"""`/v1/batches`: many files or one ZIP at once, how far they are, and their readings as CSV or JSON lines."""

from collections.abc import Iterator

import structlog
from apiflask import APIBlueprint
from flask import Response, url_for
from flask.typing import ResponseReturnValue

from api.auth import caller, requires
from api.conditional import answer_with, not_modified, unchanged
from api.intake import Order, submit_batch
from api.openapi import ETAG, EXAMPLE_BATCH, LOCATION, answers, content, refuses
from api.polling import wait_for_change
from api.results import CSV, JSON_LINES, csv_of, json_lines_of
from api.schemas import Batch, BatchForm, IdempotencyHeader, RecentBatches, RecentQuery, WaitQuery
from api.services import services
from api.uploads import chosen_files, limit_body, repeated_tags
from storage.records import Scope

blueprint = APIBlueprint("batches", __name__, url_prefix="/v1/batches")


@blueprint.post("")
@requires(Scope.SUBMIT)
@limit_body()
@refuses(409, 413, 415, 422)
@blueprint.input(BatchForm, location="form_and_files", arg_name="form")
@blueprint.input(IdempotencyHeader, location="headers", arg_name="header")
@blueprint.output(Batch, status_code=202, example=EXAMPLE_BATCH, description="Its documents are queued.")
@blueprint.doc(responses=answers({202: {"headers": LOCATION}}))
def submit(form: BatchForm, header: IdempotencyHeader) -> ResponseReturnValue:
    """Submit many files, or one ZIP of files.

    Every file becomes a document, also one that turns out to be no image: that one fails and says so in the results.
    Without files the batch is empty, and is filled by `POST /v1/documents` with `batch`.
    """
    order = Order(
        owner=caller().key.owner,
        type_name=form.type,
        target_error=form.target_error,
        template=form.template,
        priority=form.priority,
        tags=repeated_tags(),
        callback_url=form.callback_url,
    )
    record = submit_batch(
        services(), chosen_files("files"), order, name=form.name, idempotency_key=header.idempotency_key
    )
    return Batch.of(record), 202, {"Location": url_for("batches.show", batch_id=record.id)}  # type: ignore[return-value]


@blueprint.get("")
@requires(Scope.READ)
@refuses(422)
@blueprint.input(RecentQuery, location="query", arg_name="query")
@blueprint.output(RecentBatches)
def recent(query: RecentQuery) -> RecentBatches:
    """List the newest batches."""
    records = services().store.batches.recent(owner=caller().sees, limit=query.limit)
    return RecentBatches(batches=[Batch.of(record) for record in records])


@blueprint.get("/<batch_id>")
@requires(Scope.READ)
@refuses(404, 422)
@blueprint.input(WaitQuery, location="query", arg_name="query")
@blueprint.output(Batch, example=EXAMPLE_BATCH, description="How many of its documents stand where.")
@blueprint.doc(
    responses=answers(
        {
            200: {"headers": ETAG},
            304: {"description": "Nothing has changed since the entity tag in If-None-Match."},
        }
    )
)
def show(batch_id: str, query: WaitQuery) -> ResponseReturnValue:
    """Return how far a batch is, if asked to after waiting for its end."""
    latest = _batch(batch_id)

    def state() -> tuple[str, bool]:
        nonlocal latest
        latest = _batch(batch_id)
        return _etag(latest), latest.finished

    etag, final = wait_for_change(services(), state, seconds=query.wait)
    return not_modified(etag) if unchanged(etag) else answer_with(latest, etag, final=final)


@blueprint.get("/<batch_id>/results.csv")
@requires(Scope.READ)
@refuses(404)
@blueprint.doc(
    responses=answers({200: content(CSV, {"type": "string"}, description="A row for each field, streamed.")})
)
def results_csv(batch_id: str) -> ResponseReturnValue:
    """Stream the readings as CSV.

    What has no field has a row too: a failed page or document with its code in `review_reasons`, and a document that
    is not finished with its status there.
    """
    records = services().store.documents.iterate(batch_id, owner=caller().sees)
    return _download(csv_of(records), CSV, f"{batch_id}.csv")


@blueprint.get("/<batch_id>/results.jsonl")
@requires(Scope.READ)
@refuses(404)
@blueprint.doc(
    responses=answers({200: content(JSON_LINES, {"type": "string"}, description="A document a line, streamed.")})
)
def results_jsonl(batch_id: str) -> ResponseReturnValue:
    """Stream the documents as JSON, one a line."""
    records = services().store.documents.iterate(batch_id, owner=caller().sees)
    return _download(json_lines_of(records), JSON_LINES, f"{batch_id}.jsonl")


def _batch(batch_id: str) -> Batch:
    structlog.contextvars.bind_contextvars(batch_id=batch_id)
    return Batch.of(services().store.batches.get(batch_id, caller().sees))


def _etag(batch: Batch) -> str:
    counts = batch.counts
    return f"{counts.queued}-{counts.running}-{counts.done}-{counts.failed}-{counts.cancelled}"


def _download(lines: Iterator[str], media_type: str, name: str) -> Response:
    response = Response(lines, content_type=f"{media_type}; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
