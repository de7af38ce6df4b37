"""Documents over HTTP: submitted, looked at, waited for, cancelled, retried, purged."""

import hashlib
import threading
import time
import xml.etree.ElementTree as ET

import pytest

from core.queue import CALLBACK_QUEUE
from core.types import Failure, PageReading, Phase
from forms.templates import parse_template
from tests.api.conftest import PICTURE, Caller, Service, StartService, scan


def test_a_submitted_file_is_a_queued_document(caller: Caller) -> None:
    answer = caller.submit(type="digits", priority="high", tags="june, room 4")
    assert answer.status_code == 202
    body = answer.json
    assert answer.headers["Location"] == f"/v1/documents/{body['id']}"
    assert {name: body[name] for name in ("status", "type", "priority", "tags", "filename", "media_type")} == {
        "status": "queued",
        "type": "digits",
        "priority": "high",
        "tags": ["june", "room 4"],
        "filename": "scan.png",
        "media_type": "image/png",
    }
    assert body["sha256"] == hashlib.sha256(scan(1)).hexdigest()
    assert body["progress"] == {"pages_total": None, "pages_done": 0}
    assert caller.get(answer.headers["Location"]).json == body


def test_the_target_error_is_kept_with_the_document(service: Service, caller: Caller) -> None:
    asked, silent = caller.submit(target_error="0.005").json, caller.submit(target_error="").json
    assert (asked["target_error"], silent["target_error"]) == (0.005, None)
    assert caller.get(f"/v1/documents/{asked['id']}").json["target_error"] == 0.005
    claim = service.services.store.claims.claim_document(asked["id"], worker="test", lease_seconds=60)
    assert claim is not None
    assert claim.target_error == 0.005


def test_a_target_error_makes_another_request(caller: Caller) -> None:
    first = caller.submit(key="k1", target_error="0.02").json["id"]
    assert caller.submit(key="k1", target_error="0.020").json["id"] == first
    for form in ({}, {"target_error": "0.03"}):
        assert caller.submit(key="k1", **form).json["code"] == "idempotency_conflict"
        assert caller.submit(duplicates="reuse", **form).json["id"] != first
    assert caller.submit(duplicates="reuse", target_error="0.02").json["id"] == first


LINE = "C083654C 500025033A 290062C 31"


def test_a_callers_micr_line_is_kept_with_the_document(service: Service, caller: Caller) -> None:
    asked = caller.submit(template="cheque-cts2010", micr=LINE).json
    silent = caller.submit(template="cheque-cts2010", micr="").json
    assert (asked["micr"], silent["micr"]) == (LINE, None)
    claim = service.services.store.claims.claim_document(asked["id"], worker="test", lease_seconds=60)
    assert claim is not None
    assert claim.expected_micr == LINE


def test_another_micr_line_makes_another_request(caller: Caller) -> None:
    first = caller.submit(key="k1", template="cheque-cts2010", micr=LINE).json["id"]
    assert caller.submit(key="k1", template="cheque-cts2010", micr=LINE).json["id"] == first
    for form in ({}, {"micr": LINE.replace("083654", "083655")}):
        assert caller.submit(key="k1", template="cheque-cts2010", **form).json["code"] == "idempotency_conflict"
        assert caller.submit(duplicates="reuse", template="cheque-cts2010", **form).json["id"] != first
    assert caller.submit(duplicates="reuse", template="cheque-cts2010", micr=LINE).json["id"] == first


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"micr": LINE}, "band of E-13B"),
        ({"micr": LINE, "type": "digits"}, "band of E-13B"),
        ({"micr": LINE, "template": "slip"}, "band of E-13B"),
        ({"micr": "my cheque", "template": "cheque-cts2010"}, "no MICR line"),
        ({"micr": "C083654C", "template": "cheque-cts2010"}, "no MICR line"),
    ],
)
def test_a_micr_line_that_nothing_can_be_compared_with_is_refused(
    form: dict[str, str], why: str, service: Service, caller: Caller
) -> None:
    box = {"x": 1, "y": 1, "width": 9, "height": 9}
    fields = [{"name": "id", "type": {"name": "digits"}, "box": box}]
    body = {"name": "slip", "page": {"width": 90, "height": 45}, "fields": fields}
    service.services.store.templates.put("slip", parse_template(body).as_json())
    answer = caller.submit(**form)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")
    assert why in answer.json["detail"]


