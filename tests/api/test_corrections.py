"""Saying over HTTP what a field reads: what is taken, what is refused, and where it shows."""

import csv
import io
from typing import Any

import pytest
from werkzeug.test import TestResponse

from core.types import Box, FieldReading, PageReading
from tests.api.conftest import Caller, Service, scan
from tests.forms.forms import template_json


@pytest.fixture
def document_id(service: Service, caller: Caller) -> str:
    """A document whose field `page` was read as 42."""
    found = str(caller.submit().json["id"])
    service.read(found)
    return found


def correct(caller: Caller, document_id: str, **body: object) -> TestResponse:
    return caller.post(f"/v1/documents/{document_id}/corrections", json={"field": "page", **body})


def test_what_a_person_says_stands_beside_the_reading(caller: Caller, document_id: str) -> None:
    before = caller.get(f"/v1/documents/{document_id}")
    answer = correct(caller, document_id, text="47", note="a 7")
    assert answer.status_code == 201
    said: dict[str, Any] = answer.json
    assert answer.headers["Location"].endswith(f"/v1/documents/{document_id}/corrections")
    assert (said["text"], said["value"], said["old_text"], said["confirms"]) == ("47", "47", "42", False)
    assert said["by"] == {"key_id": caller.key_id, "key_name": "clearing"}
    assert said["reader"] == before.json["reader"]
    after = caller.get(f"/v1/documents/{document_id}")
    assert after.json["corrections"] == [said]
    assert after.json["pages"] == before.json["pages"]
    assert after.headers["ETag"] != before.headers["ETag"]


def test_the_same_as_the_reading_confirms_it(caller: Caller, document_id: str) -> None:
    assert correct(caller, document_id, text="42").json["confirms"] is True


def test_the_latest_counts_and_all_are_kept(caller: Caller, document_id: str) -> None:
    correct(caller, document_id, text="1")
    correct(caller, document_id, truth="empty")
    correct(caller, document_id, truth="unreadable")
    every = caller.get(f"/v1/documents/{document_id}/corrections").json["corrections"]
    assert [(each["truth"], each["text"], each["current"]) for each in every] == [
        ("text", "1", False), ("empty", None, False), ("unreadable", None, True)
    ]  # fmt: skip
    assert [each["id"] for each in caller.get("/v1/corrections").json["corrections"]] == [every[-1]["id"]]
    assert caller.get(f"/v1/corrections?after={every[-1]['id']}").json["corrections"] == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": "4x7"}, "invalid_correction"),
        ({"text": "4 7"}, "invalid_correction"),
        ({"text": "\u0664\u0667"}, "invalid_correction"),
        ({"text": ""}, "invalid_request"),
        ({}, "invalid_request"),
        ({"truth": "empty", "text": "4"}, "invalid_request"),
        ({"truth": "nosuch"}, "invalid_request"),
        ({"text": "4", "value": "4"}, "invalid_request"),
        ({"text": "4", "page": -1}, "invalid_request"),
        ({"text": "4" * 65}, "invalid_request"),
    ],
)
def test_what_no_field_can_read_is_refused(
    body: dict[str, object], code: str, caller: Caller, document_id: str
) -> None:
    answer = correct(caller, document_id, **body)
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert caller.get(f"/v1/documents/{document_id}").json["corrections"] == []


def test_a_templates_field_is_held_to_its_own_type(service: Service, caller: Caller) -> None:
    body = template_json(name="card")
    field = {**body["fields"][0], "name": "year", "type": {"name": "integer", "minimum": 1900, "maximum": 2099}}
    service.services.store.templates.put("card", {**body, "fields": [field], "checks": []})
    found = caller.submit(scan(2), template="card").json["id"]
    box = Box(0, 0, 9, 9)
    read = FieldReading("year", "integer", box, text="1999", value="1999", confidence=0.5, accepted=False)
    service.read(found, PageReading(index=0, width=60, height=40, fields=(read,)))
    assert correct(caller, found, field="year", text="1850").json["code"] == "invalid_correction"
    assert correct(caller, found, field="year", text="1998").json["value"] == "1998"


def test_what_is_not_there_or_not_read_yet(caller: Caller, stranger: Caller, document_id: str) -> None:
    assert correct(caller, document_id, field="nosuch", text="1").status_code == 404
    assert correct(caller, document_id, page=7, truth="empty").status_code == 404
    assert correct(stranger, document_id, text="1").status_code == 404
    assert correct(caller, "nosuch", text="1").status_code == 404
    waiting = caller.submit(scan(5)).json["id"]
    assert [correct(caller, waiting, **body).json["code"] for body in ({"text": "1"}, {"truth": "empty"})] == [
        "not_ready", "not_ready"
    ]  # fmt: skip
    assert stranger.get("/v1/corrections").json["corrections"] == []


def test_who_may_only_read_corrects_nothing(service: Service, document_id: str) -> None:
    assert correct(service.caller("clearing", "read"), document_id, text="1").status_code == 403


def test_a_batch_has_a_table_of_its_corrections(service: Service, caller: Caller) -> None:
    batch = caller.batch({"=1.png": scan(1), "b.png": scan(2)}).json["id"]
    ids = [each["id"] for each in caller.get(f"/v1/documents?batch={batch}").json["documents"]]
    for each in ids:
        service.read(each)
        correct(caller, each, text="421", note="=HYPERLINK()")
    text = caller.get(f"/v1/batches/{batch}/corrections.csv").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["file"] for row in rows} == {"'=1.png", "b.png"}
    assert {(row["read"], row["text"], row["confirms"], row["by"]) for row in rows} == {
        ("42", "421", "false", "clearing")
    }
    assert {row["note"] for row in rows} == {"'=HYPERLINK()"}
    assert caller.get("/v1/batches/nosuch/corrections.csv").status_code == 404


def test_the_file_comes_back_as_it_went_in(caller: Caller, stranger: Caller) -> None:
    found = caller.submit(scan(3)).json["id"]
    answer = caller.get(f"/v1/documents/{found}/original")
    assert answer.data == scan(3)
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    again = caller.get(f"/v1/documents/{found}/original", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert stranger.get(f"/v1/documents/{found}/original").status_code == 404
