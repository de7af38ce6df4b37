"""A template's boxes drawn on a scan, for a person who writes the template."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, Page

COLOURS: Final = ((0, 0, 220), (200, 90, 0), (0, 140, 0), (170, 0, 170))
"""BGR; neighbours in the template differ."""

SHADE: Final = 0.18
"""How much of its colour lies over a field."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A field's name, its box in pixels of the page, and into how many equal boxes it is parted."""

    label: str
    box: Box
    cells: int = 1


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
    right, bottom = box.x + box.width, box.y + box.height
    inside = drawn[box.y : bottom, box.x : right]
    inside[:] = ((1 - SHADE) * inside + SHADE * np.array(colour)).astype(np.uint8)
    cv2.rectangle(drawn, (box.x, box.y), (right - 1, bottom - 1), colour, thick)
    for cell in range(1, outline.cells):
        x = box.x + round(cell * box.width / outline.cells)
        cv2.line(drawn, (x, box.y), (x, bottom - 1), colour, thick)
    scale = 0.5 * max(1.0, thick * 0.9)
    above = box.y - 4 * thick if box.y > 20 * thick else bottom + 16 * thick
    cv2.putText(drawn, outline.label, (box.x, above), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thick, cv2.LINE_AA)
