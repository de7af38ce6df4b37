"""`tallyscan up` from start to stop: what it starts, what it refuses, and that nothing is left behind."""

import contextlib
import io
import json
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import httpx2
import numpy as np
import psutil
import pytest
from PIL import Image

from tests.factories import tiff_bytes
from tests.live.conftest import StartService
from tests.live.running import RunningService, eventually
from tests.live.scans import scan, slow_scan
from tests.model.micr import cheques

pytestmark = pytest.mark.live


def gone(processes: list[psutil.Process]) -> Callable[[], bool]:
    return lambda: not any(process.is_running() and process.status() != "zombie" for process in processes)


def test_a_scan_is_read(service: RunningService) -> None:
    text, data = scan(0)
    document = service.ended(service.submit(data, type="digits"))
    assert document["status"] == "done"
    assert document["attempts"] == 1
    assert document["pages"][0]["fields"][0]["text"] == text


def test_the_template_of_a_cheque_is_chosen(service: RunningService) -> None:
    text = cheques.US.format(routing="322271779", account="4192580", cheque_number="1005")
    data = cv2.imencode(".png", cheques.cheque(text, width=1500).pixels)[1].tobytes()
    document = service.ended(service.submit(data, template="auto"))
    assert (document["status"], document["template"]) == ("done", {"name": "cheque-us", "version": 1})
    fields = {field["name"]: field["text"] for field in document["pages"][0]["fields"]}
    assert fields["micr_routing"] == "322271779"
    assert document["pages"][0]["registration"]["template"] == document["template"]


def test_a_page_of_no_template_says_so(service: RunningService) -> None:
    document = service.ended(service.submit(scan(2)[1], template="auto"))
    assert (document["status"], document["template"]) == ("done", {"name": "auto", "version": None})
    assert all("template_unknown" in field["review_reasons"] for field in document["pages"][0]["fields"])


def test_a_long_document_is_read_page_by_page(service: RunningService) -> None:
    pages = ["314", "1592", "65358", "97", "9323"]
    document = service.ended(service.submit(tiff_bytes(pages, seed=3), filename="long.tif", type="digits"))
    assert document["status"] == "done"
    assert document["progress"] == {"pages_total": 5, "pages_done": 5}
    assert [page["index"] for page in document["pages"]] == [0, 1, 2, 3, 4]
    assert all(page["fields"][0]["text"] for page in document["pages"])


def test_a_scan_of_some_megabytes_is_taken(service: RunningService) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1200, 1600), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    assert len(stream.getvalue()) > 1_500_000
    assert service.ended(service.submit(stream.getvalue(), type="digits"))["status"] == "done"


