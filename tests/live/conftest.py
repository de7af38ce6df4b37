"""Starts the real service for tests, and shows what it wrote when a test fails."""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.running import RunningService
from tests.live.scans import scan
from tests.services import create_database, drop_database, postgres_url

__all__ = ["postgres_url"]

QUICK = {
    "sweep_seconds": "0.5",
    "soft_time_limit_seconds": "8",
    "hard_time_limit_seconds": "9",
    "lease_seconds": "10",
    "redeliver_seconds": "3",
    "max_wait_seconds": "5",
}
"""Settings under which what is lost comes back within seconds."""

StartService = Callable[..., RunningService]


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for a unix socket's name."""
    with tempfile.TemporaryDirectory(prefix="ts-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def start_service(short_folder: Path, request: pytest.FixtureRequest) -> Iterator[StartService]:
    """Return a function that starts a service; all of them are gone at the end of the module."""
    started: list[RunningService] = []

    def start(**settings: str) -> RunningService:
        home = Path(tempfile.mkdtemp(dir=short_folder))
        service = RunningService(home, {**QUICK, **settings})
        started.append(service)
        return service.start()

    failed_before = request.session.testsfailed
    yield start
    for service in started:
        if request.session.testsfailed > failed_before:
            sys.stdout.write(service.report())
        service.destroy()


@pytest.fixture(scope="module")
def service(start_service: StartService) -> RunningService:
    """One service on SQLite, shared by a module's tests."""
    return start_service()


@pytest.fixture(scope="module")
def postgres_database(postgres_url: str) -> Iterator[str]:
    """URL of an empty database in PostgreSQL."""
    url = create_database(postgres_url)
    yield url
    drop_database(url)


@dataclass(frozen=True, slots=True)
class IdleService:
    """A service that nobody speaks to until `until`, in monotonic time."""

    service: RunningService
    until: float


@pytest.fixture(scope="session")
def idle_service(short_folder: Path) -> Iterator[IdleService]:
    """A service that has read one document and then sits still: no sweep, no request."""
    service = RunningService(short_folder / "idle", {"sweep_seconds": "3600", "worker_concurrency": "1"})
    try:
        service.start()
        service.ended(service.submit(scan(0)[1], type="digits"))
        yield IdleService(service, time.monotonic() + float(os.environ.get("TALLYSCAN_TEST_IDLE_SECONDS", "180")))
    finally:
        service.destroy()


@pytest.fixture(scope="session", autouse=True)
def idle_early(request: pytest.FixtureRequest) -> None:
    """Start the idle service before the first live test, so that its idle time runs beside the others."""
    if any("idle_service" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("idle_service")
