"""A watched folder, and who watches it."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.cli.app_server import AppServer


def test_a_folder_is_watched_by_one_at_a_time(app: AppServer, home: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    where = ["--url", app.endpoint.url, "--key", app.endpoint.key or ""]
    command = [sys.executable, "-m", "cli", "submit", "--watch", str(inbox), *where]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as first:
        assert first.stderr
        assert first.stderr.readline().startswith("watching")
        second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)
    assert second.returncode == 2
    assert second.stderr.startswith("error: Another 'tallyscan submit --watch' is at work in ")
    assert first.returncode == 0
    assert home.exists()
