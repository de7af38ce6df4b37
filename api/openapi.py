"""The OpenAPI 3.1 document: what APIFlask gathers from the models, completed with security and every problem.

`python -m api.openapi` prints it.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from apiflask import APIFlask
from flask import Flask

from api.auth import BEARER_SCHEME, COOKIE_SCHEME, CSRF_HEADER, CSRF_VALUE, SAFE_METHODS
from api.problems import MEDIA_TYPE
from api.schemas import Problem
from core.settings import Settings
from forms.published import publish

F = TypeVar("F", bound=Callable[..., Any])
Spec = dict[str, Any]

BINARY: Spec = {"type": "string", "format": "binary"}

_SCHEMAS = "#/components/schemas/"

_PROBLEMS: dict[int, str] = {
    400: "The body is no JSON.",
    401: "No valid API key came with the request.",
    403: "The key lacks the scope, or the header against forged requests is missing.",
    404: "There is no such thing, or it is another owner's.",
    409: "It is not ready, its status does not allow this, or the Idempotency-Key was used for something else.",
    413: "The request or a file has more bytes than the service accepts.",
    415: "The file is none of the accepted types, or the request is not multipart/form-data.",
    422: "A parameter was refused.",
    429: "Too many requests, or too many documents are waiting.",
    500: "Something that nobody foresaw; the log has the details.",
    503: "A part of the service is away.",
}

_RETRY_AFTER: Spec = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
ETAG: Spec = {"ETag": {"description": "Changes with every change.", "schema": {"type": "string"}}}
LOCATION: Spec = {"Location": {"description": "Where to look for it.", "schema": {"type": "string"}}}

EXAMPLE_DOCUMENT: Spec = {
    "id": "01KAP3T9V4QZ7W8Y2N5M6B0CDE",
    "batch_id": None,
    "status": "done",
    "filename": "amount.png",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "size_bytes": 20480,
    "media_type": "image/png",
    "type": "digits",
    "template": None,
    "target_error": None,
    "micr": None,
    "priority": "normal",
    "tags": ["june"],
    "callback_url": None,
    "duplicate_of": None,
    "progress": {"pages_total": 1, "pages_done": 1},
    "attempts": 1,
    "created_at": "2026-06-01T09:30:00.000000Z",
    "started_at": "2026-06-01T09:30:00.040000Z",
    "finished_at": "2026-06-01T09:30:00.110000Z",
    "failure": None,
    "reader": {"version": "1", "sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"},
    "notes": [],
    "pages": [
        {
            "index": 0,
            "width": 64,
            "height": 40,
            "skew_degrees": 0.3,
            "registration": None,
            "failure": None,
            "fields": [
                {
                    "name": "digits",
                    "type": "digits",
                    "box": {"x": 0, "y": 0, "width": 64, "height": 40},
                    "text": "7",
                    "value": "7",
                    "confidence": 0.998,
                    "accepted": True,
                    "review_reasons": [],
                    "digits": [
                        {
                            "char": "7",
                            "confidence": 0.998,
                            "box": {"x": 20, "y": 6, "width": 18, "height": 28},
                            "alternatives": [{"char": "1", "confidence": 0.001}],
                        }
                    ],
                }
            ],
            "reader": None,
        }
    ],
    "steps": [],
    "corrections": [],
}

EXAMPLE_BATCH: Spec = {
    "id": "01KAP3TBX2ZC6H0V8D4R1S9QFM",
    "name": "june",
    "created_at": "2026-06-01T09:30:00.000000Z",
    "total": 3,
    "counts": {"queued": 0, "running": 1, "done": 2, "failed": 0, "cancelled": 0},
    "finished": False,
}


def refuses(*statuses: int) -> Callable[[F], F]:
    """Document the statuses with which a view refuses, beside those that every view shares."""

    def decorate(view: F) -> F:
        view.problems = statuses  # type: ignore[attr-defined]  # read by `_complete`
        return view

    return decorate


def content(media_type: str, schema: Spec, *, description: str, headers: Spec | None = None) -> Spec:
    """Return a response of the OpenAPI document."""
    return {"description": description, "content": {media_type: {"schema": schema}}, "headers": headers or {}}


def answers(responses: dict[int, Spec]) -> Any:  # noqa: ANN401 - APIFlask's own type leaves out what it accepts
    """Return responses for `APIBlueprint.doc`."""
    return responses


def install(app: APIFlask) -> None:
    """Let `app` describe itself."""
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        AUTO_OPERATION_ID=True,
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_SERVERS=False,
        INFO={
            "description": "Reads handwritten digits from scanned forms and cheques, and says when it is not sure.",
        },
        SECURITY_SCHEMES={
            BEARER_SCHEME: {"type": "http", "scheme": "bearer", "description": "An API key; see `tallyscan keys`."},
            COOKIE_SCHEME: {
                "type": "apiKey",
                "in": "cookie",
                "name": app.config["SESSION_COOKIE_NAME"],
                "description": f"The page's session. Unsafe methods also need `{CSRF_HEADER}: {CSRF_VALUE}`.",
            },
        },
    )
    app.spec_processor(partial(_complete, app))


def _complete(app: Flask, spec: Any) -> Spec:  # noqa: ANN401 - JSON; APIFlask says it may be YAML
    views = {endpoint.replace(".", "_"): view for endpoint, view in app.view_functions.items()}
    schemas = spec["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    for operations in spec["paths"].values():
        for method, operation in operations.items():
            _complete_operation(operation, views[operation["operationId"].partition("_")[2]], method.upper())
    complete: Spec = _with_plain_names(spec)
    return complete


def _complete_operation(operation: Spec, view: Callable[..., Any], method: str) -> None:
    scopes = getattr(view, "scopes", None)
    statuses = {*getattr(view, "problems", ()), 500}
    if scopes is not None:
        operation["security"] = [{BEARER_SCHEME: [str(scope) for scope in scopes]}, {COOKIE_SCHEME: []}]
        statuses |= {401, 429, 503, *([403] if scopes else [])}
    if scopes is not None and method not in SAFE_METHODS:
        operation.setdefault("parameters", []).append(_csrf_parameter())
    for status in sorted(statuses):
        headers = _RETRY_AFTER if status in {429, 503} else {}
        schema = {"$ref": "#/components/schemas/Problem"}
        answer = content(MEDIA_TYPE, schema, description=_PROBLEMS[status], headers=headers)
        operation["responses"].setdefault(str(status), answer)


def _csrf_parameter() -> Spec:
    return {
        "in": "header",
        "name": CSRF_HEADER,
        "required": False,
        "description": "Needed with the page's cookie.",
        "schema": {"type": "string", "const": CSRF_VALUE},
    }


def _with_plain_names(node: Any) -> Any:  # noqa: ANN401 - JSON
    """Name nested models by themselves: APIFlask calls them after each model that they are nested in."""
    if isinstance(node, list):
        return [_with_plain_names(item) for item in node]
    if isinstance(node, str) and node.startswith(_SCHEMAS):  # of a reference, or of a discriminator's mapping
        return _SCHEMAS + node.removeprefix(_SCHEMAS).rpartition(".")[2]
    if not isinstance(node, dict):
        return node
    plain = {key: _with_plain_names(value) for key, value in node.items()}
    if isinstance(schemas := plain.get("schemas"), dict):
        plain["schemas"] = {name.rpartition(".")[2]: schema for name, schema in sorted(schemas.items())}
    return plain


def main() -> None:
    """Print the document, or write it to the file that is named."""
    from api.app import create_app  # noqa: PLC0415 - `api.app` imports this module

    with TemporaryDirectory() as home:
        document: Any = create_app(Settings(home=Path(home))).spec
    publish(document)


if __name__ == "__main__":
    main()
