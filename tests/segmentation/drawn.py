"""Pictures drawn with a few OpenCV calls, the same on every machine; and the golden images made of them.

`python -m tests.segmentation.drawn` writes the golden images again; look at them before they are committed.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, FieldCrop
from segmentation.cuts import find_components
from segmentation.normalise import normalise_glyphs
from segmentation.prepare import deskew, find_frames, ink_map, ink_strength, remove_rules

GOLDEN = Path(__file__).parent / "golden"

STROKES: dict[str, list[list[tuple[float, float]]]] = {
    "0": [[(0.5, 0), (0.1, 0.25), (0.1, 0.75), (0.5, 1), (0.9, 0.75), (0.9, 0.25), (0.5, 0)]],
    "1": [[(0.3, 0.2), (0.6, 0), (0.6, 1)]],
    "2": [[(0.1, 0.2), (0.5, 0), (0.9, 0.25), (0.1, 1), (0.9, 1)]],
    "4": [[(0.6, 0), (0.1, 0.6), (0.9, 0.6)], [(0.7, 0.35), (0.7, 1)]],
    "7": [[(0.1, 0), (0.9, 0), (0.4, 1)]],
}
"""Digits as broken lines in a unit square, y down."""


def field(
    text: str, *, digit_height: int = 40, apart: float = 0.8, tone: int = 60, paper: int = 215
) -> NDArray[np.uint8]:
    """Return `text` written on paper that darkens to the right; digits stand `apart` heights from each other."""
    width = round(digit_height * (apart * (len(text) - 1) + 0.8)) + 2 * digit_height
    shade = np.linspace(paper, paper - 40, width).astype(np.uint8)
    grey = np.repeat(shade[None], 2 * digit_height, axis=0)
    for place, char in enumerate(text):
        left = digit_height + place * apart * digit_height
        draw_digit(grey, char, (left, digit_height / 2), digit_height=digit_height, tone=tone)
    return grey


def draw_digit(
    grey: NDArray[np.uint8], char: str, at: tuple[float, float], *, digit_height: int, tone: int = 60
) -> None:
    """Draw one digit into `grey`, its upper left corner at `at` (x, y)."""
    for stroke in STROKES[char]:
        points = np.array(stroke) * (0.6 * digit_height, digit_height) + at
        fixed = np.round(points * 16).astype(np.int32)
        cv2.polylines(grey, [fixed], False, tone, max(2, digit_height // 12), cv2.LINE_AA, shift=4)


def crop_of(grey: NDArray[np.uint8], *, x: int = 0, y: int = 0, type_name: str = "digits") -> FieldCrop:
    """Return the picture as a field that lies at (x, y) of its page."""
    box = Box(x=x, y=y, width=grey.shape[1], height=grey.shape[0])
    return FieldCrop(name="drawn", type=type_name, box=box, pixels=grey)


def ruled_field() -> NDArray[np.uint8]:
    """Return a field with a ruling line through its digits' feet and a frame's side at its left edge."""
    grey = field("1042")
    cv2.line(grey, (0, 58), (grey.shape[1], 59), 90, 2)
    cv2.line(grey, (2, 0), (2, grey.shape[0]), 90, 1)
    return grey


def framed_page() -> NDArray[np.uint8]:
    """Return a page with two framed boxes, a 1 in one of them and a number in the other."""
    grey = np.full((240, 420), 230, np.uint8)
    cv2.rectangle(grey, (20, 20), (130, 110), 40, 2)
    cv2.rectangle(grey, (150, 20), (400, 110), 40, 2)
    cv2.line(grey, (70, 45), (70, 90), 50, 3)
    for place, char in enumerate("4702"):
        draw_digit(grey, char, (175 + 50 * place, 45), digit_height=44)
    return grey


def _bits(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return mask.astype(np.uint8) * 255


def _pieces(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    ids = find_components(remove_rules(ink_map(grey))).pieces.ids
    return np.asarray(np.where(ids > 0, 40 + 30 * ((ids - 1) % 7), 0), np.uint8)


STEPS: dict[str, Callable[[], NDArray[np.uint8]]] = {
    "ink": lambda: _bits(ink_map(field("1042"))),
    "ink_ruled": lambda: _bits(ink_map(ruled_field())),
    "rules_removed": lambda: _bits(remove_rules(ink_map(ruled_field()))),
    "frames": lambda: _bits(find_frames(ink_map(framed_page()))),
    "deskewed": lambda: deskew(field("2742"), -7.0)[0],
    "pieces": lambda: _pieces(field("0042", apart=0.55)),
    "glyph": lambda: normalise_glyphs([ink_strength(field("4"))])[0],
}
"""Golden images by name."""


if __name__ == "__main__":
    for name, step in STEPS.items():
        cv2.imwrite(str(GOLDEN / f"{name}.png"), step())
