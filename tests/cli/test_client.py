"""The client against the real application over real HTTP: answers, refusals, waiting, coming back."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.client import Client, Upload
from cli.endpoint import Endpoint, announced_url, find_endpoint
from cli.patience import Interrupted, Patience
from cli.supervisor.home import locked
from core.errors import (
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    ServiceUnreachable,
    Unauthorized,
    UnsupportedMediaType,
)
from core.settings import Settings
from core.status import Priority, Status
from tests.cli.app_server import AppServer
from tests.factories import png_bytes

SCAN = png_bytes("4821")


def upload(key: str = "first", **changes: object) -> Upload:
    values: dict[str, object] = {"name": "a.png", "data": SCAN, "idempotency_key": key, **changes}
    return Upload(**values)  # type: ignore[arg-type]


def test_a_document_goes_and_comes_back(app: AppServer) -> None:
    with app.client() as client:
        sent = client.submit(upload(type_name="digits", priority=Priority.HIGH, tags=("one", "two")))
        found = client.document(sent.id)
    assert (found.id, found.filename, found.status, found.type) == (sent.id, "a.png", Status.QUEUED, "digits")
    stored = app.services.store.documents.get(sent.id, None)
    assert (stored.priority, stored.tags) == (Priority.HIGH, ("one", "two"))


def test_a_target_error_goes_and_comes_back(app: AppServer) -> None:
    with app.client() as client:
        sent = [client.submit(upload(str(share), target_error=share)) for share in (0.1 + 0.2, None)]
        assert [client.document(each.id).target_error for each in sent] == [0.1 + 0.2, None]
        with pytest.raises(InvalidRequest, match="target_error"):
            client.submit(upload("other", target_error=0.6))


def test_the_same_key_sends_nothing_twice(app: AppServer) -> None:
    with app.client() as client:
        assert client.submit(upload()).id == client.submit(upload()).id
        with pytest.raises(IdempotencyConflict):
            client.submit(upload(data=png_bytes("1")))
    assert len(app.documents()) == 1


def test_duplicates_are_named_or_reused(app: AppServer) -> None:
    with app.client() as client:
        first = client.submit(upload())
        assert client.submit(upload("second")).duplicate_of == first.id
        assert client.submit(upload("third", reuse_duplicates=True)).id in app.documents()
    assert len(app.documents()) == 2


def test_a_batch_is_made_empty_filled_and_streamed(app: AppServer) -> None:
    with app.client() as client:
        batch = client.create_batch("monday", idempotency_key="b")
        assert client.create_batch("monday", idempotency_key="b").id == batch.id
        sent = [client.submit(upload(str(number), batch_id=batch.id)).id for number in range(3)]
        assert (client.batch(batch.id).total, client.batch(batch.id).finished_count) == (3, 0)
        assert [document.id for document in client.batch_documents(batch.id)] == sent


def test_problems_become_errors_of_the_tree(app: AppServer) -> None:
    with app.client() as client:
        with pytest.raises(NotFound):
            client.document("01JUNKNOWN")
        with pytest.raises(UnsupportedMediaType):
            client.submit(upload(data=b"no scan"))
        with pytest.raises(InvalidRequest, match="type"):
            client.submit(upload("other", type_name="runes"))
        with pytest.raises(NotFound):
            list(client.batch_documents("01JUNKNOWN"))
    with Client(Endpoint(app.endpoint.url, "wrong")) as stranger, pytest.raises(Unauthorized):
        stranger.session()


def test_session_limits_and_readiness(app: AppServer) -> None:
    with app.client() as client:
        assert client.session().owner == "admin"
        assert client.limits().max_file_bytes == app.settings.max_file_bytes
        assert client.ready()["checks"]["database"] == "ok"


def test_without_patience_an_absent_service_is_told_at_once(start_app: Callable[..., AppServer]) -> None:
    with start_app().client() as client, pytest.raises(ServiceUnreachable, match=client.endpoint.url):
        client.limits()


def test_a_service_that_comes_back_is_waited_for(start_app: Callable[..., AppServer]) -> None:
    server = start_app()
    said: list[str] = []

    def notice(line: str) -> None:
        if not said:
            server.start()
        said.append(line)

    with server.client(Patience(limit_seconds=30, notice=notice)) as client:
        assert client.submit(upload()).status is Status.QUEUED
    assert said[0].startswith("waiting for the service")
    assert said[1:] == ["the service answers again"]


def test_patience_with_an_absent_service_ends(start_app: Callable[..., AppServer]) -> None:
    with start_app().client(Patience(limit_seconds=0.6)) as client, pytest.raises(ServiceUnreachable):
        client.limits()


def test_a_full_queue_is_waited_out_and_nothing_is_lost(start_app: Callable[..., AppServer]) -> None:
    server = start_app(max_queued_documents=2).start()
    said: list[str] = []

    def make_room(line: str) -> None:
        said.append(line)
        for document_id in server.documents():
            if server.services.store.documents.get(document_id, None).status is Status.QUEUED:
                server.services.store.documents.cancel(document_id, None)

    with server.client(Patience(limit_seconds=1.0, notice=make_room)) as client:
        # The count of waiting documents is up to a second old, so a few more may slip in.
        sent: list[str] = []
        while not said:
            sent.append(client.submit(upload(str(len(sent)))).id)
    assert "Too many documents" in said[0]
    assert server.documents() == sent


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_readings_are_asked_for_again_when_the_service_is_away(status: int, app: AppServer) -> None:
    with app.client(Patience(limit_seconds=30)) as client:
        batch = client.create_batch("monday", idempotency_key="b")
        sent = client.submit(upload(batch_id=batch.id)).id
        app.refusals = [status, status]
        assert [document.id for document in client.batch_documents(batch.id)] == [sent]
    assert app.refusals == []


def test_without_patience_readings_of_an_absent_service_are_told_at_once(app: AppServer) -> None:
    with app.client() as client:
        batch = client.create_batch("monday", idempotency_key="b")
        app.refusals = [503]
        with pytest.raises(ServiceUnreachable):
            list(client.batch_documents(batch.id))


def test_a_stop_wakes_whoever_waits(start_app: Callable[..., AppServer]) -> None:
    caught: list[BaseException] = []
    waiting = threading.Event()
    patience = Patience(limit_seconds=60, notice=lambda _line: waiting.set())

    def call() -> None:
        with start_app().client(patience) as client:
            try:
                client.limits()
            except Interrupted as error:
                caught.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    assert waiting.wait(10)
    patience.stopped.set()
    thread.join(10)
    assert not thread.is_alive()
    assert len(caught) == 1


def test_another_program_at_the_address_is_no_service(start_app: Callable[..., AppServer], app: AppServer) -> None:
    with Client(Endpoint(f"{app.endpoint.url}/static", app.endpoint.key)) as client, pytest.raises(NotFound):
        client.limits()


@contextmanager
def announced(home: Path, url: str) -> Iterator[None]:
    """What a running service holds in its home folder; its files stay when it ends."""
    (home / "admin.key").write_text("secret\n")
    with locked(home) as announce:
        announce(url)
        yield
    (home / "supervisor.lock").write_text(json.dumps({"pid": 1, "url": url}))


def test_the_service_on_this_machine_is_found_with_its_key(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, port=8099)
    assert find_endpoint(settings) == Endpoint("http://127.0.0.1:8099", None)
    with announced(tmp_path, "http://127.0.0.1:4711"):
        assert find_endpoint(settings) == Endpoint("http://127.0.0.1:4711", "secret")
        assert find_endpoint(settings, url="http://127.0.0.1:4711/") == Endpoint("http://127.0.0.1:4711", "secret")


def test_the_key_stays_here_when_the_service_was_killed(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, port=8099)
    with announced(tmp_path, "http://127.0.0.1:4711"):
        pass
    assert announced_url(settings) is None
    assert find_endpoint(settings) == Endpoint("http://127.0.0.1:8099", None)
    assert find_endpoint(settings, url="http://127.0.0.1:4711").key is None
    assert find_endpoint(settings, url="http://127.0.0.1:8099").key is None


def test_asking_for_the_service_leaves_its_lock_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    for _ in range(2):
        assert announced_url(settings) is None
        with announced(tmp_path, "http://127.0.0.1:4711"):
            assert announced_url(settings) == announced_url(settings) == "http://127.0.0.1:4711"


def test_the_key_of_this_machine_goes_nowhere_else(tmp_path: Path) -> None:
    with announced(tmp_path, "http://127.0.0.1:4711"):
        assert find_endpoint(Settings(home=tmp_path), url="https://elsewhere.example").key is None
    assert "secret" not in repr(Endpoint("http://a", "secret"))
