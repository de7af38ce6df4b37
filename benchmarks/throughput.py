"""How fast Tallyscan is, and where the time goes: through the queue, through `read`, and on an idle service.

    python benchmarks/throughput.py [--images FOLDER] [--count 200] [--json FILE]

Everything is measured in one run on the same files, so the ratios hold on a noisy machine. Without
`--images` the files are fields drawn by `examples.drawing`.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

START_SECONDS = 60.0
DRAIN_SECONDS = 300.0
UPLOADS_AT_ONCE = 8


@dataclass(frozen=True)
class Service:
    """A running embedded service."""

    url: str
    key: str
    supervisor: psutil.Process

    def client(self) -> httpx2.Client:
        """Return a client with this service's key."""
        return httpx2.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=60)

    def cpu_seconds(self) -> dict[str, float]:
        """Return user and system seconds so far, by role."""
        seconds: dict[str, float] = {}
        for process in (self.supervisor, *self.supervisor.children(recursive=True)):
            times = process.cpu_times()
            role = role_of(process)
            seconds[role] = seconds.get(role, 0.0) + times.user + times.system
        return seconds


def role_of(process: psutil.Process) -> str:
    """Return which part of the service a process is."""
    words = " ".join(process.cmdline())
    for mark, role in (("gunicorn", "api"), (" beat", "beat"), (" worker", "worker"), ("valkey", "broker")):
        if mark in words:
            return role
    return "supervisor"


@contextmanager
def running_service(home: Path) -> Iterator[Service]:
    """Start the embedded service in `home` and stop it at the end."""
    port = free_port()
    command = [sys.executable, "-m", "cli", "up", "--host", "127.0.0.1", "--port", str(port)]
    environment = {**os.environ, "TALLYSCAN_HOME": str(home)}
    with (home / "up.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_ready(url, process=process, log=home / "up.log")
            yield Service(url, (home / "admin.key").read_text().strip(), psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(30)


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(url: str, *, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when `/readyz` says so.

    Raises:
        SystemExit: the service died or did not become ready in time.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(f"{url}/readyz", timeout=2).status_code == httpx2.codes.OK:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.05)
    sys.exit(f"the service did not become ready:\n{log.read_text()}")


def measure_read(files: list[Path]) -> dict[str, float]:
    """Return what reading the files in this process costs, with the share of each stage."""
    from core.settings import Settings
    from worker.pipeline import Reader, ReadRequest

    reader = Reader.load(Settings())
    reader.read(files[0].read_bytes(), request=ReadRequest("digits"))
    before = reader.timings.as_dict()
    wall, cpu = time.perf_counter(), time.process_time()
    for file in files:
        reader.read(file.read_bytes(), request=ReadRequest("digits"))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    figures = {"read_documents_per_second": len(files) / wall, "read_cpu_ms_per_document": 1000 * cpu / len(files)}
    for stage, seconds in reader.timings.as_dict().items():
        figures[f"{stage}_ms_per_document"] = 1000 * (seconds - before.get(stage, 0.0)) / len(files)
    return figures


def measure_queue(service: Service, files: list[Path]) -> dict[str, float]:
    """Return what the same files cost through HTTP, queue, database and workers."""
    before = service.cpu_seconds()
    started = time.perf_counter()
    with service.client() as client:
        batch = client.post("/v1/batches", data={"name": "throughput"}).raise_for_status().json()["id"]
        with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            list(pool.map(lambda file: post(client, file, batch=batch), files))
        submitted = time.perf_counter()
        wait_until_read(client, batch, total=len(files))
    wall = time.perf_counter() - started
    spent = {role: seconds - before.get(role, 0.0) for role, seconds in service.cpu_seconds().items()}
    figures = {
        "queue_documents_per_second": len(files) / wall,
        "submit_documents_per_second": len(files) / (submitted - started),
    }
    for role, seconds in sorted(spent.items()):
        figures[f"{role}_cpu_ms_per_document"] = 1000 * seconds / len(files)
    return figures


def post(client: httpx2.Client, file: Path, **fields: str) -> str:
    """Submit one file and return its document's id."""
    form = {"type": "digits", **fields}
    answer = client.post("/v1/documents", files={"file": (file.name, file.read_bytes())}, data=form)
    answer.raise_for_status()
    return str(answer.json()["id"])


def wait_until_read(client: httpx2.Client, batch: str, *, total: int) -> None:
    """Return when every document of a batch is done, asking twice a second.

    Raises:
        SystemExit: one failed, or time ran out.
    """
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        counts = client.get(f"/v1/batches/{batch}").raise_for_status().json()["counts"]
        if counts["failed"] or counts["cancelled"]:
            sys.exit(f"documents of batch {batch} failed: {counts}")
        if counts["done"] == total:
            return
        time.sleep(0.5)
    sys.exit(f"batch {batch} was not read in time")


def wait_until_done(client: httpx2.Client, ids: list[str]) -> None:
    """Return when every document is done.

    Raises:
        SystemExit: one failed, or time ran out.
    """
    deadline = time.monotonic() + DRAIN_SECONDS
    for document_id in ids:
        status = "queued"
        while status not in {"done", "failed", "cancelled"} and time.monotonic() < deadline:
            status = client.get(f"/v1/documents/{document_id}", params={"wait": 20}).json()["status"]
        if status != "done":
            sys.exit(f"document {document_id} ended as {status}")


def measure_latency(service: Service, files: list[Path]) -> dict[str, float]:
    """Return how long one document takes from submission to `done` on an idle service."""
    milliseconds = []
    with service.client() as client:
        for file in files[:20]:
            started = time.perf_counter()
            wait_until_done(client, [post(client, file)])
            milliseconds.append(1000 * (time.perf_counter() - started))
    return {
        "idle_submit_to_done_ms_median": statistics.median(milliseconds),
        "idle_submit_to_done_ms_max": max(milliseconds),
    }


def measure_child(home: Path) -> dict[str, float]:
    """Return how long a fresh worker child takes to become ready, and what it holds after one document."""
    script = "from benchmarks.throughput import become_ready; become_ready()"
    environment = {**os.environ, "TALLYSCAN_HOME": str(home)}
    runs = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, check=True
            ).stdout
        )
        for _ in range(5)
    ]
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def become_ready() -> None:
    """Do in a fresh process what a worker child does at its start, and print what it took."""
    import worker.app  # noqa: F401 - what the parent has loaded before it forks

    started = time.perf_counter()
    from core.settings import Settings
    from worker.desk import open_desk

    open_desk(Settings(), worker="benchmark")
    seconds = time.perf_counter() - started
    resident = psutil.Process().memory_info().rss / 2**20
    print(json.dumps({"worker_child_ready_seconds": seconds, "worker_child_ready_mib": resident}))


