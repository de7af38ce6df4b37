"""The OpenAPI document is true: schemathesis asks what it promises, and compares the answers with it."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks
from schemathesis.specs.openapi.schemas import OpenApiSchema

from api.app import create_app
from api.services import EXTENSION
from core.settings import Settings
from tests.api.conftest import Caller, Service, scan
from tests.conftest import ROOT
from tests.forms.forms import template_json

CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
]

LIMITED = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, migrated: Path, redis_url: str) -> Iterator[Service]:
    """One application for the whole module."""
    home = tmp_path_factory.mktemp("seeded")
    (home / migrated.name).write_bytes(migrated.read_bytes())
    app = create_app(
        Settings(home=home, broker_url=redis_url, max_wait_seconds=0.02, callback_hosts=("hooks.example",))
    )
    service = Service(app.extensions[EXTENSION], app.test_client())
    yield service
    service.services.close()


@pytest.fixture(scope="module")
def seeded(running: Service) -> Caller:
    """Somebody with a batch."""
    caller = running.caller("clearing", "submit", "read")
    caller.batch({f"{seed}.png": scan(seed) for seed in range(3)}, name="seeded")
    return caller


@pytest.fixture(scope="module")
def administrator(running: Service) -> Caller:
    """Somebody who may change what all share."""
    return running.caller("administration", "admin")


@pytest.fixture(scope="module")
def api_schema(seeded: Caller) -> OpenApiSchema:
    """The running application's own description."""
    return schemathesis.openapi.from_wsgi("/openapi.json", seeded.client.application)


def operations() -> list[tuple[str, str]]:
    """Return method and path of every operation in the copy among the documents."""
    spec = json.loads((ROOT / "docs" / "openapi.json").read_text())
    return [(method.upper(), path) for path, methods in spec["paths"].items() for method in methods]


@pytest.mark.parametrize(("method", "path"), operations())
def test_answers_are_as_documented(
    method: str, path: str, api_schema: OpenApiSchema, running: Service, seeded: Caller, administrator: Caller
) -> None:
    known = known_things(running, seeded)
    needed = str(api_schema[path][method].definition.raw.get("security", ""))
    secret = (administrator if "admin" in needed else seeded).secret
    statuses: Counter[int] = Counter()

    @LIMITED
    @given(case=api_schema[path][method].as_strategy(), data=st.data())
    def ask(case: schemathesis.Case, data: st.DataObject) -> None:
        for name in case.path_parameters or {}:
            if data.draw(st.integers(0, 3)) < 3:
                case.path_parameters[name] = data.draw(st.sampled_from(known[name]))
        if isinstance(case.body, dict):
            put_scans_in(case.body, data)
        if path == "/v1/templates/{name}":
            make_templates_meet(running, case, data)
        if path.endswith("/corrections") and method == "POST" and data.draw(st.integers(0, 2)) < 2:
            case.body = {"field": "page", "text": "42"}
        if data.draw(st.integers(0, 9)) < 9:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {secret}"}
        answer = case.call()
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    ask()
    assert any(200 <= status < 300 for status in statuses), f"only {dict(statuses)}"


def known_things(running: Service, caller: Caller) -> dict[str, list[object]]:
    """Return path parameters that lead somewhere: documents just read and still waiting, and a batch."""
    read, waiting = caller.submit(scan(3)).json["id"], caller.submit(scan(4)).json["id"]
    running.read(read)
    batch = caller.get("/v1/batches").json["batches"][-1]["id"]
    return {"document_id": [read, waiting], "batch_id": [batch], "index": [0], "code": ["not_found"], "name": ["card"]}


def put_scans_in(form: dict[str, object], data: st.DataObject) -> None:
    """Replace generated files by real scans, mostly: no generator of bytes ever hits upon a PNG."""
    if "file" in form and data.draw(st.integers(0, 2)) < 2:
        form["file"] = scan(1)
    if form.get("files") and data.draw(st.integers(0, 2)) < 2:
        form["files"] = [scan(1), scan(2)]
    for name in ("template", "batch", "callback_url"):
        if data.draw(st.integers(0, 2)) < 2:
            form.pop(name, None)


def make_templates_meet(running: Service, case: schemathesis.Case, data: st.DataObject) -> None:
    """Let the template be there, mostly, and a template's two names agree: no generator hits upon a name twice."""
    if case.method == "PUT" and data.draw(st.integers(0, 2)) < 2:
        case.body = template_json(name="card")
    elif data.draw(st.integers(0, 2)) < 2:
        running.services.store.templates.put("card", template_json(name="card"))


def test_the_document_is_valid(seeded: Caller) -> None:
    spec = seeded.client.get("/openapi.json").json
    OpenAPIV31SpecValidator(spec).validate()
    assert spec["openapi"].startswith("3.1")


def test_every_operation_says_what_it_needs_and_how_it_fails(seeded: Caller) -> None:
    spec = seeded.client.get("/openapi.json").json
    assert set(spec["components"]["securitySchemes"]) == {"apiKey", "pageSession"}
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], path
            assert "500" in operation["responses"], (method, path)
            if path.startswith("/v1/") and "problems" not in path:
                assert operation["security"], path
                assert {"401", "429", "503"} <= set(operation["responses"]), (method, path)
                any_key = operation["security"][0] == {"apiKey": []}
                assert any_key != ("403" in operation["responses"]), (method, path)
            for status, response in operation["responses"].items():
                if int(status) >= 400 and path != "/readyz":
                    assert list(response["content"]) == ["application/problem+json"], (method, path, status)


def test_every_route_is_described(seeded: Caller) -> None:
    paths = seeded.client.get("/openapi.json").json["paths"]
    rules = {rule.rule for rule in seeded.client.application.url_map.iter_rules()}
    routes = {rule.replace("<int:", "<").replace("<", "{").replace(">", "}") for rule in rules}
    assert {route for route in routes if route.startswith("/v1/")} == {p for p in paths if p.startswith("/v1/")}


def test_the_example_document_fits_its_schema(seeded: Caller) -> None:
    from api.openapi import EXAMPLE_BATCH, EXAMPLE_DOCUMENT
    from api.schemas import Batch, Document

    assert Document.model_validate(EXAMPLE_DOCUMENT).model_dump(mode="json").keys() == EXAMPLE_DOCUMENT.keys()
    assert Batch.model_validate(EXAMPLE_BATCH).model_dump(mode="json").keys() == EXAMPLE_BATCH.keys()


def test_the_copy_in_the_documents_is_current(project_root: Path, seeded: Caller) -> None:
    kept = json.loads((project_root / "docs" / "openapi.json").read_text())
    assert kept == seeded.client.get("/openapi.json").json, "run: python -m api.openapi docs/openapi.json"


def test_a_submitted_example_is_answered_as_documented(seeded: Caller, api_schema: OpenApiSchema) -> None:
    answer = seeded.post("/v1/documents", data={"file": (io.BytesIO(scan(9)), "a.png"), "type": "digits"})
    document = api_schema["/v1/documents"]["POST"].schema.raw_schema["components"]["schemas"]["Document"]
    assert set(answer.json) == set(document["properties"])
