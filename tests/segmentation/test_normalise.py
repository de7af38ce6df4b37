"""The one format that the network sees."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation.normalise import normalise_glyphs
from segmentation.prepare import ink_strength
from tests.segmentation.drawn import field


@pytest.mark.parametrize("height", [12, 20, 45, 160])
def test_a_glyph_fills_twenty_pixels_around_its_centre_of_mass(height: int) -> None:
    glyph = normalise_glyphs([ink_strength(field("4", digit_height=height))])[0]
    rows = np.flatnonzero((glyph > 60).any(axis=1))
    assert 18 <= rows.max() - rows.min() + 1 <= 20
    weights = glyph / glyph.sum()
    assert float((weights.sum(axis=1) * np.arange(28)).sum()) == pytest.approx(14, abs=0.6)
    assert float((weights.sum(axis=0) * np.arange(28)).sum()) == pytest.approx(14, abs=0.6)
    assert glyph.max() == 255


def test_a_wide_glyph_keeps_its_proportions() -> None:
    dash = np.zeros((40, 100), np.uint8)
    dash[18:22, 10:90] = 255
    rows, columns = np.nonzero(normalise_glyphs([dash])[0] > 60)
    assert columns.max() - columns.min() + 1 == 20
    assert rows.max() - rows.min() + 1 <= 2


def test_a_normalised_glyph_passes_unchanged() -> None:
    once = normalise_glyphs([ink_strength(field("2"))])[0]
    assert np.array_equal(normalise_glyphs([once])[0], once)


def test_pale_ink_is_as_strong_as_black() -> None:
    strength = ink_strength(field("7"))
    pale = np.asarray(strength // 3, np.uint8)
    assert np.abs(normalise_glyphs([pale])[0].astype(int) - normalise_glyphs([strength])[0]).mean() < 6


def test_a_batch_is_its_glyphs_one_by_one() -> None:
    glyphs = [ink_strength(field(char)) for char in "0147"]
    batch = normalise_glyphs(glyphs)
    assert batch.shape == (4, 28, 28)
    assert all(np.array_equal(row, normalise_glyphs([glyph])[0]) for row, glyph in zip(batch, glyphs, strict=True))
    assert normalise_glyphs([]).shape == (0, 28, 28)


@given(height=st.integers(1, 300), width=st.integers(1, 300), seed=st.integers(0, 99), share=st.floats(0, 1))
@settings(max_examples=80, deadline=None)
def test_any_picture_becomes_a_glyph(height: int, width: int, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    picture = ((rng.random((height, width)) < share) * rng.integers(0, 256, (height, width))).astype(np.uint8)
    glyph = normalise_glyphs([picture])[0]
    assert glyph.shape == (28, 28)
    assert glyph.dtype == np.uint8
    assert glyph.any() == (picture.max() > 16)
