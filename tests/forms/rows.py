"""Lattices of boxes in a row, with scores that say what each piece is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.types import Box, DigitCrop, FieldCrop, Lattice

CLASSES = tuple("0123456789")
WITH_GARBAGE = (*CLASSES, "garbage")

BLANK = np.zeros((28, 28), np.uint8)


def row(pieces: Sequence[Box], *, merged: int = 3) -> Lattice:
    """Return the lattice of `pieces` from left to right, with every merge of up to `merged` neighbours."""
    candidates = [
        DigitCrop(start, end, _around(pieces[start:end]), BLANK)
        for start in range(len(pieces))
        for end in range(start + 1, min(start + merged, len(pieces)) + 1)
    ]
    return Lattice(cuts=len(pieces) + 1, candidates=tuple(candidates), text_height=40.0)


def digit_boxes(count: int) -> list[Box]:
    """Return boxes of digits, 40 pixels tall, side by side."""
    return [Box(20 + 35 * place, 10, 25, 40) for place in range(count)]


def scores(
    lattice: Lattice, truth: dict[tuple[int, int], int], *, classes: tuple[str, ...], sure: float = 0.99
) -> NDArray[np.float32]:
    """Return scores that give candidate (start, end) its digit, and all others garbage, or no digit clearly."""
    table = np.full((len(lattice.candidates), len(classes)), (1 - sure) / (len(classes) - 1), np.float32)
    for index, candidate in enumerate(lattice.candidates):
        digit = truth.get((candidate.start, candidate.end))
        if digit is not None:
            table[index, digit] = sure
        elif "garbage" in classes:
            table[index, classes.index("garbage")] = sure
        else:
            table[index] = 1 / len(classes)
    return table


def crop(*, type_name: str = "digits") -> FieldCrop:
    """Return a field that holds all boxes of this module."""
    return FieldCrop(name="row", type=type_name, box=Box(0, 0, 400, 60), pixels=np.full((60, 400), 255, np.uint8))


def _around(boxes: Sequence[Box]) -> Box:
    x, y = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    return Box(x, y, right - x, bottom - y)
