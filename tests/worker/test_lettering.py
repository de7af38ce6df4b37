"""Letters end to end: learnt from a folder a class, exported, chosen by name, read in fields; else a clear error."""

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import InvalidRequest
from core.settings import Settings
from model.artifacts import load_manifest
from model.evaluate import EvaluateOptions, evaluate
from model.predict import PredictOptions, predict
from tests.model.drawn import printed
from tests.model.test_formats import LETTERS, write_emnist, write_folders
from worker.pipeline import Reader, ReadRequest

pytest.importorskip("tensorflow", reason="the train extra is not installed")

# Keras 3.15 converts TensorFlow's variables in a way that NumPy 2 deprecates; nothing here can help it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

KNOWN = "ACEHMTX"


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of artifacts with one that was trained on a folder of letters."""
    from model.export import ExportOptions, export
    from model.train import TrainOptions, train

    home = tmp_path_factory.mktemp("letters")
    write_folders(home / "data", printed(KNOWN, 350))
    options = TrainOptions(out=home / "run", arch="baseline", data=home / "data", seed=3, epochs=3, patience=3)
    train(options)
    export(ExportOptions(run=home / "run", name="letters", root=home / "networks"))
    return home / "networks"


def line(text: Sequence[str], *, seed: int = 9) -> NDArray[np.uint8]:
    """Draw the letters in a row on paper, apart."""
    samples = printed(KNOWN, 7 * len(KNOWN), seed=seed)
    glyphs = [samples.images[KNOWN.index(char) + len(KNOWN) * place] for place, char in enumerate(text)]
    row = np.hstack([np.pad(glyph, ((14, 14), (8, 8))) for glyph in glyphs])
    grown = cv2.resize(row, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    paper: NDArray[np.uint8] = (245 - grown * (200 / 255)).astype(np.uint8)
    return paper


def png(picture: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


def test_the_classes_of_a_network_are_the_folders(networks: Path) -> None:
    assert load_manifest("letters", root=networks).classes == tuple(KNOWN)


@pytest.mark.parametrize("text", ["CAT", "MATCH", "EX"])
def test_a_field_of_letters_is_read(networks: Path, text: str) -> None:
    reader = Reader.load(Settings(model="letters"), root=networks)
    (field,) = reader.read(png(line(text)), request=ReadRequest("letters")).pages[0].fields
    assert field.text == text
    assert field.value == text
    assert field.type == "letters"
    assert [digit.char for digit in field.digits] == list(text)
    lefts = [digit.box.x for digit in field.digits]
    assert lefts == sorted(lefts)


def test_empty_paper_holds_no_letters(networks: Path) -> None:
    reader = Reader.load(Settings(model="letters"), root=networks)
    (field,) = reader.read(png(np.full((60, 200), 245, np.uint8)), request=ReadRequest("letters")).pages[0].fields
    assert (field.text, field.accepted) == ("", False)


def test_a_network_of_digits_says_that_it_knows_no_letters() -> None:
    with pytest.raises(InvalidRequest, match=r"knows no letters.*TALLYSCAN_MODEL"):
        Reader.load(Settings()).read(png(line("CAT")), request=ReadRequest("letters"))


def test_a_network_of_letters_says_that_it_knows_no_digits(networks: Path) -> None:
    reader = Reader.load(Settings(model="letters"), root=networks)
    with pytest.raises(InvalidRequest, match=r"letters alone.*digits"):
        reader.read(png(line("CAT")), request=ReadRequest("digits"))


def test_letters_are_measured_and_predicted(networks: Path, tmp_path: Path) -> None:
    unseen = printed(KNOWN, 70, seed=8)
    write_folders(tmp_path / "unseen", unseen)
    found = evaluate(EvaluateOptions(data=tmp_path / "unseen", models=("letters",), root=networks)).sets["unseen"]
    assert found.accuracy > 0.9
    assert [each.label for each in found.classes] == list(KNOWN)
    out = tmp_path / "read.csv"
    predict(PredictOptions(tmp_path / "unseen", out, format="csv", models=("letters",), root=networks))
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert np.mean([row["label"] == row["truth"] for row in rows]) == pytest.approx(found.accuracy)
    assert all(float(row["confidence"]) >= float(row["second_confidence"]) for row in rows)


def test_letters_that_a_network_never_learnt_are_named(networks: Path, tmp_path: Path) -> None:
    write_emnist(tmp_path, "letters", printed(LETTERS, 26), first=1, part="test")
    with pytest.raises(InvalidRequest, match="knows no B, D"):
        evaluate(EvaluateOptions(data=tmp_path, models=("letters",), root=networks))