def test_what_is_submitted_reaches_the_queue(start_service: StartService, redis_url: str) -> None:
    service = start_service(broker_url=redis_url)
    document_id = service.caller("clearing").submit(priority="normal").json["id"]
    with service.services.dispatcher._app.connection_for_read() as connection:
        message = connection.SimpleQueue("normal").get(timeout=5)
    assert message.payload[0] == [document_id]


def test_tags_may_be_repeated(caller: Caller) -> None:
    assert caller.submit(tags=["a", "b,c", "a"]).json["tags"] == ["a", "b", "c"]


@pytest.mark.parametrize("tags", [["a", "x" * 65], [f"tag-{number}" for number in range(21)]], ids=["long", "many"])
def test_repeated_tags_are_held_to_the_same_limits(tags: list[str], caller: Caller) -> None:
    answer, batch = caller.submit(tags=tags), caller.batch({"a.png": scan(1)}, tags=tags)
    assert [(each.status_code, each.json["code"]) for each in (answer, batch)] == [(422, "invalid_request")] * 2
    (error,) = answer.json["errors"]
    assert (error["location"], error["field"]) == ("form_and_files", "tags")
    assert "at most 20 tags" in error["message"]


def test_empty_fields_of_a_form_count_as_absent(caller: Caller) -> None:
    body = caller.submit(type="", template="", tags="", callback_url="").json
    assert (body["type"], body["template"], body["tags"], body["callback_url"]) == (None, None, [], None)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("../../etc/passwd", "../../etc/passwd"), ("", "unnamed"), ("a\x07b\x7f.png", "ab.png"), ("x" * 300, "x" * 255)],
)
def test_a_file_name_is_only_a_label(given: str, kept: str) -> None:
    from api.intake import clean_name

    assert clean_name(given) == kept


def test_a_reading_has_the_fields_of_the_design(service: Service, caller: Caller) -> None:
    document_id = caller.submit().json["id"]
    service.read(document_id)
    body = caller.get(f"/v1/documents/{document_id}").json
    assert body["status"] == "done"
    assert body["failure"] is None
    assert body["reader"] == {"version": "1", "sha256": "a" * 64}
    assert body["progress"] == {"pages_total": 1, "pages_done": 1}
    (page,) = body["pages"]
    assert set(page) == {"index", "width", "height", "skew_degrees", "registration", "failure", "fields", "reader"}
    (field,) = page["fields"]
    assert (field["text"], field["accepted"], field["review_reasons"]) == ("42", True, [])
    assert field["digits"][0] == {
        "char": "4",
        "confidence": 0.99,
        "box": {"x": 2, "y": 3, "width": 20, "height": 30},
        "alternatives": [],
    }


def test_the_same_bytes_name_the_earlier_document(caller: Caller, stranger: Caller) -> None:
    first, second = caller.submit().json, caller.submit().json
    assert first["duplicate_of"] is None
    assert second["duplicate_of"] == first["id"] != second["id"]
    assert caller.submit(duplicates="reuse").json["id"] == second["id"]
    assert stranger.submit(duplicates="reuse").json["duplicate_of"] is None


def test_an_idempotency_key_gives_the_same_document(caller: Caller, stranger: Caller) -> None:
    first = caller.submit(key="k1", type="digits")
    assert caller.submit(key="k1", type="digits").json["id"] == first.json["id"]
    conflict = caller.submit(key="k1")
    assert (conflict.status_code, conflict.json["code"]) == (409, "idempotency_conflict")
    assert caller.submit(scan(2), key="k1", type="digits").status_code == 409
    assert stranger.submit(key="k1", type="digits").json["id"] != first.json["id"]


def test_an_idempotency_key_outlives_the_process(start_service: StartService) -> None:
    caller = start_service().caller("clearing")
    first = caller.submit(key="k1").json["id"]
    caller.client = start_service().client
    assert caller.submit(key="k1").json["id"] == first


def test_a_long_poll_ends_with_the_reading(service: Service, caller: Caller) -> None:
    document_id = caller.submit().json["id"]
    reader = threading.Timer(0.3, service.read, [document_id])
    reader.start()
    began = time.monotonic()
    answer = caller.get(f"/v1/documents/{document_id}?wait=5")
    reader.join()
    assert answer.json["status"] == "done"
    assert 0.25 < time.monotonic() - began < 3
    assert "Retry-After" not in answer.headers


