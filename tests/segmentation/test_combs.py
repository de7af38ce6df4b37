"""Printed combs: where they are found, and what is read out of their boxes."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.types import Box, DigitCrop, FieldCrop
from segmentation.comb_lattice import build_comb_lattice
from segmentation.combs import Comb, find_comb
from segmentation.lattice import build_lattice
from segmentation.prepare import deskew
from tests import factories
from tests.segmentation.drawn import crop_of, draw_digit, field, framed_page, ruled_field
from tests.segmentation.test_lattice import EXTREMES, check

LEFT, TOP, HEIGHT = 90, 30, 56
"""Where `comb_field` prints its comb."""


def comb_field(
    text: str = "12042017", *, pitch: float = 60.0, size: int = 36, tone: int = 60, lines: int = 90
) -> NDArray[np.uint8]:
    """Return a comb with a character of `text` in each box, and print around it; a space leaves a box empty."""
    width = round(LEFT + pitch * len(text)) + 40
    grey = np.full((130, width), 225, np.uint8)
    right = round(LEFT + pitch * len(text))
    cv2.rectangle(grey, (LEFT, TOP), (right, TOP + HEIGHT), lines, 2)
    for place, char in enumerate(text):
        x = LEFT + place * pitch
        cv2.line(grey, (round(x), TOP), (round(x), TOP + HEIGHT), lines, 2)
        cv2.putText(grey, "DDMMYYYY"[place % 8], (round(x) + 18, 118), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 60, 2)
        if char != " ":
            draw_digit(grey, char, (x + pitch / 2 - 11, TOP + (HEIGHT - size) / 2), digit_height=size, tone=tone)
    cv2.putText(grey, "DATE", (8, 60), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 60, 2)
    return grey


def found(grey: NDArray[np.uint8], cells: tuple[int, ...] = ()) -> Comb:
    comb = find_comb(grey, cells=cells)
    assert comb is not None
    return comb


def candidates(grey: NDArray[np.uint8], cells: tuple[int, ...] = (8, 6)) -> tuple[DigitCrop, ...]:
    """Return the candidates in the boxes of the picture's comb."""
    crop = crop_of(grey)
    lattice = build_comb_lattice(crop, found(grey, cells))
    check(lattice, crop.box)
    return lattice.candidates


@pytest.mark.parametrize("cells", [(), (8, 6)])
@pytest.mark.parametrize("text", ["12042017", "        ", "11111111", "12  2 17"])
def test_a_comb_is_found_whatever_is_written_in_it(text: str, cells: tuple[int, ...]) -> None:
    comb = found(comb_field(text), cells)
    assert len(comb.cells) == 8
    assert abs(comb.box.x - LEFT) <= 1
    assert abs(comb.box.y - TOP) <= 1
    assert abs(comb.box.width - 480) <= 2
    assert abs(comb.box.height - HEIGHT) <= 2
    assert comb.seen == 1.0
    assert comb.residual_px < 0.5
    assert 1.5 <= comb.line_px <= 4


@given(count=st.integers(4, 10), pitch=st.floats(34, 90), shrunk=st.sampled_from([1.0, 0.7, 0.5]))
@settings(max_examples=40)
def test_boxes_are_as_many_and_as_wide_as_printed(count: int, pitch: float, shrunk: float) -> None:
    grey = comb_field("1402174021"[:count], pitch=pitch, size=26)
    small = np.asarray(cv2.resize(grey, None, fx=shrunk, fy=shrunk, interpolation=cv2.INTER_AREA), np.uint8)
    comb = found(small)
    assert len(comb.cells) == count
    for place, cell in enumerate(comb.cells):
        middle = (LEFT + pitch * (place + 0.5)) * shrunk
        assert abs(cell.x + cell.width / 2 - middle) <= 2
        assert cell.width < pitch * shrunk


@pytest.mark.parametrize("skew_degrees", [-2.0, -0.7, 1.2])
def test_a_comb_that_lies_askew_is_found_level(skew_degrees: float) -> None:
    turned = deskew(comb_field(), -skew_degrees)[0]
    comb = found(turned, (8, 6))
    assert comb.skew_degrees == pytest.approx(skew_degrees, abs=0.2)
    assert len(comb.cells) == 8
    assert len(candidates(turned)) == 8


@pytest.mark.parametrize("rows", [slice(TOP + 2, None), slice(0, TOP + HEIGHT - 2)])
def test_a_comb_may_have_lost_a_level_line_at_the_edge(rows: slice) -> None:
    assert len(candidates(np.ascontiguousarray(comb_field()[rows]))) == 8


def test_a_comb_may_have_lost_its_last_line_at_the_edge() -> None:
    cut = np.ascontiguousarray(comb_field()[:, : LEFT + 476])
    assert len(found(cut, (8, 6)).cells) == 8
    assert len(candidates(cut)) == 8


