"""Online ink to glyphs: pen strokes drawn with many pens, as a scanner or an old form reader would have kept them.

The collections hold strokes as lists of points; what a pen, a scanner and a threshold add is drawn by chance.
"""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from model.datasets import Samples
from segmentation.normalise import normalise_glyphs

SUBPIXEL_BITS = 4
"""OpenCV draws at fixed-point coordinates: sixteenths of a pixel."""

COARSE_SHARE = 0.35
"""Glyphs drawn small and in black and white only, as in collections of old form readers."""

Strokes = list[NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class InkGlyph:
    """One character as it was written: its label and its strokes, arrays of (x, y), y downwards."""

    label: str
    strokes: Strokes


def unipen_digits(folder: Path) -> list[InkGlyph]:
    """Return UNIPEN's digits: some 280 writers."""
    rows = records(folder / "unipen_ink" / "digits.jsonl.gz")
    return [_glyph(row, flip=True) for row in rows if row["q"] != "BAD"]


def unipen_letters(folder: Path) -> list[InkGlyph]:
    """Return UNIPEN's letters and symbols."""
    rows = records(folder / "unipen_ink" / "letters_symbols_sample.jsonl.gz")
    return [_glyph(row, flip=True) for row in rows if row["q"] != "BAD"]


def pendigits(folder: Path) -> list[InkGlyph]:
    """Return the training writers' part of pendigits."""
    rows = records(folder / "pendigits_ink" / "pendigits_orig.jsonl.gz")
    return [_glyph(row, flip=True) for row in rows if row["split"] == "tra"]


def drawn(glyphs: Iterable[InkGlyph], labels: Iterable[int], *, seed: int) -> Samples:
    """Return the glyphs drawn, each with a pen of its own, and normalised."""
    rng = np.random.default_rng(seed)
    images = [draw_strokes(glyph.strokes, rng) for glyph in glyphs]
    return Samples(normalise_glyphs(images), np.fromiter(labels, np.int64))


def draw_strokes(strokes: Strokes, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the strokes drawn by a random pen: uint8 grey, ink bright on 0, its size by chance."""
    coarse = rng.random() < COARSE_SHARE
    longer = rng.uniform(14, 30) if coarse else rng.uniform(24, 64)
    pen = max(1.0, longer * rng.uniform(0.06, 0.17))
    points = _fitted(strokes, longer, margin=pen + 2)
    extent = np.concatenate(points).max(axis=0) + pen + 2
    # Thickness is a whole number of pixels, so the pen is drawn large and the picture made smaller.
    zoom = 4
    canvas = np.zeros((int(extent[1]) * zoom, int(extent[0]) * zoom), np.uint8)
    for stroke in points:
        _draw_stroke(canvas, stroke * zoom, thickness=max(1, round(pen * zoom)))
    size = (canvas.shape[1] // zoom, canvas.shape[0] // zoom)
    picture = np.asarray(cv2.resize(canvas, size, interpolation=cv2.INTER_AREA), np.uint8)
    if coarse:
        return np.asarray((picture > rng.uniform(70, 150)) * np.uint8(255), np.uint8)
    return picture


def _draw_stroke(canvas: NDArray[np.uint8], points: NDArray[np.float64], *, thickness: int) -> None:
    fixed = np.round(points * (1 << SUBPIXEL_BITS)).astype(np.int32)
    if len(fixed) == 1:
        fixed = np.repeat(fixed, 2, axis=0)
    cv2.polylines(canvas, [fixed[:, None]], False, 255, thickness, cv2.LINE_8, SUBPIXEL_BITS)


def _fitted(strokes: Strokes, longer: float, *, margin: float) -> Strokes:
    """Return the strokes with their longer side `longer` pixels long, `margin` away from the corner."""
    everything = np.concatenate(strokes)
    low = everything.min(axis=0)
    span = max(float((everything.max(axis=0) - low).max()), 1e-6)
    return [(stroke - low) * (longer / span) + margin for stroke in strokes]


def _glyph(row: dict[str, Any], *, flip: bool) -> InkGlyph:
    sign = np.array([1.0, -1.0 if flip else 1.0])
    strokes = [np.asarray(stroke, np.float64) * sign for stroke in row["strokes"] if stroke]
    return InkGlyph(str(row["label"]), strokes)


def records(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a file of online ink, JSON lines packed by gzip."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
