"""Every error as RFC 9457 problem+json with a stable `code`; nothing else ever leaves as an error."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import structlog
from apiflask import HTTPError
from flask import Flask, Response, g, json, request
from werkzeug.exceptions import HTTPException

from core.errors import (
    ArchiveRejected,
    Forbidden,
    IdempotencyConflict,
    InputError,
    InternalError,
    InvalidTransition,
    MethodNotAllowed,
    NotFound,
    NotReady,
    PayloadTooLarge,
    QueueFull,
    RateLimited,
    RequestError,
    StorageFull,
    TallyscanError,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from core.files import is_full_disk

MEDIA_TYPE = "application/problem+json"

# From special to general: the first class that fits decides.
_STATUSES: tuple[tuple[type[TallyscanError], HTTPStatus], ...] = (
    (UnsupportedMediaType, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (PayloadTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (ArchiveRejected, HTTPStatus.UNPROCESSABLE_ENTITY),
    (InputError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Unauthorized, HTTPStatus.UNAUTHORIZED),
    (Forbidden, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (MethodNotAllowed, HTTPStatus.METHOD_NOT_ALLOWED),
    (NotReady, HTTPStatus.CONFLICT),
    (InvalidTransition, HTTPStatus.CONFLICT),
    (IdempotencyConflict, HTTPStatus.CONFLICT),
    (RateLimited, HTTPStatus.TOO_MANY_REQUESTS),
    (QueueFull, HTTPStatus.TOO_MANY_REQUESTS),
    (RequestError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)

# What Werkzeug and Flask raise by themselves, in our words.
_FOREIGN: dict[int, tuple[str, str]] = {
    401: (Unauthorized.code, Unauthorized.sentence),
    403: (Forbidden.code, Forbidden.sentence),
    404: (NotFound.code, NotFound.sentence),
    405: (MethodNotAllowed.code, MethodNotAllowed.sentence),
    413: (PayloadTooLarge.code, "The request is larger than this service accepts."),
    415: (UnsupportedMediaType.code, "Send the request as multipart/form-data."),
    429: (RateLimited.code, RateLimited.sentence),
    503: (Unavailable.code, Unavailable.sentence),
}

RETRY_AFTER_SECONDS: dict[str, int] = {RateLimited.code: 1, QueueFull.code: 5}
"""How long a client should wait; what is not named here and retryable waits `RETRY_LATER_SECONDS`."""

RETRY_LATER_SECONDS = 2

BODY_LOCATION = "body_location"
"""What `g` says of the body of a request that is no form."""

MAX_CAUSE_LENGTH = 500

_CREDENTIALS = re.compile(r"(?<=://)[^/\s]*(?=@)")

_log = structlog.get_logger("api")


def problem(
    status: int, *, code: str, detail: str, retryable: bool = False, errors: list[dict[str, str]] | None = None
) -> Response:
    """Return an error as problem+json, with `Retry-After` where trying again helps."""
    body: dict[str, Any] = {
        "type": f"/v1/problems/{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "code": code,
        "retryable": retryable,
    }
    if errors:
        body["errors"] = errors
    response = Response(json.dumps(body), status=status, content_type=MEDIA_TYPE)
    if retryable:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS.get(code, RETRY_LATER_SECONDS))
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="tallyscan"'
    return response


def status_of(error: type[TallyscanError]) -> HTTPStatus:
    """Return the HTTP status that errors of this class are answered with."""
    found = (status for kind, status in _STATUSES if issubclass(error, kind))
    return next(found, HTTPStatus.INTERNAL_SERVER_ERROR)


def every_kind() -> Iterator[type[TallyscanError]]:
    """Return the classes of the error tree, general ones before their special ones."""
    waiting = [TallyscanError]
    while waiting:
        kind = waiting.pop(0)
        yield kind
        waiting += kind.__subclasses__()


def install(app: Flask) -> None:
    """Answer every error of `app` as a problem."""
    app.register_error_handler(TallyscanError, _of_tree)
    app.register_error_handler(HTTPException, _of_werkzeug)
    app.register_error_handler(HTTPError, _of_apiflask)
    app.register_error_handler(OSError, _of_system)
    app.register_error_handler(Exception, _of_anything)


def _of_tree(error: TallyscanError) -> Response:
    status = status_of(type(error))
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _of_anything(error)
    if isinstance(error, Unavailable):
        _log_cause(error)
    errors = _named(error) if status == HTTPStatus.UNPROCESSABLE_ENTITY else None
    return problem(status, code=error.code, detail=str(error), retryable=error.retryable, errors=errors)


def _named(error: TallyscanError) -> list[dict[str, str]] | None:
    """Return the parameter that was refused, as its model would have named it; nothing where it is not a single one."""
    if not isinstance(error, RequestError) or error.field is None:
        return None
    # Not by the content type, which JSON may come without.
    return [{"location": g.get(BODY_LOCATION, "form_and_files"), "field": error.field, "message": str(error)}]


def _log_cause(error: Unavailable) -> None:
    """Log what made a part unavailable, which its answer does not tell."""
    # A database's error as SQLAlchemy wraps it shows the statement with its values: only the driver's own is logged.
    cause = getattr(error.__cause__, "orig", None) or error.__cause__
    text = _CREDENTIALS.sub("…", str(cause))[:MAX_CAUSE_LENGTH] if cause is not None else None
    kind = type(cause).__name__ if cause is not None else None
    _log.error("unavailable", code=error.code, cause=kind, text=text)


def _of_werkzeug(error: HTTPException) -> Response:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _of_anything(error)
    code, detail = _FOREIGN.get(status, (RequestError.code, error.description or RequestError.sentence))
    response = problem(status, code=code, detail=detail, retryable=status in {429, 503})
    if allowed := getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _of_apiflask(error: HTTPError) -> Response:
    """Answer a request whose parameters did not pass their model."""
    errors = [
        {"location": location, "field": field, "message": message}
        for location, fields in (error.detail or {}).items()
        for field, messages in fields.items()
        for message in messages
    ]
    detail = "; ".join(f"{e['field']}: {e['message']}" for e in errors) or error.message or RequestError.sentence
    return problem(error.status_code, code=RequestError.code, detail=detail, errors=errors)


def _of_system(error: OSError) -> Response:
    """Answer a system call that failed, most likely while an upload was spooled to disk."""
    if not is_full_disk(error):
        return _of_anything(error)
    full = StorageFull()
    full.__cause__ = error
    return _of_tree(full)


def _of_anything(error: BaseException) -> Response:
    _log.error("unexpected_error", exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, code=InternalError.code, detail=InternalError.sentence)
