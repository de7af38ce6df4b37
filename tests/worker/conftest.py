"""A desk with a real database, blobs, network and broker, and no Celery worker: tests do the worker's part."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.supervisor.roles import broker_role
from core.errors import BrokerUnavailable
from core.queue import Dispatcher
from core.settings import Settings
from core.status import Priority
from storage import migrate
from storage.records import DocumentRecord, NewDocument
from tests.factories import png_bytes
from tests.live.running import eventually
from worker.desk import Desk, open_desk

Submit = Callable[..., DocumentRecord]


@pytest.fixture(scope="session")
def broker_home() -> Iterator[Path]:
    """A folder with a running Valkey in it."""
    with tempfile.TemporaryDirectory(prefix="ts-") as folder:
        settings = Settings(home=Path(folder))
        (settings.home / "broker").mkdir()
        with subprocess.Popen(broker_role(settings).command, stdout=subprocess.DEVNULL) as broker:
            try:
                eventually(lambda: _answers(settings), seconds=30, what="the broker to answer")
                yield settings.home
            finally:
                broker.terminate()


@pytest.fixture
def settings(broker_home: Path, tmp_path: Path) -> Settings:
    """Settings of an installation of its own, but for the broker."""
    url = f"redis+socket://{broker_home / 'broker.sock'}"
    limits = {"soft_time_limit_seconds": 10, "hard_time_limit_seconds": 20, "lease_seconds": 30}
    return Settings(home=tmp_path, broker_url=url, redeliver_seconds=30, **limits)  # type: ignore[arg-type]


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    """A worker's desk."""
    migrate.upgrade(settings.resolved_database_url)
    desk = open_desk(settings, worker="test:1")
    drain(desk.dispatcher)
    yield desk
    desk.close()


@pytest.fixture
def submit(desk: Desk) -> Submit:
    """Return a function that stores a document without sending it."""

    def make(
        data: bytes | None = None,
        *,
        type_name: str | None = "digits",
        target_error: float | None = None,
        template: str | None = None,
        expected_micr: str | None = None,
        priority: Priority = Priority.NORMAL,
        sent: bool = False,
    ) -> DocumentRecord:
        data = png_bytes("4711", seed=1) if data is None else data
        new = NewDocument(
            filename="scan.png",
            sha256=desk.blobs.put(data),
            size_bytes=len(data),
            media_type="image/png",
            type_name=type_name,
            target_error=target_error,
            template=template,
            expected_micr=expected_micr,
            priority=priority,
        )
        return desk.store.documents.create(new, owner="me", sent=sent).document

    return make


def _answers(settings: Settings) -> bool:
    dispatcher = Dispatcher(settings)
    try:
        dispatcher.ping()
    except BrokerUnavailable:
        return False
    finally:
        dispatcher.close()
    return True


def drain(dispatcher: Dispatcher) -> int:
    """Throw away what waits in the broker and return how much that was."""
    waiting = sum(dispatcher.backlog().values())
    with dispatcher._app.connection_for_write() as connection:
        for priority in Priority:
            connection.default_channel.queue_purge(str(priority))
    return waiting