def test_a_file_that_is_no_image_fails_with_a_code(service: RunningService) -> None:
    data = scan(1)[1]
    document = service.ended(service.submit(data[: len(data) // 3], type="digits"))
    assert (document["status"], document["failure"]["code"]) == ("failed", "unreadable_image")


def test_urgent_documents_overtake_the_others(start_service: StartService) -> None:
    # Two processes would write down by themselves when each began: neighbours could change places.
    service = start_service(worker_concurrency="1")
    worker = eventually(lambda: service.child("worker"), seconds=15, what="the worker")
    worker.suspend()
    try:
        first = [service.submit(scan(number)[1], type="digits") for number in range(4)]  # some are fetched already
        ids = {
            service.submit(scan(number)[1], type="digits", priority=priority): priority
            for priority in ("bulk", "normal", "high")
            for number in range(4)
        }
    finally:
        worker.resume()
    ended = [service.ended(document_id) for document_id in (*first, *ids)]
    order = [ids[each["id"]] for each in sorted(ended, key=lambda each: each["started_at"]) if each["id"] in ids]
    assert order[:4] == ["high"] * 4
    assert order[-4:] == ["bulk"] * 4


def test_home_and_key_are_private(service: RunningService) -> None:
    assert stat.S_IMODE(service.home.stat().st_mode) == 0o700
    assert stat.S_IMODE((service.home / "admin.key").stat().st_mode) == 0o600


def test_the_login_link_works_once(service: RunningService) -> None:
    first = httpx2.get(service.login_link, follow_redirects=False)
    assert first.status_code in {302, 303}
    assert "set-cookie" in first.headers
    assert "set-cookie" not in httpx2.get(service.login_link, follow_redirects=False).headers


def test_every_log_line_of_a_task_names_document_and_attempt(service: RunningService) -> None:
    text, data = scan(5)
    document_id = service.submit(data, type="digits")
    service.ended(document_id)

    def lines() -> list[dict[str, object]]:
        whole = [json.loads(line) for line in service.log("worker").splitlines() if line.startswith("{")]
        return [line for line in whole if "document read" in str(line["event"]) or line.get("document_id")]

    eventually(lambda: any(line.get("document_id") == document_id for line in lines()), seconds=5, what="the line")
    assert [line for line in lines() if not (line.get("document_id") and line.get("attempt"))] == []
    assert [line for line in service.log("worker").splitlines() if "succeeded" in line or "received" in line] == []
    assert text not in service.log("worker")


def test_the_workers_parent_has_not_loaded_opencv(service: RunningService) -> None:
    reader = eventually(service.readers, seconds=10, what="a reader")[0]
    worker = service.child("worker")
    assert worker is not None
    assert any("/cv2/" in mapped.path for mapped in reader.memory_maps()), "the child has, or this test shows nothing"
    heavy = ("/cv2/", "/ai_edge_litert/", "/tensorflow/")
    assert [mapped.path for mapped in worker.memory_maps() if any(name in mapped.path for name in heavy)] == []


def test_a_second_up_on_the_same_home_says_so(service: RunningService) -> None:
    second = subprocess.run(
        service.command, env=service.environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert second.returncode == 1
    assert f"running already, at {service.url}" in second.stderr
    assert service.client.get("/readyz").status_code == 200


@pytest.mark.parametrize("role", ["api", "worker", "beat", "broker"])
def test_what_dies_is_started_again(role: str, service: RunningService) -> None:
    before = eventually(lambda: service.child(role), seconds=15, what=f"{role} to run")
    before.kill()
    after = eventually(
        lambda: (new := service.child(role)) and new.pid != before.pid and new, seconds=15, what=f"{role} to run again"
    )
    assert after.is_running()
    assert f"{role} ended (killed by SIGKILL)" in service.output
    text, data = scan(2)
    eventually(lambda: _ready(service), seconds=20, what="the service to be ready again")
    document = service.ended(service.submit(data, type="digits"), seconds=30)
    assert document["pages"][0]["fields"][0]["text"] == text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_signal_stops_everything(number: signal.Signals, start_service: StartService) -> None:
    service = start_service()
    everything = "supervisor, broker, gunicorn and its worker, worker and two readers, beat"
    eventually(lambda: len(service.processes()) >= 8, seconds=20, what=f"{everything} to run")
    processes = service.processes()
    service.submit(slow_scan())
    assert service.stop(number, seconds=10) == 0
    eventually(gone(processes), seconds=5, what="no orphan to be left")
    assert not (service.home / "broker.sock").exists()


def test_a_broker_of_ones_own_that_is_away_hinders_no_start(start_service: StartService) -> None:
    service = start_service(broker_url="redis://127.0.0.1:1/0")
    assert "amiss: broker (broker_unavailable)" in service.output
    assert service.document(service.submit(scan(0)[1], type="digits"))["status"] == "queued"
    assert service.stop(seconds=10) == 0


def test_stopping_gives_back_what_was_being_read(start_service: StartService) -> None:
    service = start_service(
        soft_time_limit_seconds="45", hard_time_limit_seconds="60", lease_seconds="500", redeliver_seconds="600"
    )
    ids = [service.submit(slow_scan()) for _ in range(5)]
    eventually(lambda: service.document(ids[0])["status"] != "queued", seconds=10, what="reading to begin")
    service.stop(seconds=10)
    with service.store() as store:
        found = [store.documents.get(document_id, owner=None) for document_id in ids]
    assert {str(document.status) for document in found} <= {"queued", "done"}, (
        "nothing is held by a process that is gone"
    )
    assert any(str(document.status) == "queued" for document in found), "or this test shows nothing"
    assert all(document.attempts <= 1 for document in found)
    again = RunningService(service.home, {"sweep_seconds": "0.5"}).start()
    try:
        assert {again.ended(document_id, seconds=60)["status"] for document_id in ids} == {"done"}
    finally:
        again.stop()


def test_a_killed_supervisor_leaves_no_orphan_and_starts_again(start_service: StartService) -> None:
    service = start_service()
    text, data = scan(3)
    document_id = service.submit(data, type="digits")
    processes = service.processes()
    processes[0].kill()
    assert service.process is not None
    service.process.wait()
    eventually(gone(processes), seconds=5, what="no orphan to be left")
    again = service.start()
    assert again.ended(document_id)["pages"][0]["fields"][0]["text"] == text


def test_a_relative_home_works_and_a_lost_terminal_stops_it_cleanly(short_folder: Path) -> None:
    service = RunningService(short_folder / "relative", {"home": "relative"}, folder=short_folder)
    try:
        service.start()
        text, data = scan(3)
        document = service.ended(service.submit(data, type="digits"))
        assert document["pages"][0]["fields"][0]["text"] == text
        processes = service.processes()
        assert service.stop(signal.SIGHUP) == 0
        eventually(gone(processes), seconds=5, what="no orphan to be left")
        assert (service.home / "supervisor.lock").read_text() == ""
    finally:
        service.destroy()


def test_a_port_in_use_is_refused_with_a_reason(service: RunningService, short_folder: Path) -> None:
    port = service.url.rpartition(":")[2]
    refused = _up(short_folder / "other", "--port", port)
    assert refused.returncode == 1
    assert f"Port {port} at 127.0.0.1 is in use" in refused.stderr


def test_other_machines_are_refused_unless_allowed(short_folder: Path) -> None:
    refused = _up(short_folder / "remote", "--host", "0.0.0.0", "--port", "0")
    assert refused.returncode == 2
    assert "can be reached from other machines" in refused.stderr


def test_a_home_too_deep_for_a_socket_is_refused(short_folder: Path) -> None:
    refused = _up(short_folder / ("deep" * 25), "--port", "0")
    assert refused.returncode == 2
    assert "too long for a unix socket" in refused.stderr


def test_no_port_is_open_but_the_services_own(service: RunningService) -> None:
    listening = {
        (connection.laddr.ip, connection.laddr.port)
        for process in service.processes()
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {("127.0.0.1", int(service.url.rpartition(":")[2]))}


def test_the_broker_writes_every_message_to_disk_and_drops_none(service: RunningService) -> None:
    with socket.socket(socket.AF_UNIX) as broker:
        broker.connect(str(service.home / "broker.sock"))
        broker.sendall(b"CONFIG GET appendonly appendfsync maxmemory-policy\r\n")
        answer = broker.recv(4096).decode()
    words = answer.split()
    settings = {name: words[words.index(name) + 2] for name in ("appendonly", "appendfsync", "maxmemory-policy")}
    assert settings == {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}


def _ready(service: RunningService) -> bool:
    with contextlib.suppress(httpx2.HTTPError):
        return bool(service.client.get("/readyz").status_code == 200)
    return False


def _up(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("tallyscan")), "up", "--home", str(home), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
