"""What the shipped network learns from, and what it must never see."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import ArtifactMismatch, InvalidRequest
from model.artifacts import SHIPPED, load_manifest, save_manifest
from model.corpora import TEST_SETS, evaluation_sets
from model.recipes import Ingredients, prepare


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
