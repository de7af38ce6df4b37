"""`tallyscan status`: how far a document is, and waiting for its end."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from cli.client import Upload
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
