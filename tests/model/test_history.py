"""Which command lines repeat a training, and the one that it began with."""

import json
import shlex
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import pytest

from core.errors import InvalidRequest
from model.history import BEGUN, RUN, begun, command_line, commands, forget, note_command, note_weights
from model.line_artifacts import LineManifest, LineNetwork, save_line_manifest


def test_each_command_is_kept_once_in_order(tmp_path: Path) -> None:
    assert commands(tmp_path) == ""
    for command in ("train --until 1", "train --resume", "train --until 1", ""):
        note_command(tmp_path, command)
    assert commands(tmp_path) == "train --until 1 && train --resume"


def test_a_run_that_kept_none_one_by_one_has_those_that_finished_it(tmp_path: Path) -> None:
    (tmp_path / RUN).write_text(json.dumps({"command": "train && train --epochs 20 --resume"}))
    note_command(tmp_path, "train --epochs 28 --resume")
    assert commands(tmp_path) == "train && train --epochs 20 --resume && train --epochs 28 --resume"


def test_a_shell_takes_a_command_line_as_it_was_given() -> None:
    arguments = ["train", Path("my data"), "--out", "runs/a $b"]
    assert shlex.split(command_line(arguments)) == ["tallyscan", "train", "my data", "--out", "runs/a $b"]


def test_a_run_that_is_forgotten_has_neither_weights_nor_command_lines(tmp_path: Path) -> None:
    (tmp_path / "found.weights.h5").write_bytes(b"weights")
    (tmp_path / RUN).write_text(json.dumps({"command": "train --seed 9"}))
    note_weights(tmp_path, tmp_path / "found.weights.h5")
    note_command(tmp_path, "train --begin")
    forget(tmp_path)
    note_command(tmp_path, "train")
    assert (begun(tmp_path).sha256, commands(tmp_path)) == ("", "train")


@pytest.mark.parametrize("within", [False, True], ids=["from elsewhere", "from within its folder"])
def test_what_an_artifact_says_of_its_weights_comes_first(
    within: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact, run, weights = tmp_path / "digits", tmp_path / "run", b"weights"
    artifact.mkdir()
    run.mkdir()
    digest = sha256(weights).hexdigest()
    (artifact / "line-1.weights.h5").write_bytes(weights)
    network = LineNetwork("line-1.tflite", "00", 1, "train --seed 1", 4, keras_sha256=digest)
    save_line_manifest(LineManifest("digits", "line-0", (network,), "1", 32, 2, ("0",), 9), artifact)
    monkeypatch.chdir(artifact if within else tmp_path)
    note_weights(run, Path("line-1.weights.h5") if within else artifact / "line-1.weights.h5")
    note_command(run, "train --begin")
    assert asdict(begun(run)) == {"sha256": digest, "command": "train --seed 1"}
    assert commands(run) == "train --seed 1 && train --begin"


def test_of_weights_from_elsewhere_the_digest_is_known(tmp_path: Path) -> None:
    run, weights = tmp_path / "run", tmp_path / "found.weights.h5"
    run.mkdir()
    weights.write_bytes(b"weights")
    note_weights(run, weights)
    assert begun(run).sha256 == sha256(b"weights").hexdigest()
    assert commands(run) == ""


@pytest.mark.parametrize("text", ["", '{"sha256": "12', "[]"], ids=["empty", "cut off", "other"])
def test_what_is_damaged_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / BEGUN).write_text(text)
    with pytest.raises(InvalidRequest, match=rf"{BEGUN} is missing, damaged, or of another version"):
        commands(tmp_path)
    (tmp_path / BEGUN).unlink()
    (tmp_path / RUN).write_text(text)
    with pytest.raises(InvalidRequest, match=rf"{RUN} is missing, damaged, or of another version"):
        note_command(tmp_path, "train")
