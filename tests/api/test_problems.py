"""Every error is a problem with a code: what callers meet, whatever goes wrong around the service."""

import errno
import io
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from api import problems
from api.uploads import FORM_BYTES
from core.errors import BlobAltered, BlobStoreUnavailable, BrokerUnavailable, StorageFull
from storage.blobs import BlobStore
from storage.store import Store
from tests.api.conftest import Caller, Service, StartService, scan

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "retryable"}


def assert_problem(answer: TestResponse, status: int, code: str) -> None:
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.mimetype == "application/problem+json"
    assert set(answer.json) - {"errors"} == MEMBERS
    assert answer.json["status"] == status
    assert answer.json["type"] == f"/v1/problems/{code}"
    assert ("Retry-After" in answer.headers) == answer.json["retryable"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/documents/01NOTHING", 404, "not_found"),
        ("GET", "/v1/documents/01NOTHING/pages/x.webp", 404, "not_found"),
        ("DELETE", "/v1/documents", 405, "method_not_allowed"),
        ("GET", "/v1/documents?limit=0", 422, "invalid_request"),
        ("GET", "/v1/documents?limit=ten", 422, "invalid_request"),
        ("GET", "/v1/documents?lmit=3", 422, "invalid_request"),
        ("GET", "/v1/documents/01NOTHING?wait=nan", 422, "invalid_request"),
        ("POST", "/v1/documents", 415, "unsupported_media_type"),
    ],
)
def test_refused_requests(method: str, path: str, status: int, code: str, caller: Caller) -> None:
    assert_problem(caller.call(method, path), status, code)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"type": "roman"}, "invalid_request"),
        ({"priority": "urgent"}, "invalid_request"),
        ({"colour": "red"}, "invalid_request"),
        ({"target_error": "0"}, "invalid_request"),
        ({"target_error": "0.51"}, "invalid_request"),
        ({"target_error": "nan"}, "invalid_request"),
        ({"target_error": "few"}, "invalid_request"),
        ({"duplicates": "drop"}, "invalid_request"),
        ({"tags": "x" * 65}, "invalid_request"),
        ({"callback_url": "http://intranet.example/"}, "invalid_request"),
        ({"callback_url": "file:///etc/passwd"}, "invalid_request"),
        ({"callback_url": "http://[broken"}, "invalid_request"),
        ({"template": "no-such"}, "unknown_template"),
        ({"batch": "01NOTHING"}, "not_found"),
    ],
)
def test_refused_forms(form: dict[str, str], code: str, caller: Caller) -> None:
    answer = caller.submit(**form)
    assert_problem(answer, 404 if code == "not_found" else 422, code)


def test_a_refused_parameter_is_named(caller: Caller) -> None:
    answer = caller.submit(priority="urgent")
    (error,) = answer.json["errors"]
    assert (error["location"], error["field"]) == ("form_and_files", "priority")
    assert "priority" in answer.json["detail"]


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"type": "Digits"}, "type"),
        ({"template": "nope"}, "template"),
        ({"template": "cheque-cts2010", "type": "digits"}, "template"),
        ({"template": "cheque-cts2010", "micr": "my cheque"}, "micr"),
        ({"micr": "C083654C 500025033A 290062C 31"}, "micr"),
        ({"callback_url": "http://intranet.example/"}, "callback_url"),
    ],
)
def test_a_parameter_that_its_model_lets_pass_is_named_too(form: dict[str, str], field: str, caller: Caller) -> None:
    answer = caller.submit(**form)
    assert answer.status_code == 422
    assert answer.json["errors"] == [
        {"location": "form_and_files", "field": field, "message": answer.json["detail"]},
    ]


@pytest.mark.parametrize("path", ["/v1/batches", "/v1/digits?wait=0"])
def test_a_target_error_is_checked_at_every_door(path: str, caller: Caller) -> None:
    form = {"file": (io.BytesIO(scan(1)), "a.png")} if "digits" in path else {}
    answer = caller.post(path, data={**form, "target_error": "0.6"})
    assert_problem(answer, 422, "invalid_request")
    assert [error["field"] for error in answer.json["errors"]] == ["target_error"]


def test_a_form_without_a_file_is_refused(caller: Caller) -> None:
    assert_problem(caller.post("/v1/documents", data={"file": "text"}), 422, "invalid_request")
    assert_problem(caller.post("/v1/digits", data={"type": "digit"}), 422, "invalid_request")


