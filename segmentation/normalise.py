"""A glyph's crop to what the network sees; the lattice, training and evaluation all call this one function.

The convention is MNIST's (LeCun, Cortes and Burges 1998): the longer side of the ink is scaled to 20 pixels,
and its centre of mass is laid on the centre of 28 × 28. An image that follows the convention already passes
unchanged, so MNIST's own images and crops of scans end in one distribution.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

NORMALISATION_VERSION = "1"
"""Grows whenever an output changes: artifacts name it, and the loader refuses another."""

SIDE = 28
BOX = 20

FAINT = 16
"""Ink no stronger than this is left out when the tight box is sought: JPEG noise and soft edges."""


def normalise_glyph(glyph: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the glyph in the network's format: uint8, shape (28, 28), ink 255 on 0.

    Args:
        glyph: uint8, shape (height, width), any size, tight or loose; 0 is paper and 255 is ink.
            Nothing stronger than `FAINT` gives an image without ink.
    """
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    x, y, width, height = cv2.boundingRect((glyph > FAINT).view(np.uint8))
    if not width:
        return canvas
    scaled = _stretch(_scale(glyph[y : y + height, x : x + width]))
    top, left = _place(scaled)
    canvas[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
    return canvas


def normalise_glyphs(glyphs: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return each of `glyphs` normalised: uint8, shape (len(glyphs), 28, 28)."""
    batch = np.empty((len(glyphs), SIDE, SIDE), np.uint8)
    for row, glyph in zip(batch, glyphs, strict=True):
        row[:] = normalise_glyph(glyph)
    return batch


def _scale(tight: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = tight.shape
    longer = max(height, width)
    # One pixel short is a faint edge of an image that follows the convention: scaling it would only blur it.
    if BOX - 1 <= longer <= BOX:
        return tight
    size = (max(1, round(width * BOX / longer)), max(1, round(height * BOX / longer)))
    how = cv2.INTER_AREA if longer > BOX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(tight, size, interpolation=how), np.uint8)


def _stretch(glyph: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the glyph with its strongest ink at 255: thin or pale strokes fade when they are scaled."""
    strongest = int(glyph.max())
    if strongest in (0, 255):
        return glyph
    return np.asarray(cv2.convertScaleAbs(glyph, alpha=255 / strongest), np.uint8)


def _place(glyph: NDArray[np.uint8]) -> tuple[int, int]:
    """Return the top left corner that lays the centre of mass on the centre, all of the glyph inside."""
    moments = cv2.moments(glyph)
    mass = moments["m00"]
    centre_y, centre_x = (moments["m01"] / mass, moments["m10"] / mass) if mass else (0.0, 0.0)
    # MNIST's own images have their centre of mass here, half a pixel off the middle of an even grid.
    middle = SIDE / 2
    top = min(max(0, round(middle - centre_y)), SIDE - glyph.shape[0])
    left = min(max(0, round(middle - centre_x)), SIDE - glyph.shape[1])
    return top, left
