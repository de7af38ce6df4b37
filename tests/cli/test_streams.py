"""Standard streams as shells, pipes and cron leave them to the command line."""

import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import NUMBERS, Tallyscan

TALLYSCAN = (sys.executable, "-m", "cli")


def test_a_dash_is_what_comes_through_a_pipe(scans: Path) -> None:
    command = [*TALLYSCAN, "read", "-", "--type", "digits", "--format", "csv"]
    with (scans / "a.png").open("rb") as stream:
        result = subprocess.run(command, stdin=stream, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[1].startswith(f"/dev/stdin,1,digits,digits,{NUMBERS[0]},")


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
