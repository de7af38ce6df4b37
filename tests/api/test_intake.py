"""What an upload leaves behind: its scan whatever is purged meanwhile, and nothing when it is refused."""

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.services import Services
from core.errors import StorageFull
from core.status import Priority
from storage.removals import ARRIVAL_SECONDS
from tests.api.conftest import Caller, Service, StartService, scan
from tests.api.test_batches import documents_of, zipped
from tests.storage.racing import ROOT


def blobs(service: Service) -> list[Path]:
    return list(service.services.settings.home.glob("blobs/*/*/*"))


@pytest.fixture
def purge_before(service: Service, monkeypatch: pytest.MonkeyPatch) -> Callable[[object, str], None]:
    """Return a function that has a document purged just before the call of a repository's method."""

    def arrange(repository: object, document_id: str) -> None:
        create, store = repository.create, service.services.store
        waiting = [document_id]

        def purge_first(*args: object, **options: object) -> object:
            if waiting:
                store.documents.delete(waiting.pop(), None, remove=service.services.blobs.delete)
            return create(*args, **options)

        monkeypatch.setattr(repository, "create", purge_first)

    return arrange


def test_a_purge_in_between_takes_no_scan_from_a_document(
    service: Service, caller: Caller, purge_before: Callable[[object, str], None]
) -> None:
    purge_before(service.services.store.documents, caller.submit(scan(1)).json["id"])
    sent = caller.submit(scan(1)).json
    assert service.services.blobs.get(sent["sha256"]) == scan(1)


@pytest.mark.parametrize("packed", [False, True], ids=["files", "zip"])
def test_a_purge_in_between_takes_no_scan_from_a_batch(
    packed: bool, service: Service, caller: Caller, purge_before: Callable[[object, str], None]
) -> None:
    files = {"a.png": scan(1), "b.png": scan(2), "c.png": scan(2)}
    purge_before(service.services.store.batches, caller.submit(scan(2)).json["id"])
    batch = caller.batch({"scans.zip": zipped(files)} if packed else files).json
    stored = [service.services.blobs.get(d["sha256"]) for d in documents_of(caller, batch["id"])]
    assert stored == list(files.values())


def test_a_refused_file_leaves_nothing_behind(service: Service, caller: Caller, stranger: Caller) -> None:
    theirs = stranger.post("/v1/batches", data={"name": "theirs"}).json["id"]
    answers = [caller.submit(**form) for form in ({"template": "none"}, {"batch": "01NOTHING"}, {"batch": theirs})]
    assert [answer.json["code"] for answer in answers] == ["unknown_template", "not_found", "not_found"]
    assert blobs(service) == []


@pytest.mark.parametrize("files", [{}, {"a.png": scan(1)}, {"a.zip": zipped({"a.png": scan(1)})}], ids=list)
def test_a_refused_batch_leaves_nothing_behind(files: dict[str, bytes], service: Service, caller: Caller) -> None:
    assert caller.batch(files, template="none").json["code"] == "unknown_template"
    assert blobs(service) == []
    assert caller.get("/v1/batches").json == {"batches": []}


def test_a_key_used_before_lets_nothing_else_in(service: Service, caller: Caller) -> None:
    caller.submit(scan(1), key="file")
    caller.batch({"a.png": scan(1)}, key="batch")
    answers = [
        caller.submit(scan(2), key="file"),
        caller.submit(scan(2), key="batch"),
        caller.batch({"a.png": scan(2)}, key="batch"),
        caller.batch({"a.zip": zipped({"a.png": scan(2)})}, key="batch"),
        caller.batch({"a.png": scan(2)}, key="file"),
    ]
    assert [answer.json["code"] for answer in answers] == ["idempotency_conflict"] * 5
    assert len(blobs(service)) == 1
    assert len(caller.get("/v1/batches").json["batches"]) == 1


def test_reuse_leaves_no_file_out_of_a_batch(service: Service, caller: Caller) -> None:
    alone = caller.submit(scan(1)).json["id"]
    batch = caller.post("/v1/batches", data={"name": "folder"}).json["id"]
    first = caller.submit(scan(1), key="k", batch=batch, duplicates="reuse").json
    assert (first["batch_id"], first["duplicate_of"]) == (batch, alone)
    assert caller.submit(scan(1), name="again.png", batch=batch, duplicates="reuse").json["id"] == first["id"]
    assert caller.submit(scan(1), key="k", batch=batch, duplicates="reuse").json["id"] == first["id"]
    other = caller.submit(scan(1), batch=batch, duplicates="reuse", type="digits").json
    assert {d["id"] for d in documents_of(caller, batch)} == {first["id"], other["id"]}
    caller.post(f"/v1/documents/{first['id']}/cancel")
    assert caller.submit(scan(1), batch=batch, duplicates="reuse").json["id"] not in {alone, first["id"], other["id"]}


def test_reuse_knows_the_versions_of_a_template(service: Service, caller: Caller) -> None:
    batch = caller.post("/v1/batches", data={"name": "folder"}).json["id"]
    form = {"batch": batch, "duplicates": "reuse", "template": "cheque"}
    service.services.store.templates.put("cheque", {"fields": []})
    first = caller.submit(**form).json["id"]
    assert caller.submit(**form).json["id"] == first
    service.services.store.templates.put("cheque", {"fields": [1]})
    assert caller.submit(**form).json["id"] != first


