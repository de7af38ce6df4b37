"""Callbacks reach the hosts that the operator has named, and no others."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.status import Status
from worker import callbacks
from worker.callbacks import CallbackUnanswered, SilentHosts, call_back, callback_pause_seconds, is_allowed


@dataclass
class Receiver:
    """A real HTTP server that notes what it gets and answers as told."""

    port: int = 0
    answer: int = 204
    location: str = ""
    silent: threading.Event = field(default_factory=threading.Event)
    got: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/done"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Start the server."""
    state = Receiver()
    state.silent.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.got.append((self.path, body))
            state.silent.wait(10)
            self.send_response(state.answer)
            if state.location:
                self.send_header("Location", state.location)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield state
        state.silent.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_host_was_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "_silent_hosts", SilentHosts())


def send(receiver: Receiver, hosts: tuple[str, ...] = ("127.0.0.1",)) -> bool:
    return call_back(receiver.url, document_id="abc", status=Status.DONE, hosts=hosts)


def test_a_named_host_is_told_id_and_status(receiver: Receiver) -> None:
    assert send(receiver)
    assert receiver.got == [("/done", {"id": "abc", "status": "done"})]


def test_nobody_else_is_told(receiver: Receiver) -> None:
    assert not send(receiver, hosts=())
    assert not send(receiver, hosts=("example.org",))
    assert receiver.got == []


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answer, receiver.location = 302, f"http://127.0.0.1:{receiver.port}/elsewhere"
    assert not send(receiver)
    assert [path for path, _ in receiver.got] == ["/done"]


@pytest.mark.parametrize("answer", [429, 500, 503])
def test_an_answer_that_invites_another_try(answer: int, receiver: Receiver) -> None:
    receiver.answer = answer
    with pytest.raises(CallbackUnanswered, match=str(answer)):
        send(receiver)


def test_a_refusal_is_final(receiver: Receiver) -> None:
    receiver.answer = 410
    assert not send(receiver)


def test_silence_is_cut_short(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "CALLBACK_TIMEOUT_SECONDS", 0.2)
    receiver.silent.clear()
    with pytest.raises(CallbackUnanswered):
        send(receiver)


def test_a_silent_host_is_not_waited_for_again_at_once(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "CALLBACK_TIMEOUT_SECONDS", 0.2)
    receiver.silent.clear()
    for _ in range(2):
        with pytest.raises(CallbackUnanswered):
            send(receiver)
    assert len(receiver.got) == 1, "the second call was not made"
    with pytest.raises(CallbackUnanswered, match="ConnectError"):
        call_back("http://127.0.0.1:1/", document_id="abc", status=Status.DONE, hosts=("127.0.0.1",))


def test_a_host_that_answers_again_is_called_again(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "CALLBACK_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(callbacks, "SILENCE_SECONDS", 0.0)
    receiver.silent.clear()
    with pytest.raises(CallbackUnanswered):
        send(receiver)
    receiver.silent.set()
    monkeypatch.setattr(callbacks, "CALLBACK_TIMEOUT_SECONDS", 5.0)
    monkeypatch.setattr(callbacks, "SILENCE_SECONDS", 3600.0)
    assert send(receiver)
    assert send(receiver)


def test_a_host_is_silent_for_less_than_the_last_pause() -> None:
    last = callback_pause_seconds(callbacks.MAX_CALLBACK_RETRIES - 1)
    assert last > callbacks.SILENCE_SECONDS + callbacks.CALLBACK_TIMEOUT_SECONDS


def test_nobody_listening_invites_another_try() -> None:
    with pytest.raises(CallbackUnanswered):
        call_back("http://127.0.0.1:1/", document_id="abc", status=Status.FAILED, hosts=("127.0.0.1",))


def test_a_proxy_of_the_environment_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert send(receiver)


@pytest.mark.parametrize(
    ("url", "hosts", "expected"),
    [
        ("http://a.example/x", ("a.example",), True),
        ("https://A.Example:8443/x", ("a.example",), True),
        ("https://a.example:8443/x", ("a.example:8443",), True),
        ("https://a.example:8444/x", ("a.example:8443",), False),
        ("http://b.a.example/", ("a.example",), False),
        ("http://a.example.evil.test/", ("a.example",), False),
        ("http://a.example@evil.test/", ("a.example",), False),
        ("http://user:secret@a.example/", ("a.example",), False),
        ("file://a.example/etc/passwd", ("a.example",), False),
        ("http://[::1", ("a.example",), False),
        ("http://a.example:port/", ("a.example",), False),
        ("", ("",), False),
    ],
)
def test_only_plain_urls_of_named_hosts_are_allowed(url: str, hosts: tuple[str, ...], expected: bool) -> None:
    assert is_allowed(url, hosts=hosts) is expected


def test_pauses_grow() -> None:
    assert [callback_pause_seconds(retries) for retries in range(3)] == [2.0, 8.0, 32.0]
