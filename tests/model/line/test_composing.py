"""Numbers put together from one hand's digits."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator

from model.line import composing
from model.line.composing import (
    beside,
    compose,
    in_cells,
    lone_marks,
    number_text,
    rupee_amount,
    scribble,
    struck_out,
    words,
    zero_chain,
    zero_row,
)
from model.line.writing import OTHER, InkCollection, Stroke, Writing


def points(writing: Writing) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return np.concatenate(writing.strokes)


COMPOSERS: dict[str, Callable[[InkCollection, Generator], Writing]] = {
    "compose": compose,
    "in_cells": lambda ink, rng: in_cells(ink, rng, pitch=1.0),
    "words": words,
    "struck_out": struck_out,
    "scribble": lambda _, rng: scribble(rng),
    "lone_marks": lambda _, rng: lone_marks(rng),
    "rupee_amount": rupee_amount,
}


@pytest.mark.parametrize("name", COMPOSERS)
def test_the_same_seed_composes_the_same_writing(name: str, ink: InkCollection) -> None:
    first, again, other = (COMPOSERS[name](ink, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first.text == again.text
    assert np.array_equal(points(first), points(again))
    assert not np.array_equal(points(first), points(other))


def test_the_text_is_the_digits_that_were_drawn_in_their_order(ink: InkCollection) -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        writing = compose(ink, rng)
        assert writing.text.isdigit()
        assert len(writing.owners) == len(writing.strokes)
        owners = [owner for owner in writing.owners if owner >= 0]
        assert owners == sorted(owners)
        assert set(owners) == set(range(len(writing.text)))
        starts = [
            min(
                stroke[:, 0].min()
                for stroke, owner in zip(writing.strokes, writing.owners, strict=True)
                if owner == place
            )
            for place in range(len(writing.text))
        ]
        # Neighbours may overlap, but not swap their places.
        assert np.diff([*starts, np.inf]).min() > -0.5


def test_every_digit_stands_in_its_cell(ink: InkCollection) -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        writing = in_cells(ink, rng, pitch=1.1)
        assert writing.text.isdigit()
        middles = np.array([stroke[:, 0].mean() for stroke in writing.strokes])
        assert middles.min() > -0.4
        assert middles.max() < 1.1 * len(writing.text) + 0.4


def test_what_is_no_number_says_so(ink: InkCollection) -> None:
    rng = np.random.default_rng(3)
    assert words(ink, rng).text == OTHER
    assert scribble(rng).text == OTHER
    assert lone_marks(rng).text == OTHER


def test_writings_beside_each_other_do_not_start_over(ink: InkCollection) -> None:
    rng = np.random.default_rng(4)
    number, word = compose(ink, rng), words(ink, rng)
    both = beside(number, word, rng)
    assert both.text == number.text + OTHER
    added = np.concatenate(both.strokes[len(number.strokes) :])
    assert added[:, 0].min() > number.width


def test_numbers_have_digits_and_separators_alone() -> None:
    rng = np.random.default_rng(5)
    texts = [number_text(rng) for _ in range(500)]
    assert all(text[0].isdigit() and text[-1].isdigit() for text in texts)
    assert set("".join(texts)) <= set("0123456789.,/-' ")
    lengths = {sum(char.isdigit() for char in text) for text in texts}
    assert lengths == set(range(1, 10))
    assert any("," in text for text in texts)


@pytest.mark.parametrize(
    ("sizes", "grouped"), [([3] * 4, "1,234,567"), ([3, 2, 2, 2, 2], "12,34,567")], ids=["thousands", "lakh"]
)
def test_digits_are_grouped_from_the_right(sizes: list[int], grouped: str) -> None:
    assert composing._grouped("1234567", ",", sizes) == grouped


def test_a_number_struck_out_is_none_and_crossed_from_side_to_side(ink: InkCollection) -> None:
    for seed in range(40):
        rng = np.random.default_rng(seed)
        while len((number := compose(ink, rng)).text) == 1:
            pass
        struck = struck_out(ink, np.random.default_rng(seed))
        assert struck.text == OTHER
        crossing = np.concatenate(struck.strokes[len(number.strokes) :])
        assert crossing[:, 0].min() < 0.35 * number.width
        assert crossing[:, 0].max() > 0.65 * number.width


@pytest.mark.parametrize("zeros", [zero_chain, zero_row])
def test_a_run_of_zeros_has_a_loop_for_each(zeros: Callable[[int, Generator], tuple[list[Stroke], float]]) -> None:
    """Each turns once: a stroke goes up through the middle as often as there are zeros."""
    for seed in range(40):
        count = 1 + seed % 6
        strokes, width = zeros(count, np.random.default_rng(seed))
        points = np.concatenate(strokes)
        assert width == pytest.approx(float(points[:, 0].max()))
        middle = (points[:, 1].min() + points[:, 1].max()) / 2
        rises = sum(int(((stroke[:-1, 1] > middle) & (stroke[1:, 1] <= middle)).sum()) for stroke in strokes)
        assert count - 1 <= rises <= count + 1
