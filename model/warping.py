"""What `model.views` does to a glyph: sideways moves of its rows, by OpenCV."""

from collections.abc import Callable
from functools import partial
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

NARROW, WIDE = 12, 19
"""Width of the ink in pixels, which is 20 at most as it comes."""

MOST_STRETCHED = 1.5
"""Ink is made wider or narrower by no more than this factor: a 1 must stay one."""

MOST_SHEARED = 0.9
"""Columns a row."""

FAINT = 16
"""Ink no stronger than this does not count for its width."""

_SIDE = 28
_CENTRE = _SIDE / 2
"""Where normalised glyphs have their centre of mass."""

_Glyph = NDArray[np.uint8]


def _upright(glyph: _Glyph) -> _Glyph:
    """Return the glyph sheared until its rows' centres of mass no longer drift sideways."""
    moments = cv2.moments(glyph)
    if moments["mu02"] <= 0:
        return glyph
    slope = moments["mu11"] / moments["mu02"]
    slope = min(max(slope, -MOST_SHEARED), MOST_SHEARED)
    return _moved(glyph, [[1, slope, -slope * _CENTRE], [0, 1, 0]])


def _at_width(glyph: _Glyph, *, pixels: int) -> _Glyph:
    """Return the glyph with its ink nearly so wide, its height and its centre as they are."""
    _, _, width, _ = cv2.boundingRect((glyph > FAINT).view(np.uint8))
    if width == 0:
        return glyph
    factor = min(max(pixels / width, 1 / MOST_STRETCHED), MOST_STRETCHED)
    return _moved(glyph, [[1 / factor, 0, _CENTRE - _CENTRE / factor], [0, 1, 0]])


def _moved(glyph: _Glyph, source: list[list[float]]) -> _Glyph:
    """Return the glyph, each pixel taken from where the matrix `source` puts it."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(glyph, np.array(source), (_SIDE, _SIDE), flags=flags), np.uint8)


WARPS: Final[dict[str, Callable[[_Glyph], _Glyph]]] = {
    "upright": _upright,
    "narrow": partial(_at_width, pixels=NARROW),
    "wide": partial(_at_width, pixels=WIDE),
}
