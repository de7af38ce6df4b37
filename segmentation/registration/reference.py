"""What is kept of a template's reference picture: features to find it by, patches to measure by.

Preparing takes a tenth of a second, so it is done once for each template and kept.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Page
from segmentation.registration.evening import even_light
from segmentation.registration.geometry import Points, Size, as_grey, scaling, size_of, warp

WORKING_SIDE: Final = 1000
"""The longer side of pictures in which features are sought: print of 8 points is legible, noise is averaged out."""

FEATURES: Final = 1300
"""Kept of a picture. Comparing them costs their number squared: 12 ms for these."""

GRID: Final = 8
"""Features and patches are spread over so many rows and columns: else the densest text takes all."""

PATCH: Final = 41
"""Pixels of the working picture: the side of a patch, some letters of print."""

REACH: Final = 9
"""Working pixels by which a patch may lie beside where the features put it."""

MAX_SELF_LIKENESS: Final = 0.8
"""A patch that looks this much like its own surroundings, as on a comb or a rule, could slide along it: left out."""

PATCHES_IN_CELL: Final = 2

LEAST_SIDE: Final = 32
"""Working pixels; the detectors' own pictures of a narrower one would be empty."""

_Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Features of a picture.

    Attributes:
        points: float64, shape (n, 2), in pixels of the whole picture rather than the working one.
        descriptors: a row for each point: uint8 of ORB, float32 of SIFT.
    """

    points: Points
    descriptors: NDArray[np.uint8] | NDArray[np.float32]


_NONE: Final = Features(np.zeros((0, 2)), np.zeros((0, 32), np.uint8))


@dataclass(frozen=True, eq=False)
class Reference:
    """A prepared reference picture.

    Attributes:
        size: of the template, in pixels.
        grey: uint8, shape (height, width) of the template: the picture as it is.
        working: `grey` in even light, its longer side `WORKING_SIDE` pixels at most.
        patches: float64, shape (n, 2): upper left corners of patches of `working`, whole pixels.
    """

    size: Size
    grey: _Grey
    working: _Grey
    patches: Points

    @cached_property
    def orb(self) -> Features:
        """ORB features, in template pixels."""
        return orb_features(self.working, whole=self.size)

    @cached_property
    def sift(self) -> Features:
        """SIFT features, in template pixels."""
        return sift_features(self.working, whole=self.size)


@dataclass(frozen=True, slots=True)
class _Picture:
    """Pixels that are equal when their digests are."""

    digest: bytes
    pixels: _Grey = field(compare=False)


def prepare_reference(picture: Page | _Grey, size: Size) -> Reference:
    """Return the reference picture prepared for registration onto a template of `size`; kept for the next call.

    Args:
        picture: the blank form, or a filled one: grey or BGR, stretched to `size` where it has another one.
        size: width and height of the template in pixels.
    """
    grey = np.ascontiguousarray(as_grey(picture.pixels if isinstance(picture, Page) else picture))
    if size_of(grey) != size:
        grey = warp(grey, scaling(size, size_of(grey)), size)
    digest = hashlib.blake2b(grey.tobytes(), digest_size=16, key=str(size).encode()).digest()
    return _prepared(_Picture(digest, grey))


@lru_cache(maxsize=16)
def _prepared(picture: _Picture) -> Reference:
    working = working_picture(picture.pixels)
    size = size_of(picture.pixels)
    reference = Reference(size=size, grey=picture.pixels, working=working, patches=_choose_patches(working))
    # Found now, so that the first page does not wait; SIFT's are needed by few templates, and found when they are.
    _ = reference.orb
    return reference


def working_picture(grey: _Grey) -> _Grey:
    """Return the picture in even light, its longer side `WORKING_SIDE` pixels at most."""
    width, height = size_of(grey)
    scale = WORKING_SIDE / max(width, height)
    if scale < 1.0:
        small = (max(1, round(width * scale)), max(1, round(height * scale)))
        grey = np.asarray(cv2.resize(grey, small, interpolation=cv2.INTER_AREA), np.uint8)
    return even_light(grey)


def orb_features(working: _Grey, *, whole: Size) -> Features:
    """Return ORB features (Rublee et al. 2011), spread over the picture, in pixels of the `whole` picture."""
    if min(working.shape) < LEAST_SIDE:
        return _NONE
    orb = cv2.ORB.create(nfeatures=4 * FEATURES, scaleFactor=1.25, nlevels=6, edgeThreshold=20, fastThreshold=7)
    found = orb.detect(working, None)
    kept, descriptors = orb.compute(working, _spread_out(list(found), size_of(working)))
    return _features(kept, descriptors, working, whole)


def sift_features(working: _Grey, *, whole: Size) -> Features:
    """Return SIFT features (Lowe 2004), for pictures whose print is too faint or blurred for ORB."""
    if min(working.shape) < LEAST_SIDE:
        return _NONE
    sift = cv2.SIFT.create(nfeatures=2 * FEATURES, contrastThreshold=0.02)
    found = sift.detect(working, None)
    kept, descriptors = sift.compute(working, _spread_out(list(found), size_of(working)))
    return _features(kept, descriptors, working, whole)


def _features(kept: Sequence[cv2.KeyPoint], descriptors: object, working: _Grey, whole: Size) -> Features:
    if not kept or descriptors is None:
        return _NONE
    points = np.array([point.pt for point in kept], np.float64)
    factor = np.array(whole) / size_of(working)
    return Features((points + 0.5) * factor - 0.5, np.asarray(descriptors))


def _spread_out(found: list[cv2.KeyPoint], size: Size) -> list[cv2.KeyPoint]:
    """Return the strongest features of each cell of a grid, so that bare parts of a form have some too."""
    cells: dict[tuple[int, int], list[cv2.KeyPoint]] = {}
    for point in found:
        place = (int(point.pt[0] * GRID // size[0]), int(point.pt[1] * GRID // size[1]))
        cells.setdefault(place, []).append(point)
    for points in cells.values():
        points.sort(key=lambda point: -point.response)
    each = FEATURES // max(1, len(cells))
    return [point for points in cells.values() for point in points[:each]]


def _choose_patches(working: _Grey) -> Points:
    """Return upper left corners of patches that can be told from their surroundings, two for each cell of a grid."""
    half = PATCH // 2
    margin = half + REACH + 1
    height, width = working.shape
    if min(height, width) <= 2 * margin + GRID:
        return np.zeros((0, 2))
    corners = np.asarray(cv2.cornerMinEigenVal(working, 15, ksize=3), np.float32)
    strength = corners[margin : height - margin, margin : width - margin]
    rows, columns = (np.linspace(0, side, GRID + 1).astype(int) for side in strength.shape)
    chosen = []
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            cell = np.array(strength[top:bottom, left:right])
            for x, y in _peaks(cell, count=PATCHES_IN_CELL):
                corner = (left + x + REACH + 1, top + y + REACH + 1)
                if _is_distinct(working, corner):
                    chosen.append(corner)
    return np.array(chosen, np.float64).reshape(-1, 2)


def _peaks(strength: NDArray[np.float32], *, count: int) -> list[tuple[int, int]]:
    """Return the strongest places (x, y), none within half a patch of another."""
    places = []
    for _ in range(count):
        _, highest, _, (x, y) = cv2.minMaxLoc(strength)
        if highest < 1e-5:
            break
        places.append((x, y))
        reach = PATCH // 2
        strength[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1] = 0
    return places


def _is_distinct(working: _Grey, corner: tuple[int, int]) -> bool:
    x, y = corner
    around = working[y - REACH : y + PATCH + REACH, x - REACH : x + PATCH + REACH]
    patch = working[y : y + PATCH, x : x + PATCH]
    likeness = np.array(cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED))
    likeness[REACH - 3 : REACH + 4, REACH - 3 : REACH + 4] = -1
    return float(likeness.max()) < MAX_SELF_LIKENESS
