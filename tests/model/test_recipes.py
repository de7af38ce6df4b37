"""What the shipped network learns from, and what it must never see."""

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import ArtifactMismatch, InvalidRequest
from model.artifacts import SHIPPED, load_manifest, save_manifest
from model.corpora import TEST_SETS, evaluation_sets
from model.recipes import Ingredients, _inked, prepare
from tests.model.drawn import printed


def test_a_limit_takes_glyphs_of_every_class_of_a_folder(tmp_path: Path) -> None:
    drawn = printed("AB", 60)
    for number, (image, label) in enumerate(zip(drawn.images, drawn.labels, strict=True)):
        (tmp_path / drawn.classes[label]).mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / drawn.classes[label] / f"{number:02}.png"), image)
    material = prepare("plain", Ingredients(tmp_path, seed=1, limit=20))
    counts = np.bincount(np.concatenate([material.labels, material.held_out.labels]))
    assert counts.sum() == 20
    assert counts.min() > 4
    again = prepare("plain", Ingredients(tmp_path, seed=1, limit=20))
    assert np.array_equal(again.images, material.images)
    with pytest.raises(InvalidRequest, match="limited to 1, holds no glyph of the class"):
        prepare("plain", Ingredients(tmp_path, seed=1, limit=1))


def test_every_drawing_of_a_digit_is_in_a_round_of_its_own(tmp_path: Path) -> None:
    for file, labels in (("unipen_ink/digits", "0123456789"), ("unipen_ink/letters_symbols_sample", "AEFH"),
                         ("pendigits_ink/pendigits_orig", "9876543210")):  # fmt: skip
        rows = [{"label": each, "q": "GOOD", "split": "tra", "strokes": [[[0, 0], [place, 9]]]}
                for place, each in enumerate(labels)]  # fmt: skip
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / f"{file}.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    unipen, pen, letters = _inked(tmp_path, Ingredients(tmp_path, seed=1), pens=3)
    assert (unipen.rounds, pen.rounds, letters.rounds) == (3, 3, 1)
    for source in (unipen, pen):
        rounds = source.samples.labels.reshape(3, 10)
        assert (rounds == rounds[0]).all()


def test_the_shipped_recipe_learns_from_every_kind_of_ink(shared_data: Path) -> None:
    teacher = Path(__file__).parents[2] / "model" / "artifacts" / "digits"
    material = prepare("digits", Ingredients(shared_data, seed=1, limit=40, teacher=teacher))
    names = {source.name for source in material.sources}
    assert names == {
        "mnist", "optdigits", "unipen-digits", "pendigits", "unipen-letters", "orand", "orand-garbage", "meza"
    }  # fmt: skip
    assert material.classes[-1] == "garbage"
    assert set(material.labels) == set(range(11))


def test_the_open_recipe_learns_from_open_terms_alone(shared_data: Path) -> None:
    material = prepare("digits-open", Ingredients(shared_data, seed=1, limit=40))
    stated = {source.name: source.terms for source in material.described()}
    assert set(stated) == {
        "optdigits", "unipen-digits", "pendigits", "unipen-letters", "drawn-fields", "drawn-fields-garbage"
    }  # fmt: skip
    assert all("CC BY 4.0" in terms for terms in stated.values())
    assert set(material.labels) == set(range(11))


def test_a_teacher_of_another_normalisation_is_refused(shared_data: Path, tmp_path: Path) -> None:
    shutil.copytree(SHIPPED / "digits", tmp_path / "digits")
    save_manifest(replace(load_manifest("digits"), normalisation_version="0"), tmp_path / "digits")
    with pytest.raises(ArtifactMismatch, match="normalisation"):
        prepare("digits", Ingredients(shared_data, seed=1, limit=5, teacher=tmp_path / "digits"))


def test_no_test_glyph_is_learnt_from(shared_data: Path) -> None:
    material = prepare("digits", Ingredients(shared_data, seed=1, limit=2000))
    learnt = {image.tobytes() for image in material.images}
    for name, samples in evaluation_sets(shared_data, names=()).items():
        # optdigits is coarse and black on white: two writers may draw the same picture.
        allowed = 2 if name == "optdigits-test" else 0
        assert sum(image.tobytes() in learnt for image in samples.images) <= allowed, name


def test_a_recipe_leaves_the_hard_negatives_out(shared_data: Path) -> None:
    given = Ingredients(shared_data, seed=1, limit=40)
    whole, easy = prepare("digits", given), prepare("digits-easy", given)
    names = [{source.name for source in material.sources} for material in (whole, easy)]
    assert names[0] - names[1] == {"orand-garbage"}
    assert easy.classes == whole.classes


@pytest.mark.parametrize("recipe", ["digits", "digits-easy", "digits-open"])
def test_recipes_of_collections_need_their_folder(recipe: str) -> None:
    with pytest.raises(InvalidRequest, match="folder of collections"):
        prepare(recipe, Ingredients(None, seed=1))


def test_an_unknown_test_set_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="usps-test"):
        evaluation_sets(tmp_path, names=("letters",))


def test_an_empty_folder_holds_no_test_set(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="none of the collections"):
        evaluation_sets(tmp_path, names=())


def test_there_are_four_test_sets(shared_data: Path) -> None:
    sizes = {name: len(samples) for name, samples in evaluation_sets(shared_data, names=tuple(TEST_SETS)).items()}
    assert sizes == {"mnist-t10k": 10_000, "usps-test": 2_007, "semeion": 1_593, "optdigits-test": 946}
