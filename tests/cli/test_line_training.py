"""`train --arch line` and `export-model` for the line reader."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from model.history import RUN
from model.line.training import WEIGHTS
from segmentation.line import LINE_VERSION
from tests.cli.conftest import Tallyscan
from tests.model.line.collections_drawn import collections


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--recipe", "digits"), "name it"),
        ((".", "--recipe", "digits", "--teacher", "."), "takes no --teacher"),
        ((".", "--patience", "2", "--teacher", "."), "takes no --patience and no --teacher"),
        ((".",), "know no recipe 'plain'"),
        ((".", "--recipe", "digits-open"), "unipen_ink/numbers"),
    ],
    ids=["no data", "teacher", "patience", "recipe", "no collections"],
)
def test_what_a_line_reader_cannot_be_trained_with_is_told(
    options: tuple[str, ...], said: str, tallyscan: Tallyscan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = tallyscan("train", *options, "--arch", "line", "--out", tmp_path / "run")
    assert result.exit_code == 2, result.output
    assert said in " ".join(result.stderr.split())
    assert not (tmp_path / "run").exists()


def test_only_a_line_readers_training_is_stopped_on_purpose(tallyscan: Tallyscan, tmp_path: Path) -> None:
    result = tallyscan("train", "--out", tmp_path / "run", "--until", "3")
    assert result.exit_code == 2
    assert "--until is for --arch line" in result.stderr


def test_runs_of_both_kinds_are_not_exported_together(tallyscan: Tallyscan, tmp_path: Path) -> None:
    line, glyph = tmp_path / "line", tmp_path / "glyph"
    line.mkdir()
    glyph.mkdir()
    (line / WEIGHTS).touch()
    for runs in ((line, glyph), (glyph, glyph)):
        result = tallyscan("export-model", *runs, "--name", "both", "--models", tmp_path)
        assert result.exit_code == 2
        assert "Several runs go together only" in " ".join(result.stderr.split())


def test_a_line_reader_is_exported_with_data_only(tallyscan: Tallyscan, tmp_path: Path) -> None:
    (tmp_path / WEIGHTS).touch()
    described = {
        "seed": 1,
        "command": "",
        "line_version": LINE_VERSION,
        "parameters": 1,
        "recipe": "digits",
        "epochs": 1,
    }
    (tmp_path / RUN).write_text(json.dumps(described))
    result = tallyscan("export-model", tmp_path, "--name", "alone", "--models", tmp_path / "networks")
    assert result.exit_code == 2
    assert "folder of collections" in " ".join(result.stderr.split())


# Keras 3.15 converts TensorFlow's variables in a way that NumPy 2 deprecates; nothing here can help it.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
@pytest.mark.slow
def test_a_line_reader_is_trained_from_the_command_line(tallyscan: Tallyscan, tmp_path: Path) -> None:
    data, run = collections(tmp_path / "data"), tmp_path / "run"
    command = ["train", data, "--arch", "line", "--recipe", "digits-open", "--limit", "32", "--out", run]
    stopped = _run(*command, "--epochs", "2", "--until", "1")
    assert stopped.returncode == 0, stopped.stderr
    assert "epoch 1  loss" in stopped.stderr
    assert not (run / WEIGHTS).exists()
    whole = tallyscan(*command, "--epochs", "2", "--resume")
    assert whole.exit_code == 0, whole.output
    assert "2 epochs, held-out lines read whole: orand" in whole.stdout
    assert (run / WEIGHTS).exists()


def _run(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
