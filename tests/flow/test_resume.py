"""`submit` killed midway, and taken up again: every file reaches the service exactly once."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flow.conftest import Command, Start
from tests.live.running import RunningService, eventually

pytestmark = pytest.mark.live

FILES = 100


def arrived(service: RunningService, name: str) -> int:
    """Return how many documents of the newest batch of that name the service has."""
    batches = service.client.get("/v1/batches", params={"limit": 20}).json()["batches"]
    return next((batch["total"] for batch in batches if batch["name"] == name), 0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_submit_that_is_killed_and_resumed_sends_nothing_twice(
    number: signal.Signals,
    service: RunningService,
    start: Start,
    tallyscan: Command,
    make_scans: Callable[[int], Path],
    tmp_path: Path,
) -> None:
    folder, name, out = make_scans(FILES), f"killed by {number.name}", tmp_path / "out.csv"
    arguments = ("submit", folder, "--type", "digits", "--batch", name, "--jobs", "2", "--out", out)
    process = start(*arguments)
    eventually(lambda: arrived(service, name) >= 10, seconds=30, what="some files to arrive", pause=0.01)
    process.send_signal(number)
    process.wait(20)
    before = arrived(service, name)
    assert before < FILES, "the kill came too late to show anything"
    assert not out.exists()

    resumed = tallyscan(*arguments, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert arrived(service, name) == FILES
    assert len(out.read_text().splitlines()) == FILES + 1
    assert tallyscan(*arguments, "--resume").returncode == 0
    assert arrived(service, name) == FILES


def test_a_stopped_submit_says_how_to_go_on(
    service: RunningService, start: Start, make_scans: Callable[[int], Path], tmp_path: Path
) -> None:
    process = start("submit", make_scans(FILES), "--batch", "stopped", "--jobs", "1")
    eventually(lambda: arrived(service, "stopped") >= 2, seconds=30, what="some files to arrive", pause=0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert "--resume" in (tmp_path / "output.txt").read_text().splitlines()[-1]


def test_a_resumed_run_must_have_the_same_options(tallyscan: Command, make_scans: Callable[[int], Path]) -> None:
    folder = make_scans(1)
    assert tallyscan("submit", folder, "--type", "digits").returncode == 0
    result = tallyscan("submit", folder, "--type", "digit", "--resume")
    assert result.returncode == 2
    assert "other options" in result.stderr


def test_the_service_may_be_killed_while_files_are_sent(
    service: RunningService, start: Start, make_scans: Callable[[int], Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    process = start("submit", make_scans(FILES), "--type", "digits", "--batch", "restarted", "--out", out)
    eventually(lambda: arrived(service, "restarted") >= 10, seconds=30, what="some files to arrive", pause=0.01)
    api = service.child("api")
    assert api is not None
    for each in [api, *api.children(recursive=True)]:
        each.kill()
    assert process.wait(60) == 0, (tmp_path / "output.txt").read_text()
    assert len(out.read_text().splitlines()) == FILES + 1
    assert arrived(service, "restarted") == FILES
