"""The line reader's manifest."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from core.errors import ArtifactMismatch, ArtifactMissing
from model.artifacts import DataSource
from model.line_artifacts import (
    LINE_MANIFEST,
    LineManifest,
    LineNetwork,
    line_version_of,
    load_line_manifest,
    save_line_manifest,
)

MANIFEST = LineManifest(
    name="mine",
    version="line-0123",
    networks=(LineNetwork("line-1.tflite", "00", seed=1, command="train", epochs=2, metrics={"orand": 0.9}),),
    line_version="1",
    line_height=32,
    frame_columns=2,
    classes=("0", "1", "other", "blank"),
    parameters=7,
    data=(DataSource("ink", 3, "any use"),),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    return tmp_path / "mine"


def test_a_manifest_comes_back_as_it_was(folder: Path) -> None:
    save_line_manifest(MANIFEST, folder)
    assert load_line_manifest("mine", root=folder.parent) == MANIFEST
    assert asdict(MANIFEST)["networks"][0]["keras_file"] == ""


def test_without_a_line_reader_that_is_told(folder: Path) -> None:
    with pytest.raises(ArtifactMissing, match="no line reader"):
        load_line_manifest("mine", root=folder.parent)
    with pytest.raises(ArtifactMissing):
        load_line_manifest("../mine", root=folder.parent)


@pytest.mark.parametrize("text", ["{", "[]", '{"name": "mine"}'])
def test_a_damaged_manifest_is_told(text: str, folder: Path) -> None:
    (folder / LINE_MANIFEST).write_text(text, "utf-8")
    with pytest.raises(ArtifactMismatch, match="damaged"):
        load_line_manifest("mine", root=folder.parent)


def test_a_line_reader_has_a_network(folder: Path) -> None:
    save_line_manifest(replace(MANIFEST, networks=()), folder)
    with pytest.raises(ArtifactMismatch, match="names no network"):
        load_line_manifest("mine", root=folder.parent)


def test_the_version_changes_with_any_file_and_their_order() -> None:
    versions = {line_version_of(digests) for digests in (["a", "b"], ["b", "a"], ["a"], ["a", "c"])}
    assert len(versions) == 4
    assert line_version_of(["a", "b"]) == line_version_of(["a", "b"])
