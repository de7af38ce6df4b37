"""The interface as it runs: real gunicorn processes on one database, asked by many at once."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from core.settings import Settings
from storage.store import Store
from tests.api.conftest import scan

START_SECONDS = 60.0


@dataclass
class Server:
    """A running gunicorn with two processes."""

    url: str
    secret: str
    store: Store
    process: subprocess.Popen[bytes]

    @property
    def headers(self) -> dict[str, str]:
        """What signs a request."""
        return {"Authorization": f"Bearer {self.secret}"}

    def submit(self, data: bytes, *, key: str) -> httpx2.Response:
        """Submit a file under an idempotency key."""
        headers = {**self.headers, "Idempotency-Key": key}
        files = {"file": ("a.png", data, "image/png")}
        return httpx2.post(f"{self.url}/v1/documents", files=files, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, migrated: Path, project_root: Path) -> Iterator[Server]:
    """Start gunicorn the way the supervisor does; no broker runs."""
    home = tmp_path_factory.mktemp("gunicorn")
    (home / migrated.name).write_bytes(migrated.read_bytes())
    store = Store.open(Settings(home=home))
    _, secret = store.keys.create(owner="clearing", name="clearing", scopes=["submit", "read"])
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    os.set_inheritable(listener.fileno(), True)
    command = [
        "-m",
        "gunicorn",
        "-c",
        "python:api.gunicorn_conf",
        "--bind",
        f"fd://{listener.fileno()}",
        "api.wsgi:app",
    ]
    environment = {
        **os.environ,
        "TALLYSCAN_HOME": str(home),
        "TALLYSCAN_API_WORKERS": "2",
        "TALLYSCAN_API_THREADS": "8",
    }
    environment |= {"TALLYSCAN_MAX_FILE_BYTES": "3000000", "TALLYSCAN_MAX_WAIT_SECONDS": "30"}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=project_root, env=environment, stderr=log, pass_fds=[listener.fileno()]
        )
    listener.close()
    try:
        _wait_until_alive(url, process, home / "log")
        yield Server(url, secret, store, process)
    finally:
        process.terminate()
        process.wait(30)
        store.dispose()


def _wait_until_alive(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(f"{url}/healthz", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    pytest.fail(f"gunicorn did not come up: {log.read_text()}")


def test_twenty_equal_posts_at_once_make_one_document(server: Server) -> None:
    data = scan(1)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: server.submit(data, key="race"), range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(server.store.documents.recent(owner="clearing", limit=50)) == 1


def test_twenty_different_posts_under_one_key_make_one_document(server: Server) -> None:
    bodies = [scan(100 + number) for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda data: server.submit(data, key="clash"), bodies))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [202] + [409] * 19
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"idempotency_conflict"}


def test_a_proxys_word_for_https_is_taken_where_it_is_trusted(server: Server) -> None:
    (key,) = server.store.keys.list()
    cookies = []
    for headers in ({}, {"X-Forwarded-Proto": "https"}):
        token = server.store.login_tokens.create(key.id, 60)
        answer = httpx2.get(f"{server.url}/login?token={token}", headers=headers, follow_redirects=False)
        cookies.append("Secure" in answer.headers["Set-Cookie"])
    assert cookies == [False, True]  # from 127.0.0.1, which gunicorn trusts unless FORWARDED_ALLOW_IPS says otherwise


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_that_is_too_large_gets_its_answer(chunked: bool, server: Server) -> None:
    boundary = "x" * 20
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'.encode()
    size = 5_000_000
    headers = {**server.headers, "Content-Type": f"multipart/form-data; boundary={boundary}"}
    if not chunked:
        headers["Content-Length"] = str(len(head) + size)

    def body() -> Iterator[bytes]:
        yield head
        for _ in range(size // 50_000):
            yield bytes(50_000)

    answer = httpx2.post(f"{server.url}/v1/documents", content=body(), headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


IMPATIENT = """
import api.gunicorn_conf
from api.gunicorn_conf import *
api.gunicorn_conf.SILENCE_SECONDS = 0.5
workers, threads = 1, 2
"""


@pytest.fixture
def impatient(server: Server, project_root: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Start a gunicorn of two threads that waits half a second for a silent peer; return its address and log."""
    (tmp_path / "conf.py").write_text(IMPATIENT)
    log, home = tmp_path / "log", server.store._database.engine.url.database
    environment = {**os.environ, "TALLYSCAN_HOME": str(Path(str(home)).parent), "PYTHONPATH": str(project_root)}
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("wb") as stream:
        os.set_inheritable(listener.fileno(), True)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = ["-m", "gunicorn", "-c", str(tmp_path / "conf.py"), "--no-control-socket"]
        process = subprocess.Popen(
            [sys.executable, *command, "--bind", f"fd://{listener.fileno()}", "api.wsgi:app"],
            cwd=project_root, env=environment, stderr=stream, stdout=stream, pass_fds=[listener.fileno()],
        )  # fmt: skip
    try:
        _wait_until_alive(url, process, log)
        yield url, log
    finally:
        process.terminate()
        process.wait(30)


