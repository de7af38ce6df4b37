"""The real service of the live tests, and the command line as a process of its own."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.factories import png_bytes
from tests.live.conftest import service, short_folder, start_service
from tests.live.running import RunningService

__all__ = ["service", "short_folder", "start_service"]

NUMBERS = ("70315", "4821", "960247", "1830", "55209", "38174", "6402", "91763")

Command = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def environment(service: RunningService, tmp_path: Path) -> dict[str, str]:
    """A client machine: a home of its own, the service's address and key in the environment."""
    key = (service.home / "admin.key").read_text().strip()
    own = {"TALLYSCAN_HOME": str(tmp_path / "client"), "TALLYSCAN_URL": service.url, "TALLYSCAN_KEY": key}
    return {**service.environment, **own}


@pytest.fixture
def tallyscan(environment: dict[str, str]) -> Command:
    """Return a function that runs the command line to its end."""

    def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            _command(arguments), env=environment, capture_output=True, text=True, check=False, timeout=90
        )

    return run


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts the command line and leaves it running."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: object) -> "subprocess.Popen[str]":
        with (tmp_path / "output.txt").open("a") as output:
            process = subprocess.Popen(_command(arguments), env=environment, stdout=output, stderr=output, text=True)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def make_scans(tmp_path: Path) -> Callable[[int], Path]:
    """Return a function that makes a folder of that many scans, and returns it."""
    drawings = [png_bytes(number, seed=seed) for seed, number in enumerate(NUMBERS)]

    def make(count: int) -> Path:
        folder = tmp_path / "scans"
        folder.mkdir()
        for number in range(count):
            (folder / f"{number:03}.png").write_bytes(drawings[number % len(drawings)])
        return folder

    return make


def _command(arguments: tuple[object, ...]) -> list[str]:
    return [sys.executable, "-m", "cli", *map(str, arguments)]