def test_a_long_poll_without_news_returns_what_there_is(caller: Caller) -> None:
    document_id = caller.submit().json["id"]
    began = time.monotonic()
    answer = caller.get(f"/v1/documents/{document_id}?wait=0.3")
    assert time.monotonic() - began >= 0.3
    assert (answer.json["status"], answer.headers["Retry-After"]) == ("queued", "1")


def test_a_long_poll_with_a_tag_ends_with_any_change(service: Service, caller: Caller) -> None:
    path = f"/v1/documents/{caller.submit().json['id']}"
    etag = caller.get(path).headers["ETag"]
    assert caller.get(path, headers={"If-None-Match": etag}).status_code == 304
    claims = service.services.store.claims
    claimer = threading.Timer(0.2, lambda: claims.claim_document(path.rpartition("/")[2], worker="t", lease_seconds=60))
    claimer.start()
    answer = caller.get(f"{path}?wait=5", headers={"If-None-Match": etag})
    claimer.join()
    assert (answer.status_code, answer.json["status"]) == (200, "running")
    assert answer.headers["ETag"] != etag


def test_a_tag_that_a_proxy_made_weak_is_known_again(service: Service, caller: Caller) -> None:
    path = f"/v1/documents/{caller.submit().json['id']}"
    weak = {"If-None-Match": f"W/{caller.get(path).headers['ETag']}"}
    assert caller.get(path, headers=weak).status_code == 304
    began = time.monotonic()
    assert caller.get(f"{path}?wait=0.3", headers=weak).status_code == 304
    assert time.monotonic() - began >= 0.3


def test_long_polls_leave_threads_for_others(start_service: StartService) -> None:
    service = start_service(api_threads=2)  # one of two may wait
    caller, other = service.caller("clearing"), service.caller("clearing")
    path = f"/v1/documents/{caller.submit().json['id']}?wait=3"
    waiting = threading.Thread(target=caller.get, args=(path,))
    waiting.start()
    slots = service.client.application.extensions["tallyscan.polls"]
    deadline = time.monotonic() + 3
    while slots._value and time.monotonic() < deadline:
        time.sleep(0.005)
    began = time.monotonic()
    assert other.get(path).status_code == 200
    assert time.monotonic() - began < 1
    service.services.stopping = lambda: True
    waiting.join(timeout=5)
    assert not waiting.is_alive()


def test_cancel_and_retry(service: Service, caller: Caller) -> None:
    path = f"/v1/documents/{caller.submit().json['id']}"
    assert caller.post(f"{path}/retry").json["code"] == "invalid_transition"
    assert caller.post(f"{path}/cancel").json["status"] == "cancelled"
    assert caller.post(f"{path}/cancel").status_code == 409
    retried = caller.post(f"{path}/retry")
    assert (retried.status_code, retried.json["status"]) == (202, "queued")
    service.read(retried.json["id"])
    assert caller.get(path).json["status"] == "done"


def test_a_cancelled_document_is_called_back(start_service: StartService, redis_url: str) -> None:
    service = start_service(broker_url=redis_url, callback_hosts=("a.example",))
    caller = service.caller("clearing")
    silent = caller.submit(scan(1)).json["id"]
    waiting = caller.submit(scan(2), callback_url="http://a.example/x").json["id"]
    for document_id in (silent, waiting):
        assert caller.post(f"/v1/documents/{document_id}/cancel").status_code == 200
    with service.services.dispatcher._app.connection_for_read() as connection:
        message = connection.SimpleQueue(CALLBACK_QUEUE).get(timeout=5)
    assert message.payload[0] == [waiting]


def test_a_cancellation_does_not_need_the_broker(start_service: StartService) -> None:
    service = start_service(callback_hosts=("a.example",))
    caller = service.caller("clearing")
    document_id = caller.submit(callback_url="http://a.example/x").json["id"]
    service.services._broker_back_at = 0.0
    assert caller.post(f"/v1/documents/{document_id}/cancel").json["status"] == "cancelled"


