"""Real strings to learn from: shaken, cut between two digits and joined to others, laid side by side.

The split is `model.corpora`'s: what is held out there never comes here. Labels that a person found wrong are corrected.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from core.errors import InvalidRequest
from model.corpora import (
    CHEQUE_FIELDS,
    LAST_FOLD,
    LabelledBox,
    LabelledString,
    cheque_fields,
    meza_strings,
    orand_strings,
)
from model.corrections import Corrections

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class RealField:
    """A real field, and where one may cut it between two digits.

    Attributes:
        pixels: uint8 grey, shape (height, width), dark ink on lighter paper.
        text: its digits.
        cuts: pairs of (column, number of digits to its left).
    """

    pixels: Grey
    text: str
    cuts: tuple[tuple[int, int], ...] = ()


def load_orand(folder: Path, *, training: bool, fold: int = LAST_FOLD) -> list[RealField]:
    """Return ORAND's amounts to learn from, or those held out.

    Raises:
        InvalidRequest: a picture is missing or damaged.
    """
    return _loaded("orand", orand_strings(folder, training=training, fold=fold))


def load_meza(folder: Path, *, training: bool, fold: int = LAST_FOLD) -> list[RealField]:
    """Return Meza's cells to learn from, or those held out.

    Raises:
        InvalidRequest: a picture is missing or damaged.
    """
    return _loaded("meza", meza_strings(folder, training=training, fold=fold))


def load_cheques(folder: Path, *, training: bool, fold: int = LAST_FOLD) -> list[RealField]:
    """Return amounts and dates of whole cheques with some of what stands around them; doubtful ones are left out.

    Raises:
        InvalidRequest: a picture is missing or damaged.
    """
    fields = []
    for type_name in CHEQUE_FIELDS:
        for field in cheque_fields(folder, type_name=type_name, training=training, fold=fold):
            if not field.doubtful:
                left, top, right, bottom = field.box
                margin = (bottom - top) // 6
                cheque = _grey(field.path)
                part = cheque[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]
                fields.append(RealField(np.ascontiguousarray(part), field.text))
    return fields


def loosely_cut(field: RealField, rng: Generator) -> RealField:
    """Return a cheque's field as somebody else might have cut it out of the cheque."""
    height, width = field.pixels.shape
    top, bottom = (int(share * height) for share in rng.uniform(0, 0.2, 2))
    left, right = (int(share * height) for share in rng.uniform(0, 0.3, 2))
    pixels = field.pixels[top : height - bottom, left : width - right]
    scale = float(rng.uniform(0.4, 1.0))
    smaller = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return RealField(np.asarray(smaller, np.uint8), field.text)


def shaken(field: RealField, rng: Generator, *, freedom: float = 1.0) -> RealField:
    """Return the field as another scan of another try might look: bent, slanted, stretched, relit, noisier.

    Args:
        field: the real one.
        rng: decides.
        freedom: of turning, slanting and bending; little where a printed frame has to stay straight.
    """
    height, width = field.pixels.shape
    shear, turn = rng.normal(0, 0.13) * freedom, rng.normal(0, 0.025) * freedom
    stretch, scale = rng.uniform(0.8, 1.2), rng.uniform(0.75, 1.3)
    out_width = int(width * stretch * scale + abs(shear) * height * scale) + 1
    out_height = int(height * scale) + 1
    y, x = np.mgrid[:out_height, :out_width].astype(np.float32)
    y0, x0 = (y - out_height / 2) / scale, (x - out_width / 2) / scale
    source_x = (x0 + shear * y0) / stretch + width / 2 + rng.uniform(-1.5, 1.5)
    source_y = y0 + turn * x0 + height / 2 + rng.uniform(-1.5, 1.5)
    # Elastic: every stretch of the string bends a little in its own way (after Simard et al. 2003).
    grid = (3, max(3, round(3 * width / height)))
    bend = rng.normal(0, 0.02 * height * freedom, (2, *grid)).astype(np.float32)
    source_x = source_x + cv2.resize(bend[0], (out_width, out_height), interpolation=cv2.INTER_CUBIC)
    source_y = source_y + cv2.resize(bend[1], (out_width, out_height), interpolation=cv2.INTER_CUBIC)
    moved = cv2.remap(
        field.pixels,
        source_x.astype(np.float32),
        source_y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return RealField(_relit(np.asarray(moved, np.uint8), rng), field.text)


def joined(fields: list[RealField], rng: Generator) -> RealField | None:
    """Return the left part of one field joined to the right part of another, or None where one cannot be cut."""
    left, right = fields[rng.integers(len(fields))], fields[rng.integers(len(fields))]
    if not left.cuts or not right.cuts:
        return None
    x1, n1 = left.cuts[rng.integers(len(left.cuts))]
    x2, n2 = right.cuts[rng.integers(len(right.cuts))]
    first, second = left.pixels[:, :x1], right.pixels[:, x2:]
    if rng.random() < 0.25:
        first, n1 = left.pixels, len(left.text)
    height = first.shape[0]
    resized = cv2.resize(second, (max(4, round(second.shape[1] * height / second.shape[0])), height))
    level = float(np.median(first)) - float(np.median(resized))
    matched = np.clip(resized.astype(np.float32) + level, 0, 255).astype(np.uint8)
    return RealField(np.hstack([first, matched]), left.text[:n1] + right.text[n2:])


def side_by_side(left: Grey, right: Grey, rng: Generator) -> Grey:
    """Return two lines as one, a small gap between them or their edges overlapping: uint8, ink bright on black."""
    gap = int(rng.integers(-3, 6))
    width = left.shape[1] + right.shape[1] + gap
    line = np.zeros((left.shape[0], width), np.uint8)
    line[:, : left.shape[1]] = left
    start = left.shape[1] + gap
    line[:, start:] = np.maximum(line[:, start:], right)
    return line


def _relit(pixels: Grey, rng: Generator) -> Grey:
    if rng.random() < 0.25:
        window = np.ones((2, 2), np.uint8)
        pixels = np.asarray(cv2.erode(pixels, window) if rng.random() < 0.5 else cv2.dilate(pixels, window), np.uint8)
    grey = pixels.astype(np.float32)
    if rng.random() < 0.35:
        grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(0.3, 1.0))), np.float32)
    middle = float(np.median(grey))
    relit = middle + (grey - middle) * rng.uniform(0.6, 1.3) + rng.uniform(-25, 25)
    relit = relit + rng.normal(0, rng.uniform(0, 6), grey.shape)
    return np.asarray(np.clip(relit, 0, 255), np.uint8)


def _loaded(collection: str, strings: list[LabelledString]) -> list[RealField]:
    """Return the strings with their labels corrected; those of which nobody can tell what they say are left out."""
    corrections = Corrections()
    told = [(string, corrections.of(collection, string.path.name, string.text)) for string in strings]
    return [RealField(_grey(string.path), text, _cuts(string.boxes, text)) for string, text in told if text]


def _grey(path: Path) -> Grey:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise InvalidRequest(f"{path} is missing or no picture.")
    return np.asarray(pixels, np.uint8)


def _cuts(boxes: tuple[LabelledBox, ...], text: str) -> tuple[tuple[int, int], ...]:
    """Return where two neighbours stand apart by a column at least, or overlap by one."""
    if len(boxes) != len(text):
        return ()
    spans = [(box.box[0], box.box[0] + box.box[2]) for box in boxes]
    gaps = [(spans[index - 1][1], spans[index][0], index) for index in range(1, len(spans))]
    return tuple(((start + end) // 2, index) for end, start, index in gaps if start >= end - 1)
