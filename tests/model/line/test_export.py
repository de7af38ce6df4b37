"""From runs to an artifact that reads the same."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import ArtifactMismatch, ArtifactMissing, InvalidRequest
from model.history import RUN
from model.line.export import (
    LineExportOptions,
    LineExportResult,
    _write,
    compare,
    export_lines,
    keras_texts,
    load_line_network,
    to_int8,
)
from model.line.material import Sample, load_ingredients, make_samples
from model.line.network import BLANK, LINE_CLASSES, build_line_reader
from model.line.training import WEIGHTS, LineOptions, train_line_reader
from model.line_artifacts import load_line_manifest
from model.line_recogniser import LineRecogniser
from model.training_extra import load_keras
from segmentation.line import LINE_VERSION

pytest.importorskip("tensorflow", reason="the train extra is not installed")

# Keras 3.15 converts TensorFlow's variables in a way that NumPy 2 deprecates; nothing here can help it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.fixture(scope="module")
def run(drawn_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "line"
    train_line_reader(LineOptions(drawn_data, out, recipe="digits-open", epochs=1, fresh=32, command="train"))
    # So young a network guesses, and each rounding gives another guess; let it prefer to be silent.
    network = load_line_network(out)
    *weights, bias = network.get_weights()
    network.set_weights([*weights, bias + 20 * np.eye(len(LINE_CLASSES))[BLANK]])
    network.save_weights(out / WEIGHTS)
    return out


@pytest.fixture(scope="module")
def exported(run: Path, drawn_data: Path, tmp_path_factory: pytest.TempPathFactory) -> LineExportResult:
    root = tmp_path_factory.mktemp("artifacts")
    return export_lines(LineExportOptions((run, run), drawn_data, name="drawn", root=root, representative=8, drawn=20))


@pytest.fixture(scope="module")
def samples(drawn_data: Path) -> list[Sample]:
    return make_samples(load_ingredients(drawn_data, recipe="digits-open"), 40, seed=(9, 0, 0))


def test_the_original_is_left_out_where_nobody_wants_it(run: Path, drawn_data: Path, tmp_path: Path) -> None:
    wanted = LineExportOptions((run,), drawn_data, name="drawn", root=tmp_path, representative=8, drawn=20)
    assert (export_lines(wanted).folder / "line-1.weights.h5").exists()
    alone = export_lines(replace(wanted, original=False))
    assert alone.manifest.networks[0].keras_file == ""
    assert {path.name for path in alone.folder.iterdir()} == {"line.json", "line-1.tflite"}


def test_an_artifact_says_what_it_is(exported: LineExportResult) -> None:
    manifest = load_line_manifest("drawn", root=exported.folder.parent)
    assert manifest == exported.manifest
    assert [network.file for network in manifest.networks] == ["line-1.tflite", "line-2.tflite"]
    assert (manifest.classes, manifest.line_version) == (LINE_CLASSES, LINE_VERSION)
    assert [source.name for source in manifest.data] == ["unipen_ink", "pendigits_ink"]
    assert {"orand", "orand_keras", "meza", "drawn", "agreement"} <= set(manifest.networks[0].metrics)
    assert {path.name for path in exported.folder.iterdir()} == {
        "line.json", "line-1.tflite", "line-1.weights.h5", "line-2.tflite", "line-2.weights.h5"
    }  # fmt: skip


def test_an_export_leaves_no_networks_of_the_one_before(
    exported: LineExportResult, run: Path, drawn_data: Path
) -> None:
    copy = LineExportOptions((run,), drawn_data, name="again", root=exported.folder.parent, representative=8, drawn=20)
    folder = exported.folder.parent / "again"
    folder.mkdir()
    (folder / "line-2.tflite").write_bytes(b"old")
    (folder / "manifest.json").write_text("{}")
    export_lines(copy)
    assert {path.name for path in folder.iterdir()} == {
        "line.json", "line-1.tflite", "line-1.weights.h5", "manifest.json"
    }  # fmt: skip


def test_the_exported_network_gives_its_originals_outputs(samples: list[Sample], exported: LineExportResult) -> None:
    network = build_line_reader()
    network.set_weights(_lively(network.get_weights()))
    content = to_int8(network, samples[:10])
    manifest = replace(exported.manifest, networks=exported.manifest.networks[:1])
    reader = LineRecogniser([content], manifest)
    for sample in samples[:10]:
        width = -(-sample.pixels.shape[1] // 16) * 16
        line = np.zeros((1, 32, width, 1), np.float32)
        line[0, :, : sample.pixels.shape[1], 0] = sample.pixels
        frames = -(-sample.pixels.shape[1] // 2)
        logits = np.asarray(network(line, training=False))[0, :frames]
        there = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        (here,) = reader.classify([sample.pixels])
        assert np.corrcoef(here[0].ravel(), there.ravel())[0, 1] > 0.98
    assert np.ptp([len(set(text)) for text in keras_texts(network, samples)]) > 0


def test_a_network_that_reads_otherwise_is_told(samples: list[Sample], exported: LineExportResult, run: Path) -> None:
    reader = LineRecogniser.load("drawn", root=exported.folder.parent)
    network, other = load_line_network(run), build_line_reader()
    other.set_weights(_lively(other.get_weights()))
    same, different = compare(reader, [network, other], {"drawn": samples})
    assert same["agreement"] > 0.98
    assert different["agreement"] < 0.5
    assert set(same) == {"drawn", "drawn_keras", "agreement"}


def test_runs_of_different_data_do_not_go_together(run: Path, drawn_data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / WEIGHTS).write_bytes((run / WEIGHTS).read_bytes())
    said = json.loads((run / RUN).read_text("utf-8"))
    (other / RUN).write_text(json.dumps({**said, "recipe": "strings"}), "utf-8")
    with pytest.raises(InvalidRequest, match="do not go together"):
        export_lines(LineExportOptions((run, other), drawn_data, root=tmp_path))


def test_weights_of_something_else_are_refused(run: Path, tmp_path: Path) -> None:
    load_keras().Sequential([load_keras().layers.Input((3,)), load_keras().layers.Dense(2)]).save_weights(
        tmp_path / WEIGHTS
    )
    (tmp_path / RUN).write_bytes((run / RUN).read_bytes())
    with pytest.raises(InvalidRequest, match="no weights of a line reader"):
        load_line_network(tmp_path)


def test_without_data_nothing_is_exported(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="folder of collections"):
        export_lines(LineExportOptions((run,), None, root=tmp_path))
    with pytest.raises(InvalidRequest, match="at least one"):
        export_lines(LineExportOptions((), tmp_path, root=tmp_path))


def test_what_is_no_name_is_told_before_anything_else(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="'Digits' is no name of a network"):
        export_lines(LineExportOptions((), None, name="Digits", root=tmp_path))


def test_an_artifact_that_cannot_be_written_leaves_the_one_before(
    exported: LineExportResult, run: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(exported.folder, tmp_path / "drawn"))
    # A directory cannot be replaced by a file.
    (folder / "line-2.tflite").unlink()
    (folder / "line-2.tflite").mkdir()
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    options = LineExportOptions((run, run), None, name="drawn", root=tmp_path)
    with pytest.raises(OSError, match=r"line-2\.tflite"):
        _write(folder, options, exported.manifest, [b"other", b"networks"])
    assert {path.name for path in folder.iterdir() if path.is_file()} == set(before)
    assert (folder / "line.json").read_bytes() == before["line.json"]
    with pytest.raises(ArtifactMismatch, match=r"line-1\.tflite"):
        LineRecogniser.load("drawn", root=tmp_path)


def test_an_altered_network_is_never_run(exported: LineExportResult, tmp_path: Path) -> None:
    folder = tmp_path / "drawn"
    folder.mkdir()
    for path in exported.folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    assert LineRecogniser.load("drawn", root=tmp_path).networks == 2
    network = folder / "line-2.tflite"
    network.write_bytes(network.read_bytes()[:-1] + b"\0\0")
    with pytest.raises(ArtifactMismatch, match=r"line-2\.tflite"):
        LineRecogniser.load("drawn", root=tmp_path)
    network.unlink()
    with pytest.raises(ArtifactMissing, match=r"line-2\.tflite"):
        LineRecogniser.load("drawn", root=tmp_path)


def test_lines_made_otherwise_are_refused(exported: LineExportResult) -> None:
    root = exported.folder.parent
    assert LineRecogniser.load("drawn", line_version=LINE_VERSION, root=root).version.startswith("line-")
    with pytest.raises(ArtifactMismatch, match="version"):
        LineRecogniser.load("drawn", line_version="0", root=root)


def test_lines_come_back_in_their_order_whatever_their_widths(exported: LineExportResult) -> None:
    reader = LineRecogniser.load("drawn", root=exported.folder.parent)
    rng = np.random.default_rng(1)
    lines = [rng.integers(0, 255, (32, width)).astype(np.uint8) for width in (100, 17, 384, 16, 101)]
    found = reader.classify(lines)
    assert [each.shape for each in found] == [(2, frames, 12) for frames in (50, 9, 192, 8, 51)]
    for line, together in zip(lines, found, strict=True):
        (alone,) = reader.classify([line])
        assert np.array_equal(alone, together)
        assert together.dtype == np.float32
        assert np.exp(together).sum(axis=2) == pytest.approx(1, abs=1e-5)
    assert reader.classify([]) == []


@pytest.mark.parametrize(
    "line",
    [np.zeros((31, 20), np.uint8), np.zeros((32, 20), np.float32), np.zeros((32, 0), np.uint8), np.zeros(32, np.uint8)],
    ids=["height", "type", "empty", "flat"],
)
def test_what_is_no_line_is_refused(
    line: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]", exported: LineExportResult
) -> None:
    reader = LineRecogniser.load("drawn", root=exported.folder.parent)
    with pytest.raises(ValueError, match="Lines must be uint8"):
        reader.classify([line])


def _lively(weights: "list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]") -> list[object]:
    """Return the weights of an untrained network with kernels so large that its outputs differ from line to line."""
    return [array * 2 if array.ndim == 4 else array for array in weights]
