"""A glyph's crop to what the network sees; the lattice, training and evaluation all call this one function.

The convention is MNIST's (LeCun, Cortes and Burges 1998): the longer side of the ink is scaled to 20 pixels,
and its centre of mass is laid on the centre of 28 × 28. An image that follows the convention already passes
unchanged, so MNIST's own images and crops of scans end in one distribution.
"""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

NORMALISATION_VERSION = "1"
"""Grows whenever an output changes: artifacts name it, and the loader refuses another."""

SIDE = 28
BOX = 20

FAINT = 16
"""Ink no stronger than this is left out when the tight box is sought: JPEG noise and soft edges."""

CHUNK = 1024
"""Glyphs normalised at once: many more would only take memory."""

_Glyphs = NDArray[np.uint8]

_PLACES = np.stack([np.ones((BOX, BOX)), *np.indices((BOX, BOX))]).reshape(3, -1).T.astype(np.float32)
"""One, row and column of each pixel: what a glyph's mass and moments are sums of."""


def normalise_glyphs(glyphs: Sequence[_Glyphs]) -> _Glyphs:
    """Return each of `glyphs` in the network's format: uint8, shape (len(glyphs), 28, 28), ink 255 on 0.

    Args:
        glyphs: uint8, shape (height, width), any size, tight or loose; 0 is paper and 255 is ink.
            Nothing stronger than `FAINT` gives an image without ink.
    """
    batch = np.empty((len(glyphs), SIDE, SIDE), np.uint8)
    for first in range(0, len(glyphs), CHUNK):
        part = glyphs[first : first + CHUNK]
        batch[first : first + CHUNK] = normalise_tight(map(_tight, part), len(part))
    return batch


def normalise_tight(glyphs: Iterable[_Glyphs], count: int) -> _Glyphs:
    """Return each of `count` glyphs normalised: uint8, shape (count, 28, 28).

    Args:
        glyphs: each cut to what is stronger than `FAINT`, or of shape (0, 0). None is used after the next is taken.
        count: how many there are.
    """
    scaled = np.zeros((count, BOX, BOX), np.uint8)
    shapes = [_scale(glyph, into) for glyph, into in zip(glyphs, scaled, strict=True)]
    return _centre(_stretch(scaled), shapes)


def faint_box(glyph: _Glyphs) -> tuple[int, int, int, int]:
    """Return left, top, width and height of what is stronger than `FAINT` in `glyph`; all 0 where nothing is."""
    x, y, width, height = cv2.boundingRect((glyph > FAINT).view(np.uint8))
    return x, y, width, height


def _tight(glyph: _Glyphs) -> _Glyphs:
    x, y, width, height = faint_box(glyph)
    return glyph[y : y + height, x : x + width]


def _scale(tight: _Glyphs, into: _Glyphs) -> tuple[int, int]:
    """Write the glyph at its new size into the corner of `into`, and return its height and width there."""
    height, width = tight.shape
    longer = max(height, width)
    # One pixel short is a faint edge of an image that follows the convention: scaling it would only blur it.
    if longer == 0 or BOX - 1 <= longer <= BOX:
        into[:height, :width] = tight
        return height, width
    rows, columns = max(1, round(height * BOX / longer)), max(1, round(width * BOX / longer))
    how = cv2.INTER_AREA if longer > BOX else cv2.INTER_LINEAR
    cv2.resize(tight, (columns, rows), into[:rows, :columns], interpolation=how)
    return rows, columns


def _stretch(glyphs: _Glyphs) -> NDArray[np.float32]:
    """Return the glyphs, flat, the strongest ink of each at 255: thin or pale strokes fade when they are scaled."""
    flat = glyphs.reshape(-1, BOX * BOX)
    strongest = flat.max(axis=1).astype(np.float64)
    strongest[strongest == 0] = 255
    return np.asarray(np.rint(flat * (255 / strongest).astype(np.float32)[:, None]), np.float32)


def _centre(glyphs: NDArray[np.float32], shapes: list[tuple[int, int]]) -> _Glyphs:
    """Return the glyphs with their centres of mass laid on the centre, all of each inside."""
    sums = (glyphs @ _PLACES).astype(np.float64)
    # MNIST's own images have their centre of mass here, half a pixel off the middle of an even grid.
    corners = np.rint(SIDE / 2 - sums[:, 1:] / np.maximum(sums[:, :1], 1.0))
    corners = np.minimum(np.maximum(corners, 0), SIDE - np.array(shapes, np.float64).reshape(-1, 2)).astype(np.int64)
    canvases = np.zeros((len(glyphs), SIDE, SIDE), np.uint8)
    whole = glyphs.astype(np.uint8).reshape(-1, BOX, BOX)
    for canvas, glyph, (height, width), (top, left) in zip(canvases, whole, shapes, corners.tolist(), strict=True):
        canvas[top : top + height, left : left + width] = glyph[:height, :width]
    return canvases
