"""The reader of print goes the way of the line reader: trained for some seconds, exported in float32, loaded again."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import ArtifactMismatch, InvalidRequest
from model.line.courses import RECIPES, course
from model.line.export import LineExportOptions, LineExportResult, export_lines, load_line_network, to_float
from model.line.network import BLANK, LINE_CLASSES
from model.line.training import WEIGHTS, LineOptions, load_line_run, train_line_reader
from model.line_recogniser import LineRecogniser
from model.printed.fonts import ENOUGH, fonts_here
from segmentation.line import LINE_VERSION
from segmentation.printed import MAX_ROW_WIDTH, PRINT_VERSION

pytest.importorskip("tensorflow", reason="the train extra is not installed")

# Keras 3.15 converts TensorFlow's variables in a way that NumPy 2 deprecates; nothing here can help it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if len(fonts_here()) < ENOUGH:
        pytest.skip("too few free fonts are installed; docs/printed.md names the packages")
    out = tmp_path_factory.mktemp("runs") / "printed"
    train_line_reader(
        LineOptions(None, out, recipe="printed", seed=2, epochs=1, fresh=32, batch_size=16, command="train")
    )
    # After so short a training it is in two minds about many a line; let it prefer to be silent.
    network = load_line_network(out)
    *weights, bias = network.get_weights()
    network.set_weights([*weights, bias + 20 * np.eye(len(LINE_CLASSES))[BLANK]])
    network.save_weights(out / WEIGHTS)
    return out


@pytest.fixture(scope="module")
def exported(run: Path, tmp_path_factory: pytest.TempPathFactory) -> LineExportResult:
    root = tmp_path_factory.mktemp("artifacts")
    return export_lines(LineExportOptions((run,), None, name="print", root=root, drawn=20))


@pytest.fixture(scope="module")
def reader(exported: LineExportResult) -> LineRecogniser:
    return LineRecogniser.load("print", line_version=PRINT_VERSION, root=exported.folder.parent)


def test_print_is_learnt_and_exported_without_any_collection(
    run: Path, exported: LineExportResult, reader: LineRecogniser
) -> None:
    described = load_line_run(run)
    assert (described.recipe, described.line_version) == ("printed", PRINT_VERSION)
    assert [source.name for source in described.data] == [font.name for font in fonts_here()]
    assert exported.agreement > 0.98
    assert reader.info.version == exported.manifest.version
    rng = np.random.default_rng(0)
    for width in (16, 300, MAX_ROW_WIDTH, 17):
        (logs,) = reader.classify([rng.integers(0, 255, (32, width)).astype(np.uint8)])
        assert logs.shape == (1, -(-width // 2), len(LINE_CLASSES))
        assert np.exp(logs).sum(axis=2) == pytest.approx(1.0, abs=1e-4)


def test_the_export_in_float_gives_its_originals_numbers(run: Path, exported: LineExportResult) -> None:
    network = load_line_network(run)
    # So young a network says much the same of every frame; larger kernels tell frames apart.
    network.set_weights([array * 2 if array.ndim == 4 else array for array in network.get_weights()])
    reader = LineRecogniser([to_float(network)], exported.manifest)
    rng = np.random.default_rng(3)
    for width in (16, 320, MAX_ROW_WIDTH):
        row = rng.integers(0, 255, (32, width)).astype(np.uint8)
        logits = np.asarray(network(row[None, :, :, None].astype(np.float32), training=False), np.float64)[0]
        there = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        (here,) = reader.classify([row])
        assert np.ptp(there, axis=0).max() > 0.5, "or all frames are the same, and nothing is shown"
        assert np.abs(here[0] - there).max() < 1e-3


def test_written_lines_are_not_read_by_the_reader_of_print(exported: LineExportResult) -> None:
    with pytest.raises(ArtifactMismatch, match=PRINT_VERSION):
        LineRecogniser.load("print", line_version=LINE_VERSION, root=exported.folder.parent)


def test_recipes_say_what_they_need() -> None:
    assert "printed" in RECIPES
    with pytest.raises(InvalidRequest, match="printed"):
        course("typed")
    with pytest.raises(InvalidRequest, match="name it"):
        course("digits").check(None)
