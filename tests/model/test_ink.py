"""Strokes become pictures, whatever their scale, and the same seed draws the same ones."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.ink import InkGlyph, draw_strokes, drawn, pendigits, unipen_digits

SEVEN = [np.array([[0.0, 0.0], [60.0, 0.0], [20.0, 100.0]])]


@given(st.integers(0, 1000), st.floats(0.01, 1000), st.floats(-1e4, 1e4))
def test_a_stroke_lies_inside_its_picture(seed: int, scale: float, shift: float) -> None:
    picture = draw_strokes([stroke * scale + shift for stroke in SEVEN], np.random.default_rng(seed))
    assert picture.dtype == np.uint8
    assert picture.max() > 60
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert border.max() == 0


def test_a_single_dot_is_drawn() -> None:
    assert draw_strokes([np.array([[5.0, 5.0]])], np.random.default_rng(1)).any()


def test_the_same_seed_draws_the_same_glyphs() -> None:
    glyphs = [InkGlyph("7", SEVEN)] * 4
    first, second = drawn(glyphs, [7] * 4, seed=1), drawn(glyphs, [7] * 4, seed=1)
    assert np.array_equal(first.images, second.images)
    assert not np.array_equal(first.images[0], first.images[1])
    assert first.labels.tolist() == [7] * 4


@pytest.mark.parametrize("load", [unipen_digits, pendigits])
def test_real_ink_stands_upright(shared_data: Path, load: object) -> None:
    assert callable(load)
    glyphs = [glyph for glyph in load(shared_data) if glyph.label == "7"][:200]
    images = drawn(glyphs, [7] * len(glyphs), seed=1).images.astype(np.float64).mean(axis=0)
    # A seven's bar is at its top: more ink to the left of the middle there than at its foot.
    assert images[4:10, :12].sum() > images[18:24, :9].sum()
