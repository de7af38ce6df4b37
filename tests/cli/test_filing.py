"""Rows of a watched folder: whole or not at all, whatever the disk says."""

import os
import subprocess
import sys
from pathlib import Path

from cli.filing import Appender

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
