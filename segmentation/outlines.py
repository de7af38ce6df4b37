"""A template's boxes drawn on a scan, for a person who writes the template."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, Page
from segmentation.combs import find_comb
from segmentation.prepare import to_grey

COLOURS: Final = ((0, 0, 220), (200, 90, 0), (0, 140, 0), (170, 0, 170))
"""BGR; neighbours in the template differ."""

SHADE: Final = 0.18
"""How much of its colour lies over a field."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A field's name, its box in pixels of the page, and the boxes of the comb in it."""

    label: str
    box: Box
    cells: tuple[Box, ...] = ()


def outline(page: Page, label: str, box: Box, *, cells: int | None) -> Outline:
    """Return a field's outline; where it should have a comb of so many boxes, with these, or a note that there is none.

    Args:
        page: on which the field lies.
        label: the field's name.
        box: its place, in pixels of the page.
        cells: how many boxes its comb has; None where it has none.
    """
    if cells is None:
        return Outline(label, box)
    comb = find_comb(to_grey(page)[box.slices], cells=(cells,))
    if comb is None:
        return Outline(f"{label}: no comb of {cells} found", box)
    found = (replace(cell, x=box.x + cell.x, y=box.y + cell.y) for cell in comb.cells)
    return Outline(label, box, tuple(found))


def draw_outlines(page: Page, outlines: Sequence[Outline]) -> bytes:
    """Return the page as PNG with every outline in colour and its label above it."""
    picture = page.pixels if page.pixels.ndim == 3 else np.asarray(cv2.cvtColor(page.pixels, cv2.COLOR_GRAY2BGR))
    drawn = np.ascontiguousarray(picture, np.uint8).copy()
    thick = max(1, round(max(page.width, page.height) / 1000))
    for place, outline in enumerate(outlines):
        _draw(drawn, outline, COLOURS[place % len(COLOURS)], thick)
    return cv2.imencode(".png", drawn)[1].tobytes()


def _draw(drawn: NDArray[np.uint8], outline: Outline, colour: tuple[int, int, int], thick: int) -> None:
    box = outline.box
    right, bottom = box.right, box.bottom
    inside = drawn[box.y : bottom, box.x : right]
    inside[:] = ((1 - SHADE) * inside + SHADE * np.array(colour)).astype(np.uint8)
    cv2.rectangle(drawn, (box.x, box.y), (right - 1, bottom - 1), colour, thick)
    for cell in outline.cells:
        cv2.rectangle(drawn, (cell.x, cell.y), (cell.right, cell.bottom), colour, thick)
    scale = 0.5 * max(1.0, thick * 0.9)
    above = box.y - 4 * thick if box.y > 20 * thick else bottom + 16 * thick
    cv2.putText(drawn, outline.label, (box.x, above), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thick, cv2.LINE_AA)
