"""What a page is registered onto, and what comes of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.types import Box, Page, Registration
from segmentation.registration.geometry import Size, Transform, boxes_back
from segmentation.registration.reference import Reference


class Method(StrEnum):
    """How a page is laid over its template."""

    NONE = "none"
    PAGE = "page"
    MARKERS = "markers"
    FEATURES = "features"
    CHEQUE = "cheque"


MAX_RESIDUAL_PX: Final = 6.0
"""Template pixels left, on average, from which a page is poor: half a millimetre at 300 dpi."""

Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Marker:
    """A mark that is printed on the form.

    Attributes:
        corners: (x, y) on the template in pixels, clockwise from the upper left: the outline of its black part.
        id: of an ArUco marker out of DICT_4X4_50, or None for a solid square.
    """

    corners: Corners
    id: int | None = None


@dataclass(frozen=True, slots=True)
class MarkerLayout:
    """Where a form's marks are: all ArUco markers, or all solid squares of one size; four of them, near the corners."""

    markers: tuple[Marker, ...]

    @classmethod
    def at_corners(cls, size: Size, *, side: float, margin: float, coded: bool = True) -> "MarkerLayout":
        """Return marks of `side` pixels, `margin` from both edges: ids 0 to 3 clockwise from the upper left.

        Args:
            size: width and height of the template.
            side: of a marker's black part, in pixels of the template.
            margin: from the edge of the template to the marker's, in pixels.
            coded: ArUco markers, or solid squares.
        """
        # Pixels' middles: the first pixel of the mark is at `margin`, its edge half a pixel before.
        far_x, far_y = size[0] - margin - side, size[1] - margin - side
        places = ((margin, margin), (far_x, margin), (far_x, far_y), (margin, far_y))
        return cls(
            tuple(
                Marker(corners=_square(x - 0.5, y - 0.5, side), id=number if coded else None)
                for number, (x, y) in enumerate(places)
            )
        )

    @property
    def coded(self) -> bool:
        """Whether the marks tell themselves apart."""
        return all(marker.id is not None for marker in self.markers)


def _square(x: float, y: float, side: float) -> Corners:
    return (x, y), (x + side, y), (x + side, y + side), (x, y + side)


@dataclass(frozen=True, slots=True, eq=False)
class RegistrationTarget:
    """A template as registration sees it.

    Attributes:
        method: how a page is laid over it.
        size: width and height of the template in pixels.
        reference: the blank form or a filled one: `features` needs it, the others tell up from down by it.
            Best prepared once by `prepare_reference`; a picture is prepared, and kept, at its first use.
        markers: where the marks are; `markers` needs it.
        max_residual_px: template pixels; a page with more left is poor.
    """

    method: Method
    size: Size
    reference: Reference | Page | NDArray[np.uint8] | None = None
    markers: MarkerLayout | None = None
    max_residual_px: float = MAX_RESIDUAL_PX


@dataclass(frozen=True, slots=True, eq=False)
class Registered:
    """A page laid over its template.

    Attributes:
        page: upright, on the template's pixels; grey or BGR as it came.
        transform: float64, shape (3, 3): from template pixels to pixels of the page as it came.
        registration: the method that found it and the residual in template pixels; where nothing of the template was
            found, the residual is the template's diagonal, since anything may be anywhere.
        poor: nothing read on this page is to be accepted without a person's look.
        turned_degrees: 0, 90, 180 or 270, clockwise, by which the page as it came was turned; None where nothing told
            up from down, and the page was taken as it came.
        width: of the page as it came.
        height: of the page as it came.
    """

    page: Page
    transform: Transform
    registration: Registration
    poor: bool
    turned_degrees: int | None
    width: int
    height: int

    def undo(self, box: Box) -> Box:
        """Return the box on the page as it came that holds `box` of the template."""
        return boxes_back(self.transform, box, width=self.width, height=self.height)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a method found.

    Attributes:
        transform: from template pixels to pixels of the page.
        residual_px: mean distance left, in template pixels.
        oriented: whether it is known which way is up.
        trusted: False where it is a guess.
        method: where another one was fallen back to.
    """

    transform: Transform
    residual_px: float
    oriented: bool
    trusted: bool = True
    method: Method | None = None
