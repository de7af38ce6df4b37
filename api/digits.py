"""`/v1/digits`: one glyph, read while the caller waits."""

import structlog
from apiflask import APIBlueprint
from flask import url_for
from flask.typing import ResponseReturnValue

from api.auth import caller, requires
from api.documents import document_state
from api.intake import Order, submit_file
from api.openapi import EXAMPLE_DOCUMENT, LOCATION, answers, content, refuses
from api.polling import wait_for_change
from api.schemas import DigitForm, DigitQuery, Document, IdempotencyHeader
from api.services import services
from api.uploads import limit_body
from core.status import Priority
from storage.records import Scope

blueprint = APIBlueprint("digits", __name__, url_prefix="/v1/digits")

_DOCUMENT = {"$ref": "#/components/schemas/Document"}


@blueprint.post("")
@requires(Scope.SUBMIT)
@limit_body(files=1)
@refuses(409, 413, 415, 422)
@blueprint.input(DigitForm, location="form_and_files", arg_name="form")
@blueprint.input(DigitQuery, location="query", arg_name="query")
@blueprint.input(IdempotencyHeader, location="headers", arg_name="header")
@blueprint.output(
    Document, example={**EXAMPLE_DOCUMENT, "type": "digit", "priority": "high"}, description="It is read."
)
@blueprint.doc(
    responses=answers(
        {202: content("application/json", _DOCUMENT, description="It is still being read.", headers=LOCATION)}
    )
)
def read(form: DigitForm, query: DigitQuery, header: IdempotencyHeader) -> ResponseReturnValue:
    """Read one digit: a document of type `digit` at high priority, answered at once when it is read within `wait`."""
    order = Order(owner=caller().key.owner, type_name="digit", target_error=form.target_error, priority=Priority.HIGH)
    sent = submit_file(services(), form.file, order, idempotency_key=header.idempotency_key)
    structlog.contextvars.bind_contextvars(document_id=sent.id)
    _, final = wait_for_change(services(), lambda: document_state(sent.id), seconds=query.wait)
    record = services().store.documents.get(sent.id, caller().sees)
    location = {"Location": url_for("documents.show", document_id=sent.id)}
    return Document.of(record), 200 if final else 202, location  # type: ignore[return-value]
