"""Ctrl-C and SIGTERM end every command with 130 and one line."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories import blank_png

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A service that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(30)
        yield listening


def start(*arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "cli", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stopped_with(process: "subprocess.Popen[str]", number: signal.Signals) -> str:
    """Send the signal; return the last line on stderr of a process that ends with 130."""
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    return stderr.splitlines()[-1]


@BOTH
@pytest.mark.parametrize(
    "arguments",
    [("status", "some-id", "--wait", "30"), ("results", "some-id"), ("submit", "SCANS"), ("doctor",)],
    ids=lambda arguments: arguments[0],
)
def test_who_waits_for_a_service_can_be_stopped(
    arguments: tuple[str, ...], number: signal.Signals, silent: socket.socket, home: Path, scans: Path
) -> None:
    words = [scans if word == "SCANS" else word for word in arguments]
    process = start(*words, "--key", "some-key", "--url", f"http://127.0.0.1:{silent.getsockname()[1]}")
    connection, _ = silent.accept()
    with connection:
        assert connection.recv(1)
        assert stopped_with(process, number).endswith("(stopped)")


@BOTH
def test_reading_can_be_stopped_and_keeps_what_was_read(number: signal.Signals, home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for count in range(2000):
        (folder / f"{count:04}.png").write_bytes(blank_png())
    process = start("read", folder, "--format", "jsonl")
    assert process.stdout is not None
    first = process.stdout.readline()
    assert "0000.png" in first
    assert stopped_with(process, number) == "error: Stopped. (stopped)"
