"""A field's crop to its lattice: every merge of neighbouring pieces of ink that may be one digit.

Which of them are digits is not decided here: the network scores every candidate, and the decoder looks for
the best path. Candidates that no digit could fill (too wide) are left out, to keep the network's work small.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, DigitCrop, FieldCrop, Lattice
from segmentation.cuts import Primitives, find_primitives
from segmentation.normalise import normalise_glyph
from segmentation.prepare import ink_strength, remove_rules, threshold_ink

MAX_MERGED: Final = 5
"""Pieces that one candidate may be made of."""

MAX_WIDTH: Final = 1.5
"""Text heights that one candidate may be wide."""

WORKING_PIXELS: Final = 1_000_000
"""A crop larger than this is made smaller before its ink is sought."""

WORKING_HEIGHT: Final = 72.0
"""Writing taller than this, in pixels, is made smaller: more detail costs time and tells the network nothing."""


_RING: Final = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class _Writing:
    """A crop at the working scale: soft ink (uint8, 0 is paper), its pieces, and the scale."""

    soft: NDArray[np.uint8]
    pieces: Primitives
    scale: float


def build_lattice(crop: FieldCrop) -> Lattice:
    """Return all candidates for digits in `crop`; no candidates and one cut where there is no ink."""
    writing = _find_writing(crop.pixels)
    pieces = writing.pieces
    merges = [(start, end) for start in range(pieces.count) for end in _ends(pieces, start)]
    boxes = np.array([_around(pieces.boxes[start:end]) for start, end in merges], np.int32).reshape(-1, 4)
    candidates = tuple(
        DigitCrop(start=start, end=end, box=page_box, glyph=_glyph(writing, start, end, box))
        for (start, end), box, page_box in zip(
            merges, boxes.tolist(), _on_page(crop.box, boxes, writing.scale), strict=True
        )
    )
    return Lattice(cuts=pieces.count + 1, candidates=candidates, text_height=pieces.text_height / writing.scale)


def _ends(pieces: Primitives, start: int) -> list[int]:
    """Return the cuts at which a candidate from `start` may end; the next one always."""
    last = min(start + MAX_MERGED, pieces.count)
    left = np.minimum.accumulate(pieces.spans[start:last, 0])
    right = np.maximum.accumulate(pieces.spans[start:last, 1])
    fits = right - left <= MAX_WIDTH * pieces.text_height
    return [start + 1 + more for more in range(last - start) if more == 0 or fits[more]]


def _around(boxes: NDArray[np.int32]) -> tuple[int, int, int, int]:
    low, high = boxes.min(axis=0), boxes.max(axis=0)
    return int(low[0]), int(low[1]), int(high[2]), int(high[3])


def _find_writing(grey: NDArray[np.uint8]) -> _Writing:
    scale = min(1.0, (WORKING_PIXELS / grey.size) ** 0.5)
    writing = _at_scale(grey, scale)
    height = writing.pieces.text_height
    return writing if height <= WORKING_HEIGHT else _at_scale(grey, scale * 0.75 * WORKING_HEIGHT / height)


def _at_scale(grey: NDArray[np.uint8], scale: float) -> _Writing:
    if scale < 1.0:
        size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    strength = ink_strength(grey)
    ink = remove_rules(threshold_ink(strength))
    return _Writing(soft=_soften(strength, ink), pieces=find_primitives(ink), scale=scale)


def _soften(strength: NDArray[np.uint8], ink: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return `strength` with the field's full ink at 255."""
    if not ink.any():
        return np.zeros_like(strength)
    full = float(np.percentile(strength[ink], 75))
    return np.asarray(cv2.convertScaleAbs(strength, alpha=255 / max(full, 1.0)), np.uint8)


def _glyph(writing: _Writing, start: int, end: int, box: list[int]) -> NDArray[np.uint8]:
    left, top, right, bottom = box
    rows, columns = slice(max(0, top - 1), bottom + 1), slice(max(0, left - 1), right + 1)
    mask = cv2.inRange(writing.pieces.ids[rows, columns], start + 1, end)
    # One pixel more than the ink, so that its soft edge comes along.
    grown = cv2.dilate(mask, _RING)
    return normalise_glyph(np.asarray(cv2.bitwise_and(writing.soft[rows, columns], grown), np.uint8))


def _on_page(field: Box, boxes: NDArray[np.int32], scale: float) -> list[Box]:
    """Return `boxes` (left, top, right, bottom at the working scale) on the page, inside the field."""
    limit = np.array([field.width, field.height])
    low = np.clip(np.floor(boxes[:, :2] / scale), 0, limit - 1).astype(int)
    high = np.clip(np.ceil(boxes[:, 2:] / scale), low + 1, limit).astype(int)
    corners = np.concatenate([low + np.array([field.x, field.y]), high - low], axis=1)
    return [Box(*corner) for corner in corners.tolist()]
