"""Numbers put together from pictures of single digits, as MNIST's: far more hands than the online ink has.

A picture has no strokes to draw anew. Its edge is found between its pixels, and moved to make the pen thicker or
thinner. Every function takes a seeded generator, so the same seed composes the same numbers.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from model import corpora
from model.artifacts import DataSource
from model.datasets import load_samples
from model.line.composing import number_parts, separator_strokes
from model.line.paper import draw_line
from model.terms import MNIST, UCI
from segmentation.normalise import FAINT

Float = NDArray[np.float32]

OPTDIGITS: Final = "optdigits/optdigits_orig_tra.npz"
FILES: Final = ("mnist/train-images-idx3-ubyte.gz", "mnist/train-labels-idx1-ubyte.gz", OPTDIGITS)
"""What the pictures lie in, below the folder of collections."""

DIGIT_HEIGHT: Final = 56
"""Pixels that a digit of the middle size is composed at; the field is shrunk from it."""

EDGE: Final = 127.5
"""Grey at which ink begins, between its 255 and the paper's 0."""

THINNER: Final = 0.5
THICKER: Final = 0.4
"""How far a picture's edge moves at most, in half thicknesses of its pen."""


@dataclass(frozen=True, slots=True)
class DigitPictures:
    """Pictures of single digits by what they show: uint8, shape (n, height, width), ink bright on black."""

    digits: dict[str, NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class InkPicture:
    """A number as ink without paper.

    Attributes:
        text: its digits.
        ink: float32, shape (height, width), coverage 0..1; its digits are some `DIGIT_HEIGHT` pixels high.
    """

    text: str
    ink: Float


def load_pictures(data: Path) -> DigitPictures:
    """Return the training digits of MNIST and optdigits.

    Raises:
        InvalidRequest: a collection is missing or damaged.
    """
    parts = [corpora.mnist(data, split="train"), corpora.optdigits(data, split="train")]
    images, labels = np.concatenate([p.images for p in parts]), np.concatenate([p.labels for p in parts])
    return DigitPictures({str(digit): images[labels == digit] for digit in range(10)})


def described(data: Path) -> tuple[DataSource, ...]:
    """Return what `load_pictures` takes from the collections, counted without preparing a picture."""
    return (
        DataSource("mnist", len(load_samples(data / "mnist", split="train")), MNIST),
        DataSource("optdigits", len(load_samples(data / OPTDIGITS, split="train")), UCI),
    )


def compose_pictures(pictures: DigitPictures, rng: Generator) -> InkPicture:
    """Return a number of pictures side by side, each digit by another hand but all by one pen."""
    body = number_parts(rng)
    gap, drift, pen = rng.normal(0.1, 0.14), rng.normal(0, 0.02), float(rng.uniform(-THINNER, THICKER))
    marks: list[tuple[Float, float, float]] = []
    x = y = 0.0
    for char in body:
        if char.isdigit():
            digit = _digit(pictures.digits[char], rng, pen=pen)
            top = y + 1 + rng.normal(0, 0.04) - digit.shape[0] / DIGIT_HEIGHT
            advance = digit.shape[1] / DIGIT_HEIGHT
            marks.append((digit, x, top))
        else:
            strokes, advance = separator_strokes(char, rng)
            if strokes:
                mark, left, top = _mark(strokes, thickness=0.12 + 0.1 * pen)
                marks.append((mark, x + left, y + top))
        x += advance + max(-0.2, gap + rng.normal(0, 0.06))
        y += drift
    return InkPicture("".join(char for char in body if char.isdigit()), _laid_out(marks))


def _digit(choice: NDArray[np.uint8], rng: Generator, *, pen: float) -> Float:
    """Return one of the pictures as ink, some `DIGIT_HEIGHT` pixels high."""
    picture = choice[rng.integers(len(choice))]
    x, y, width, height = cv2.boundingRect((picture > FAINT).view(np.uint8))
    tight = np.pad(picture[y : y + height, x : x + width], 1)
    size = DIGIT_HEIGHT * float(np.clip(rng.normal(1, 0.09), 0.7, 1.3)) / max(height, width / 2)
    shape = (max(3, round(tight.shape[1] * size)), max(3, round(tight.shape[0] * size)))
    grey = cv2.resize(tight, shape, interpolation=cv2.INTER_CUBIC)
    inside = (grey > EDGE).astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    half_pen = float(np.percentile(depth[inside > 0], 90)) if inside.any() else 0.0
    return np.asarray(np.clip(depth + pen * half_pen + 0.5, 0, 1), np.float32)


def _mark(strokes: list[Float], *, thickness: float) -> tuple[Float, float, float]:
    """Return a mark as ink, and where its left and top lie in digit heights."""
    width = max(1, round(thickness * DIGIT_HEIGHT))
    points = np.concatenate(strokes)
    corner = points.min(axis=0) - width / DIGIT_HEIGHT
    across, down = np.ceil((points.max(axis=0) - corner) * DIGIT_HEIGHT + width).astype(int)
    canvas = np.zeros((max(1, down), max(1, across)), np.uint8)
    for stroke in strokes:
        draw_line(canvas, (stroke - corner) * DIGIT_HEIGHT, shade=255, thickness=width)
    return canvas.astype(np.float32) / np.float32(255), float(corner[0]), float(corner[1])


def _laid_out(marks: list[tuple[Float, float, float]]) -> Float:
    """Return the marks on one canvas, cut to what they cover; where they overlap the darker one is seen."""
    places = [(round(x * DIGIT_HEIGHT), round(y * DIGIT_HEIGHT)) for _, x, y in marks]
    left, top = min(x for x, _ in places), min(y for _, y in places)
    right = max(x + mark.shape[1] for (mark, _, _), (x, _) in zip(marks, places, strict=True))
    bottom = max(y + mark.shape[0] for (mark, _, _), (_, y) in zip(marks, places, strict=True))
    ink = np.zeros((bottom - top, right - left), np.float32)
    for (mark, _, _), (x, y) in zip(marks, places, strict=True):
        part = ink[y - top : y - top + mark.shape[0], x - left : x - left + mark.shape[1]]
        np.maximum(part, mark, out=part)
    return ink
