"""`train`, `export-model`, `evaluate`, `predict`: thin doors, tried on a handful of glyphs."""

import csv
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from model.corpora import TEST_SETS
from model.history import RUN
from segmentation.normalise import normalise_glyphs
from tests.cli.conftest import Tallyscan
from tests.factories import field


def glyphs(count: int) -> list[tuple[int, "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]"]]:
    """Return drawn digits, normalised, with their labels."""
    found = []
    for seed in range(count):
        digit = seed % 10
        ink = 255 - np.asarray(field(str(digit), seed=seed).image, np.uint8)
        found.append((digit, normalise_glyphs([np.ascontiguousarray(ink.min(axis=2)) if ink.ndim == 3 else ink])[0]))
    return found


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """A table as Kaggle gives out for training."""
    file = tmp_path / "train.csv"
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["label", *(f"pixel{number}" for number in range(784))])
        writer.writerows([label, *glyph.ravel()] for label, glyph in glyphs(40))
    return file


def test_predict_writes_a_label_for_every_glyph(tallyscan: Tallyscan, labelled: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.csv"
    with labelled.open() as source, test.open("w", newline="") as target:
        csv.writer(target).writerows(row[1:] for row in csv.reader(source))
    out = tmp_path / "submission.csv"
    result = tallyscan("predict", test, "--out", out)
    assert result.exit_code == 0, result.output
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["ImageId"] for row in rows] == [str(number) for number in range(1, 41)]
    assert all(row["Label"] in set("0123456789") for row in rows)


@pytest.mark.parametrize("known", [True, False], ids=["a folder a class", "one folder"])
def test_predict_names_pictures_and_what_is_known_of_them(tallyscan: Tallyscan, tmp_path: Path, known: bool) -> None:
    home = tmp_path / "glyphs"
    for number, (digit, glyph) in enumerate(glyphs(12)):
        folder = home / str(digit) if known else home
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"scan-{number:02}.png"), 255 - glyph)
    out = tmp_path / "read.csv"
    result = tallyscan("predict", home, "--out", out, "--format", "csv")
    assert result.exit_code == 0, result.output
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert sorted(Path(row["file"]).name for row in rows) == [f"scan-{number:02}.png" for number in range(12)]
    assert [row["truth"] for row in rows] == [row["file"].partition("/")[0] if known else "" for row in rows]
    assert all(float(row["confidence"]) >= float(row["second_confidence"]) for row in rows)


def test_evaluate_tells_figures_for_every_digit(tallyscan: Tallyscan, labelled: Path, tmp_path: Path) -> None:
    result = tallyscan("evaluate", labelled, "--format", "json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)["sets"]["train"]
    assert figures["glyphs"] == 40
    assert {"label", "accuracy", "sensitivity", "specificity", "ppv", "glyphs"} == set(figures["classes"][0])
    assert "sensitivity" in tallyscan("evaluate", labelled).stdout


def test_several_networks_are_measured_as_one(tallyscan: Tallyscan, labelled: Path) -> None:
    command = ("evaluate", labelled, "--format", "json")
    alone = [json.loads(tallyscan(*command, "--model", name).stdout) for name in ("digits", "digits-open")]
    both = json.loads(tallyscan(*command, "--model", "digits", "--model", "digits-open").stdout)
    assert both["network"] == " + ".join(each["network"] for each in alone)
    assert both["sets"]["train"]["glyphs"] == 40
    assert tallyscan("evaluate", labelled, "--model", "digits", "--model", "digits").exit_code == 2


def test_a_network_that_is_not_there_is_told(tallyscan: Tallyscan, labelled: Path) -> None:
    result = tallyscan("evaluate", labelled, "--model", "nosuch")
    assert result.exit_code == 1
    assert result.stderr.endswith("(artifact_missing)\n")


# Keras 3.15 converts TensorFlow's variables in a way that NumPy 2 deprecates; nothing here can help it.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
@pytest.mark.slow
def test_a_network_is_trained_and_exported_and_reads(tallyscan: Tallyscan, labelled: Path, tmp_path: Path) -> None:
    run = tmp_path / "a run"
    arguments = ("train", labelled, "--out", run, "--epochs", "1", "--seed", "3")
    trained = _run(*arguments)
    assert trained.returncode == 0, trained.stderr
    said = json.loads((run / RUN).read_text("utf-8"))["command"]
    assert shlex.split(said) == ["tallyscan", *map(str, arguments)]
    assert "parameters" in trained.stdout
    again = tallyscan("train", labelled, "--out", run)
    assert again.exit_code == 2
    assert "--resume" in again.stderr.splitlines()[-1]
    networks = tmp_path / "networks"
    exported = tallyscan("export-model", run, "--name", "mine", "--models", networks)
    # One epoch on 40 glyphs may be too little for both networks to agree; that, too, is one clear line.
    if exported.exit_code == 0:
        assert (networks / "mine" / "manifest.json").exists()
    else:
        assert exported.stderr.splitlines()[-1].endswith("(artifact_mismatch)")


def test_a_name_that_is_none_is_wrong_usage(tallyscan: Tallyscan, tmp_path: Path) -> None:
    result = tallyscan("export-model", tmp_path, "--name", "Digits", "--models", tmp_path / "networks")
    assert result.exit_code == 2
    assert "'Digits' is no name of a network" in result.stderr
    assert not (tmp_path / "networks").exists()


def test_without_the_extra_one_line_says_so(tmp_path: Path, project_root: Path) -> None:
    script = "import sys; sys.modules['tensorflow'] = None; from cli.main import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", script, "train", "--out", "run"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(project_root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert line.endswith("(extra_missing)")


def _run(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_sets_of_the_example_are_sets(tallyscan: Tallyscan) -> None:
    shown = re.findall(r"--set ([a-z\d-]+) ", tallyscan("evaluate", "--help").stdout)
    assert len(set(shown)) == 2
    assert set(shown) <= set(TEST_SETS)
