"""Pieces, cuts and candidates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.types import Box, Lattice
from segmentation.cuts import estimate_slant, find_components
from segmentation.lattice import build_lattice
from segmentation.prepare import ink_map
from tests.segmentation.drawn import STROKES, crop_of, field

EXTREMES: dict[str, NDArray[np.uint8]] = {
    "one_black_pixel": np.zeros((1, 1), np.uint8),
    "one_white_pixel": np.full((1, 1), 255, np.uint8),
    "all_black": np.zeros((60, 150), np.uint8),
    "all_white": np.full((60, 150), 255, np.uint8),
    "very_wide": np.tile(np.array([255] * 30 + [0] * 3, np.uint8), (2, 500)),
    "very_tall": np.tile(np.array([255] * 30 + [0] * 3, np.uint8)[:, None], (400, 3)),
    "checkerboard": np.asarray(np.indices((90, 400)).sum(axis=0) % 2 * 255, np.uint8),
    "noise": np.random.default_rng(1).integers(0, 256, (200, 300), dtype=np.uint8),
}


def check(lattice: Lattice, field_box: Box) -> None:
    """Assert what every lattice promises."""
    starts = {candidate.start for candidate in lattice.candidates}
    ends = {candidate.end for candidate in lattice.candidates}
    assert starts == set(range(lattice.cuts - 1))
    assert ends == set(range(1, lattice.cuts))
    singles = {(c.start, c.end) for c in lattice.candidates if c.end == c.start + 1}
    assert len(singles) == lattice.cuts - 1
    for candidate in lattice.candidates:
        box = candidate.box
        assert 0 <= candidate.start < candidate.end < lattice.cuts
        assert field_box.x <= box.x < box.right <= field_box.right
        assert field_box.y <= box.y < box.bottom <= field_box.bottom
        assert candidate.glyph.shape == (28, 28)


@pytest.mark.parametrize("name", sorted(EXTREMES))
def test_a_lattice_is_whole_whatever_the_picture(name: str) -> None:
    crop = crop_of(EXTREMES[name], x=7, y=3)
    check(build_lattice(crop), crop.box)


@given(
    height=st.integers(1, 80),
    width=st.integers(1, 300),
    seed=st.integers(0, 999),
    blobs=st.integers(0, 12),
    origin=st.tuples(st.integers(0, 50), st.integers(0, 50)),
)
@settings(max_examples=80, deadline=None)
def test_a_lattice_is_whole_for_any_blots(
    height: int, width: int, seed: int, blobs: int, origin: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    grey = np.full((height, width), 220, np.uint8)
    for _ in range(blobs):
        top, left = rng.integers(0, height), rng.integers(0, width)
        grey[top : top + rng.integers(1, 30), left : left + rng.integers(1, 40)] = rng.integers(0, 120)
    crop = crop_of(grey, x=origin[0], y=origin[1])
    check(build_lattice(crop), crop.box)


@pytest.mark.parametrize("apart", [0.8, 0.56])
@pytest.mark.parametrize("digit_height", [20, 40, 150])
def test_every_digit_stands_in_the_lattice(apart: float, digit_height: int) -> None:
    grey = field("204172", digit_height=digit_height, apart=apart)
    lattice = build_lattice(crop_of(grey))
    assert lattice.text_height == pytest.approx(digit_height, rel=0.2)
    for place, char in enumerate("204172"):
        across = [0.6 * x for stroke in STROKES[char] for x, _ in stroke]
        left = 1 + apart * place
        truth = (digit_height * (left + min(across)) - 2, digit_height * (left + max(across)) + 2)
        assert max(_overlap(candidate.box, truth) for candidate in lattice.candidates) > 0.6


def test_a_field_without_ink_has_no_candidates() -> None:
    lattice = build_lattice(crop_of(np.full((50, 120), 200, np.uint8)))
    assert lattice.cuts == 1
    assert lattice.candidates == ()


def test_boxes_are_in_pixels_of_the_page() -> None:
    grey = field("1042")
    here, there = build_lattice(crop_of(grey)), build_lattice(crop_of(grey, x=300, y=40))
    moved = [Box(c.box.x + 300, c.box.y + 40, c.box.width, c.box.height) for c in here.candidates]
    assert [candidate.box for candidate in there.candidates] == moved


def test_a_large_scan_has_the_same_lattice_as_a_small_one() -> None:
    small = build_lattice(crop_of(field("1042", digit_height=60)))
    large = build_lattice(crop_of(field("1042", digit_height=600)))
    assert large.cuts == small.cuts
    assert large.text_height == pytest.approx(10 * small.text_height, rel=0.1)


def test_touching_zeros_are_cut_apart() -> None:
    ink = ink_map(field("00", apart=0.48))
    assert find_components(ink).pieces.count >= 2


def test_pieces_cover_the_ink_of_the_digits_and_nothing_else() -> None:
    ink = ink_map(field("2047"))
    pieces = find_components(ink).pieces
    assert np.array_equal(pieces.ids > 0, ink)
    assert set(np.unique(pieces.ids)) == set(range(pieces.count + 1))
    middles = pieces.spans.sum(axis=1)
    assert np.all(np.diff(middles) >= 0)


@pytest.mark.parametrize("slant", [-0.3, 0.0, 0.3, 0.6])
def test_slant_is_measured(slant: float) -> None:
    rows, place = np.meshgrid(np.arange(40), np.arange(5), indexing="ij")
    columns = 30 * place - slant * rows + 50
    ys, xs = rows.ravel().astype(np.int32), np.round(columns.ravel()).astype(np.int32)
    assert estimate_slant(ys, xs) == pytest.approx(slant, abs=0.11)


def _overlap(box: Box, truth: tuple[float, float]) -> float:
    common = min(box.right, truth[1]) - max(box.x, truth[0])
    return common / (max(box.right, truth[1]) - min(box.x, truth[0]))
