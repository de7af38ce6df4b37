"""A field's crop to its lattice: every merge of neighbouring pieces of ink that may be one digit.

Which of them are digits is not decided here: the network scores candidates, and the decoder looks for the best path.
Those that no digit could fill (too wide) are left out, and glyphs are made only of those that are asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, DigitCrop, FieldCrop, Lattice
from segmentation.cuts import Components, Primitives, find_components
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

Corners = tuple[int, int, int, int]
"""Left, top, right (exclusive), bottom (exclusive)."""


@dataclass(frozen=True)
class _Writing:
    """A crop at the working scale: how dark it is (uint8, 0 is paper), its components of ink, and the scale."""

    strength: NDArray[np.uint8]
    components: Components
    scale: float

    @property
    def pieces(self) -> Primitives:
        """The pieces of the ink."""
        return self.components.pieces

    @cached_property
    def soft(self) -> NDArray[np.uint8]:
        """The strength with the field's full ink at 255: uint8, 0 is paper."""
        return _soften(self.strength, self.components.ink)


class Merge(NamedTuple):
    """Neighbouring pieces that may be one digit: cuts at its ends, and left, top, right, bottom around it."""

    start: int
    end: int
    box: Corners


class _Part(NamedTuple):
    """One piece's soft ink, the window of the picture it fills, and where in the picture it is not faint."""

    window: tuple[slice, slice]
    ink: NDArray[np.uint8]
    box: Corners


@dataclass(frozen=True)
class Cutting:
    """What a field's lattice will hold, before any glyph of it is made: to make and classify them is most of the work.

    Nothing is cut before somebody asks for what the cuts tell.

    Attributes:
        field: where the field lies on the page.
    """

    field: Box
    _writing: _Writing

    @property
    def scale(self) -> float:
        """Working pixels for one pixel of the page."""
        return self._writing.scale

    @property
    def strength(self) -> NDArray[np.uint8]:
        """How strong the ink is, ruling lines among it, in working pixels."""
        return self._writing.strength

    @property
    def components(self) -> Components:
        """The components of the ink, in working pixels."""
        return self._writing.components

    @property
    def pieces(self) -> Primitives:
        """The pieces of the ink, in working pixels."""
        return self._writing.pieces

    @cached_property
    def merges(self) -> list[Merge]:
        """The candidates, by their start and end; boxes in working pixels."""
        return _merges(self._writing.pieces)

    @property
    def is_blank(self) -> bool:
        """Whether there are no candidates."""
        return self._writing.components.is_empty

    @property
    def count(self) -> int:
        """Number of candidates."""
        return len(self.merges)

    @property
    def single(self) -> NDArray[np.bool_]:
        """Which candidates are single pieces: shape (count,)."""
        return np.array([merge.end == merge.start + 1 for merge in self.merges], np.bool_)

    @property
    def text_height(self) -> float:
        """Height of the writing in working pixels."""
        return self._writing.components.text_height

    @property
    def around(self) -> Box | None:
        """The box around all ink, on the page; None where there is none."""
        boxes = self._writing.components.boxes
        if not len(boxes):
            return None
        left, top = boxes[:, :2].min(axis=0).tolist()
        right, bottom = boxes[:, 2:].max(axis=0).tolist()
        return self.on_page([(left, top, right, bottom)])[0]

    def on_page(self, boxes: Sequence[Corners]) -> list[Box]:
        """Return boxes in working pixels on the page, inside the field."""
        return _on_page(self.field, boxes, self.scale)

    def glyphs(self, chosen: Sequence[int]) -> NDArray[np.uint8]:
        """Return the glyphs of the `chosen` candidates, which come in order: uint8, shape (len(chosen), 28, 28)."""
        return normalise_tight(_tight_glyphs(self._writing, [self.merges[each] for each in chosen]), len(chosen))

    def lattice(self, chosen: Sequence[int], glyphs: NDArray[np.uint8]) -> Lattice:
        """Return the lattice of the `chosen` candidates, every single piece among them, with their `glyphs`."""
        merges = [self.merges[each] for each in chosen]
        boxes = self.on_page([merge.box for merge in merges])
        candidates = tuple(
            DigitCrop(merge.start, merge.end, box, glyph)
            for merge, box, glyph in zip(merges, boxes, glyphs, strict=True)
        )
        return Lattice(self._writing.pieces.count + 1, candidates, self.text_height / self.scale)


def build_lattice(crop: FieldCrop) -> Lattice:
    """Return all candidates for digits in `crop`; no candidates and one cut where there is no ink."""
    cutting = cut_field(crop)
    everything = range(cutting.count)
    return cutting.lattice(everything, cutting.glyphs(everything))


def cut_field(crop: FieldCrop) -> Cutting:
    """Return where the candidates for digits in `crop` are."""
    return Cutting(crop.box, _find_writing(crop.pixels))


def _merges(pieces: Primitives) -> list[Merge]:
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
            merges.append(Merge(start, piece + 1, (left, top, right, bottom)))
    return merges


def _find_writing(grey: NDArray[np.uint8]) -> _Writing:
    scale = min(1.0, (WORKING_PIXELS / grey.size) ** 0.5)
    writing = _at_scale(grey, scale)
    height = writing.components.text_height
    return writing if height <= WORKING_HEIGHT else _at_scale(grey, scale * 0.75 * WORKING_HEIGHT / height)


def _at_scale(grey: NDArray[np.uint8], scale: float) -> _Writing:
    if scale < 1.0:
        size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    strength = ink_strength(grey)
    ink = remove_rules(threshold_ink(strength))
    return _Writing(strength, find_components(ink), scale)


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


def _tight_glyphs(writing: _Writing, merges: list[Merge]) -> Iterator[NDArray[np.uint8]]:
    """Yield the soft ink of each merge, cut to what is not faint; good until the next is taken.

    Each merge from one start holds the shorter ones before, so a single picture is drawn on, piece by piece.
    """
    parts: dict[int, _Part] = {}
    boxes = writing.pieces.boxes.tolist()
    canvas = np.zeros_like(writing.soft)
    start = end = -1
    left, top, right, bottom = NOWHERE
    for merge in merges:
        if merge.start != start:
            for piece in range(start, end):
                canvas[parts[piece].window].fill(0)
            start = end = merge.start
            left, top, right, bottom = NOWHERE
        for piece in range(end, merge.end):
            part = parts.get(piece) or parts.setdefault(piece, _part(writing, piece, boxes[piece]))
            window = canvas[part.window]
            cv2.max(window, part.ink, window)
            left, top = min(left, part.box[0]), min(top, part.box[1])
            right, bottom = max(right, part.box[2]), max(bottom, part.box[3])
        end = merge.end
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


def _on_page(field: Box, boxes: Sequence[Corners], scale: float) -> list[Box]:
    """Return `boxes` (at the working scale) on the page, inside the field."""
    if scale == 1.0:
        return [Box(field.x + left, field.y + top, right - left, bottom - top) for left, top, right, bottom in boxes]
    corners = np.array(boxes, np.int32).reshape(-1, 4) / scale
    limit = np.array([field.width, field.height])
    low = np.clip(np.floor(corners[:, :2]), 0, limit - 1).astype(int)
    high = np.clip(np.ceil(corners[:, 2:]), low + 1, limit).astype(int)
    return [Box(*each) for each in np.concatenate([low + np.array([field.x, field.y]), high - low], axis=1).tolist()]
