"""How networks are shown glyphs."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import InvalidRequest
from model.datasets import normalised
from model.views import PLAIN, VIEWS, check_view, seen
from model.warping import NARROW, WARPS, WIDE
from tests.model.drawn import printed_digits

GLYPHS = normalised(printed_digits(60, seed=4)).images


def widths(glyphs: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.array([cv2.boundingRect((glyph > 16).view(np.uint8))[2] for glyph in glyphs])


def drift(glyph: NDArray[np.uint8]) -> float:
    """Return how many columns the ink goes to the left with each row."""
    moments = cv2.moments(glyph)
    return moments["mu11"] / moments["mu02"]


def leaning(glyph: NDArray[np.uint8], columns_a_row: float) -> NDArray[np.uint8]:
    matrix = np.array([[1, -columns_a_row, 14 * columns_a_row], [0, 1, 0]])
    return np.asarray(cv2.warpAffine(glyph, matrix, (28, 28)), np.uint8)


def test_a_network_sees_glyphs_as_they_come_unless_it_is_said() -> None:
    assert np.array_equal(seen(GLYPHS, PLAIN), GLYPHS)
    assert {PLAIN, *WARPS} == set(VIEWS)


@pytest.mark.parametrize("slant", [-0.4, -0.2, 0.3])
def test_upright_glyphs_lean_no_more_however_they_were_written(slant: float) -> None:
    leant = np.stack([leaning(glyph, slant) for glyph in GLYPHS])
    assert np.median([abs(drift(glyph)) for glyph in leant]) > 0.15
    assert max(abs(drift(glyph)) for glyph in seen(leant, "upright")) < 0.03


@pytest.mark.parametrize(("view", "wanted"), [("narrow", NARROW), ("wide", WIDE)])
def test_ink_gets_its_width_within_what_leaves_a_one_a_one(view: str, wanted: int) -> None:
    before, after = widths(GLYPHS), widths(seen(GLYPHS, view))
    within = (before * 1.5 >= wanted) & (before / 1.5 <= wanted)
    assert within.sum() > 20
    assert np.abs(after[within] - wanted).max() <= 2
    assert (after / before).max() < 1.9  # 1.5, and the pixel that sampling smears to either side of thin strokes


@pytest.mark.parametrize("view", VIEWS)
def test_the_centre_stays_and_paper_stays_paper(view: str) -> None:
    places = np.arange(28)
    for before, after in zip(GLYPHS, seen(GLYPHS, view), strict=True):
        for axis in (0, 1):
            was, now = (float((each.sum(axis=axis) @ places) / each.sum()) for each in (before, after))
            assert now == pytest.approx(was, abs=0.6)
    blank = np.zeros((2, 28, 28), np.uint8)
    assert np.array_equal(seen(blank, view), blank)
    assert seen(GLYPHS[:0], view).shape == (0, 28, 28)


def test_a_view_that_nobody_knows_is_refused_with_what_there_is() -> None:
    with pytest.raises(InvalidRequest, match="'sideways'; there is: plain, upright, narrow, wide"):
        check_view("sideways")
