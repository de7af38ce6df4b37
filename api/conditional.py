"""Entity tags: an answer that names its version, and 304 for who has it already."""

from flask import Response, jsonify, request
from pydantic import BaseModel

POLL_SECONDS = 1
"""What `Retry-After` says while a reading is under way."""


def unchanged(etag: str) -> bool:
    """Return whether the caller has this version already; a proxy that packs answers makes their tags weak."""
    return request.if_none_match.contains_weak(etag)


def not_modified(etag: str) -> Response:
    """Return 304 with the version's tag."""
    response = Response(status=304)
    response.set_etag(etag)
    return response


def answer_with(model: BaseModel, etag: str, *, final: bool) -> Response:
    """Return the model as JSON with its tag, and with `Retry-After` when more is to come."""
    response = jsonify(model.model_dump(mode="json"))
    response.set_etag(etag)
    if not final:
        response.headers["Retry-After"] = str(POLL_SECONDS)
    return response
