"""One line for every request, with the ids of what it was about; never a query, since links may carry tokens."""

import time

import structlog
from flask import Flask, Response, g, request

_log = structlog.get_logger("api.access")

_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


def install(app: Flask) -> None:
    """Log the requests of `app`."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    ids = {name: value for name, value in (request.view_args or {}).items() if name in {"document_id", "batch_id"}}
    structlog.contextvars.bind_contextvars(**ids)


def _end(response: Response) -> Response:
    write = _log.debug if request.path in _QUIET else _log.info
    write(
        "request",
        method=request.method,
        path=request.path,
        status=response.status_code,
        milliseconds=round((time.perf_counter() - g.began) * 1000, 1),
    )
    return response
