"""docs/templates.md: its commands work as typed, on the card that it draws, and read what is written there."""

import csv
import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import cli
from examples.meter_card import FIELDS
from examples.meter_card import main as draw


def run(line: str, home: Path) -> str:
    """Run a line of the page; `python -m` and `tallyscan` in this process."""
    words = shlex.split(line)
    command, words = (draw, words[3:]) if words[0] == "python" else (cli, words[1:])
    result = CliRunner().invoke(command, words, env={"TALLYSCAN_HOME": str(home)})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_page_leads_from_a_scan_to_readings(
    project_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (project_root / "docs" / "templates.md").read_text().split("## The file")[0]
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page, flags=re.M | re.S)
    assert sum(language == "json" for language, _ in blocks) == 1
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALLYSCAN_HOME", str(tmp_path / "home"))
    run("tallyscan db upgrade", tmp_path / "home")
    said = []
    for language, block in blocks:
        if language == "json":
            file = Path("cards/meter-card.json")
            drafted = json.loads(file.read_text())
            edited = json.loads(block)
            assert [each["box"] for each in edited["fields"]] == [each["box"] for each in drafted["fields"]]
            file.write_text(json.dumps(drafted | edited))
            continue
        said += [run(line, tmp_path / "home") for line in block.splitlines()]
    assert "meter-card version 1: 3 fields" in said[-1]
    listed = run("tallyscan read cards --template cards/meter-card.json --format csv", tmp_path / "home")
    found = {(Path(row["file"]).name, row["field"]): row for row in csv.DictReader(listed.splitlines())}
    with Path("cards/truth.csv").open(newline="") as lines:
        truths = list(csv.DictReader(lines))
    assert len(truths) == 2 * len(FIELDS)
    for row in truths:
        reading = found[row["file"], row["field"]]
        assert (reading["text"], reading["accepted"].lower()) == (row["text"], "true")
