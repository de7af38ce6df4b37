"""Registration by features: where the reference's print is found on the page, however the page is turned."""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.registration.geometry import (
    Points,
    Size,
    Transform,
    as_grey,
    fit_homography,
    is_plausible,
    size_of,
)
from segmentation.registration.orientation import lay_outline
from segmentation.registration.reference import (
    WORKING_SIDE,
    Features,
    Reference,
    orb_features,
    sift_features,
    working_picture,
)
from segmentation.registration.refine import Measured, refine
from segmentation.registration.sheet import find_sheet

MAX_RATIO: Final = 0.85
"""Lowe's ratio: what looks almost as much like something else, as repeated print does, is no match."""

MIN_INLIERS: Final = 12
"""Matches that agree; among false ones some eight do by chance."""

FIT_PX: Final = 3.0
"""Working pixels within which matches agree: lens and paper are not quite flat."""

_Grey = NDArray[np.uint8]


def register_by_features(pixels: NDArray[np.uint8], reference: Reference) -> Measured | None:
    """Return how the page lies on its reference, or None where it is not found on it.

    ORB first. Then the sheet's edges, since in photos the print is too small for ORB, and at last SIFT, which takes
    ten times as long but sees faint and blurred print.

    Args:
        pixels: the page as it came, turned any way, grey or BGR.
        reference: the template's.
    """
    grey = as_grey(pixels)
    best: Measured | None = None
    for transform in _guesses(pixels, grey, reference):
        measured = None if transform is None else _measure(grey, transform, reference)
        if measured is not None and (best is None or measured.agreeing > best.agreeing):
            best = measured
        if best is not None and best.trusted:
            break
    return best


def _guesses(pixels: NDArray[np.uint8], grey: _Grey, reference: Reference) -> Iterator[Transform | None]:
    working, whole = working_picture(grey), size_of(grey)
    yield transform_between(reference.orb, orb_features(working, whole=whole), cv2.NORM_HAMMING, whole, reference.size)
    sheet = find_sheet(pixels, reference.size)
    yield None if sheet is None else lay_outline(grey, sheet.corners, reference.size, reference)
    yield transform_between(reference.sift, sift_features(working, whole=whole), cv2.NORM_L2, whole, reference.size)


def _measure(grey: _Grey, transform: Transform, reference: Reference) -> Measured | None:
    measured = refine(grey, transform, reference)
    if measured is None or not is_plausible(measured.transform, reference.size, size_of(grey)):
        return None
    return measured


def match(reference: Features, page: Features, *, norm: int, ratio: float = MAX_RATIO) -> tuple[Points, Points]:
    """Return pairs of points, of the reference and of the page, whose surroundings look alike and like no other's."""
    if len(reference.points) < 2 or len(page.points) < 2:
        return np.zeros((0, 2)), np.zeros((0, 2))
    pairs = cv2.BFMatcher(norm).knnMatch(reference.descriptors, page.descriptors, k=2)
    good = [first for first, second in pairs if first.distance < ratio * second.distance]
    source = np.array([reference.points[each.queryIdx] for each in good]).reshape(-1, 2)
    onto = np.array([page.points[each.trainIdx] for each in good]).reshape(-1, 2)
    return source, onto


def transform_between(
    known: Features, seen: Features, norm: int, page_size: Size, size: Size, *, ratio: float = MAX_RATIO
) -> Transform | None:
    """Return how a page may lie on a template of `size` by the features of both; None where too few agree."""
    source, onto = match(known, seen, norm=norm, ratio=ratio)
    if len(source) < MIN_INLIERS:
        return None
    threshold = FIT_PX * max(1.0, max(page_size) / WORKING_SIDE)
    fitted = fit_homography(source, onto, threshold=threshold)
    if fitted is None or int(fitted[1].sum()) < MIN_INLIERS:
        return None
    return fitted[0] if is_plausible(fitted[0], size, page_size) else None