def file_part() -> tuple[io.BytesIO, str]:
    return io.BytesIO(scan(1)), "a.png"


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/v1/documents", "scan"),
        ("/v1/documents", "files"),
        ("/v1/documents", "type"),
        ("/v1/digits?wait=0", "scan"),
        ("/v1/batches", "file"),
        ("/v1/batches", "tags"),
    ],
)
def test_a_file_under_another_name_is_not_lost(path: str, part: str, caller: Caller) -> None:
    known = "files" if "batches" in path else "file"
    answer = caller.post(path, data={known: file_part(), part: file_part()})
    assert_problem(answer, 422, "invalid_request")
    assert [(error["location"], error["field"]) for error in answer.json["errors"]] == [("form_and_files", part)]


def test_a_reference_comes_alone(service: Service) -> None:
    data = {"file": file_part(), "reference": file_part()}
    answer = service.caller("office", "admin").post("/v1/templates/references", data=data)
    assert_problem(answer, 422, "invalid_request")
    assert [error["field"] for error in answer.json["errors"]] == ["reference"]


@pytest.mark.parametrize(
    ("path", "form", "name"),
    [
        ("/v1/documents", {"file": [file_part(), file_part()]}, "file"),
        ("/v1/digits?wait=0", {"file": [file_part(), file_part()]}, "file"),
        ("/v1/documents", {"file": file_part(), "type": ["digits", "amount"]}, "type"),
        ("/v1/documents", {"file": [file_part(), "text"]}, "file"),
        ("/v1/batches", {"files": file_part(), "priority": ["high", "bulk"]}, "priority"),
        ("/v1/batches", {"files": [file_part(), "text"]}, "files"),
    ],
)
def test_what_is_given_twice_is_not_lost(path: str, form: dict[str, Any], name: str, caller: Caller) -> None:
    answer = caller.post(path, data=form)
    assert_problem(answer, 422, "invalid_request")
    assert [error["field"] for error in answer.json["errors"]] == [name]


@pytest.mark.parametrize("path", ["/v1/documents", "/v1/batches"])
def test_other_file_inputs_of_a_page_in_which_nothing_was_chosen_count_as_absent(path: str, caller: Caller) -> None:
    known = "files" if "batches" in path else "file"
    unchosen = (io.BytesIO(), "", "application/octet-stream")
    assert caller.post(path, data={known: file_part(), "second": unchosen}).status_code == 202


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x7fELF" + bytes(50), b"GIF89a", b"PK\x03\x04" + bytes(40)], ids=repr
)
def test_what_is_no_image_is_refused(data: bytes, caller: Caller) -> None:
    assert_problem(caller.submit(data), 415, "unsupported_media_type")


def test_the_name_does_not_decide(caller: Caller) -> None:
    assert caller.submit(name="scan.txt").json["media_type"] == "image/png"
    assert_problem(caller.submit(b"hello", name="scan.png"), 415, "unsupported_media_type")


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "täg"])
def test_refused_idempotency_keys(key: str, caller: Caller) -> None:
    data = {"file": (io.BytesIO(scan(1)), "a.png")}
    answer = caller.post("/v1/documents", data=data, headers={"Idempotency-Key": key})
    assert_problem(answer, 422, "invalid_request")


def test_allowed_callbacks(start_service: StartService) -> None:
    caller = start_service(callback_hosts=("Hooks.Example", "other.example:8443")).caller("clearing")
    for url in ("https://hooks.example/x", "https://HOOKS.example:444/x", "https://other.example:8443/x"):
        assert caller.submit(callback_url=url).status_code == 202, url
    for url in (
        "https://hooks.example@evil.example/",
        "https://other.example/",
        "https://hooks.example:port/",
        "https://hooks.example/a\r\nb",
    ):
        assert_problem(caller.submit(callback_url=url), 422, "invalid_request")


class Unread(io.BytesIO):
    """A body that must not be read."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Fail."""
        raise AssertionError(f"{size} bytes of the body were read")


@pytest.mark.parametrize("path", ["/v1/documents", "/v1/digits", "/v1/batches"])
def test_a_body_that_is_too_large_is_not_even_read(path: str, start_service: StartService) -> None:
    caller = start_service(max_file_bytes=1000, max_request_bytes=100_000).caller("clearing")
    content_type = "multipart/form-data; boundary=x"
    environ = {"CONTENT_LENGTH": str(10**9)}
    answer = caller.post(path, input_stream=Unread(), content_type=content_type, environ_overrides=environ)
    assert_problem(answer, 413, "payload_too_large")


