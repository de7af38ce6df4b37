"""An artifact is what its manifest says, or it is refused."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import ArtifactMismatch, ArtifactMissing
from model.artifacts import SHIPPED, load_manifest, read_verified, save_manifest
from model.line_artifacts import load_line_manifest
from model.recogniser import Recogniser
from segmentation.normalise import NORMALISATION_VERSION


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder of artifacts of which one may be spoilt."""
    shutil.copytree(SHIPPED / "digits", tmp_path / "digits")
    return tmp_path


def test_the_shipped_network_is_as_its_manifest_says() -> None:
    manifest = load_manifest("digits")
    folder = SHIPPED / "digits"
    assert read_verified(folder / manifest.file, manifest.sha256)
    assert read_verified(folder / manifest.keras_file, manifest.keras_sha256)
    assert manifest.classes[:10] == tuple("0123456789")
    assert manifest.parameters <= 250_000
    assert manifest.normalisation_version == NORMALISATION_VERSION
    assert manifest.version.endswith(manifest.sha256[:12])
    assert manifest.command.startswith("tallyscan train ")
    assert manifest.data


def test_a_manifest_survives_being_written(copy: Path) -> None:
    manifest = replace(load_manifest("digits"), version="next")
    save_manifest(manifest, copy / "digits")
    assert load_manifest("digits", root=copy) == manifest


def test_one_altered_byte_is_refused(copy: Path) -> None:
    path = copy / "digits" / "model.tflite"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArtifactMismatch, match=r"model\.tflite"):
        Recogniser.load("digits", root=copy)


def test_a_missing_file_is_said(copy: Path) -> None:
    (copy / "digits" / "model.tflite").unlink()
    with pytest.raises(ArtifactMissing, match=r"model\.tflite"):
        Recogniser.load("digits", root=copy)


def test_another_normalisation_is_refused() -> None:
    with pytest.raises(ArtifactMismatch, match="normalisation"):
        Recogniser.load("digits", normalisation_version="another")
    assert Recogniser.load("digits", normalisation_version=NORMALISATION_VERSION).classes


def test_a_view_from_a_later_version_is_refused(copy: Path) -> None:
    save_manifest(replace(load_manifest("digits"), view="mirrored"), copy / "digits")
    with pytest.raises(ArtifactMismatch, match="'digits' sees glyphs in a way not known here: mirrored"):
        Recogniser.load("digits", root=copy)


@pytest.mark.parametrize("name", ["nothing", "../digits", "", "/digits"])
def test_a_name_leads_nowhere_else(name: str) -> None:
    with pytest.raises(ArtifactMissing):
        load_manifest(name)


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"name": "digits"})])
def test_a_damaged_manifest_is_refused(copy: Path, text: str) -> None:
    (copy / "digits" / "manifest.json").write_text(text, "utf-8")
    with pytest.raises(ArtifactMismatch, match="manifest"):
        load_manifest("digits", root=copy)


def test_the_open_networks_learnt_only_from_what_may_be_used_for_anything() -> None:
    glyphs, lines = load_manifest("digits-open"), load_line_manifest("digits-open")
    stated = {source.terms for source in (*glyphs.data, *lines.data)}
    assert stated
    assert all("CC BY 4.0" in each for each in stated)
    assert not any(word in each for each in stated for word in ("non-commercial", "none stated", "research use"))


def test_the_figures_come_from_networks_that_never_saw_what_is_held_out() -> None:
    """Those that ship read the same pictures, and learnt from more of them."""
    judged, shipped = load_line_manifest("digits-held-out"), load_line_manifest("digits")
    assert load_manifest("digits-held-out").sha256 == load_manifest("digits").sha256
    assert judged.line_version == shipped.line_version
    fewer, more = ({source.name: source.samples for source in each.data} for each in (judged, shipped))
    assert fewer.keys() == more.keys()
    real = ("orand_car_a", "meza_cells", "idrbt_cheques")
    assert all(fewer[name] < more[name] for name in real)
    assert all(fewer[name] == more[name] for name in fewer.keys() - set(real))
