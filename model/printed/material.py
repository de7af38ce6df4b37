"""What the reader of print learns from: drawn lines, laid as the reader lays them, a little wrongly."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.random import Generator

from model.artifacts import DataSource
from model.line.material import FRAME_COLUMNS, Sample
from model.printed.fonts import Font
from model.printed.scenes import drawn_row
from segmentation.printed import PrintRow, lay_row

WIDEST: Final = 448
"""Columns of a line that is learnt from."""

HELD_OUT: Final = 400
HELD_OUT_SEED: Final = (2025, 7)
"""A tuple of two: those that trainings draw from have three."""

TERMS: Final = "drawn by the project in free fonts of Debian"


def make_samples(fonts: tuple[Font, ...], count: int, *, seed: tuple[int, ...]) -> list[Sample]:
    """Return `count` lines, the same ones for the same seed and fonts."""
    rng = np.random.default_rng(seed)
    samples: list[Sample] = []
    while len(samples) < count:
        drawn = drawn_row(rng, fonts)
        pixels = lay_row(drawn.pixels, misplaced(drawn.row, rng))
        sample = Sample(pixels, drawn.text)
        if _fits(sample):
            samples.append(sample)
    return samples


def misplaced(row: PrintRow, rng: Generator) -> PrintRow:
    """Return the row as finding it may place it: a little off in every respect."""
    wrong = rng.normal(0, 1, 3)
    before, after = rng.uniform(-0.15, 0.7, 2)
    return replace(
        row,
        left=row.left - before * row.height,
        right=row.right + after * row.height,
        top=row.top + 0.06 * wrong[0] * row.height,
        height=row.height * float(np.exp(0.08 * wrong[1])),
        slope=row.slope + 0.004 * wrong[2],
    )


def held_out(fonts: tuple[Font, ...]) -> dict[str, list[Sample]]:
    """Return drawn lines that nothing is learnt from."""
    return {"drawn": make_samples(fonts, HELD_OUT, seed=HELD_OUT_SEED)}


def described(fonts: tuple[Font, ...]) -> tuple[DataSource, ...]:
    """Return what a training learns from: lines in each of the fonts, as many as it asks for."""
    return tuple(DataSource(font.name, 0, TERMS) for font in fonts)


def _fits(sample: Sample) -> bool:
    """Return whether every sign, and a blank between equal ones, has a frame of its own with some room to spare."""
    width = sample.pixels.shape[1]
    repeats = sum(a == b for a, b in zip(sample.text, sample.text[1:], strict=False))
    return bool(sample.text) and width <= WIDEST and width // FRAME_COLUMNS >= len(sample.text) + repeats + 2
