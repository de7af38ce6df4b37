"""Real glyphs and real garbage out of pictures of numbers, cut by the reader's own segmentation.

Where a digit's box is known, the lattice's candidate that fills it is a digit; where only the text is known,
a network trained before finds the path through the lattice that spells it. What covers half a digit, or two, is
garbage.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, DigitCrop, FieldCrop, Lattice
from model.corpora import LabelledBox, LabelledString
from model.datasets import Samples
from model.recogniser import Recogniser
from segmentation.lattice import build_lattice

BEST_OVERLAP = 0.55
"""Intersection over union from which the candidate that fills a box best is its digit."""

SURE_OVERLAP = 0.75
"""Intersection over union from which any other candidate is that digit too, with a dot more or a tail less."""

INTRUDED = 0.35
"""Share of another digit's box from which a candidate is no clean digit, however well it fills its own."""

SLIM = 2.2
"""Height over width from which a candidate may pass for a 1, and so is no garbage, whatever it is a part of."""

ALIGNED_PROBABILITY = 0.3
"""A field found by alignment counts when the network gives each label so much; more would keep the easy ones only."""

SKIP_COST = 4.0
"""What it costs, in nats, to pass a piece of ink by as no digit."""


@dataclass(slots=True)
class Finds:
    """What was mined: glyphs of digits with their labels, and glyphs of garbage."""

    digits: list[NDArray[np.uint8]] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    garbage: list[NDArray[np.uint8]] = field(default_factory=list)

    def digit_samples(self) -> Samples:
        """Return the digits as samples."""
        return Samples(_stacked(self.digits), np.asarray(self.labels, np.int64))

    def garbage_samples(self, label: int) -> Samples:
        """Return the garbage as samples of class `label`."""
        return Samples(_stacked(self.garbage), np.full(len(self.garbage), label))