def test_pale_lines_are_found_on_security_paper() -> None:
    ys, xs = np.indices((130, 610))
    texture = 8 * np.sin(xs / 3 + 4 * np.sin(ys / 9))
    grey = np.clip(comb_field(lines=150).astype(np.float64) + texture, 0, 255).astype(np.uint8)
    assert len(found(grey, (8, 6)).cells) == 8


def test_a_comb_with_another_number_of_boxes_is_not_taken_for_part_of_it() -> None:
    assert find_comb(comb_field(), cells=(6,)) is None
    assert find_comb(comb_field("120420"), cells=(8,)) is None
    assert len(found(comb_field("120420"), (8, 6)).cells) == 6


@pytest.mark.parametrize(
    "grey",
    [
        field("1042"),
        field("11111111", apart=0.6),
        ruled_field(),
        framed_page(),
        np.full((120, 600), 230, np.uint8),
        np.repeat(np.tile(np.array([230] * 10 + [60] * 2, np.uint8), 500)[:, None], 90, axis=1),
        *EXTREMES.values(),
    ],
)
def test_there_is_no_comb_where_none_is_printed(grey: NDArray[np.uint8]) -> None:
    assert find_comb(grey) is None
    assert find_comb(grey, cells=(8, 6)) is None


@pytest.mark.parametrize(
    "background", [factories.Background.PLAIN, factories.Background.BOXED, factories.Background.RULED]
)
@pytest.mark.parametrize("seed", range(3))
def test_written_fields_are_no_combs(background: factories.Background, seed: int) -> None:
    image = factories.field("11417101", seed=seed, background=background).image
    assert find_comb(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)) is None


def test_every_box_with_writing_gives_one_candidate() -> None:
    digits = candidates(comb_field("12 4 017"))
    assert len(digits) == 6
    places = [round((digit.box.x + digit.box.width / 2 - LEFT) / 60 - 0.5) for digit in digits]
    assert places == [0, 1, 3, 5, 6, 7]
    assert all(digit.box.y > TOP and digit.box.bottom < TOP + HEIGHT for digit in digits)


def test_an_empty_comb_has_no_candidates() -> None:
    grey = comb_field("        ")
    lattice = build_comb_lattice(crop_of(grey), found(grey))
    assert lattice.cuts == 1
    assert lattice.candidates == ()


def test_what_is_printed_around_a_comb_is_not_read() -> None:
    grey = comb_field("        ")
    cv2.putText(grey, "ANY WORDS", (LEFT, TOP - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 60, 2)
    assert candidates(grey) == ()


def test_lines_leave_no_trace_in_the_glyphs() -> None:
    ruled = comb_field("        ")
    plain = np.full_like(ruled, 225)
    for grey in (ruled, plain):
        draw_digit(grey, "2", (LEFT + 200, TOP + 10), digit_height=36)
    (digit,) = candidates(ruled)
    (alone,) = build_lattice(crop_of(plain)).candidates
    assert np.abs(digit.glyph.astype(int) - alone.glyph.astype(int)).mean() < 4


def test_a_stroke_over_a_line_belongs_to_the_box_with_most_of_it() -> None:
    grey = comb_field("  4     ")
    cv2.line(grey, (LEFT + 160, TOP + 30), (LEFT + 200, TOP + 32), 60, 3)
    (digit,) = candidates(grey)
    assert digit.box.right >= LEFT + 195


def test_a_stroke_that_crosses_the_lower_line_is_mended() -> None:
    grey = comb_field("        ")
    draw_digit(grey, "7", (LEFT + 20, TOP + 24), digit_height=44)
    (digit,) = candidates(grey)
    assert digit.box.bottom >= TOP + 24 + 42
    parts, _ = cv2.connectedComponents((digit.glyph > 60).view(np.uint8))
    assert parts == 2  # the paper and one stroke


def test_writing_through_several_boxes_is_cut_at_the_lines() -> None:
    grey = comb_field("12042017")
    cv2.line(grey, (LEFT + 30, TOP + 28), (LEFT + 100, TOP + 28), 60, 3)
    digits = candidates(grey)
    assert len(digits) == 8
    assert digits[0].box.right <= LEFT + 62
    assert digits[1].box.x >= LEFT + 58


def test_candidates_lie_on_the_page() -> None:
    grey = comb_field()
    crop = FieldCrop("date", "date", Box(x=300, y=200, width=grey.shape[1], height=grey.shape[0]), grey)
    lattice = build_comb_lattice(crop, found(grey))
    check(lattice, crop.box)
    assert 300 + LEFT < lattice.candidates[0].box.x < 300 + LEFT + 60
