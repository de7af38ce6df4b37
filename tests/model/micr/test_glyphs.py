"""E-13B's shapes: those of the standard's grid, and those of a font that others drew from it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.micr import ON_US, SYMBOLS
from model.micr.glyphs import CLEARANCE, DOTS, MODULES_HIGH, PITCH_MODULES, glyph, line_of


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_symbols_are_nine_modules_high_and_at_most_seven_wide(symbol: str) -> None:
    shape = glyph(symbol)
    assert shape.shape[0] == MODULES_HIGH * DOTS
    assert 4 * DOTS <= shape.shape[1] <= 7 * DOTS
    assert set(np.unique(shape)) <= {0, 255}
    assert shape[:, 0].any()
    assert shape[:, -1].any()


def test_no_two_symbols_are_alike() -> None:
    cells = {symbol: np.pad(glyph(symbol), ((0, 0), (7 * DOTS - glyph(symbol).shape[1], 0))) > 0 for symbol in SYMBOLS}
    for symbol in SYMBOLS:
        for other in SYMBOLS[: SYMBOLS.index(symbol)]:
            assert np.mean(cells[symbol] != cells[other]) > 0.05, (symbol, other)


@pytest.mark.parametrize("symbol", "0123456789")
def test_digits_are_one_stroke_and_signs_are_three(symbol: str) -> None:
    assert cv2.connectedComponents(glyph(symbol))[0] == 2
    assert cv2.connectedComponents(glyph(ON_US))[0] == 4


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_shapes_are_those_of_a_font_made_from_the_standard(symbol: str, shared_data: Path) -> None:
    path = shared_data / "micr_e13b_glyphs" / "png" / f"u{ord(symbol):04x}.png"
    reference = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    # Its pictures have 21 pixels a module, that of the 0 has 24, and all are cut off at the right and below.
    scale = (24 if symbol == "0" else 21) / DOTS
    ours = cv2.resize(glyph(symbol), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    first = int(np.nonzero(ours.any(axis=1))[0][0])
    ours = ours[first:]
    height, width = (min(a, b) - 2 for a, b in zip(ours.shape, reference.shape[:2], strict=True))
    differing = (ours[:height, :width] > 127) != (reference[:height, :width, 3] > 127)
    assert differing.mean() < 0.06


def test_right_edges_follow_each_other_at_an_eighth_of_an_inch() -> None:
    line = line_of("1828")
    module_inches = 0.013
    for cell in range(4):
        edge = 2 * DOTS + (cell + 1 - CLEARANCE / PITCH_MODULES) * 0.125 / module_inches * DOTS
        column = round(edge)
        assert line[:, column - 2].any()
        assert not line[:, column + 1 : column + DOTS].any()
