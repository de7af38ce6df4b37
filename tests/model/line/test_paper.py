"""Writing on paper."""

import numpy as np
import pytest

from model.line.composing import compose, in_cells
from model.line.paper import MAX_HEIGHT, MAX_WIDTH, blank, in_comb, painted, painted_field
from model.line.writing import InkCollection


def test_the_same_seed_paints_the_same_picture(ink: InkCollection) -> None:
    writing = compose(ink, np.random.default_rng(1))
    first, again, other = (painted(writing, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


def test_strokes_are_where_the_picture_is_dark(ink: InkCollection) -> None:
    rng = np.random.default_rng(2)
    darker = []
    for _ in range(40):
        field = painted_field(compose(ink, rng), rng)
        height, width = field.pixels.shape
        spots = np.concatenate(field.strokes).round().astype(int)
        inside = spots[(spots >= 0).all(axis=1) & (spots[:, 0] < width) & (spots[:, 1] < height)]
        assert len(inside) > 0.9 * len(spots)
        darker.append(np.median(field.pixels) - np.mean(field.pixels[inside[:, 1], inside[:, 0]]))
    assert np.mean(np.array(darker) > 5) > 0.9


def test_pictures_are_fields_of_a_page_and_no_more(ink: InkCollection) -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        pictures = (
            painted(compose(ink, rng), rng),
            in_comb(in_cells(ink, rng, pitch=1.0), rng, pitch=1.0),
            blank(rng),
        )
        for picture in pictures:
            assert picture.dtype == np.uint8
            assert picture.ndim == 2
            assert 8 <= picture.shape[0] <= MAX_HEIGHT
            assert 8 <= picture.shape[1] <= MAX_WIDTH


@pytest.mark.parametrize("seed", range(5))
def test_blank_paper_is_repeated_too(seed: int) -> None:
    assert np.array_equal(blank(np.random.default_rng(seed)), blank(np.random.default_rng(seed)))
