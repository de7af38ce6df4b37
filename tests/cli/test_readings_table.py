"""The table of readings as people see it: on terminals of any width, in pipes, and of a run that was stopped."""

import io
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from pathlib import Path

import pytest

from cli.outcome import Outcome
from cli.output import outcome_table
from core.status import Status
from core.types import Box, DigitReading, FieldReading, PageReading
from tests.cli.conftest import NUMBERS
from tests.factories import png_bytes

COLOURS = re.compile(r"\x1b\[[0-9;]*m")

READ = (sys.executable, "-m", "cli", "read")


def on_terminal(*arguments: object, columns: int) -> list[str]:
    """Return what stands on a terminal of that width, which stdout is."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    with subprocess.Popen(
        [*READ, *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**environment, "TERM": "xterm"},
    ) as process:
        os.close(theirs)
        shown = b"".join(iter(lambda: _some(ours), b""))
    os.close(ours)
    assert process.returncode == 0
    return COLOURS.sub("", shown.decode()).splitlines()


def _some(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux says so when the other end is closed
        return b""


@pytest.fixture
def deep(tmp_path: Path, home: Path) -> Path:
    """A folder with a long path, two scans in it, and a page of several numbers."""
    folder = tmp_path / "the scans of the first week of the year" / "of the office in the north"
    folder.mkdir(parents=True)
    for name, number in zip(("one.png", "two.png"), NUMBERS, strict=False):
        (folder / name).write_bytes(png_bytes(number))
    assert not home.exists()
    return folder


def test_a_terminal_names_the_folder_once(deep: Path) -> None:
    lines = on_terminal(deep, "--type", "digits", columns=80)
    assert lines[0] == f"in {deep}"
    assert [line.split()[:4] for line in lines if ".png" in line] == [
        ["one.png", "1", "digits", NUMBERS[0]],
        ["two.png", "1", "digits", NUMBERS[1]],
    ]


def test_a_terminal_names_a_file_once(project_root: Path, home: Path) -> None:
    page = project_root / "examples" / "scans" / "form-clinic.png"
    lines = on_terminal(page, columns=200)
    assert [line.split()[0] for line in lines if "number_" in line] == [str(page), "number_2"]
    assert not home.exists()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_documents_of_one_name_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    box = Box(0, 0, 9, 9)

    def field(text: str) -> FieldReading:
        digits = tuple(DigitReading(char, 0.99, box) for char in text)
        return FieldReading(text, "digits", box, text, text, 0.99, accepted=True, digits=digits)

    def outcome(*texts: str) -> Outcome:
        return Outcome("1.png", Status.DONE, (PageReading(0, 9, 9, fields=tuple(map(field, texts))),))

    monkeypatch.setattr("sys.stdout", terminal := _Terminal())
    outcome_table([outcome("11", "12"), outcome("21")])
    lines = COLOURS.sub("", terminal.getvalue()).splitlines()
    assert [line.split()[:2] for line in lines if "accepted" in line] == [
        ["1.png", "1"],
        ["12", "12"],
        ["1.png", "1"],
    ]


def test_a_narrow_terminal_loses_no_column(deep: Path) -> None:
    lines = on_terminal(deep / "one.png", "--type", "digits", columns=60)
    assert max(map(len, lines)) <= 60
    assert [line.split()[-1] for line in lines if NUMBERS[0] in line] == ["accepted"]


def test_a_pipe_gets_the_whole_path_in_every_row(project_root: Path) -> None:
    page = project_root / "examples" / "scans" / "form-clinic.png"
    table = subprocess.run([*READ, str(page)], capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in table.splitlines() if "number_" in line] == [str(page)] * 2


def test_reasons_are_parted_by_more_than_a_semicolon(project_root: Path) -> None:
    page = project_root / "examples" / "scans" / "field-long.webp"
    result = subprocess.run([*READ, str(page), "--type", "date"], capture_output=True, text=True, check=True)
    assert "rule conflict, low confidence" in result.stdout


def test_the_last_line_says_how_many_fields_are_left_to_review(project_root: Path) -> None:
    pages = [project_root / "examples" / "scans" / name for name in ("form-clinic.png", "field-long.webp")]
    result = subprocess.run([*READ, *map(str, pages)], capture_output=True, text=True, check=True)
    assert "2 files: 2 read, 0 failed; 3 fields: 3 accepted, 0 to review; " in result.stderr
    result = subprocess.run([*READ, str(pages[1]), "--type", "date"], capture_output=True, text=True, check=True)
    assert "1 file: 1 read, 0 failed; 1 field: 0 accepted, 1 to review; " in result.stderr


def test_a_run_that_is_stopped_shows_what_it_has_read(scans: Path) -> None:
    (scans / "b.png").write_bytes(b"no scan")
    waiting = scans / "pipe"
    os.mkfifo(waiting)
    command = [*READ, str(scans / "a.png"), str(scans / "b.png"), str(waiting), "--type", "digits"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert process.stderr.readline().startswith(str(scans / "b.png"))  # so the first one is read
        process.send_signal(signal.SIGINT)
        table, errors = process.communicate(timeout=60)
    assert NUMBERS[0] in table
    assert errors == "error: Stopped. (stopped)\n"
    assert process.returncode == 130
