"""What a classifier sees of a glyph: its pixels, or figures taken from them, a row a glyph.

All take normalised glyphs: uint8, shape (n, 28, 28), ink bright. All give float32, shape (n, figures).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from model.training_extra import load_extra

Glyphs = NDArray[np.uint8]
Rows = NDArray[np.float32]

INK: Final = 128
"""Where figures count strokes, a pixel at least as bright is ink."""

HOG_CELL: Final = 4
ZONE: Final = 10
ZONED: Final = (90, 60)
"""Height and width that a glyph is stretched to before it is cut into zones, as published."""

FEATURES_VERSION: Final = 2
"""Rises when any figure here is taken otherwise: a comparison does not go on with both."""

CHUNK: Final = 2000


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """A way to see glyphs.

    Attributes:
        title: for a person.
        extract: from glyphs to rows of figures.
        standardised: whether a classifier should see each figure with mean 0 and deviation 1: they have other units.
    """

    title: str
    extract: Callable[[Glyphs], Rows]
    standardised: bool = False


def pixels(glyphs: Glyphs) -> Rows:
    """Return each pixel's ink, 0 to 1: 784 figures."""
    return (glyphs.reshape(len(glyphs), -1) / np.float32(255)).astype(np.float32)


def hog(glyphs: Glyphs) -> Rows:
    """Return histograms of oriented gradients (Dalal and Triggs 2005): 1,296 figures.

    9 directions, 4 × 4 pixels a cell, 2 × 2 cells a block.
    """
    describe = load_extra("skimage.feature").hog

    def row(glyph: Glyphs) -> Rows:
        found: Rows = describe(
            glyph, orientations=9, pixels_per_cell=(HOG_CELL, HOG_CELL), cells_per_block=(2, 2), block_norm="L2-Hys"
        )
        return found

    return np.stack([row(glyph) for glyph in glyphs]).astype(np.float32)


def diagonal_zones(glyphs: Glyphs) -> Rows:
    """Return the mean ink along the diagonals of 9 × 6 zones, and its means by row and column: 69 figures.

    After Pradeep, Srinivasan and Himavathi 2011, but with the mean along each diagonal instead of the sum: the mean of
    the sums would be the ink of the zone, whichever way it is added up.
    """
    weights = _diagonal_weights()
    parts = []
    for start in range(0, len(glyphs), CHUNK):
        stretched = np.stack([_stretched(glyph) for glyph in glyphs[start : start + CHUNK]])
        split = stretched.reshape(-1, ZONED[0] // ZONE, ZONE, ZONED[1] // ZONE, ZONE).astype(np.float32) / 255
        zones = np.einsum("nricj,ij->nrc", split, weights)
        parts.append(np.concatenate([zones.reshape(len(zones), -1), zones.mean(axis=2), zones.mean(axis=1)], axis=1))
    return np.concatenate(parts).astype(np.float32)


def _diagonal_weights() -> Rows:
    """Return what each pixel of a zone counts: 19 diagonals count the same, the pixels of one share alike."""
    along = np.add.outer(np.arange(ZONE), np.arange(ZONE))
    lengths = np.bincount(along.ravel())
    weights: Rows = (1 / (lengths[along] * len(lengths))).astype(np.float32)
    return weights


def _stretched(glyph: Glyphs) -> Glyphs:
    """Return the glyph's ink, cut out and stretched to the size that is cut into zones."""
    x, y, width, height = cv2.boundingRect((glyph > 0).view(np.uint8))
    if not width:
        return np.zeros(ZONED, np.uint8)
    whole = cv2.resize(glyph[y : y + height, x : x + width], (ZONED[1], ZONED[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole, np.uint8)


def structure(glyphs: Glyphs) -> Rows:
    """Return structural and statistical figures: holes, crossings, projections, shape. 120 figures.

    A crossing is a step from paper to ink along a row or column; a projection is the ink of a row or column.
    """
    ink = glyphs >= INK
    padded = np.pad(ink, ((0, 0), (1, 0), (1, 0)))
    across = (ink & ~padded[:, 1:, :-1]).sum(axis=2)
    down = (ink & ~padded[:, :-1, 1:]).sum(axis=1)
    share = glyphs.astype(np.float32) / 255
    shapes = np.array([_shape(glyph) for glyph in ink.view(np.uint8)])
    return np.concatenate([across, down, share.sum(axis=2), share.sum(axis=1), shapes], axis=1).astype(np.float32)


def _shape(ink: Glyphs) -> list[float]:
    """Return number of holes, share of the paper in them, where the largest lies; width, height, ink, parts."""
    paper, _, paper_stats, centres = cv2.connectedComponentsWithStats(1 - ink, connectivity=4)
    # The first label is the ink, the next the paper around it: it holds the corner.
    areas = paper_stats[2:, cv2.CC_STAT_AREA]
    largest = centres[2 + int(areas.argmax())] if len(areas) else (0.0, 0.0)
    parts = cv2.connectedComponents(ink, connectivity=8)[0] - 1
    _, _, width, height = cv2.boundingRect(ink)
    return [max(0, paper - 2), areas.sum() / ink.size, largest[0], largest[1], width, height, ink.sum(), parts]


FEATURES: Final[dict[str, FeatureSet]] = {
    "pixels": FeatureSet("raw pixels", pixels),
    "hog": FeatureSet("HOG", hog),
    "zones": FeatureSet("diagonal zones", diagonal_zones, standardised=True),
    "structure": FeatureSet("structural and statistical", structure, standardised=True),
}
