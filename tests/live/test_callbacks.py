"""Callbacks of the real service: a receiver that never answers holds up neither readers nor other receivers."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.live.conftest import StartService
from tests.live.running import RunningService, eventually
from tests.live.scans import scan
from worker.callbacks import CALLBACK_TIMEOUT_SECONDS

pytestmark = pytest.mark.live

DOCUMENTS = 12


@pytest.fixture(scope="module")
def service(start_service: StartService) -> RunningService:
    """A service with one reader, which may call receivers on this machine."""
    return start_service(worker_concurrency="1", callback_hosts="127.0.0.1")


@pytest.fixture
def silent_url() -> Iterator[str]:
    """URL of a receiver that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as receiver:
        yield f"http://127.0.0.1:{receiver.getsockname()[1]}/done"


@pytest.fixture
def told() -> Iterator[tuple[str, set[str]]]:
    """URL of a receiver that answers at once, and the ids of which it was told."""
    ids: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            ids.add(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["id"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/done", ids
        server.shutdown()
        thread.join()


def test_documents_are_read_while_a_receiver_never_answers(service: RunningService, silent_url: str) -> None:
    service.ended(service.submit(scan(0)[1], type="digits"))  # the reader has its network
    began = time.monotonic()
    ids = [
        service.submit(scan(number)[1], type="digits", callback_url=silent_url, priority="bulk")
        for number in range(DOCUMENTS)
    ]
    for document_id in ids:
        service.ended(document_id, seconds=DOCUMENTS * CALLBACK_TIMEOUT_SECONDS)
    assert time.monotonic() - began < 2 * CALLBACK_TIMEOUT_SECONDS, "readers have waited for the receiver"
    urgent = time.monotonic()
    service.ended(service.submit(scan(1)[1], type="digits", priority="high"))
    assert time.monotonic() - urgent < CALLBACK_TIMEOUT_SECONDS / 2


def test_another_receiver_is_told_meanwhile(
    service: RunningService, silent_url: str, told: tuple[str, set[str]]
) -> None:
    url, ids = told
    for number in range(DOCUMENTS):
        service.submit(scan(number)[1], type="digits", callback_url=silent_url)
    heard = [service.submit(scan(number)[1], type="digits", callback_url=url) for number in range(4)]
    eventually(lambda: ids >= set(heard), seconds=4 * CALLBACK_TIMEOUT_SECONDS, what="the other receiver to be told")
    assert "callback sent" in service.log("caller")


def test_a_caller_that_dies_is_started_again(service: RunningService, told: tuple[str, set[str]]) -> None:
    url, ids = told
    before = eventually(lambda: service.child("caller"), seconds=15, what="the caller")
    before.kill()
    document_id = service.submit(scan(2)[1], type="digits", callback_url=url)
    eventually(lambda: document_id in ids, seconds=30, what="the receiver to be told")
    after = service.child("caller")
    assert after is not None
    assert after.pid != before.pid


def test_a_stop_does_not_wait_for_a_silent_receiver(service: RunningService, silent_url: str) -> None:
    for number in range(4):
        service.ended(service.submit(scan(number)[1], type="digits", callback_url=silent_url))
    assert service.stop(seconds=10) == 0


def test_without_callback_hosts_nobody_waits_to_call(start_service: StartService) -> None:
    quiet = start_service()
    eventually(lambda: quiet.child("worker"), seconds=15, what="the worker")
    assert quiet.child("caller") is None
