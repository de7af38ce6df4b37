"""From files to an artifact, and on from where a training was stopped, in seconds."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import ArtifactMismatch, InvalidRequest
from model.artifacts import MANIFEST
from model.datasets import Samples, normalised
from model.evaluate import EvaluateOptions, evaluate
from model.export import (
    ExportOptions,
    ExportResult,
    export,
    keras_logits,
    load_network,
    load_run,
    replaced_at_once,
)
from model.history import RUN
from model.journal import NETWORK
from model.predict import PredictOptions, predict
from model.recogniser import Recogniser
from model.regimes import REGIMES
from model.train import Progress, TrainOptions, TrainResult, train
from model.views import seen
from tests.model.drawn import printed_digits

pytest.importorskip("tensorflow", reason="the train extra is not installed")

# Keras 3.15 converts TensorFlow's variables in a way that NumPy 2 deprecates; nothing here can help it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

EPOCHS = 3


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "printed.npz"
    learnt, unseen = printed_digits(600, seed=1), printed_digits(200, seed=2)
    np.savez(path, x_train=learnt.images, y_train=learnt.labels, x_test=unseen.images, y_test=unseen.labels)
    return path


@pytest.fixture(scope="module")
def options(data: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainOptions:
    out = tmp_path_factory.mktemp("runs") / "printed"
    return TrainOptions(out=out, arch="baseline", data=data, seed=7, epochs=EPOCHS, patience=EPOCHS)


@pytest.fixture(scope="module")
def trained(options: TrainOptions) -> TrainResult:
    return train(options)


@pytest.fixture(scope="module")
def exported(trained: TrainResult, tmp_path_factory: pytest.TempPathFactory) -> ExportResult:
    return export(ExportOptions(run=trained.out, name="printed", root=tmp_path_factory.mktemp("artifacts")))


@pytest.fixture(scope="module")
def unseen() -> Samples:
    return normalised(printed_digits(200, seed=2))


def test_a_training_learns_and_writes_down_what_it_did(trained: TrainResult, options: TrainOptions) -> None:
    assert (trained.epochs, trained.parameters) == (EPOCHS, 760_234)
    assert trained.best_accuracy > 0.9
    with (trained.out / "history.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert (trained.out / "history.png").read_bytes().startswith(b"\x89PNG")
    run = load_run(trained.out)
    assert run.command == (
        f"tallyscan train {options.data} --arch baseline --recipe plain --seed 7"
        f" --epochs 3 --patience 3 --out {options.out}"
    )
    assert [(source.name, source.samples) for source in run.data] == [("printed.npz", 480)]


def test_a_stopped_training_goes_on_as_if_nothing_had_happened(
    trained: TrainResult, options: TrainOptions, tmp_path: Path
) -> None:
    part = replace(options, out=tmp_path / "part", epochs=1)
    told: list[Progress] = []
    train(part)
    whole = train(replace(part, epochs=EPOCHS, resume=True, on_progress=told.append))
    assert {progress.epoch for progress in told} == {2, 3}
    assert told[-1].step == told[-1].steps
    assert whole.best_loss == pytest.approx(trained.best_loss, rel=1e-3)
    first, last = load_run(part.out).command.split(" && ")
    assert ("--epochs 1 " in first, "--epochs 3 " in last) == (True, True)


def test_a_run_is_not_written_over(trained: TrainResult, options: TrainOptions) -> None:
    with pytest.raises(InvalidRequest, match="resume"):
        train(options)


@pytest.mark.parametrize("other", [{"arch": "small"}, {"seed": 8}, {"limit": 20}], ids=["network", "seed", "glyphs"])
def test_another_training_is_not_gone_on_with(
    other: dict[str, Any], trained: TrainResult, options: TrainOptions
) -> None:
    before = contents(options.out)
    with pytest.raises(InvalidRequest, match="another training: baseline of 10 classes, recipe plain, seed 7"):
        train(replace(options, resume=True, **other))
    assert contents(options.out) == before


def test_as_many_other_glyphs_are_another_training(trained: TrainResult, options: TrainOptions, tmp_path: Path) -> None:
    learnt, before = printed_digits(600, seed=3), contents(options.out)
    np.savez(tmp_path / "printed.npz", x_train=learnt.images, y_train=learnt.labels)
    with pytest.raises(InvalidRequest, match=r"another training: .* 480 glyphs of digest \w+; not .* 480 glyphs"):
        train(replace(options, resume=True, data=tmp_path / "printed.npz"))
    assert contents(options.out) == before


def test_a_damaged_run_is_told_and_left_as_it_is(trained: TrainResult, options: TrainOptions, tmp_path: Path) -> None:
    damaged = replace(options, out=tmp_path / "damaged", resume=True, epochs=EPOCHS + 1)
    shutil.copytree(options.out, damaged.out)
    (damaged.out / f"last-{EPOCHS}.weights.h5").unlink()
    before = contents(damaged.out)
    with pytest.raises(InvalidRequest, match=r"last-3\.weights\.h5 is missing"):
        train(damaged)
    assert contents(damaged.out) == before


def test_what_was_killed_in_its_first_epoch_leaves_no_command(options: TrainOptions, tmp_path: Path) -> None:
    class Killed(Exception): ...

    def kill(_: Progress) -> None:
        raise Killed

    first = replace(options, out=tmp_path / "run", limit=60, epochs=1)
    with pytest.raises(Killed):
        train(replace(first, on_progress=kill, command="killed"))
    assert (first.out / "commands.txt").read_text("utf-8") == "killed\n"
    train(replace(first, command="again"))
    assert load_run(first.out).command == "again"


def test_a_training_without_a_loss_comes_to_nothing(
    options: TrainOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(REGIMES, "baseline", replace(REGIMES["baseline"], learning_rate=1e30))
    out = tmp_path / "run"
    with pytest.raises(InvalidRequest, match="no epoch's loss is a number"):
        train(replace(options, out=out, limit=60, epochs=1))
    assert not (out / RUN).exists()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_small_trains_with_augmentation(data: Path, tmp_path: Path) -> None:
    result = train(TrainOptions(out=tmp_path / "run", data=data, epochs=1, batch_size=16, limit=200))
    assert np.isfinite(result.best_loss)


def test_the_exported_network_answers_as_its_original(
    trained: TrainResult, exported: ExportResult, unseen: Samples
) -> None:
    here = Recogniser.load("printed", root=exported.folder.parent).classify(unseen.images)
    original = load_network(trained.out / NETWORK, load_run(trained.out).keras_sha256)
    there = keras_logits(original, unseen.images)
    assert exported.agreement > 0.99
    assert np.mean(here.argmax(axis=1) == there.argmax(axis=1)) > 0.99
    assert np.mean(here.argmax(axis=1) == unseen.labels) > 0.9


def test_a_network_is_shown_what_it_learnt_on_wherever_it_reads(
    options: TrainOptions, data: Path, unseen: Samples, tmp_path: Path
) -> None:
    wide = train(replace(options, out=tmp_path / "run", view="wide"))
    assert " --view wide " in load_run(wide.out).command
    with pytest.raises(InvalidRequest, match=r"another training: .* view wide, seed 7"):
        train(replace(options, out=wide.out, resume=True))
    result = export(ExportOptions(run=wide.out, name="wide", root=tmp_path))
    reader = Recogniser.load("wide", root=tmp_path)
    original = load_network(wide.out / NETWORK, load_run(wide.out).keras_sha256)
    there = keras_logits(original, seen(unseen.images, "wide")).argmax(axis=1)
    assert (result.manifest.view, reader.view) == ("wide", "wide")
    assert np.mean(reader.classify(unseen.images).argmax(axis=1) == there) > 0.99
    right = evaluate(EvaluateOptions(data=data, run=wide.out)).sets["printed"].accuracy
    assert right == np.mean(there == unseen.labels) > 0.9


def test_an_altered_original_is_never_loaded(trained: TrainResult, tmp_path: Path) -> None:
    path = tmp_path / NETWORK
    path.write_bytes((trained.out / NETWORK).read_bytes() + b"\0")
    with pytest.raises(ArtifactMismatch):
        load_network(path, load_run(trained.out).keras_sha256)


def test_an_original_is_left_out_where_nobody_wants_it(
    trained: TrainResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.export.KERAS_SHIPS_BELOW_BYTES", 1 << 30)
    wanted = ExportOptions(run=trained.out, name="printed", root=tmp_path)
    assert (export(wanted).folder / NETWORK).read_bytes() == (trained.out / NETWORK).read_bytes()
    result = export(replace(wanted, original=False))
    assert (result.manifest.keras_file, result.manifest.keras_sha256) == ("", "")
    assert {path.name for path in result.folder.iterdir()} == {"manifest.json", "model.tflite"}


def test_a_large_original_stays_with_its_run(exported: ExportResult) -> None:
    assert exported.manifest.keras_file == ""
    assert {path.name for path in exported.folder.iterdir()} == {"manifest.json", "model.tflite"}


def test_an_evaluation_leaves_figures_and_pictures(exported: ExportResult, data: Path, tmp_path: Path) -> None:
    options = EvaluateOptions(data=data, models=("printed",), root=exported.folder.parent, out=tmp_path)
    found = evaluate(options).sets["printed"]
    assert found.glyphs == 200
    assert found.accuracy > 0.9
    written = json.loads((tmp_path / "evaluation.json").read_text("utf-8"))
    assert written["sets"]["printed"]["accuracy"] == found.accuracy
    assert (tmp_path / "printed.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_can_be_measured_before_it_is_exported(trained: TrainResult, data: Path) -> None:
    assert evaluate(EvaluateOptions(data=data, run=trained.out)).sets["printed"].accuracy > 0.9


def test_predictions_are_numbered_from_one(exported: ExportResult, unseen: Samples, tmp_path: Path) -> None:
    glyphs = unseen.take(slice(20))
    names = ",".join(f"pixel{index}" for index in range(784))
    np.savetxt(tmp_path / "test.csv", glyphs.images.reshape(20, -1), "%d", ",", header=names, comments="")
    out = tmp_path / "submission.csv"
    assert predict(PredictOptions(tmp_path / "test.csv", out, models=("printed",), root=exported.folder.parent)) == 20
    lines = out.read_text("utf-8").splitlines()
    assert lines[0] == "ImageId,Label"
    assert [line.split(",")[0] for line in lines[1:]] == [str(number) for number in range(1, 21)]
    right = sum(int(line.split(",")[1]) == label for line, label in zip(lines[1:], glyphs.labels, strict=True))
    assert right >= 18


def test_a_folder_without_a_run_exports_nothing(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no finished training"):
        export(ExportOptions(run=tmp_path, root=tmp_path))


def test_what_is_no_name_is_told_before_anything_else(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="'Digits' is no name of a network"):
        export(ExportOptions(run=tmp_path, name="Digits", root=tmp_path))


def renew(folder: Path, *names: str) -> None:
    with replaced_at_once(folder, manifest=MANIFEST) as part:
        for name in names:
            (part / name).write_text("new")


def test_what_cannot_be_written_leaves_the_old_files(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("old")
    with pytest.raises(FileNotFoundError):
        renew(tmp_path, MANIFEST, "no/such folder")
    assert contents(tmp_path) == {MANIFEST: b"old"}


def test_a_manifest_is_replaced_when_all_it_names_is_there(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("old")
    # It cannot be replaced by a file; what was killed before left something, too.
    (tmp_path / "network").mkdir()
    (tmp_path / ".part").mkdir()
    (tmp_path / ".part" / "line-9.tflite").touch()
    with pytest.raises(IsADirectoryError):
        renew(tmp_path, MANIFEST, "network")
    assert (tmp_path / MANIFEST).read_text() == "old"
    (tmp_path / "network").rmdir()
    renew(tmp_path, MANIFEST, "network")
    assert contents(tmp_path) == {MANIFEST: b"new", "network": b"new"}


def test_an_unknown_recipe_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="plain, mnist, digits"):
        train(TrainOptions(out=tmp_path / "run", recipe="secret"))