def test_a_purged_document_leaves_nothing(service: Service, caller: Caller) -> None:
    document = caller.submit().json
    service.read(document["id"])
    assert caller.call("DELETE", f"/v1/documents/{document['id']}").status_code == 204
    assert caller.get(f"/v1/documents/{document['id']}").status_code == 404
    assert not service.services.blobs.exists(document["sha256"])
    assert not service.services.blobs.exists(hashlib.sha256(PICTURE).hexdigest())


def test_purging_keeps_bytes_that_another_document_has(service: Service, caller: Caller) -> None:
    first, second = caller.submit().json, caller.submit().json
    caller.call("DELETE", f"/v1/documents/{first['id']}")
    assert service.services.blobs.exists(second["sha256"])


def test_recent_documents_come_newest_first(caller: Caller) -> None:
    ids = [caller.submit(scan(seed)).json["id"] for seed in range(3)]
    assert [d["id"] for d in caller.get("/v1/documents?limit=2").json["documents"]] == ids[:0:-1]
    assert [d["id"] for d in caller.get(f"/v1/documents?before={ids[1]}").json["documents"]] == [ids[0]]


def test_a_pages_picture_and_overlay(service: Service, caller: Caller) -> None:
    path = f"/v1/documents/{caller.submit().json['id']}"
    for address in (f"{path}/pages/0.webp", f"{path}/pages/0/overlay.svg", f"{path}/overlay.svg"):
        assert caller.get(address).json["code"] == "not_ready"
    service.read(path.rpartition("/")[2])
    picture = caller.get(f"{path}/pages/0.webp")
    assert (picture.data, picture.mimetype) == (PICTURE, "image/webp")
    assert caller.get(f"{path}/pages/0.webp", headers={"If-None-Match": picture.headers["ETag"]}).status_code == 304
    overlay = caller.get(f"{path}/pages/0/overlay.svg")
    assert overlay.mimetype == "image/svg+xml"
    assert 'href="../0.webp"' in overlay.text
    assert ET.fromstring(caller.get(f"{path}/overlay.svg?scan=false").text).tag.endswith("svg")
    for address in (f"{path}/pages/7.webp", f"{path}/pages/7/overlay.svg", f"{path}/overlay.svg?page=7"):
        assert caller.get(address).status_code == 404


def test_a_page_that_a_cancelled_document_never_had_read_is_not_there(caller: Caller) -> None:
    path = f"/v1/documents/{caller.submit().json['id']}"
    caller.post(f"{path}/cancel")
    for address in (f"{path}/pages/0.webp", f"{path}/pages/0/overlay.svg", f"{path}/overlay.svg"):
        assert caller.get(address).json["code"] == "not_found"


def test_a_page_that_failed_says_so(service: Service, caller: Caller) -> None:
    document_id = caller.submit().json["id"]
    failure = Failure(code="unreadable_image", phase=Phase.DECODE, message="Cut short.", retryable=False)
    service.read(document_id, PageReading(0, 9, 9), PageReading(1, 0, 0, failure=failure))
    body = caller.get(f"/v1/documents/{document_id}").json
    assert [page["failure"] and page["failure"]["code"] for page in body["pages"]] == [None, "unreadable_image"]


def test_a_digit_is_answered_in_the_request_itself(service: Service, caller: Caller) -> None:
    import io

    answers = []

    def ask() -> None:
        data = {"file": (io.BytesIO(scan(5)), "7.png"), "target_error": "0.1"}
        answers.append(caller.post("/v1/digits?wait=5", data=data))

    asking = threading.Thread(target=ask)
    asking.start()
    store = service.services.store
    deadline = time.monotonic() + 5
    while not (found := store.documents.recent(owner="clearing", limit=1)) and time.monotonic() < deadline:
        time.sleep(0.01)
    service.read(found[0].id)
    asking.join()
    (answer,) = answers
    assert answer.status_code == 200
    assert (answer.json["type"], answer.json["priority"], answer.json["status"]) == ("digit", "high", "done")
    assert answer.json["target_error"] == 0.1


def test_a_digit_that_takes_longer_is_accepted(caller: Caller) -> None:
    import io

    answer = caller.post("/v1/digits?wait=0.1", data={"file": (io.BytesIO(scan(5)), "7.png")})
    assert (answer.status_code, answer.json["status"]) == (202, "queued")
    assert answer.headers["Location"].endswith(answer.json["id"])
