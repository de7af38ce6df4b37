"""A field's crop to its lattice: every merge of neighbouring pieces of ink that may be one digit.

Which of them are digits is not decided here: the network scores every candidate, and the decoder looks for
the best path. Candidates that no digit could fill (too wide) are left out, to keep the network's work small.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, DigitCrop, FieldCrop, Lattice
from segmentation.cuts import Primitives, find_primitives
from segmentation.normalise import faint_box, normalise_tight
from segmentation.prepare import ink_strength, remove_rules, threshold_ink

MAX_MERGED: Final = 5
"""Pieces that one candidate may be made of."""

MAX_WIDTH: Final = 1.5
"""Text heights that one candidate may be wide."""

WORKING_PIXELS: Final = 1_000_000
"""A crop larger than this is made smaller before its ink is sought."""

WORKING_HEIGHT: Final = 72.0
"""Writing taller than this, in pixels, is made smaller: more detail costs time and tells the network nothing."""

NOWHERE: Final = (2**31, 2**31, 0, 0)
"""Left, top, right and bottom of nothing: the union with any box is that box."""

_RING: Final = np.ones((3, 3), np.uint8)

_Corners = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Writing:
    """A crop at the working scale: soft ink (uint8, 0 is paper), its pieces, and the scale."""

    soft: NDArray[np.uint8]
    pieces: Primitives
    scale: float


class _Merge(NamedTuple):
    """Neighbouring pieces that may be one digit: cuts at its ends, and left, top, right, bottom around it."""

    start: int
    end: int
    box: _Corners


class _Part(NamedTuple):
    """One piece's soft ink, the window of the picture it fills, and where in the picture it is not faint."""

    window: tuple[slice, slice]
    ink: NDArray[np.uint8]
    box: _Corners


def build_lattice(crop: FieldCrop) -> Lattice:
    """Return all candidates for digits in `crop`; no candidates and one cut where there is no ink."""
    writing = _find_writing(crop.pixels)
    pieces = writing.pieces
    merges = _merges(pieces)
    glyphs = normalise_tight(_tight_glyphs(writing, merges), len(merges))
    page_boxes = _on_page(crop.box, [merge.box for merge in merges], writing.scale)
    candidates = tuple(
        DigitCrop(start=merge.start, end=merge.end, box=box, glyph=glyph)
        for merge, box, glyph in zip(merges, page_boxes, glyphs, strict=True)
    )
    return Lattice(cuts=pieces.count + 1, candidates=candidates, text_height=pieces.text_height / writing.scale)


def _merges(pieces: Primitives) -> list[_Merge]:
    """Return what may be a digit, by its start and end; every single piece among it."""
    boxes, spans = pieces.boxes.tolist(), pieces.spans.tolist()
    widest = MAX_WIDTH * pieces.text_height
    merges = []
    for start in range(pieces.count):
        left, top, right, bottom = boxes[start]
        first, last = spans[start]
        for piece in range(start, min(start + MAX_MERGED, pieces.count)):
            first, last = min(first, spans[piece][0]), max(last, spans[piece][1])
            if piece > start and last - first > widest:
                break
            box = boxes[piece]
            left, top, right, bottom = min(left, box[0]), min(top, box[1]), max(right, box[2]), max(bottom, box[3])
            merges.append(_Merge(start, piece + 1, (left, top, right, bottom)))
    return merges


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
    levels = strength[ink]
    if not len(levels):
        return np.zeros_like(strength)
    return np.asarray(cv2.convertScaleAbs(strength, alpha=255 / max(_upper_quartile(levels), 1.0)), np.uint8)


def _upper_quartile(levels: NDArray[np.uint8]) -> float:
    """Return the 75th percentile, between two values in proportion; `np.percentile` takes ten times as long."""
    place = 0.75 * (len(levels) - 1)
    below, above = int(place), min(int(place) + 1, len(levels) - 1)
    ordered = np.partition(levels, (below, above))
    return int(ordered[below]) + (int(ordered[above]) - int(ordered[below])) * (place - below)


def _tight_glyphs(writing: _Writing, merges: list[_Merge]) -> Iterator[NDArray[np.uint8]]:
    """Yield the soft ink of each merge, cut to what is not faint; good until the next is taken.

    Each merge from one start holds the one before, so a single picture is drawn on, piece by piece.
    """
    parts = [_part(writing, piece, box) for piece, box in enumerate(writing.pieces.boxes.tolist())]
    canvas = np.zeros_like(writing.soft)
    drawn: list[NDArray[np.uint8]] = []
    left, top, right, bottom = NOWHERE
    for merge in merges:
        if merge.end == merge.start + 1:
            left, top, right, bottom = NOWHERE
            for window in drawn:
                window.fill(0)
            drawn.clear()
        part = parts[merge.end - 1]
        window = canvas[part.window]
        cv2.max(window, part.ink, window)
        drawn.append(window)
        left, top = min(left, part.box[0]), min(top, part.box[1])
        right, bottom = max(right, part.box[2]), max(bottom, part.box[3])
        yield canvas[top:bottom, left:right]


def _part(writing: _Writing, piece: int, box: list[int]) -> _Part:
    left, top, right, bottom = box
    x, y = max(0, left - 1), max(0, top - 1)
    window = slice(y, bottom + 1), slice(x, right + 1)
    mask = cv2.inRange(writing.pieces.ids[window], piece + 1, piece + 1)
    # One pixel more than the ink, so that its soft edge comes along.
    ink = np.asarray(cv2.bitwise_and(writing.soft[window], cv2.dilate(mask, _RING)), np.uint8)
    across, down, width, height = faint_box(ink)
    place = (x + across, y + down, x + across + width, y + down + height) if width else NOWHERE
    return _Part(window, ink, place)


def _on_page(field: Box, boxes: list[_Corners], scale: float) -> list[Box]:
    """Return `boxes` (at the working scale) on the page, inside the field."""
    if scale == 1.0:
        return [Box(field.x + left, field.y + top, right - left, bottom - top) for left, top, right, bottom in boxes]
    corners = np.array(boxes, np.int32).reshape(-1, 4) / scale
    limit = np.array([field.width, field.height])
    low = np.clip(np.floor(corners[:, :2]), 0, limit - 1).astype(int)
    high = np.clip(np.ceil(corners[:, 2:]), low + 1, limit).astype(int)
    return [Box(*each) for each in np.concatenate([low + np.array([field.x, field.y]), high - low], axis=1).tolist()]
