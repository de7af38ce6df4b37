"""`tallyscan status`: how far a document is, and waiting for its end."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from cli.client import READ_SECONDS, Client, Upload
from cli.replies import Document
from cli.status import _wait_for_document
from core.status import Status
from tests.cli.app_server import AppServer
from tests.factories import png_bytes


def submitted(app: AppServer) -> str:
    with app.client() as client:
        return client.submit(Upload(name="a.png", data=png_bytes("4821"), idempotency_key="first")).id


def status_of(app: AppServer, *arguments: object) -> str:
    where = ["--url", app.endpoint.url, "--key", app.endpoint.key or ""]
    command = [sys.executable, "-m", "cli", "status", *map(str, arguments), "--format", "json", *where]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return str(json.loads(result.stdout)["status"])


def test_waiting_goes_on_when_one_answer_waits_less(start_app: Callable[..., AppServer]) -> None:
    app = start_app(max_wait_seconds=0.1).start()
    document_id = submitted(app)
    timer = threading.Timer(1.0, app.services.store.documents.cancel, (document_id, None))
    timer.start()
    assert status_of(app, document_id, "--wait", 30) == "cancelled"
    timer.join()


def test_waiting_ends_in_time(start_app: Callable[..., AppServer]) -> None:
    app = start_app(max_wait_seconds=0.1).start()
    document_id = submitted(app)
    started = time.monotonic()
    assert status_of(app, document_id, "--wait", 1) == "queued"
    assert 1 <= time.monotonic() - started < 10


def test_without_wait_it_answers_at_once(app: AppServer) -> None:
    assert status_of(app, submitted(app)) == "queued"


def test_a_document_may_be_waited_for_longer_than_one_answer_may_take(
    app: AppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    document = Client.document

    def listen(client: Client, document_id: str, *, wait_seconds: float = 0.0) -> Document:
        asked.append(wait_seconds)
        app.services.store.documents.cancel(document_id, None)
        return document(client, document_id, wait_seconds=wait_seconds)

    monkeypatch.setattr(Client, "document", listen)
    with app.client() as client:
        found = _wait_for_document(client, submitted(app), seconds=100_000)
    assert found.status is Status.CANCELLED
    assert max(asked) < READ_SECONDS