def test_what_was_taken_once_is_not_refused_when_it_is_repeated(start_service: StartService) -> None:
    service = start_service(max_queued_documents=2)
    caller = service.caller("clearing")
    service.services.store.templates.put("cheque", {"fields": []})
    first = caller.submit(key="file", template="cheque").json["id"]
    batch = caller.batch({"a.png": scan(2)}, key="batch", template="cheque").json["id"]
    service.services.store.templates.remove("cheque")
    service.services.queued_count._until = 0.0  # the count is as old as it may be
    assert caller.submit().json["code"] == "queue_full"
    assert caller.submit(key="file", template="cheque").json["id"] == first
    assert caller.batch({"a.png": scan(2)}, key="batch", template="cheque").json["id"] == batch
    assert caller.submit(key="file").json["code"] == "idempotency_conflict"
    assert caller.batch({"a.png": scan(3)}, key="batch", template="cheque").json["code"] == "idempotency_conflict"
    assert len(blobs(service)) == 2


@pytest.fixture
def ended(caller: Caller) -> str:
    """The id of a document that has ended."""
    document_id = str(caller.submit().json["id"])
    assert caller.post(f"/v1/documents/{document_id}/cancel").status_code == 200
    return document_id


def unsent(service: Service) -> list[str]:
    found = service.services.store.claims.due(now=datetime.now(UTC), redeliver_seconds=3600, limit=9)
    return [delivery.document_id for delivery in found]


def test_what_is_given_back_before_the_call_returns_is_not_taken_for_sent(
    service: Service, caller: Caller, ended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = service.services.store.claims

    def send(document_id: str, **_: object) -> bool:
        claim = claims.claim_document(document_id, worker="hasty", lease_seconds=30)
        assert claim is not None
        return claims.release(claim)

    monkeypatch.setattr(service.services, "send", send)
    assert caller.post(f"/v1/documents/{ended}/retry").status_code == 202
    assert unsent(service) == [ended]


def test_what_is_sent_again_counts_as_sent_before_it_goes(
    service: Service, caller: Caller, ended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = []

    def send(_: str, **__: object) -> bool:
        counted.append(service.services.store.claims.sent_counts()[Priority.NORMAL])
        return True

    monkeypatch.setattr(Services, "broker_expected", True)
    monkeypatch.setattr(service.services, "send", send)
    assert caller.post(f"/v1/documents/{ended}/retry").status_code == 202
    assert (counted, unsent(service)) == ([1], [])


def test_what_could_not_be_sent_again_is_left_to_the_sweeper(service: Service, caller: Caller, ended: str) -> None:
    assert caller.post(f"/v1/documents/{ended}/retry").status_code == 202
    assert unsent(service) == [ended]


KILLED_BEFORE_THE_ROW = """
import io, os, signal, sys
from pathlib import Path
from werkzeug.datastructures import FileStorage
from api.intake import Order, submit_file
from api.services import Services
from core.settings import Settings
from storage.documents import Documents

Documents.create = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
scan = sys.stdin.buffer.read()
submit_file(Services(Settings(home=Path(sys.argv[1]))), FileStorage(io.BytesIO(scan), "a.png"), Order(owner="me"))
"""


def test_the_scan_of_a_server_that_was_killed_is_removed_unless_it_was_sent_again(
    service: Service, caller: Caller
) -> None:
    store = service.services.store
    for seed in (1, 2):
        program = [sys.executable, "-c", KILLED_BEFORE_THE_ROW, str(service.services.settings.home)]
        ended = subprocess.run(program, input=scan(seed), cwd=ROOT, check=False, timeout=60)
        assert ended.returncode == -signal.SIGKILL
    assert len(blobs(service)) == 2
    sent_again = caller.submit(scan(2)).json["sha256"]
    later = datetime.now(UTC) + timedelta(seconds=ARRIVAL_SECONDS + 60)
    assert store.arrivals.give_up(now=later, limit=10) == 2
    due = store.removals.due(now=later, retry_seconds=0.0, limit=10)
    assert len(store.removals.work_off(due, service.services.blobs.delete)) == 1
    assert [file.name for file in blobs(service)] == [sent_again]


def test_what_fails_after_its_scan_was_stored_leaves_an_order_to_remove_it(
    service: Service, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*_args: object, **_options: object) -> None:
        raise StorageFull

    monkeypatch.setattr(service.services.store.documents, "create", fill)
    assert caller.submit(scan(1)).status_code == 503
    due = service.services.store.removals.due(now=datetime.now(UTC), retry_seconds=0.0, limit=10)
    assert due == [file.name for file in blobs(service)]
    assert len(due) == 1


@pytest.mark.parametrize("packed", [False, True], ids=["files", "zip"])
def test_a_scan_that_is_gone_when_its_row_is_there_is_stored_again(
    packed: bool, service: Service, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a.png": scan(1), "b.png": scan(2), "c.png": scan(2)}
    create = service.services.store.batches.create

    def create_late(*args: object, **options: object) -> object:
        for file in blobs(service):  # as after an hour, in which the process was halted
            file.unlink()
        return create(*args, **options)

    monkeypatch.setattr(service.services.store.batches, "create", create_late)
    batch = caller.batch({"scans.zip": zipped(files)} if packed else files).json
    stored = [service.services.blobs.get(d["sha256"]) for d in documents_of(caller, batch["id"])]
    assert stored == list(files.values())
