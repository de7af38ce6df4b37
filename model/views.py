"""Views: how one network is shown the glyphs that all are handed, so that the members of an ensemble err apart.

After the columns of Cireşan, Meier and Schmidhuber (2012), each of which sees the digits at another width; shearing
the slant away by moments is older (LeCun, Cortes and Burges 1998 among others).
"""

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest

PLAIN = "plain"
"""The glyphs as they come."""

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


def seen(glyphs: NDArray[np.uint8], view: str) -> NDArray[np.uint8]:
    """Return `glyphs` as a network with that view sees them: uint8, shape (n, 28, 28).

    Args:
        glyphs: uint8, shape (n, 28, 28), as `segmentation.normalise` makes them.
        view: a name of `VIEWS`.
    """
    if view == PLAIN:
        return glyphs
    shown = np.empty_like(glyphs)
    for glyph, into in zip(glyphs, shown, strict=True):
        into[:] = VIEWS[view](glyph)
    return shown


def check_view(name: str) -> None:
    """See that there is a view of that name.

    Raises:
        InvalidRequest: there is none.
    """
    if name not in VIEWS:
        raise InvalidRequest(f"There is no view {name!r}; there is: {', '.join(VIEWS)}.")


def _as_it_comes(glyph: _Glyph) -> _Glyph:
    return glyph


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


VIEWS: dict[str, Callable[[_Glyph], _Glyph]] = {
    PLAIN: _as_it_comes,
    "upright": _upright,
    "narrow": partial(_at_width, pixels=NARROW),
    "wide": partial(_at_width, pixels=WIDE),
}