def test_a_body_of_unknown_length_is_cut_off(start_service: StartService) -> None:
    caller = start_service(max_file_bytes=1000).caller("clearing")
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    body = io.BytesIO(head + bytes(10_000_000))
    environ = {"wsgi.input_terminated": True}
    answer = caller.post(
        "/v1/documents",
        input_stream=body,
        content_type="multipart/form-data; boundary=x",
        environ_overrides=environ,
    )
    assert_problem(answer, 413, "payload_too_large")
    assert body.tell() < 1_000_000


def test_the_fields_of_a_form_are_limited_together(caller: Caller) -> None:
    def sent(path: str, **form: object) -> TestResponse:
        # Encoded here: the client leaves the file open in which it would encode what is large.
        boundary, body = encode_multipart(form)
        return caller.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}")

    def file(size: int) -> FileStorage:
        return FileStorage(io.BytesIO(scan(1) + bytes(size)), "a.png")

    assert sent("/v1/documents", file=file(4_000_000), tags="june").status_code == 202  # files count apart
    assert sent("/v1/batches", files=[file(1_500_000), file(10), file(900_000)]).status_code == 202
    fields = {f"field-{number}": "x" * 400_000 for number in range(10)}
    assert_problem(sent("/v1/batches", **fields), 413, "payload_too_large")
    assert_problem(sent("/v1/documents", file=file(4_000_000), **fields), 413, "payload_too_large")


def test_a_form_without_files_is_as_short_as_fields_are(caller: Caller) -> None:
    content_type = "application/x-www-form-urlencoded"
    assert caller.post("/v1/batches", data="name=folder", content_type=content_type).status_code == 202
    for path in ("/v1/documents", "/v1/batches", "/v1/digits"):
        environ = {"CONTENT_LENGTH": str(FORM_BYTES + 1)}
        answer = caller.post(path, input_stream=Unread(), content_type=content_type, environ_overrides=environ)
        assert_problem(answer, 413, "payload_too_large")


def test_a_file_that_is_too_large_is_refused(start_service: StartService) -> None:
    caller = start_service(max_file_bytes=len(scan(1)) - 1).caller("clearing")
    assert_problem(caller.submit(scan(1)), 413, "payload_too_large")


def test_a_full_queue_takes_no_more(start_service: StartService) -> None:
    service = start_service(max_queued_documents=1)
    caller = service.caller("clearing")
    assert caller.submit().status_code == 202
    service.services.queued_count._until = 0.0  # the count is as old as it may be
    assert_problem(caller.submit(), 429, "queue_full")
    assert_problem(caller.batch({"a.png": scan(1)}), 429, "queue_full")