def live_children(service: Service) -> dict[str, float]:
    """Return the memory of the worker children that just read the files."""
    resident = []
    for process in service.supervisor.children(recursive=True):
        parent = process.parent()
        if role_of(process) == "worker" and parent is not None and role_of(parent) == "worker":
            resident.append(process.memory_info().rss / 2**20)
    return {"worker_child_live_mib_max": max(resident, default=float("nan"))}


def drawn_files(folder: Path, count: int) -> list[Path]:
    """Draw `count` amounts and return their files."""
    from tests.factories import png_bytes

    files = []
    for seed in range(count):
        file = folder / f"drawn_{seed:04}.png"
        file.write_bytes(png_bytes(str(10**3 + 7919 * seed % 10**6), seed=seed))
        files.append(file)
    return files


def with_bookkeeping(figures: dict[str, float]) -> dict[str, float]:
    """Add what queue, SQL, blobs and HTTP cost beyond reading itself."""
    roles = ("api", "worker", "broker", "beat", "supervisor")
    total = sum(figures.get(f"{role}_cpu_ms_per_document", 0.0) for role in roles)
    worker_only = figures["worker_cpu_ms_per_document"] - figures["read_cpu_ms_per_document"]
    return {
        **figures,
        "service_cpu_ms_per_document": total,
        "bookkeeping_worker_cpu_ms_per_document": worker_only,
        "bookkeeping_all_cpu_ms_per_document": total - figures["read_cpu_ms_per_document"],
    }


def main() -> None:
    """Measure, print a table, and write JSON when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, help="folder of fields to read; drawn ones by default")
    parser.add_argument("--count", type=int, default=200, help="how many files (default 200)")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        home = work / "home"
        home.mkdir()
        files = (
            sorted(options.images.iterdir())[: options.count] if options.images else drawn_files(work, options.count)
        )
        with running_service(home) as service:
            post_and_wait(service, files[: 2 * (os.cpu_count() or 1)])
            figures = measure_latency(service, files) | measure_queue(service, files) | live_children(service)
            figures |= measure_child(home)
        figures = with_bookkeeping(figures | measure_read(files))
    width = max(map(len, figures))
    print(f"{len(files)} files, {os.cpu_count()} cores")
    print("\n".join(f"{name:<{width}}  {value:10.2f}" for name, value in figures.items()))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def post_and_wait(service: Service, files: list[Path]) -> None:
    """Warm every worker child up."""
    with service.client() as client:
        wait_until_done(client, [post(client, file) for file in files])


if __name__ == "__main__":
    main()