def _stacked(glyphs: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.asarray(glyphs, np.uint8).reshape(-1, 28, 28)


def mine_boxes(strings: Iterable[LabelledString]) -> Finds:
    """Return what the lattices of `strings` hold, by the boxes of their digits."""
    finds = Finds()
    for string in strings:
        _sort_known(lattice_of(string), string.boxes, finds)
    return finds


def mine_drawings(drawings: Iterable[tuple[NDArray[np.uint8], tuple[LabelledBox, ...]]]) -> Finds:
    """Return what the lattices of grey pictures hold, by the boxes of the digits in each."""
    finds = Finds()
    for grey, boxes in drawings:
        _sort_known(lattice_of_picture(grey), boxes, finds)
    return finds


def mine_texts(strings: Iterable[LabelledString], reader: Recogniser) -> Finds:
    """Return what the lattices of `strings` hold, by the likeliest path that spells their text."""
    finds = Finds()
    for string in strings:
        lattice = lattice_of(string)
        path = align(lattice, string.text, reader) if lattice.candidates else None
        if path is not None:
            _sort_candidates(lattice, [step.box for step in path], [int(digit) for digit in string.text], finds)
    return finds


def lattice_of(string: LabelledString) -> Lattice:
    """Return the lattice of the string's whole picture."""
    return lattice_of_picture(np.asarray(cv2.imread(str(string.path), cv2.IMREAD_GRAYSCALE), np.uint8))


def lattice_of_picture(grey: NDArray[np.uint8]) -> Lattice:
    """Return the lattice of the whole picture: uint8, shape (height, width), dark ink on lighter paper."""
    box = Box(0, 0, grey.shape[1], grey.shape[0])
    return build_lattice(FieldCrop(name="string", type="digits", box=box, pixels=grey))


def align(lattice: Lattice, text: str, reader: Recogniser) -> list[DigitCrop] | None:
    """Return the candidates that spell `text` on the likeliest path; None when none is likely enough."""
    glyphs = np.stack([candidate.glyph for candidate in lattice.candidates])
    costs = -np.log(np.maximum(reader.classify(glyphs)[:, :10], 1e-6))
    best = np.full((lattice.cuts, len(text) + 1), np.inf)
    best[0, 0] = 0.0
    back: dict[tuple[int, int], tuple[int, int, int | None]] = {}
    order = sorted(range(len(lattice.candidates)), key=lambda index: lattice.candidates[index].start)
    for index in order:
        _extend(lattice.candidates[index], index, costs[index], text, best, back)
    steps = _trace(back, (lattice.cuts - 1, len(text)))
    if not np.isfinite(best[-1, -1]) or len(steps) != len(text):
        return None
    worst = max(costs[index, int(digit)] for index, digit in zip(steps, text, strict=True))
    return [lattice.candidates[index] for index in steps] if worst <= -np.log(ALIGNED_PROBABILITY) else None


def _extend(
    candidate: DigitCrop,
    index: int,
    costs: NDArray[np.float32],
    text: str,
    best: NDArray[np.float64],
    back: dict[tuple[int, int], tuple[int, int, int | None]],
) -> None:
    """Carry the best costs over one candidate: read as the text's next digit, or, a single piece, passed by."""
    start, end = candidate.start, candidate.end
    for read in range(len(text) + 1):
        if not np.isfinite(best[start, read]):
            continue
        if end == start + 1 and best[start, read] + SKIP_COST < best[end, read]:
            best[end, read] = best[start, read] + SKIP_COST
            back[end, read] = (start, read, None)
        if read < len(text):
            cost = best[start, read] + float(costs[int(text[read])])
            if cost < best[end, read + 1]:
                best[end, read + 1] = cost
                back[end, read + 1] = (start, read, index)


def _trace(back: dict[tuple[int, int], tuple[int, int, int | None]], node: tuple[int, int]) -> list[int]:
    steps = []
    while node in back:
        start, read, index = back[node]
        if index is not None:
            steps.append(index)
        node = (start, read)
    return steps[::-1]


def _sort_known(lattice: Lattice, boxes: tuple[LabelledBox, ...], finds: Finds) -> None:
    _sort_candidates(lattice, [Box(*known.box) for known in boxes], [known.digit for known in boxes], finds)


def _sort_candidates(lattice: Lattice, truth: list[Box], digits: list[int], finds: Finds) -> None:
    """Put each candidate to the digits or to the garbage, or leave out what is neither for sure."""
    if not lattice.candidates or not truth:
        return
    overlaps = np.array([[overlap(candidate.box, box) for box in truth] for candidate in lattice.candidates])
    best = overlaps.argmax(axis=0)
    for row, candidate in enumerate(lattice.candidates):
        own = int(overlaps[row].argmax())
        needed = BEST_OVERLAP if best[own] == row else SURE_OVERLAP
        others = [_covered(candidate.box, box) for index, box in enumerate(truth) if index != own]
        if overlaps[row, own] >= needed and max(others, default=0.0) < INTRUDED:
            finds.digits.append(candidate.glyph)
            finds.labels.append(digits[own])
        elif _is_garbage(candidate, truth):
            finds.garbage.append(candidate.glyph)


def _is_garbage(candidate: DigitCrop, truth: list[Box]) -> bool:
    """Return whether the candidate surely is no digit: not slim, and half a digit, more than one, or none."""
    box = candidate.box
    if box.height > SLIM * box.width or box.height < 4:
        return False
    shares = [_covered(box, known) for known in truth]
    whole = sum(share > 0.6 for share in shares)
    touched = max(shares, default=0.0)
    return whole >= 2 or (whole == 0 and 0.15 < touched < 0.55) or touched < 0.02


def overlap(one: Box, other: Box) -> float:
    """Return intersection over union of two boxes."""
    common = _common(one, other)
    union = one.width * one.height + other.width * other.height - common
    return common / union if union else 0.0


def _covered(box: Box, known: Box) -> float:
    """Return the share of `known` that `box` covers."""
    return _common(box, known) / max(1, known.width * known.height)


def _common(one: Box, other: Box) -> int:
    width = min(one.right, other.right) - max(one.x, other.x)
    height = min(one.bottom, other.bottom) - max(one.y, other.y)
    return max(0, width) * max(0, height)
