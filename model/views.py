"""Views: how one network is shown the glyphs that all are handed, so that the members of an ensemble err apart.

After the columns of Cireşan, Meier and Schmidhuber (2012), each of which sees the digits at another width; shearing
the slant away by moments is older (LeCun, Cortes and Burges 1998 among others).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest

PLAIN: Final = "plain"
"""The glyphs as they come."""

VIEWS: Final = (PLAIN, "upright", "narrow", "wide")


def seen(glyphs: NDArray[np.uint8], view: str) -> NDArray[np.uint8]:
    """Return `glyphs` as a network with that view sees them: uint8, shape (n, 28, 28).

    Args:
        glyphs: uint8, shape (n, 28, 28), as `segmentation.normalise` makes them.
        view: a name of `VIEWS`.
    """
    if view == PLAIN:
        return glyphs
    # OpenCV is loaded by who needs it only: the networks that read do not.
    from model.warping import WARPS  # noqa: PLC0415

    shown = np.empty_like(glyphs)
    for glyph, into in zip(glyphs, shown, strict=True):
        into[:] = WARPS[view](glyph)
    return shown


def check_view(name: str) -> None:
    """See that there is a view of that name.

    Raises:
        InvalidRequest: there is none.
    """
    if name not in VIEWS:
        raise InvalidRequest(f"There is no view {name!r}; there is: {', '.join(VIEWS)}.")
