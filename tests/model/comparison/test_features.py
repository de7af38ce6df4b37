"""Figures of glyphs: as many as are promised, and what they say of drawn shapes."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from model.comparison.features import FEATURES, diagonal_zones, structure
from tests.model.drawn import printed_digits

SHAPE = -8
"""Where the figures of shape begin: holes, their share, x, y; width, height, ink, parts."""


def ring(holes: int) -> NDArray[np.uint8]:
    glyph = np.zeros((28, 28), np.uint8)
    for number in range(holes):
        cv2.circle(glyph, (14, 8 + 12 * number), 5, 255, 2)
    return glyph


@pytest.mark.parametrize(("name", "figures"), [("pixels", 784), ("hog", 1296), ("zones", 69), ("structure", 120)])
def test_a_glyph_gives_as_many_figures_as_are_promised(name: str, figures: int) -> None:
    pytest.importorskip("skimage", reason="the train extra is not installed")
    glyphs = printed_digits(12).images
    rows = FEATURES[name].extract(glyphs)
    assert rows.shape == (12, figures)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert len({row.tobytes() for row in rows[:10]}) == 10


def test_holes_and_parts_are_counted() -> None:
    bars = np.zeros((28, 28), np.uint8)
    bars[4:24, 6:9] = bars[4:24, 18:21] = 255
    shapes = structure(np.stack([ring(0), ring(1), ring(2), bars]))[:, SHAPE:]
    assert shapes[:, 0].tolist() == [0, 1, 2, 0]
    assert shapes[:, -1].tolist() == [0, 1, 1, 2]
    assert shapes[1, 2:4] == pytest.approx([14, 8], abs=0.6)
    assert shapes[3, 4:6].tolist() == [15, 20]


def test_crossings_and_projections_follow_rows_and_columns() -> None:
    bars = np.zeros((1, 28, 28), np.uint8)
    bars[0, 4:24, 6:9] = bars[0, 4:24, 18:21] = 255
    rows = structure(bars)[0]
    across, down, by_row, by_column = (rows[28 * part : 28 * (part + 1)] for part in range(4))
    assert across[10] == 2
    assert across[0] == 0
    assert (down[7], down[12]) == (1, 0)
    assert (by_row[10], by_column[7]) == (6, 20)


def test_zones_tell_a_stroke_from_its_mirror_image() -> None:
    stroke = np.zeros((28, 28), np.uint8)
    cv2.line(stroke, (5, 4), (22, 23), 255, 2)
    one, other = diagonal_zones(np.stack([stroke, np.ascontiguousarray(stroke[:, ::-1])]))
    assert np.abs(one[:54] - other[:54]).max() > 0.2
    assert one[54:63] == pytest.approx(other[54:63], abs=0.05)


def test_zones_weigh_each_diagonal_the_same() -> None:
    full = diagonal_zones(np.full((1, 28, 28), 255, np.uint8))
    assert full == pytest.approx(np.ones((1, 69)), abs=1e-5)


def test_empty_paper_has_figures_too() -> None:
    blank = np.zeros((2, 28, 28), np.uint8)
    assert not diagonal_zones(blank).any()
    assert not structure(blank)[:, :SHAPE].any()
