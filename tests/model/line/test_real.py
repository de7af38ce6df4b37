"""Real strings shaken, joined and laid side by side; here on drawn ones of the same shape."""

from pathlib import Path

import numpy as np
import pytest

from model.line.real import RealField, joined, load_meza, load_orand, shaken, side_by_side


@pytest.fixture(scope="module")
def fields(drawn_data: Path) -> list[RealField]:
    return load_orand(drawn_data, training=True)


def test_nothing_is_on_both_sides_of_the_split(drawn_data: Path) -> None:
    for load in (load_orand, load_meza):
        learnt, unseen = (
            {field.pixels.tobytes() for field in load(drawn_data, training=part)} for part in (True, False)
        )
        assert learnt
        assert unseen
        assert not learnt & unseen


def test_doubtful_strings_are_left_out(drawn_data: Path) -> None:
    assert len(load_orand(drawn_data, training=True)) == 12 * 3 // 4 - 1


def test_fields_are_cut_between_two_digits(fields: list[RealField]) -> None:
    cuts = [(field, column, count) for field in fields for column, count in field.cuts]
    assert cuts
    for field, column, count in cuts:
        assert 0 < column < field.pixels.shape[1]
        assert 0 < count < len(field.text)


def test_the_same_seed_shakes_alike(fields: list[RealField]) -> None:
    first, again, other = (shaken(fields[0], np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.pixels, again.pixels)
    assert first.pixels.shape != other.pixels.shape
    assert first.text == fields[0].text


def test_joined_fields_are_parts_of_their_halves(fields: list[RealField]) -> None:
    rng = np.random.default_rng(3)
    found = [field for field in (joined(fields, rng) for _ in range(60)) if field is not None]
    assert found
    heads = {field.text[:count] for field in fields for count in range(1, len(field.text) + 1)}
    for field in found:
        assert any(field.text.startswith(head) for head in heads)
        assert any(field.text.endswith(other.text[-1]) for other in fields)
        assert field.pixels.shape[1] > 8


@pytest.mark.parametrize("seed", range(6))
def test_lines_side_by_side_keep_all_their_ink(seed: int) -> None:
    left, right = np.zeros((32, 20), np.uint8), np.zeros((32, 30), np.uint8)
    left[:, 5] = right[:, 7] = 255
    line = side_by_side(left, right, np.random.default_rng(seed))
    assert 47 <= line.shape[1] <= 55
    columns = np.flatnonzero(line.max(axis=0))
    assert columns.tolist() == [5, line.shape[1] - 30 + 7]
