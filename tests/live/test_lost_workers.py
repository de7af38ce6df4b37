"""Documents that kill whoever reads them, and readers that take too long."""

import contextlib
import threading
from collections.abc import Iterator

import psutil
import pytest

from core.status import Status
from storage.records import Outcome
from tests.live.conftest import StartService
from tests.live.running import RunningService, eventually
from tests.live.scans import crowded_scan, scan, slow_scan

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def service(start_service: StartService) -> RunningService:
    """A service with short leases and one reader."""
    return start_service(worker_concurrency="1", max_attempts="3")


@contextlib.contextmanager
def deadly(service: RunningService, document_id: str) -> Iterator[None]:
    """Kill whoever takes the document, once each time, for as long as the block runs: it is poison to them."""
    over = threading.Event()

    def kill() -> None:
        killed = 0
        with service.store() as store:
            while not over.wait(0.02):
                document = store.documents.get(document_id, owner=None)
                if document.status is Status.RUNNING and document.attempts > killed:
                    killed = document.attempts
                    _kill_readers(service)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()


def test_a_poison_document_ends_as_failed_and_can_be_tried_again(service: RunningService) -> None:
    document_id = service.submit(slow_scan())
    with deadly(service, document_id):
        document = service.ended(document_id, seconds=60)
    assert (document["status"], document["attempts"]) == ("failed", 3)
    assert document["failure"]["code"] == "worker_lost"
    assert document["pages"] == []
    with service.store() as store:
        outcomes = [attempt.outcome for attempt in store.documents.attempts(document_id, None)]
    assert outcomes == [Outcome.LOST] * 3

    assert service.client.post(f"/v1/documents/{document_id}/retry").status_code in {200, 202}
    assert service.ended(document_id, seconds=30)["status"] == "done"


def test_other_documents_are_read_meanwhile(service: RunningService) -> None:
    poison = service.submit(slow_scan())
    with deadly(service, poison):
        text, data = scan(4)
        healthy = service.ended(service.submit(data, type="digits"), seconds=40)
    assert healthy["pages"][0]["fields"][0]["text"] == text
    service.ended(poison, seconds=60)


def test_the_log_names_the_document_over_which_a_reader_died(service: RunningService) -> None:
    document_id = service.submit(slow_scan())
    with deadly(service, document_id):
        eventually(lambda: "worker process lost" in _lines(service, document_id), seconds=20, what="the line")
    service.ended(document_id, seconds=60)


def test_reading_that_takes_too_long_fails_with_a_code(start_service: StartService) -> None:
    service = start_service(
        worker_concurrency="1", soft_time_limit_seconds="1", hard_time_limit_seconds="30", lease_seconds="40"
    )
    document = service.ended(service.submit(crowded_scan()), seconds=30)
    assert (document["status"], document["failure"]["code"]) == ("failed", "time_limit_exceeded")
    text, data = scan(6)
    assert service.ended(service.submit(data, type="digits"))["pages"][0]["fields"][0]["text"] == text


def _kill_readers(service: RunningService) -> None:
    for reader in service.readers():
        with contextlib.suppress(psutil.Error):
            reader.kill()


def _lines(service: RunningService, document_id: str) -> str:
    return "\n".join(line for line in service.log("worker").splitlines() if document_id in line)
