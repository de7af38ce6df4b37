"""Templates over HTTP: versions, faults by their place, who may change them, built-in ones."""

import hashlib
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from forms.builtins import builtin_templates
from forms.templates import parse_template
from tests.api.conftest import Caller, Service, scan
from tests.forms.forms import template_json


@pytest.fixture
def admin(service: Service) -> Caller:
    """Somebody who may change templates."""
    return service.caller("administration", "admin")


def put(caller: Caller, body: object, *, name: str = "card") -> TestResponse:
    return caller.call("PUT", f"/v1/templates/{name}", json=body)


def test_a_template_comes_back_as_it_was_meant(admin: Caller) -> None:
    stored = put(admin, template_json())
    assert (stored.status_code, stored.json["version"]) == (200, 1)
    assert stored.headers["Location"].endswith("/v1/templates/card?version=1")
    shown = admin.get("/v1/templates/card").json
    assert shown == stored.json
    assert parse_template(shown["template"]) == parse_template(template_json())


def test_a_change_makes_a_new_version_and_the_same_again_does_not(admin: Caller) -> None:
    put(admin, template_json())
    assert put(admin, template_json()).json["version"] == 1
    assert put(admin, template_json(description="Another.")).json["version"] == 2
    assert admin.get("/v1/templates/card").json["template"]["description"] == "Another."
    assert admin.get("/v1/templates/card?version=1").json["template"]["description"] == "A deposit card."
    assert admin.get("/v1/templates/card?version=3").status_code == 404


def test_a_removed_template_keeps_its_versions(admin: Caller) -> None:
    put(admin, template_json())
    assert admin.call("DELETE", "/v1/templates/card").status_code == 204
    assert admin.get("/v1/templates/card").status_code == 404
    assert admin.get("/v1/templates/card?version=1").status_code == 200
    assert admin.call("DELETE", "/v1/templates/card").status_code == 404


def test_one_stored_before_a_rule_for_checks_is_still_shown_and_read_by(service: Service, admin: Caller) -> None:
    fields = [{**template_json()["fields"][0], "checks": [{"kind": "range", "minimum": 0}]}]
    old = template_json(fields=fields, checks=[])
    assert put(admin, old).status_code == 422  # since a range of nothing but digits never fails
    service.services.store.templates.put("card", old)
    assert admin.get("/v1/templates/card").json["template"]["fields"][0]["checks"][0]["kind"] == "range"
    assert admin.get("/v1/templates").status_code == 200
    answer = service.caller("clerk").submit(scan(1), template="card")
    assert answer.status_code == 202


def test_the_list_has_the_latest_versions_and_the_built_in_ones(admin: Caller) -> None:
    put(admin, template_json())
    put(admin, template_json(description="Another."))
    listed = {each["name"]: each for each in admin.get("/v1/templates").json["templates"]}
    assert listed["card"]["version"] == 2
    assert listed["card"]["fields"] == ["account", "cash", "coins", "total", "sent", "paid"]
    assert set(builtin_templates()) <= set(listed)
    assert all(listed[name]["version"] is None for name in builtin_templates())


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"fields": []}, "fields", "at least 1 item"),
        ({"extra": 1}, "extra", "Extra inputs"),
        ({"name": "Bad Name"}, "name", "pattern"),
        ({"name": "auto"}, "name", "choosing among"),
        ({"page": {"width": 300, "height": 240}}, "fields.5.box", "paid reaches beyond"),
        ({"checks": [{"kind": "equal", "fields": ["cash", "cheques"]}]}, "_schema", "cheques"),
        ({"registration": {"method": "features"}}, "registration", "needs the reference"),
    ],
)
def test_a_fault_is_named_by_its_place(change: dict[str, Any], field: str, message: str, admin: Caller) -> None:
    answer = put(admin, template_json(**change))
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert answer.json["code"] == "invalid_request"
    assert [message in fault["message"] for fault in answer.json["errors"] if fault["field"] == field] == [True]


def test_the_name_inside_is_the_name_outside(admin: Caller) -> None:
    answer = put(admin, template_json(name="other"))
    assert answer.status_code == 422
    assert [(error["location"], error["field"]) for error in answer.json["errors"]] == [("json", "name")]