def _connect(url: str, *, buffer_bytes: int = 4096) -> socket.socket:
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    host, port = url.removeprefix("http://").split(":")
    peer.connect((host, int(port)))
    return peer


UPLOAD = "POST /v1/documents HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
UNFINISHED = {
    "line": "GET /healthz HT",
    "body": f"{UPLOAD}Content-Length: 100000\r\n\r\n--b\r\n",
    "chunked": f"{UPLOAD}Transfer-Encoding: chunked\r\n\r\n5\r\n--b\r\n\r\n",
    "download": "GET /v1/documents/{id}/original HTTP/1.1\r\nHost: x\r\n",
}


@pytest.mark.parametrize("kind", UNFINISHED)
def test_silent_peers_hold_no_thread(kind: str, server: Server, impatient: tuple[str, Path]) -> None:
    url, log = impatient
    sent = UNFINISHED[kind]
    if kind == "download":
        large = server.submit(scan(3) + os.urandom(2_900_000), key="large").json()["id"]
        sent = sent.format(id=large) + f"Authorization: Bearer {server.secret}\r\n\r\n"
    elif kind != "line":
        sent = sent.replace("Host: x", f"Host: x\r\nAuthorization: Bearer {server.secret}")
    peers = [_connect(url) for _ in range(4)]
    for peer in peers:
        peer.sendall(sent.encode())
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            if httpx2.get(f"{url}/healthz", timeout=5).status_code == 200:
                break
        except httpx2.TransportError:
            continue
    else:
        pytest.fail("the silent peers hold every thread")
    for peer in peers:
        peer.close()
    written = log.read_text()
    for word in ("Socket error", "Error handling request", "unforeseen error", '"status": 500'):
        assert word not in written, written


def test_a_slow_upload_and_a_slow_download_get_through(server: Server, impatient: tuple[str, Path]) -> None:
    url, _ = impatient
    data = scan(4) + os.urandom(2_900_000)
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'

    def body() -> Iterator[bytes]:
        for piece in (
            head,
            *(data[start : start + 500_000] for start in range(0, len(data), 500_000)),
            b"\r\n--b--\r\n",
        ):
            time.sleep(0.2)  # two seconds in all, and never silent for long
            yield piece

    headers = {**server.headers, "Content-Type": "multipart/form-data; boundary=b"}
    document = httpx2.post(f"{url}/v1/documents", content=body(), headers=headers, timeout=30)
    assert document.status_code == 202
    with _connect(url, buffer_bytes=65_536) as peer:
        path = f"/v1/documents/{document.json()['id']}/original"
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode())
        peer.sendall(f"Authorization: Bearer {server.secret}\r\n\r\n".encode())
        received = bytearray()
        while piece := peer.recv(50_000):
            received += piece
            time.sleep(0.03)
    assert received.endswith(data)


def test_a_stop_ends_long_polls_with_an_answer(server: Server) -> None:  # the last test: it stops the server
    document_id = server.submit(scan(7), key="poll").json()["id"]
    with ThreadPoolExecutor(1) as pool:
        url = f"{server.url}/v1/documents/{document_id}?wait=30"
        poll = pool.submit(httpx2.get, url, headers=server.headers, timeout=40)
        time.sleep(1.0)  # the poll must have begun, and nothing outside the server shows that it has
        began = time.monotonic()
        server.process.terminate()
        assert poll.result(timeout=30).json()["status"] == "queued"
        server.process.wait(20)
    assert time.monotonic() - began < 8
