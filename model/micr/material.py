"""Windows for the network to learn E-13B from: lines drawn, rectified a little wrongly, cut as the reader cuts them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from core.micr import CLASSES, NONE, SYMBOLS
from model.datasets import Samples, joined
from model.material import Material, Source
from model.micr.drawing import DrawnLine, any_text, decoy, on_paper
from segmentation.micr_strip import MICR_VERSION, PITCH, SIDE, STEP, BandLine, Strip, rectify

LINES: Final = 4_000
"""Drawn for a training; one in twenty is held out, whole."""

NEAR: Final = 1.9
FAR: Final = 4.5
"""Columns from a window's place to the nearest symbol's: up to `NEAR` it shows that one, from `FAR` on none."""

DECOYS: Final = 0.12
"""Share of lines that are words, rules and handwriting."""

SHADED: Final = 3.0
"""Mean brightness of a window from which it is learnt from."""

TERMS: Final = "drawn by the project from the grid of ISO 1004"


def micr_material(*, seed: int, limit: int | None = None) -> Material:
    """Return what the MICR network learns from, all of it drawn.

    Args:
        seed: of everything drawn.
        limit: at most as many lines, for a quick try.
    """
    count = limit or LINES
    held = max(1, count // 20)
    learnt, held_out = (_windows(range(start, stop), seed) for start, stop in ((held, count + held), (0, held)))
    return Material(CLASSES, (Source("e13b-drawn", learnt, TERMS),), held_out, normalisation_version=MICR_VERSION)


def labelled_windows(drawn: DrawnLine, rng: Generator) -> Samples:
    """Return a drawn line's windows, all that show a symbol and as many that show none."""
    strip = rectify(drawn.pixels, misplaced(drawn.line, rng))
    labels = labels_of(strip, drawn)
    none = np.nonzero((labels == NONE) & _shaded(strip))[0]
    symbols = np.nonzero((labels >= 0) & (labels < NONE))[0]
    kept = np.concatenate([symbols, rng.permutation(none)[: max(8, len(symbols))]])
    return Samples(strip.windows[kept], labels[kept])


def labels_of(strip: Strip, drawn: DrawnLine) -> NDArray[np.int64]:
    """Return the class that each window of the strip shows, or -1 where a symbol is neither in its place nor far."""
    places = np.arange(len(strip.windows)) * float(STEP)
    symbols = np.array([symbol != " " for symbol in drawn.text])
    labels = np.full(len(places), NONE, np.int64)
    if not symbols.any():
        return labels
    edges = _columns(drawn, strip.line)[symbols]
    classes = np.array([SYMBOLS.index(symbol) for symbol in drawn.text if symbol != " "])
    distance = np.abs(places[:, None] - edges)
    nearest = distance.argmin(axis=1)
    off = distance[np.arange(len(places)), nearest]
    labels[off <= NEAR] = classes[nearest[off <= NEAR]]
    labels[(off > NEAR) & (off < FAR)] = -1
    return labels


def misplaced(line: BandLine, rng: Generator) -> BandLine:
    """Return the line as finding it on a page may place it: a little off in every respect."""
    wrong = rng.normal(0, 1, 5)
    return replace(
        line,
        x=line.x + rng.uniform(-0.2, 0.2) * line.pitch,
        y=line.y + 0.06 * wrong[0] * line.height,
        degrees=line.degrees + 0.3 * wrong[1],
        height=line.height * (1 + 0.04 * wrong[2]),
        pitch=line.pitch * (1 + 0.012 * wrong[3]),
    )


def _shaded(strip: Strip) -> NDArray[np.bool_]:
    """Return which windows are not altogether white: less ink than a symbol's may be learnt from as none."""
    sums = np.concatenate([[0.0], np.cumsum(strip.pixels.sum(axis=0, dtype=np.float64))])
    ends = np.clip(np.arange(len(strip.windows)) * STEP + 2, 0, len(sums) - 1)
    starts = np.clip(ends - PITCH, 0, len(sums) - 1)
    return np.asarray(sums[ends] - sums[starts] > SHADED * PITCH * SIDE)


def _columns(drawn: DrawnLine, line: BandLine) -> NDArray[np.float64]:
    """Return the columns of the strip along `line` where the drawn symbols' right edges lie."""
    angle = np.radians(drawn.line.degrees)
    edges = drawn.right_edges()
    middle = -drawn.line.height / 2
    points = np.stack(
        [
            drawn.line.x + np.cos(angle) * edges - np.sin(angle) * middle,
            drawn.line.y + np.sin(angle) * edges + np.cos(angle) * middle,
            np.ones(len(edges)),
        ]
    )
    columns = cv2.invertAffineTransform(line.matrix) @ points
    return np.asarray(columns[0], np.float64)


def _windows(lines: range, seed: int) -> Samples:
    return joined([labelled_windows(_line(rng), rng) for rng in map(_generator(seed), lines)])


def _generator(seed: int) -> Callable[[int], Generator]:
    return lambda number: np.random.default_rng((seed, number))


def _line(rng: Generator) -> DrawnLine:
    pitch = float(np.exp(rng.uniform(np.log(9.5), np.log(60))))
    return decoy(rng, pitch=pitch) if rng.random() < DECOYS else on_paper(any_text(rng), rng, pitch=pitch)
