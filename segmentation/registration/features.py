"""Registration by features: where the reference's print is found on the page, however the page is turned."""

from collections.abc import Callable, Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.registration.geometry import (
    Points,
    Transform,
    fit_homography,
    is_plausible,
    size_of,
)
from segmentation.registration.reference import (
    WORKING_SIDE,
    Features,
    Reference,
    orb_features,
    sift_features,
    working_picture,
)
from segmentation.registration.refine import Measured, refine

MAX_RATIO: Final = 0.85
"""Lowe's ratio: what looks almost as much like something else, as repeated print does, is no match."""

MIN_INLIERS: Final = 12
"""Matches that agree; among false ones some eight do by chance."""

FIT_PX: Final = 3.0
"""Working pixels within which matches agree: lens and paper are not quite flat."""

_Grey = NDArray[np.uint8]


def register_by_features(grey: _Grey, reference: Reference) -> Measured | None:
    """Return how the page lies on its reference, or None where it is not found on it.

    ORB first, then SIFT, which takes ten times as long but sees faint and blurred print.

    Args:
        grey: the page as it came, turned any way.
        reference: the template's.
    """
    best: Measured | None = None
    for transform in _guesses(grey, reference):
        measured = _measure(grey, transform, reference)
        if measured is not None and (best is None or measured.agreeing > best.agreeing):
            best = measured
        if best is not None and best.trusted:
            break
    return best


def _guesses(grey: _Grey, reference: Reference) -> Iterator[Transform]:
    working = working_picture(grey)
    whole = size_of(grey)
    kinds: tuple[tuple[Callable[[], Features], Callable[[], Features], int], ...] = (
        (lambda: reference.orb, lambda: orb_features(working, whole=whole), cv2.NORM_HAMMING),
        (lambda: reference.sift, lambda: sift_features(working, whole=whole), cv2.NORM_L2),
    )
    for of_reference, of_page, norm in kinds:
        source, onto = match(of_reference(), of_page(), norm=norm)
        transform = _transform(source, onto, page_size=whole, size=reference.size)
        if transform is not None:
            yield transform


def _measure(grey: _Grey, transform: Transform, reference: Reference) -> Measured | None:
    measured = refine(grey, transform, reference)
    if measured is None or not is_plausible(measured.transform, reference.size, size_of(grey)):
        return None
    return measured


def match(reference: Features, page: Features, *, norm: int) -> tuple[Points, Points]:
    """Return pairs of points, of the reference and of the page, whose surroundings look alike and like no other's."""
    if len(reference.points) < 2 or len(page.points) < 2:
        return np.zeros((0, 2)), np.zeros((0, 2))
    pairs = cv2.BFMatcher(norm).knnMatch(reference.descriptors, page.descriptors, k=2)
    good = [first for first, second in pairs if first.distance < MAX_RATIO * second.distance]
    source = np.array([reference.points[each.queryIdx] for each in good]).reshape(-1, 2)
    onto = np.array([page.points[each.trainIdx] for each in good]).reshape(-1, 2)
    return source, onto


def _transform(source: Points, onto: Points, *, page_size: tuple[int, int], size: tuple[int, int]) -> Transform | None:
    if len(source) < MIN_INLIERS:
        return None
    threshold = FIT_PX * max(1.0, max(page_size) / WORKING_SIDE)
    fitted = fit_homography(source, onto, threshold=threshold)
    if fitted is None or int(fitted[1].sum()) < MIN_INLIERS:
        return None
    return fitted[0] if is_plausible(fitted[0], size, page_size) else None
