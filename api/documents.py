"""`/v1/documents`: submit, look, wait, cancel, retry, purge, and the pictures of what was found."""

from contextlib import suppress

import structlog
from apiflask import APIBlueprint
from flask import Response, url_for
from flask.typing import ResponseReturnValue

from api import overlay
from api.auth import caller, requires
from api.conditional import answer_with, not_modified, unchanged
from api.intake import Order, read_again, submit_file
from api.openapi import BINARY, ETAG, EXAMPLE_DOCUMENT, LOCATION, answers, content, refuses
from api.polling import wait_for_change
from api.schemas import (
    Document,
    DocumentForm,
    IdempotencyHeader,
    OverlayQuery,
    RecentDocuments,
    RecentDocumentsQuery,
    WaitQuery,
)
from api.services import services
from api.uploads import limit_body, repeated_tags
from core.errors import BrokerUnavailable, NotFound, NotReady
from core.status import FINAL
from core.types import PageReading
from storage.records import Scope

blueprint = APIBlueprint("documents", __name__, url_prefix="/v1/documents")

MAX_PAGE_INDEX = 1_000_000
"""An address with a larger index leads nowhere; databases keep integers of limited size."""

_NOT_MODIFIED = {"description": "Nothing has changed since the entity tag in If-None-Match."}


@blueprint.post("")
@requires(Scope.SUBMIT)
@limit_body(files=1)
@refuses(404, 409, 413, 415, 422)
@blueprint.input(DocumentForm, location="form_and_files", arg_name="form")
@blueprint.input(IdempotencyHeader, location="headers", arg_name="header")
@blueprint.output(Document, status_code=202, example=EXAMPLE_DOCUMENT, description="It is queued.")
@blueprint.doc(responses=answers({202: {"headers": LOCATION}}))
def submit(form: DocumentForm, header: IdempotencyHeader) -> ResponseReturnValue:
    """Submit a file.

    The answer comes as soon as the file is stored; the reading follows under `Location`.
    """
    order = Order(
        owner=caller().key.owner,
        type_name=form.type,
        target_error=form.target_error,
        template=form.template,
        priority=form.priority,
        tags=repeated_tags(),
        callback_url=form.callback_url,
        expected_micr=form.micr,
        batch_id=form.batch,
        reuse_duplicates=form.duplicates == "reuse",
    )
    record = submit_file(services(), form.file, order, idempotency_key=header.idempotency_key)
    structlog.contextvars.bind_contextvars(document_id=record.id)
    return Document.of(record), 202, {"Location": url_for("documents.show", document_id=record.id)}  # type: ignore[return-value]


@blueprint.get("")
@requires(Scope.READ)
@refuses(422)
@blueprint.input(RecentDocumentsQuery, location="query", arg_name="query")
@blueprint.output(RecentDocuments)
def recent(query: RecentDocumentsQuery) -> RecentDocuments:
    """List the newest documents, without their pages."""
    records = services().store.documents.recent(
        owner=caller().sees, limit=query.limit, before_id=query.before, batch_id=query.batch
    )
    return RecentDocuments(documents=[Document.of(record) for record in records])


@blueprint.get("/<document_id>")
@requires(Scope.READ)
@refuses(404, 422)
@blueprint.input(WaitQuery, location="query", arg_name="query")
@blueprint.output(Document, example=EXAMPLE_DOCUMENT, description="The document as it stands.")
@blueprint.doc(responses=answers({200: {"headers": ETAG}, 304: _NOT_MODIFIED}))
def show(document_id: str, query: WaitQuery) -> ResponseReturnValue:
    """Return a document with its readings, if asked to after waiting for them.

    While the document is not finished, `Retry-After` says when to ask again.
    """
    etag, _ = wait_for_change(services(), lambda: document_state(document_id), seconds=query.wait)
    if unchanged(etag):
        return not_modified(etag)
    record = services().store.documents.get(document_id, caller().sees)
    return answer_with(Document.of(record), _etag(record.version), final=record.status in FINAL)


@blueprint.post("/<document_id>/cancel")
@requires(Scope.SUBMIT)
@refuses(404, 409)
@blueprint.output(Document, example={**EXAMPLE_DOCUMENT, "status": "cancelled", "pages": []})
def cancel(document_id: str) -> Document:
    """Stop a document that waits or is being read."""
    record = services().store.documents.cancel(document_id, caller().sees)
    if record.callback_url is not None:
        _announce(record.id)
    return Document.of(record)


