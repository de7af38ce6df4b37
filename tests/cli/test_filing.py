"""Rows of a watched folder: whole or not at all, whatever the disk says."""

import os
import subprocess
import sys
from pathlib import Path

from cli.filing import REASON_SUFFIX, Appender, move_aside
from cli.outcome import Outcome
from core.status import Status
from core.types import Failure, Phase

FAILED = Outcome("a.png", Status.FAILED, failure=Failure("unreadable", Phase.DECODE, "too dark", retryable=False))

WITHOUT_ROOM = """
import resource, signal, sys
from pathlib import Path
from cli.filing import Appender
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    Appender(Path(sys.argv[1]), "jsonl")._write("y" * 500)
except OSError as error:
    print(error.strerror)
"""


def test_a_disk_that_is_full_in_the_middle_of_a_row_keeps_none_of_it(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    whole = "x" * 899 + "\n"
    out.write_text(whole)
    done = subprocess.run([sys.executable, "-c", WITHOUT_ROOM, out], capture_output=True, text=True, check=False)
    assert done.stdout == "File too large\n", done.stderr
    assert out.read_text() == whole
    Appender(out, "jsonl")._write("z\n")
    assert out.read_text() == f"{whole}z\n"


def test_rows_go_to_a_pipe_as_well(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True) as reader:
        Appender(pipe, "jsonl")._write("row\n" * 1000)
        assert reader.communicate(timeout=30)[0] == "row\n" * 1000


def test_a_note_is_not_written_into_what_others_put_there(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("kept")
    scan, failed = tmp_path / "a.png", tmp_path / "failed"
    failed.mkdir()
    scan.write_bytes(b"scan")
    (failed / "a.png").symlink_to(tmp_path / "nowhere")
    (failed / f"a-2.png{REASON_SUFFIX}").symlink_to(other)
    assert move_aside(scan, top=tmp_path, subfolder="failed", outcome=FAILED) == failed / "a-2.png"
    assert (failed / "a.png").is_symlink()
    assert "too dark" in (failed / f"a-2.png{REASON_SUFFIX}").read_text()
    assert other.read_text() == "kept"


INTO_A_PIPE = """
import sys
from pathlib import Path
from cli.filing import Appender
from tests.cli.test_filing import FAILED
Appender(Path(sys.argv[1]), "jsonl").append(FAILED, unless_last=True)
"""


def test_a_pipe_is_not_asked_for_its_last_row(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True) as reader:
        try:
            subprocess.run([sys.executable, "-c", INTO_A_PIPE, pipe], check=True, timeout=60)
            assert "too dark" in reader.communicate(timeout=30)[0]
        finally:
            reader.kill()
