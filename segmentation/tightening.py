"""A digit's box without what stands beside or above it: specks, a dash, one bar of an equals sign.

A candidate is all ink between two cuts, so its tight box may reach out to ink that is no part of the digit. What is,
is told by the pieces of the candidate's glyph, which costs microseconds: only digits that were read are looked at.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, DigitCrop
from segmentation.normalise import FAINT

PALE: Final = 60
"""Ink of a normalised glyph no stronger than this joins no pieces: security print, soft edges."""

MIN_ABOVE: Final = 0.2
"""Share of the main piece's ink that makes a piece above or below it a part of the digit, as the bar of a 5 is."""

MIN_BESIDE: Final = 0.3
"""The same for a piece beside it."""

MAX_GAP: Final = 6
"""Rows of a normalised glyph that may lie between a digit's pieces."""

_Rectangle = NDArray[np.int32]
"""Left, top, width, height."""


def main_ink_box(candidate: DigitCrop) -> Box:
    """Return the box of the candidate's main piece of ink and of what belongs to it, in pixels of the page."""
    glyph = candidate.glyph
    count, labels, stats, _ = cv2.connectedComponentsWithStats((glyph > PALE).view(np.uint8), connectivity=8)
    if count < 2:
        return candidate.box
    ink = np.bincount(labels.ravel(), weights=glyph.ravel(), minlength=count)[1:]
    pieces = stats[1:, : cv2.CC_STAT_AREA]
    main = int(ink.argmax())
    own = [piece for piece, mass in zip(pieces, ink, strict=True) if _belongs(piece, mass / ink[main], pieces[main])]
    left, top = min(piece[0] for piece in own), min(piece[1] for piece in own)
    right, bottom = max(piece[0] + piece[2] for piece in own), max(piece[1] + piece[3] for piece in own)
    return _on_page(candidate, (int(left), int(top), int(right), int(bottom)))


def _belongs(piece: _Rectangle, share: float, main: _Rectangle) -> bool:
    left, top, width, height = (int(value) for value in piece)
    main_left, main_top, main_width, main_height = (int(value) for value in main)
    common = min(left + width, main_left + main_width) - max(left, main_left)
    gap = max(top, main_top) - min(top + height, main_top + main_height)
    return share >= (MIN_ABOVE if 2 * common >= width else MIN_BESIDE) and gap <= MAX_GAP


def _on_page(candidate: DigitCrop, part: tuple[int, int, int, int]) -> Box:
    """Return a part (left, top, right, bottom) of the glyph on the page; the glyph's ink fills the candidate's box."""
    left, top, width, height = cv2.boundingRect((candidate.glyph > FAINT).view(np.uint8))
    box = candidate.box
    across, down = box.width / max(1, width), box.height / max(1, height)
    x, y = box.x + round((part[0] - left) * across), box.y + round((part[1] - top) * down)
    return Box(
        x=x, y=y, width=max(1, round((part[2] - part[0]) * across)), height=max(1, round((part[3] - part[1]) * down))
    )
