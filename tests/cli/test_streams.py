"""Standard streams as shells, pipes and cron leave them to the command line."""

import socket
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import NUMBERS, Tallyscan

TALLYSCAN = (sys.executable, "-m", "cli")


READ_INPUT = (*TALLYSCAN, "read", "-", "--type", "digits", "--format", "csv")


def assert_read(output: bytes) -> None:
    assert output.splitlines()[1].startswith(f"/dev/stdin,1,digits,digits,{NUMBERS[0]},".encode())


def test_a_dash_is_what_comes_through_a_pipe(scans: Path) -> None:
    assert_read(
        subprocess.run(READ_INPUT, input=(scans / "a.png").read_bytes(), capture_output=True, check=True).stdout
    )


def test_a_dash_may_be_a_socket(scans: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall((scans / "a.png").read_bytes())
        ours.shutdown(socket.SHUT_WR)
        assert_read(subprocess.run(READ_INPUT, stdin=theirs, capture_output=True, check=True).stdout)


def test_a_dash_may_be_a_file_that_its_reader_could_not_open(scans: Path) -> None:
    with (scans / "a.png").open("rb") as stream:
        (scans / "a.png").chmod(0)  # root may open it all the same
        assert_read(subprocess.run(READ_INPUT, stdin=stream, capture_output=True, check=True).stdout)


def test_a_dash_without_a_scan_fails_as_a_file_does() -> None:
    result = subprocess.run(READ_INPUT, input=b"", capture_output=True, check=False)
    assert (result.returncode, b"/dev/stdin: The file is empty. (unsupported_media_type)" in result.stderr) == (1, True)


def test_closed_streams_cost_no_readings(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "readings.csv"
    command = " ".join([*TALLYSCAN, "read", str(scans / "a.png"), "--type digits --timings --out", str(out)])
    for closing in (">&-", "2>&-", "<&- >&- 2>&-"):
        subprocess.run(f"exec {command} {closing}", shell=True, check=True)
        assert [line.split(",")[4] for line in out.read_text().splitlines()] == ["text", NUMBERS[0]]
    subprocess.run(f"exec {' '.join(TALLYSCAN)} version >&-", shell=True, check=True)


def test_version_is_an_option_too(tallyscan: Tallyscan) -> None:
    as_command, as_option = tallyscan("version"), tallyscan("--version")
    assert as_option.exit_code == 0
    assert as_option.stdout == as_command.stdout
    assert "0.1" in as_option.stdout


def test_version_with_settings_that_are_wrong_is_one_line() -> None:
    command = ["env", "TALLYSCAN_PORT=none", *TALLYSCAN, "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith("error: Settings are not valid: TALLYSCAN_PORT")
    assert len(result.stderr.splitlines()) == 1
