"""What the line reader learns from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidRequest
from model.corpora import FOLD_RECIPES, LAST_FOLD, meza_strings, orand_strings
from model.line.material import (
    ALL,
    CHEQUE_SHARE,
    FRAME_COLUMNS,
    FULL,
    OPEN,
    STRINGS,
    Ingredients,
    _real_fields,
    described,
    held_out,
    load_ingredients,
    make_samples,
)
from model.line.real import RealField, load_meza, load_orand
from model.line.writing import OTHER
from segmentation.line import LINE_HEIGHT, MAX_LINE_WIDTH


@pytest.fixture(scope="module", params=[OPEN, STRINGS])
def ingredients(request: pytest.FixtureRequest, drawn_data: Path) -> Ingredients:
    return load_ingredients(drawn_data, recipe=request.param)


def test_the_same_seed_makes_the_same_samples(ingredients: Ingredients) -> None:
    first, again, other = (make_samples(ingredients, 30, seed=(1, 0, chunk)) for chunk in (4, 4, 5))
    assert [sample.text for sample in first] == [sample.text for sample in again]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, again, strict=True))
    assert [sample.text for sample in first] != [sample.text for sample in other]


def test_every_sample_is_a_line_with_frames_enough_for_its_text(ingredients: Ingredients) -> None:
    for sample in make_samples(ingredients, 150, seed=(2, 0, 0)):
        height, width = sample.pixels.shape
        assert (sample.pixels.dtype, height) == (np.uint8, LINE_HEIGHT)
        assert width <= MAX_LINE_WIDTH
        assert sample.text
        assert set(sample.text) <= set("0123456789" + OTHER)
        repeats = sum(a == b for a, b in zip(sample.text, sample.text[1:], strict=False))
        assert width // FRAME_COLUMNS >= len(sample.text) + repeats


def test_what_is_no_number_is_learnt_as_such(ingredients: Ingredients) -> None:
    texts = [sample.text for sample in make_samples(ingredients, 300, seed=(3, 0, 0))]
    assert texts.count(OTHER) >= 5
    assert sum(text.isdigit() for text in texts) > 200


def test_open_terms_bring_neither_real_strings_nor_research_ink(drawn_data: Path) -> None:
    names = [source.name for source in described(drawn_data, recipe=OPEN)]
    assert names == ["unipen_ink", "pendigits_ink"]
    opened = load_ingredients(drawn_data, recipe=OPEN)
    assert (opened.orand, opened.meza) == ([], [])


def test_the_description_counts_what_is_learnt_from(drawn_data: Path) -> None:
    counts = {source.name: source.samples for source in described(drawn_data, recipe=STRINGS)}
    loaded = load_ingredients(drawn_data, recipe=STRINGS)
    assert counts["orand_car_a"] == len(loaded.orand)
    assert counts["meza_cells"] == len(loaded.meza)
    digits = sum(len(glyphs) for writer in loaded.ink.digits.values() for glyphs in writer.values())
    ink = sum(count for name, count in counts.items() if name.endswith("_ink"))
    # Writers of the same name in several collections are one here, and one of few digits there is none.
    assert ink == len(loaded.ink.numbers) + digits + len(loaded.ink.words)
    assert all(source.terms for source in described(drawn_data, recipe=STRINGS))


def test_only_what_ships_learns_from_what_is_held_out(drawn_data: Path) -> None:
    for load in (load_orand, load_meza):
        held_out_fields = len(load(drawn_data, training=False))
        assert held_out_fields > 0
        assert len(_real_fields(load, drawn_data, FULL)) == len(load(drawn_data, training=True))
        assert len(_real_fields(load, drawn_data, ALL)) == len(load(drawn_data, training=True)) + held_out_fields


def test_every_field_is_held_out_of_one_fold(drawn_data: Path) -> None:
    for load in (load_orand, load_meza):
        everything = sorted(_prints(_real_fields(load, drawn_data, ALL)))
        parts = [_prints(load(drawn_data, training=False, fold=fold)) for fold in range(1, LAST_FOLD + 1)]
        assert sorted(print_ for part in parts for print_ in part) == everything
        for recipe, fold in {FULL: LAST_FOLD, **FOLD_RECIPES}.items():
            learnt = _prints(_real_fields(load, drawn_data, recipe))
            assert sorted(learnt + parts[fold - 1]) == everything
            assert not set(learnt) & set(parts[fold - 1])


def test_a_fold_is_measured_on_what_it_holds_out(drawn_data: Path) -> None:
    for recipe, fold in FOLD_RECIPES.items():
        found = held_out(drawn_data, recipe=recipe)
        fields = load_meza(drawn_data, training=False, fold=fold)
        assert [sample.text for sample in found["meza"]] == [field.text for field in fields]


def test_labels_are_learnt_as_they_were_corrected(shared_data: Path) -> None:
    published = {string.path.name: string.text for string in orand_strings(shared_data, training=False)}
    wrong = {"a_car_000803.jpg": "39300", "a_car_000885.jpg": "40000"}
    learnt = [field.text for field in load_orand(shared_data, training=False)]
    assert len(learnt) == len(published)
    for place, (name, text) in enumerate(published.items()):
        if name in wrong:
            assert text != wrong[name]
            assert learnt[place] == wrong[name]
    cells = len(meza_strings(shared_data, training=False))
    # Four cells of which nobody can tell what they say.
    assert len(load_meza(shared_data, training=False)) == cells - 4


def _prints(fields: list[RealField]) -> list[tuple[str, int]]:
    return [(field.text, hash(field.pixels.tobytes())) for field in fields]


def test_held_out_strings_are_lines(drawn_data: Path) -> None:
    found = held_out(drawn_data)
    assert set(found) == {"orand", "meza"}
    assert all(sample.text.isdigit() and sample.pixels.shape[0] == 32 for part in found.values() for sample in part)


def test_an_unknown_recipe_names_the_known_ones(drawn_data: Path) -> None:
    with pytest.raises(InvalidRequest, match="digits-open"):
        load_ingredients(drawn_data, recipe="secret")


def test_real_collections_make_lines(shared_data: Path) -> None:
    samples = make_samples(load_ingredients(shared_data, recipe=STRINGS), 40, seed=(1, 0, 0))
    assert len({sample.text for sample in samples}) > 20


def test_a_missing_collection_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="unipen_ink/numbers"):
        load_ingredients(tmp_path, recipe=STRINGS)


def test_every_ingredient_is_learnt_from(ingredients: Ingredients) -> None:
    field = RealField(np.full((40, 160), 255, np.uint8), "8642097531", ())
    field.pixels[10:30, 20:140:8] = 30
    fed = replace(ingredients, cheques=[field], rupees=True)
    texts = [sample.text for sample in make_samples(fed, 400, seed=(4, 0, 0))]
    assert texts.count(field.text) > 0.5 * CHEQUE_SHARE * len(texts)
    assert texts.count(OTHER) >= 5
    starved = [sample.text for sample in make_samples(ingredients, 400, seed=(4, 0, 0))]
    assert field.text not in starved
    # Amounts in rupees end in runs of zeros.
    assert sum(text.endswith("000") for text in texts) > 10