@blueprint.post("/<document_id>/retry")
@requires(Scope.SUBMIT)
@refuses(404, 409)
@blueprint.output(Document, status_code=202, description="It is queued again.")
@blueprint.doc(responses=answers({202: {"headers": LOCATION}}))
def retry(document_id: str) -> ResponseReturnValue:
    """Read a document again that has ended."""
    record = read_again(services(), document_id, caller().sees)
    return Document.of(record), 202, {"Location": url_for("documents.show", document_id=record.id)}  # type: ignore[return-value]


@blueprint.delete("/<document_id>")
@requires(Scope.SUBMIT)
@refuses(404)
@blueprint.doc(responses=answers({204: {"description": "It is gone."}}))
def delete(document_id: str) -> ResponseReturnValue:
    """Purge a document: its rows, its scan and its page pictures, for good."""
    record = services().store.documents.get(document_id, caller().sees)
    # Asked first: with the store away, the document would go and its scan would stay behind.
    services().blobs.reach(record.sha256)
    services().store.documents.delete(document_id, caller().sees, remove=services().blobs.delete)
    return "", 204


@blueprint.get("/<document_id>/original")
@requires(Scope.READ)
@refuses(404)
@blueprint.doc(
    responses=answers(
        {200: content("application/octet-stream", BINARY, description="The file as it came in.", headers=ETAG),
         304: _NOT_MODIFIED}
    )
)  # fmt: skip
def original(document_id: str) -> ResponseReturnValue:
    """Return the file that was submitted, byte for byte."""
    record = services().store.documents.get(document_id, caller().sees)
    if unchanged(record.sha256):
        return not_modified(record.sha256)
    # Never under its own type: what a stranger sent must not run as a page of this address.
    response = Response(services().blobs.get(record.sha256), content_type="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=f"{document_id}.bin")
    response.set_etag(record.sha256)
    return response


@blueprint.get("/<document_id>/pages/<int:index>.webp")
@requires(Scope.READ)
@refuses(404, 409)
@blueprint.doc(
    responses=answers(
        {
            200: content("image/webp", BINARY, description="The page, upright and reduced.", headers=ETAG),
            304: _NOT_MODIFIED,
        }
    )
)
def picture(document_id: str, index: int) -> ResponseReturnValue:
    """Return the picture of a page; pages count from 0, as `index` does in the readings."""
    if index > MAX_PAGE_INDEX:
        raise NotFound
    etag = services().store.documents.preview(document_id, index, owner=caller().sees)
    if unchanged(etag):
        return not_modified(etag)
    response = Response(services().blobs.get(etag), content_type="image/webp")
    response.set_etag(etag)
    return response


@blueprint.get("/<document_id>/pages/<int:index>/overlay.svg")
@requires(Scope.READ)
@refuses(404, 409)
@blueprint.doc(responses=answers({200: content(overlay.MEDIA_TYPE, {"type": "string"}, description="An SVG image.")}))
def page_overlay(document_id: str, index: int) -> ResponseReturnValue:
    """Return what was found on a page, drawn over its picture."""
    return _overlay(document_id, index, scan_url=f"../{index}.webp")


@blueprint.get("/<document_id>/overlay.svg")
@requires(Scope.READ)
@refuses(404, 409, 422)
@blueprint.input(OverlayQuery, location="query", arg_name="query")
@blueprint.doc(responses=answers({200: content(overlay.MEDIA_TYPE, {"type": "string"}, description="An SVG image.")}))
def document_overlay(document_id: str, query: OverlayQuery) -> ResponseReturnValue:
    """Return what was found on one page of a document, drawn over its picture or alone."""
    return _overlay(document_id, query.page, scan_url=f"pages/{query.page}.webp" if query.scan else None)


def document_state(document_id: str) -> tuple[str, bool]:
    """Return a document's entity tag and whether it has ended, for the caller of this request."""
    version, status = services().store.documents.version(document_id, caller().sees)
    return _etag(version), status in FINAL


def _announce(document_id: str) -> None:
    """Have the document's `callback_url` called as when a worker ends it, unless the broker is away just now."""
    if services().settings.callback_hosts and services().broker_expected:
        with suppress(BrokerUnavailable):
            services().dispatcher.send_notification(document_id)


def _overlay(document_id: str, index: int, *, scan_url: str | None) -> Response:
    page = _page(document_id, index)
    text = overlay.draw_overlay(page, scan_url=scan_url)
    return Response(text, content_type=f"{overlay.MEDIA_TYPE}; charset=utf-8")


def _page(document_id: str, index: int) -> PageReading:
    record = services().store.documents.get(document_id, caller().sees)
    found = next((page for page in record.pages if page.index == index), None)
    if found is None:
        raise NotFound if record.status in FINAL else NotReady
    return found


def _etag(version: int) -> str:
    return f"v{version}"