def test_too_many_requests(start_service: StartService) -> None:
    service = start_service(api_request_rate="3/hour")
    caller, other = service.caller("clearing"), service.caller("audit")
    answers = [caller.get("/v1/session") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert_problem(answers[-1], 429, "rate_limited")
    assert other.get("/v1/session").status_code == 200
    assert service.client.get("/healthz").status_code == 200


def test_processes_count_requests_together(start_service: StartService, redis_url: str) -> None:
    first, second = (start_service(api_request_rate="3/hour", broker_url=redis_url) for _ in range(2))
    caller = first.caller("clearing")
    answers = []
    for number in range(4):
        caller.client = (first, second)[number % 2].client.application.test_client()
        answers.append(caller.get("/v1/session").status_code)
    assert answers == [200, 200, 200, 429]


def test_the_broker_away_loses_nothing(service: Service, caller: Caller) -> None:
    answer = caller.submit()
    assert answer.status_code == 202
    assert not service.services.broker_expected
    due = service.services.store.claims.due(now=_now(), redeliver_seconds=60, limit=10)
    assert [delivery.document_id for delivery in due] == [answer.json["id"]]


def test_the_database_away(caller: Caller, service: Service) -> None:
    path = service.services.settings.home / "tallyscan.db"
    assert caller.get("/v1/session").status_code == 200
    service.services.store.dispose()
    path.rename(path.with_suffix(".gone"))
    answer = caller.get("/v1/documents")
    assert_problem(answer, 503, "database_unavailable")
    assert_problem(caller.submit(), 503, "database_unavailable")
    path.unlink(missing_ok=True)
    path.with_suffix(".gone").rename(path)
    service.services.store.dispose()
    assert caller.get("/v1/documents").status_code == 200


def test_the_cause_of_a_503_is_logged_without_secrets(
    caller: Caller, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problems, "_log", structlog.get_logger())  # one that no other test has bound to its settings
    path = service.services.settings.home / "tallyscan.db"
    assert caller.get("/v1/session").status_code == 200
    service.services.store.dispose()
    path.rename(path.with_suffix(".gone"))
    with capture_logs() as lines:
        assert_problem(caller.get("/v1/documents"), 503, "database_unavailable")
    (line,) = [line for line in lines if line["event"] == "unavailable"]
    assert (line["code"], line["cause"]) == ("database_unavailable", "OperationalError")
    assert "no such table: documents" in line["text"]
    assert "SELECT" not in line["text"]

    def fail() -> None:
        raise BrokerUnavailable from ConnectionError("redis://:hush@broker:6379/0 refused")

    service.client.application.view_functions["service.health"] = fail
    with capture_logs() as lines:
        assert_problem(service.client.get("/healthz"), 503, "broker_unavailable")
    assert "redis://…@broker:6379/0 refused" in [line.get("text") for line in lines]


def test_a_locked_database(start_service: StartService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.engine.BUSY_TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr("storage.engine.make_engine.__kwdefaults__", {"busy_timeout_seconds": 0.1})
    service = start_service()
    caller = service.caller("clearing")
    assert caller.get("/v1/session").status_code == 200
    holder = sqlite3.connect(service.services.settings.home / "tallyscan.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert_problem(caller.submit(), 503, "database_unavailable")
    holder.execute("ROLLBACK")
    holder.close()
    assert caller.submit().status_code == 202


def test_the_blob_store_away(start_service: StartService, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    caller = start_service(blob_url=(tmp_path / "file" / "blobs").as_uri()).caller("clearing")
    assert_problem(caller.submit(), 503, "blob_store_unavailable")
    assert caller.get("/v1/documents").json == {"documents": []}


def test_a_deletion_with_the_blob_store_away_changes_nothing(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/v1/documents/{caller.submit().json['id']}"

    def silent(_store: BlobStore, _sha256: str) -> bool:
        raise BlobStoreUnavailable

    with monkeypatch.context() as away:
        away.setattr(BlobStore, "exists", silent)
        assert_problem(caller.call("DELETE", path), 503, "blob_store_unavailable")
    assert caller.get(path).status_code == caller.get(f"{path}/original").status_code == 200
    assert caller.call("DELETE", path).status_code == 204
    assert caller.get(path).status_code == 404


def test_a_deletion_with_the_folder_of_scans_away_changes_nothing(start_service: StartService, tmp_path: Path) -> None:
    root = tmp_path / "scans"
    caller = start_service(blob_url=root.as_uri()).caller("clearing")
    path = f"/v1/documents/{caller.submit().json['id']}"
    root.rename(tmp_path / "aside")
    assert_problem(caller.call("DELETE", path), 503, "blob_store_unavailable")
    (tmp_path / "aside").rename(root)
    assert caller.get(f"{path}/original").status_code == 200
    assert caller.call("DELETE", path).status_code == 204
    assert not [entry for entry in root.glob("??/??/*") if entry.is_file()]


@pytest.mark.parametrize("mount_point", [False, True])
def test_a_scan_sent_while_the_folder_of_scans_is_away_is_refused_and_makes_no_other(
    mount_point: bool, start_service: StartService, tmp_path: Path
) -> None:
    root = tmp_path / "scans"
    service = start_service(blob_url=root.as_uri())
    caller, store = service.caller("clearing"), service.services.store
    gone, kept = (caller.submit(scan(seed)).json for seed in (1, 2))

    def away(_sha256: str) -> None:
        raise BlobStoreUnavailable

    store.documents.delete(gone["id"], "clearing", remove=away)
    root.rename(tmp_path / "aside")
    if mount_point:
        root.mkdir()
    later = start_service(blob_url=root.as_uri())  # started meanwhile, and so it never saw the folder
    for who in (caller, later.caller("clearing")):
        assert_problem(who.submit(scan(3)), 503, "blob_store_unavailable")
        assert_problem(who.batch({"a.png": scan(3)}), 503, "blob_store_unavailable")
    assert not root.exists() or not list(root.iterdir())
    with pytest.raises(BlobStoreUnavailable):
        later.services.blobs.reach(gone["sha256"])

    if mount_point:
        root.rmdir()
    (tmp_path / "aside").rename(root)
    assert later.caller("clearing").submit(scan(3)).status_code == 202
    assert caller.get(f"/v1/documents/{kept['id']}/original").data == scan(2)
    due = store.removals.due(now=datetime.now(UTC), retry_seconds=60, limit=10)
    assert store.removals.work_off(due, later.services.blobs.delete) == {gone["sha256"]}
    assert not later.services.blobs.exists(gone["sha256"])


def test_the_first_scans_of_all_may_arrive_together(
    start_service: StartService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start_service()
    caller, other, asked = service.caller("clearing"), service.caller("audit"), Store.refers_to_blobs

    def after_another(store: Store) -> bool:
        monkeypatch.setattr(Store, "refers_to_blobs", asked)
        assert other.submit(scan(1)).status_code == 202
        return asked(store)

    monkeypatch.setattr(Store, "refers_to_blobs", after_another)
    assert caller.submit(scan(2)).status_code == 202


def test_a_deletion_in_whose_middle_the_blob_store_goes_away_is_finished_later(
    service: Service, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = caller.submit().json
    path = f"/v1/documents/{document['id']}"

    def silent(_store: BlobStore, _sha256: str) -> None:
        raise BlobStoreUnavailable

    with monkeypatch.context() as away:
        away.setattr(BlobStore, "delete", silent)
        assert caller.call("DELETE", path).status_code == 204
    assert caller.get(path).status_code == 404
    blobs, removals = service.services.blobs, service.services.store.removals
    assert blobs.exists(document["sha256"])
    assert removals.work_off(removals.due(now=datetime.now(UTC), retry_seconds=60, limit=10), blobs.delete)
    assert not blobs.exists(document["sha256"])


def test_a_missing_or_altered_picture(service: Service, caller: Caller) -> None:
    path = f"/v1/documents/{caller.submit().json['id']}"
    service.read(path.rpartition("/")[2])
    etag = caller.get(f"{path}/pages/0.webp").headers["ETag"].strip('"')
    blob = next((service.services.settings.home / "blobs").rglob(etag))
    blob.write_bytes(b"something else")
    assert_problem(caller.get(f"{path}/pages/0.webp"), 503, BlobAltered.code)
    blob.unlink()
    assert_problem(caller.get(f"{path}/pages/0.webp"), 503, "blob_missing")


@pytest.mark.parametrize("target", ["storage.blobs.BlobStore.put_stream", "werkzeug.wrappers.Request._get_file_stream"])
def test_a_full_disk(target: str, caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        # No disk can be filled here: the two places that write fail as the system would make them.
        raise OSError(errno.ENOSPC, "No space left on device") if "werkzeug" in target else StorageFull

    monkeypatch.setattr(target, full)
    assert_problem(caller.submit(), 503, "storage_full")


@pytest.mark.parametrize("error", [ZeroDivisionError("secret detail"), OSError(errno.EIO, "secret detail")], ids=repr)
def test_what_nobody_foresaw(
    error: Exception, service: Service, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise error

    app = service.client.application
    app.view_functions["service.health"] = fail
    answer = service.client.get("/healthz")
    assert_problem(answer, 500, "internal_error")
    assert "secret" not in answer.text


@pytest.mark.parametrize("status", [400, 401, 403, 408, 418, 500, 503])
def test_errors_of_the_framework_are_problems_too(status: int, service: Service) -> None:
    from flask import abort

    service.client.application.view_functions["service.health"] = lambda: abort(status)
    answer = service.client.get("/healthz")
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"]


def test_every_code_can_be_looked_up(client_get: Callable[[str], TestResponse]) -> None:
    codes = {kind.code for kind in problems.every_kind()}
    assert len(codes) > 25
    for code in codes:
        assert client_get(f"/v1/problems/{code}").json["code"] == code
    assert_problem(client_get("/v1/problems/unheard_of"), 404, "not_found")


def test_the_type_of_a_wrong_method_leads_to_its_explanation(service: Service) -> None:
    answer = service.client.delete("/healthz")
    assert_problem(answer, 405, "method_not_allowed")
    explained = service.client.get(answer.json["type"]).json
    assert (explained["code"], explained["status"]) == ("method_not_allowed", 405)


def test_unavailable_parts_are_worth_a_retry() -> None:
    assert problems.status_of(BrokerUnavailable) == 503


@pytest.fixture
def client_get(service: Service) -> Callable[[str], TestResponse]:
    """GET without a key."""
    client: FlaskClient = service.client
    return client.get


def _now() -> object:
    from datetime import UTC, datetime

    return datetime.now(UTC)
