"""The reader of print goes the way of the line reader: trained for some seconds, exported in float32, loaded again."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import ArtifactMismatch, InvalidRequest
from model.line import export
from model.line.courses import RECIPES, course
from model.line.export import LineExportOptions, export_lines
from model.line.network import LINE_CLASSES
from model.line.training import LineOptions, load_line_run, train_line_reader
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
    return out


def test_print_is_learnt_and_exported_without_any_collection(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = load_line_run(run)
    assert (described.recipe, described.line_version) == ("printed", PRINT_VERSION)
    assert [source.name for source in described.data] == [font.name for font in fonts_here()]
    # After so short a training it is in two minds about many a line.
    monkeypatch.setattr(export, "AGREEMENT_NEEDED", 0.5)
    result = export_lines(LineExportOptions((run,), None, name="print", root=tmp_path, drawn=20))
    assert result.agreement >= 0.5
    reader = LineRecogniser.load("print", line_version=PRINT_VERSION, root=tmp_path)
    assert reader.info.version == result.manifest.version
    rng = np.random.default_rng(0)
    for width in (16, 300, MAX_ROW_WIDTH, 17):
        (logs,) = reader.classify([rng.integers(0, 255, (32, width)).astype(np.uint8)])
        assert logs.shape == (1, -(-width // 2), len(LINE_CLASSES))
        assert np.exp(logs).sum(axis=2) == pytest.approx(1.0, abs=1e-4)


def test_written_lines_are_not_read_by_the_reader_of_print(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "AGREEMENT_NEEDED", 0.5)
    export_lines(LineExportOptions((run,), None, name="print", root=tmp_path, drawn=20))
    with pytest.raises(ArtifactMismatch, match=PRINT_VERSION):
        LineRecogniser.load("print", line_version=LINE_VERSION, root=tmp_path)


def test_recipes_say_what_they_need() -> None:
    assert "printed" in RECIPES
    with pytest.raises(InvalidRequest, match="printed"):
        course("typed")
    with pytest.raises(InvalidRequest, match="name it"):
        course("digits").check(None)
