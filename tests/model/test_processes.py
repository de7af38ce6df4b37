"""Processes that are killed are told, and none is left behind."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path

import psutil
import pytest

from core.errors import InvalidRequest, WorkerLost
from model.processes import processes

PARENT = """
import os, signal
from model.processes import processes

if __name__ == "__main__":
    with processes(1) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def refuse() -> None:
    raise InvalidRequest("not with these")


def test_a_killed_process_is_told() -> None:
    def ask_after_a_kill() -> None:
        with processes(1) as pool:
            os.kill(pool.submit(os.getpid).result(), signal.SIGKILL)
            pool.submit(os.getpid).result()

    with pytest.raises(WorkerLost, match="--resume"):
        ask_after_a_kill()


def test_what_fails_comes_over_and_what_waits_behind_it_is_left_undone(tmp_path: Path) -> None:
    waiting: list[Future[None]] = []

    def ask() -> None:
        with processes(1) as pool:
            failing = pool.submit(refuse)
            pool.submit(time.sleep, 0.2)
            waiting.extend(pool.submit(Path.touch, tmp_path / str(number)) for number in range(9))
            failing.result()

    with pytest.raises(InvalidRequest, match="not with these"):
        ask()
    assert waiting[-1].cancelled()
    assert not (tmp_path / "8").exists()


def test_a_process_ends_with_its_parent(tmp_path: Path, project_root: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": str(project_root)}
    # Into a file: the process that stays behind would keep a pipe open.
    with (tmp_path / "said").open("w") as said:
        subprocess.run([sys.executable, script], env=environment, stdout=said, stderr=said, check=False)
    child = int((tmp_path / "said").read_text().split()[0])
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and psutil.pid_exists(child):
        time.sleep(0.05)
    assert not psutil.pid_exists(child)
