"""The real service as a test sees it: `tallyscan up` in a folder of its own, on a free port."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import httpx2
import psutil

from core.settings import Settings
from core.status import FINAL
from storage.store import Store

START_SECONDS = 60.0
FINAL_STATUSES = {str(status) for status in FINAL}


def eventually(condition: Callable[[], object], *, seconds: float, what: str, pause: float = 0.05) -> Any:  # noqa: ANN401
    """Return the first true value of `condition`, or fail after `seconds`."""
    deadline = time.monotonic() + seconds
    waiting = threading.Event()
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        waiting.wait(pause)
    return value


class RunningService:
    """A supervisor that was started, with an HTTP client that holds the admin's key."""

    def __init__(self, home: Path, settings: Mapping[str, str], *, folder: Path | None = None) -> None:
        """Plan a service in `home`, called in `folder`; `settings` are environment variables without their prefix."""
        self.home, self.folder = home, folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TALLYSCAN_")}
        own = {f"TALLYSCAN_{name.upper()}": value for name, value in settings.items()}
        self.environment = {**kept, "TALLYSCAN_HOME": str(home), "TALLYSCAN_WORKER_CONCURRENCY": "2", **own}
        self.process: subprocess.Popen[str] | None = None
        self.url = ""
        self.login_link = ""
        self._client: httpx2.Client | None = None

    def start(self) -> Self:
        """Start it, or start it again, and wait until it says that it is ready."""
        self._close()
        self.home.mkdir(parents=True, exist_ok=True)
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=output,
                text=True,
                start_new_session=True,
            )
        eventually(self._invited, seconds=START_SECONDS, what="the service to be ready")
        key = (self.home / "admin.key").read_text().strip()
        self._client = httpx2.Client(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
        return self

    @property
    def command(self) -> list[str]:
        """What starts it."""
        return [str(Path(sys.executable).with_name("tallyscan")), "up", "--port", "0"]

    @property
    def client(self) -> httpx2.Client:
        """The HTTP client."""
        assert self._client is not None
        return self._client

    @property
    def output(self) -> str:
        """What the supervisor has written."""
        return self._output.read_text() if self._output.exists() else ""

    def log(self, role: str) -> str:
        """Return what a role has written."""
        file = self.home / "logs" / f"{role}.log"
        return file.read_text() if file.exists() else ""

    def submit(self, data: bytes, *, filename: str = "scan.png", **fields: str) -> str:
        """Send a document and return its id."""
        answer = self.client.post("/v1/documents", files={"file": (filename, data)}, data=fields)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def document(self, document_id: str) -> dict[str, Any]:
        """Return a document."""
        answer = self.client.get(f"/v1/documents/{document_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, document_id: str, *, seconds: float = 30.0) -> dict[str, Any]:
        """Return a document once it has come to its end."""
        eventually(
            lambda: self.document(document_id)["status"] in FINAL_STATUSES,
            seconds=seconds,
            what=f"{document_id} to end",
        )
        return self.document(document_id)

    def child(self, role: str) -> psutil.Process | None:
        """Return the leading process of a role, if it runs."""
        words = {"broker": "valkey-server", "api": "api.wsgi:app", "worker": "worker", "beat": "beat"}
        words["caller"] = "worker.caller"
        for process in self._supervisor().children():
            with contextlib.suppress(psutil.Error):
                line = process.cmdline()
                if role == "worker" and words["caller"] in line:
                    continue
                if words[role] in (line if role != "broker" else " ".join(line)):  # Valkey renames itself
                    return process
        return None

    def readers(self) -> list[psutil.Process]:
        """Return the worker's children."""
        with contextlib.suppress(psutil.Error):
            if worker := self.child("worker"):
                return worker.children()
        return []

    def processes(self) -> list[psutil.Process]:
        """Return every process of the service."""
        supervisor = self._supervisor()
        return [supervisor, *supervisor.children(recursive=True)]

    @contextlib.contextmanager
    def store(self) -> Iterator[Store]:
        """Open the service's database."""
        url = self.environment.get("TALLYSCAN_DATABASE_URL", "")
        store = Store.open(Settings(home=self.home, database_url=url))
        try:
            yield store
        finally:
            store.dispose()

    def stop(self, number: signal.Signals = signal.SIGTERM, *, seconds: float = 10.0) -> int:
        """Ask it to stop and return its exit status."""
        assert self.process is not None
        self._close()
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=seconds)

    def destroy(self) -> None:
        """End whatever is left, however the test went."""
        self._close()
        if self.process is not None and self.process.poll() is None:
            left = self.processes()
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            self.process.wait()

    def report(self) -> str:
        """Return everything that was written, for a test that failed."""
        logs = sorted((self.home / "logs").glob("*.log"))
        parts = [f"=== supervisor\n{self.output}", *(f"=== {log.name}\n{log.read_text()[-6000:]}" for log in logs)]
        return "\n".join(parts)

    @property
    def _output(self) -> Path:
        return self.home / "up.log"

    def _close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _supervisor(self) -> psutil.Process:
        assert self.process is not None
        return psutil.Process(self.process.pid)

    def _invited(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the supervisor ended\n{self.report()}"
        link = re.search(r"(http://\S+)/login\?token=\S+", self.output)
        if link:
            self.url, self.login_link = link.group(1), link.group(0)
        return bool(link) and "ready" in self.output
