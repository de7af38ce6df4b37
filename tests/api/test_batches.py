"""Batches over HTTP: many files, a ZIP, counts, and the table of readings in which no file is missing."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping

from werkzeug.test import TestResponse

from core.types import Failure, PageReading, Phase
from tests.api.conftest import PAGE, Caller, Service, StartService, scan

COLUMNS = ["file", "page", "field", "type", "text", "value", "confidence", "accepted", "review_reasons"]


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def documents_of(caller: Caller, batch_id: str) -> list[dict[str, str]]:
    return sorted(caller.get(f"/v1/documents?batch={batch_id}").json["documents"], key=lambda d: d["id"])


def test_many_files_become_a_batch(caller: Caller) -> None:
    answer = caller.batch({"a.png": scan(1), "b.png": scan(2)}, name="june", type="digits", target_error="0.02")
    assert answer.status_code == 202
    body = answer.json
    assert (body["name"], body["total"], body["finished"]) == ("june", 2, False)
    assert body["counts"] == {"queued": 2, "running": 0, "done": 0, "failed": 0, "cancelled": 0}
    documents = documents_of(caller, body["id"])
    assert [(d["filename"], d["type"], d["priority"], d["target_error"]) for d in documents] == [
        ("a.png", "digits", "bulk", 0.02),
        ("b.png", "digits", "bulk", 0.02),
    ]
    assert caller.get(answer.headers["Location"]).json == body


def test_a_zip_becomes_a_batch_without_clutter(caller: Caller) -> None:
    files = {"june/a.png": scan(1), "__MACOSX/june/._a.png": b"x", "june/.DS_Store": b"x", "june/Thumbs.db": b"x"}
    body = caller.batch({"scans.zip": zipped({**files, "b.png": scan(2)})}).json
    assert [d["filename"] for d in documents_of(caller, body["id"])] == ["june/a.png", "b.png"]


def test_a_file_that_is_no_image_is_not_lost(caller: Caller) -> None:
    body = caller.batch({"a.png": scan(1), "notes.txt": b"hello", "empty.png": b""}).json
    assert body["total"] == 3
    assert [d["media_type"] for d in documents_of(caller, body["id"])][1:] == ["application/octet-stream"] * 2


def test_a_batch_may_be_filled_later(caller: Caller, stranger: Caller) -> None:
    batch = caller.post("/v1/batches", data={"name": "folder"}).json
    assert (batch["total"], batch["finished"]) == (0, True)
    assert caller.submit(batch=batch["id"]).json["batch_id"] == batch["id"]
    assert stranger.submit(scan(3), batch=batch["id"]).status_code == 404
    assert caller.get(f"/v1/batches/{batch['id']}").json["total"] == 1


def test_a_repeated_request_gives_the_same_batch(caller: Caller) -> None:
    files = {"a.png": scan(1), "b.png": scan(2)}
    first = caller.batch(files, key="k").json
    assert caller.batch(files, key="k").json == first
    assert len(documents_of(caller, first["id"])) == 2
    assert caller.batch({"a.png": scan(1)}, key="k").json["code"] == "idempotency_conflict"


def test_a_form_in_which_no_file_was_chosen_is_an_empty_batch(service: Service, caller: Caller) -> None:
    def sent(*files: str) -> TestResponse:
        parts = [f'Content-Disposition: form-data; name="files"; filename={file}\r\n' for file in files]
        body = "".join(f"--x\r\n{part}\r\n\r\n" for part in ('Content-Disposition: form-data; name="name"\r\n', *parts))
        return caller.post("/v1/batches", data=f"{body}--x--\r\n", content_type="multipart/form-data; boundary=x")

    answer = sent('""')
    assert (answer.status_code, answer.json["total"], answer.json["finished"]) == (202, 0, True)
    assert sent('""', '"empty.png"').json["total"] == 1


def test_a_request_that_broke_off_is_completed_by_its_repetition(service: Service, caller: Caller) -> None:
    files = {"a.png": scan(1), "b.png": scan(2)}
    batch = caller.batch(files, key="k").json
    gone = documents_of(caller, batch["id"])[1]["id"]  # as if the process had died before the second one
    service.services.store.documents.delete(gone, "clearing")
    assert caller.batch(files, key="k").json["total"] == 2


def test_a_batch_is_waited_for(service: Service, caller: Caller) -> None:
    batch = caller.batch({"a.png": scan(1)}).json
    path = f"/v1/batches/{batch['id']}"
    tag = caller.get(path).headers["ETag"]
    assert caller.get(path, headers={"If-None-Match": tag}).status_code == 304
    service.read(documents_of(caller, batch["id"])[0]["id"])
    answer = caller.get(f"{path}?wait=5", headers={"If-None-Match": tag})
    assert answer.json["finished"] is True
    assert answer.json["counts"]["done"] == 1


def test_no_file_is_missing_from_the_table(service: Service, caller: Caller) -> None:
    batch = caller.batch({f"{name}.png": scan(seed) for seed, name in enumerate("abcd")}).json
    read, broken, cancelled, _ = (d["id"] for d in documents_of(caller, batch["id"]))
    failure = Failure(code="unreadable_image", phase=Phase.DECODE, message="Cut short.", retryable=False)
    service.read(read, PAGE, PageReading(1, 0, 0, failure=failure), PageReading(2, 9, 9))
    service.read(broken, PageReading(0, 0, 0, failure=failure))
    caller.post(f"/v1/documents/{cancelled}/cancel")
    answer = caller.get(f"/v1/batches/{batch['id']}/results.csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == f"attachment; filename={batch['id']}.csv"
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert rows == [
        COLUMNS,
        ["a.png", "1", "page", "digits", "42", "42", "0.990000", "true", ""],
        ["a.png", "2", "", "", "", "", "", "false", "unreadable_image"],
        ["a.png", "3", "", "", "", "", "", "false", "empty"],
        ["b.png", "", "", "", "", "", "", "false", "unreadable_image"],
        ["c.png", "", "", "", "", "", "", "false", "cancelled"],
        ["d.png", "", "", "", "", "", "", "false", "queued"],
    ]


def test_json_lines_hold_whole_documents(service: Service, caller: Caller) -> None:
    batch = caller.batch({"a.png": scan(1), "b.png": scan(2)}).json
    first = documents_of(caller, batch["id"])[0]["id"]
    service.read(first)
    lines = caller.get(f"/v1/batches/{batch['id']}/results.jsonl").text.splitlines()
    assert len(lines) == 2
    assert json.loads(lines[0]) == caller.get(f"/v1/documents/{first}").json


def test_results_are_streamed(service: Service, caller: Caller) -> None:
    batch = caller.batch({"a.png": scan(1), "b.png": scan(2)}).json
    answer = caller.get(f"/v1/batches/{batch['id']}/results.csv", buffered=False)
    chunks = answer.iter_encoded()
    assert next(chunks).startswith(b"file,page")
    assert len(list(chunks)) == 2
    answer.close()


def test_recent_batches_come_newest_first(caller: Caller, stranger: Caller) -> None:
    ids = [caller.post("/v1/batches", data={"name": str(n)}).json["id"] for n in range(3)]
    assert [b["id"] for b in caller.get("/v1/batches?limit=2").json["batches"]] == ids[:0:-1]
    assert stranger.get("/v1/batches").json == {"batches": []}


def test_unsafe_archives_leave_nothing_behind(service: Service, caller: Caller) -> None:
    for name in ("../a.png", "/etc/a.png", "C:/a.png", "inner.zip"):
        answer = caller.batch({"scans.zip": zipped({"good.png": scan(1), name: scan(2)})})
        assert (answer.status_code, answer.json["code"]) == (422, "archive_rejected"), name
    assert caller.get("/v1/batches").json == {"batches": []}
    assert not list(service.services.settings.home.glob("blobs/*/*/*"))


def test_a_zip_comes_alone(caller: Caller) -> None:
    answer = caller.batch({"a.png": scan(1), "b.zip": zipped({"b.png": scan(2)})})
    assert answer.json["code"] == "archive_rejected"


def test_limits_of_a_batch(start_service: StartService) -> None:
    service = start_service(max_batch_files=2, max_file_bytes=200_000)
    caller = service.caller("clearing")
    three = {f"{n}.png": scan(n) for n in range(3)}
    assert caller.batch(three).json["code"] == "invalid_request"
    assert caller.batch({"three.zip": zipped(three)}).json["code"] == "archive_rejected"
    large = caller.batch({"a.png": scan(1), "large.png": scan(2) + bytes(200_000)})
    assert (large.status_code, large.json["code"]) == (413, "payload_too_large")
    assert "large.png" in large.json["detail"]
    assert caller.get("/v1/batches").json == {"batches": []}
