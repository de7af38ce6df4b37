"""`tallyscan calibrate`: a user's own labelled fields."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.calibrating import _labelled
from core.codec import from_json
from forms.confidence import Calibration
from tests.cli.conftest import Tallyscan
from tests.factories import png_bytes
from worker.networks import load_networks

NUMBERS = [str(10_457 + 3_191 * place) for place in range(40)]


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of forty drawn numbers beside their pictures, one of them with a wrong label."""
    folder = tmp_path_factory.mktemp("labelled")
    rows = []
    for place, number in enumerate(NUMBERS):
        (folder / f"{place}.png").write_bytes(png_bytes(number, seed=place))
        rows.append({"file": f"{place}.png", "text": number if place else "1"})
    with (folder / "labels.csv").open("w", newline="") as lines:
        writer = csv.DictWriter(lines, ["file", "text"])
        writer.writeheader()
        writer.writerows(rows)
    return folder / "labels.csv"


def test_a_calibration_is_written_that_the_reader_then_uses(
    tallyscan: Tallyscan, labels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "made" / "calibration.json"
    result = tallyscan("calibrate", labels, "--out", out)
    assert result.exit_code == 0, result.stderr
    assert "do not show a target error of 1.0%" in " ".join(result.stderr.split())
    assert "of 40 fields right" in result.stdout
    assert "not shown by these" in result.stdout
    calibration = from_json(Calibration, json.loads(out.read_text()))
    assert len(calibration.confidences) == len(calibration.right)
    assert 0 in calibration.right
    assert json.loads(out.read_text())["networks"] == [load_networks("digits").digest]
    # Forty fields show no error of 1 %: with them, nothing is accepted.
    monkeypatch.setenv("TALLYSCAN_CALIBRATION", str(out))
    read = tallyscan("read", labels.parent / "5.png", "--type", "digits", "--format", "json")
    assert json.loads(read.stdout)[0]["pages"][0]["fields"][0]["accepted"] is False


@pytest.mark.parametrize("type_name", ["digit", "letters"])
def test_a_type_without_line_readers_is_refused_before_anything_is_read(
    tallyscan: Tallyscan, labels: Path, tmp_path: Path, type_name: str
) -> None:
    result = tallyscan("calibrate", labels, "--type", type_name, "--out", tmp_path / "calibration.json")
    assert result.exit_code == 2
    assert "nothing to calibrate" in result.stderr


def test_exported_corrections_are_read_by_their_own_types(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"")
    rows = ["12,text,amount", "12,text,luhn", "12,text,", "7,text,digit", "AB,text,letters", ",unreadable,amount"]
    (tmp_path / "labels.csv").write_text("\n".join(["file,text,truth,type", *(f"0.png,{row}" for row in rows)]))
    assert _types(tmp_path, None) == ["amount", "digits", "digits"]
    assert _types(tmp_path, "date") == ["date"] * 3


def _types(folder: Path, type_name: str | None) -> list[str]:
    return [each.type_name for each in _labelled(folder / "labels.csv", folder, type_name)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name,text\n0.png,1\n", "lacks the column file"),
        ("file,text\n0.png,12a\n", "no string of digits"),
        ("file,text\nnowhere.png,12\n", "cannot be read"),
        ("file,text\n0.png,12\n", "at least 20"),
        ("text,file\n12\n", "line 2: the row has fewer cells"),
        ("file,text\n0.png,12,3\n", "line 2: the row has more cells"),
        ("file,text\n0.png,1\n" + "9" * 140_000 + ".png,1\n", "after line 2: field larger than"),
        ('file,text\n"0.png,1\n1.png,2\n', "unexpected end of data"),
        ("file,text,truth\n0.png,,text\n", "line 2: the truth is 'text', and the text ''"),
        ("file,text,truth\n0.png,12,empty\n", "line 2: the truth is 'empty', and the text '12'"),
        ("file,text\nfière.png,12\n", "no text in UTF-8"),
    ],
)
def test_what_is_wrong_with_the_labels_is_said(
    tallyscan: Tallyscan, labels: Path, tmp_path: Path, content: str, said: str
) -> None:
    wrong = tmp_path / "labels.csv"
    wrong.write_text(content, "cp1252")
    result = tallyscan("calibrate", wrong, "--folder", labels.parent, "--out", tmp_path / "calibration.json")
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert not (tmp_path / "calibration.json").exists()


def test_a_damaged_calibration_is_refused(
    tallyscan: Tallyscan, labels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = tmp_path / "calibration.json"
    damaged.write_text("{}")
    monkeypatch.setenv("TALLYSCAN_CALIBRATION", str(damaged))
    result = tallyscan("read", labels.parent / "1.png", "--type", "digits")
    assert result.exit_code != 0
    assert "calibration" in result.stderr


def test_a_pipe_among_the_labels_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "labels.csv").write_text("file,text\npipe.png,12\n")
    command = [sys.executable, "-m", "cli", "calibrate", tmp_path / "labels.csv", "--out", tmp_path / "out.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, "cannot be read" in " ".join(done.stderr.split())) == (2, True)
