"""Drawn fields whose digits' boxes are known, which the open glyph recipe is cut from."""

from collections import Counter

import numpy as np

from model.line.writing import InkCollection
from model.mining import mine_drawings
from model.recipes import _drawing


def test_the_same_seed_draws_the_same_field(ink: InkCollection) -> None:
    (first, boxes), (again, same), (other, _) = (_drawing(ink, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert boxes == same
    assert first.shape != other.shape


def test_every_box_holds_ink(ink: InkCollection) -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        picture, boxes = _drawing(ink, rng)
        for known in boxes:
            x, y, width, height = known.box
            inside = picture[max(0, y) : y + height, max(0, x) : x + width]
            assert inside.min() < np.median(picture)


def test_digits_and_garbage_are_cut_out_of_drawn_fields(ink: InkCollection) -> None:
    rng = np.random.default_rng(4)
    drawings = [_drawing(ink, rng) for _ in range(60)]
    finds = mine_drawings(drawings)
    written = sum(len(boxes) for _, boxes in drawings)
    assert len(finds.digits) > 0.5 * written
    assert len(finds.garbage) > 50
    assert set(Counter(finds.labels)) == set(range(10))
