"""`/v1/…/corrections`: what people say that fields read, beside the readings, which stay as they were."""

from collections.abc import Iterator

from apiflask import APIBlueprint
from flask import Response, url_for
from flask.typing import ResponseReturnValue

from api.auth import caller, requires
from api.correction_schemas import MAX_CORRECTIONS, Correction, CorrectionBody, CorrectionList, CorrectionsQuery
from api.openapi import LOCATION, answers, content, refuses
from api.results import CSV, corrections_csv
from api.services import services
from api.uploads import limit_json
from core.errors import InvalidCorrection, NotFound, NotReady
from core.status import FINAL
from core.types import AUTO
from forms.field_types import FIELD_TYPES, FieldType
from forms.templates import parse_template
from storage.records import CorrectionRecord, DocumentRecord, NewCorrection, Scope, TemplateRef
from storage.store import Store

blueprint = APIBlueprint("corrections", __name__, url_prefix="/v1")

MAX_BYTES = 16 * 1024


@blueprint.post("/documents/<document_id>/corrections")
@requires(Scope.SUBMIT)
@limit_json(MAX_BYTES)
@refuses(400, 404, 409, 413, 422)
@blueprint.input(CorrectionBody, location="json", arg_name="body")
@blueprint.output(Correction, status_code=201, description="It is stored, and counts from now on.")
@blueprint.doc(responses=answers({201: {"headers": LOCATION}}))
def add(document_id: str, body: CorrectionBody) -> ResponseReturnValue:
    """Say what a field reads.

    The reading is not changed. What is the same as the reading confirms it. Of several for one field the latest counts.
    """
    document = services().store.documents.get(document_id, caller().sees)
    new = NewCorrection(
        page_index=body.page,
        field=body.field,
        truth=body.truth,
        text=body.text,
        value=None if body.text is None else _value(document, body.page, body.field, body.text),
        note=body.note,
    )
    record = services().store.corrections.add(document_id, new, owner=caller().sees, key=caller().key)
    location = {"Location": url_for("corrections.of_document", document_id=document_id)}
    return Correction.of(record), 201, location  # type: ignore[return-value]


@blueprint.get("/documents/<document_id>/corrections")
@requires(Scope.READ)
@refuses(404)
@blueprint.output(CorrectionList)
def of_document(document_id: str) -> CorrectionList:
    """List all that was said of a document's fields, oldest first; `current` marks what counts."""
    records = services().store.corrections.of_document(document_id, caller().sees)
    return CorrectionList(corrections=[Correction.of(record) for record in records])


@blueprint.get("/corrections")
@requires(Scope.READ)
@refuses(422)
@blueprint.input(CorrectionsQuery, location="query", arg_name="query")
@blueprint.output(CorrectionList)
def listed(query: CorrectionsQuery) -> CorrectionList:
    """List the correction of each field that counts, oldest first; `after` leads on from page to page."""
    records = services().store.corrections.listed(
        owner=caller().sees, limit=query.limit, after_id=query.after, batch_id=query.batch
    )
    return CorrectionList(corrections=[Correction.of(record) for record in records])


@blueprint.get("/batches/<batch_id>/corrections.csv")
@requires(Scope.READ)
@refuses(404)
@blueprint.doc(
    responses=answers({200: content(CSV, {"type": "string"}, description="A row for each corrected field, streamed.")})
)
def of_batch(batch_id: str) -> ResponseReturnValue:
    """Stream the corrections that count as CSV, beside `results.csv`."""
    store, owner = services().store, caller().sees
    store.batches.get(batch_id, owner)
    response = Response(corrections_csv(_pages(store, batch_id, owner)), content_type=f"{CSV}; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=f"{batch_id}-corrections.csv")
    return response


def _pages(store: Store, batch_id: str, owner: str | None) -> Iterator[CorrectionRecord]:
    last: str | None = None
    while chunk := store.corrections.listed(owner=owner, limit=MAX_CORRECTIONS, after_id=last, batch_id=batch_id):
        yield from chunk
        last = chunk[-1].id


def _value(document: DocumentRecord, page_index: int, name: str, text: str) -> str:
    """Return what `text` means in that field.

    Raises:
        NotFound: there is no such field on that page.
        NotReady: the page has not been read yet.
        InvalidCorrection: no field of its type can hold the text.
    """
    page = next((page for page in document.pages if page.index == page_index), None)
    if page is None and document.status not in FINAL:
        raise NotReady
    field = None if page is None else next((field for field in page.fields if field.name == name), None)
    if field is None:
        raise NotFound(f"There is no field {name!r} on page {page_index}.")
    kind = _kind(_template_of(document, page_index), name, field.type)
    value = kind.value(text)
    if value is None:
        raise InvalidCorrection(
            f"{text!r} is nothing that the field {name!r} of type {kind.name!r} can hold: {kind.description}",
            field="text",
        )
    return value


def _template_of(document: DocumentRecord, page_index: int) -> TemplateRef | None:
    """Return the template that the page was read by; None where it is none, or one without a stored version."""
    if document.template is None or document.template.name != AUTO:
        return document.template
    chosen = next((page.registration for page in document.pages if page.index == page_index), None)
    use = None if chosen is None else chosen.template
    return None if use is None or use.version is None else TemplateRef(use.name, use.version)


def _kind(template: TemplateRef | None, name: str, type_name: str) -> FieldType:
    """Return what the field may hold: as its template says, or as its type does."""
    if template is not None:
        stored = services().store.templates.get(*template)
        for field in parse_template(stored.body, kept=True).fields:
            if field.name == name:
                return field.field_type()
    return FIELD_TYPES.get(type_name, FIELD_TYPES["digits"])