@pytest.mark.parametrize(("data", "status"), [(b"{", 400), (b"\xff", 400), (b"[" * 100_000, 422), (b" " * 2**20, 413)])
def test_what_is_no_json_of_a_template_is_refused(data: bytes, status: int, admin: Caller) -> None:
    answer = admin.call(
        "PUT", "/v1/templates/card", data=data + b"[" * (status == 413), content_type="application/json"
    )
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_only_an_administrator_changes_what_all_share(service: Service, admin: Caller) -> None:
    clerk = service.caller("clearing")
    assert put(clerk, template_json()).status_code == 403
    put(admin, template_json())
    assert clerk.call("DELETE", "/v1/templates/card").status_code == 403
    assert clerk.get("/v1/templates/card").status_code == 200


def test_a_document_names_the_version_that_reads_it(service: Service, admin: Caller) -> None:
    put(admin, template_json())
    first = admin.submit(template="card").json
    put(admin, template_json(description="Another."))
    assert first["template"] == {"name": "card", "version": 1}
    assert admin.submit(template="card").json["template"] == {"name": "card", "version": 2}
    assert admin.submit(template="none").json["code"] == "unknown_template"


def send_reference(caller: Caller, data: bytes) -> TestResponse:
    return caller.post("/v1/templates/references", data={"file": (io.BytesIO(data), "blank.png")})


def by_features(sha256: str) -> dict[str, Any]:
    return template_json(registration={"method": "features", "reference": sha256})


def test_a_reference_is_stored_before_the_template_that_names_it(service: Service, admin: Caller) -> None:
    picture = scan(1)
    sha256 = hashlib.sha256(picture).hexdigest()
    assert put(admin, by_features(sha256)).status_code == 422
    sent = send_reference(admin, picture)
    assert (sent.status_code, sent.json) == (201, {"sha256": sha256})
    assert put(admin, by_features(sha256)).json["template"]["registration"]["reference"] == sha256
    assert service.services.blobs.get(sha256) == picture


def test_a_reference_is_a_picture_and_an_administrator_s(service: Service, admin: Caller) -> None:
    assert send_reference(admin, b"no picture").status_code == 415
    assert send_reference(service.caller("clearing"), scan(1)).status_code == 403


def test_a_reference_outlives_a_document_of_the_same_bytes(service: Service, admin: Caller) -> None:
    picture = scan(1)
    sha256 = send_reference(admin, picture).json["sha256"]
    put(admin, by_features(sha256))
    other = scan(2)
    for data in (picture, other):
        document = admin.submit(data).json["id"]
        assert admin.call("DELETE", f"/v1/documents/{document}").status_code == 204
    assert service.services.blobs.exists(sha256)
    assert not service.services.blobs.exists(hashlib.sha256(other).hexdigest())


def test_auto_leaves_the_template_open(admin: Caller) -> None:
    sent = admin.submit(template="auto")
    assert (sent.status_code, sent.json["template"]) == (202, {"name": "auto", "version": None})
    batch = admin.batch({"a.png": scan(1), "b.png": scan(2)}, template="auto").json["id"]
    documents = admin.get(f"/v1/documents?batch={batch}").json["documents"]
    assert [each["template"] for each in documents] == [{"name": "auto", "version": None}] * 2


def test_auto_is_reused_as_auto(admin: Caller) -> None:
    first = admin.submit(template="auto", duplicates="reuse").json["id"]
    assert admin.submit(template="auto", duplicates="reuse").json["id"] == first
    assert admin.submit(duplicates="reuse").json["id"] != first


@pytest.mark.parametrize("template", ["auto", "cheque-us"])
def test_a_template_says_itself_which_types_there_are(admin: Caller, template: str) -> None:
    answer = admin.submit(template=template, type="digits")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")
    assert admin.batch({"a.png": scan(1)}, template=template, type="digits").status_code == 422


def test_a_reference_is_not_removed_while_a_template_comes_to_name_it(
    service: Service, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, store = scan(1), service.services.store
    sha256 = send_reference(admin, picture).json["sha256"]
    document_id, put_row = admin.submit(picture).json["id"], store.templates.put

    def put_late(name: str, body: dict[str, object]) -> object:
        assert admin.call("DELETE", f"/v1/documents/{document_id}").status_code == 204
        return put_row(name, body)

    monkeypatch.setattr(store.templates, "put", put_late)
    assert put(admin, by_features(sha256)).status_code == 200
    due = store.removals.due(now=datetime.now(UTC), retry_seconds=0.0, limit=10)
    store.removals.work_off(due, service.services.blobs.delete)
    assert service.services.blobs.get(sha256) == picture
