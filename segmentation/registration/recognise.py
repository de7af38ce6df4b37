"""Which of many references a page shows: by features on level scans, by its outline in photos, then patch by patch.

```
Page ─ ORB, once ─▶ matches with each reference ─▶ those with most ─ refine ─▶ the one whose patches agree
     └ none: the sheet's edges, once ─▶ likeness from far to each ───┘
```
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.registration.features import FIT_PX, match
from segmentation.registration.geometry import Transform, as_grey, fit_homography, is_plausible, size_of
from segmentation.registration.orientation import lay_outline
from segmentation.registration.reference import WORKING_SIDE, Features, Reference, orb_features, working_picture
from segmentation.registration.refine import Measured, refine
from segmentation.registration.sheet import find_sheet

COARSE: Final = 4
"""Every so many of a reference's features are compared: enough to tell forms apart, and the time for twenty."""

MIN_INLIERS: Final = 8
"""Matches that agree from which a reference is looked at closely: others come to five."""

CLOSE_LOOKS: Final = 3

MIN_LEAD: Final = 0.1
"""Share of a reference's patches by which the best one leads: of two that fit alike, none is guessed."""

_Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Recognised:
    """A reference that a page shows.

    Attributes:
        place: in the sequence of references.
        measured: how the page lies on it.
    """

    place: int
    measured: Measured


def recognise(pixels: NDArray[np.uint8], references: Sequence[Reference]) -> Recognised | None:
    """Return the reference whose print is the page's; None where none is, or two are alike.

    Args:
        pixels: the page as it came, turned any way, grey or BGR.
        references: of the templates that it may be.
    """
    if not references:
        return None
    grey = as_grey(pixels)
    best = _closest(grey, _by_features(grey, references), references)
    return best or _closest(grey, _by_outline(pixels, grey, references), references)


def _by_features(grey: _Grey, references: Sequence[Reference]) -> list[tuple[int, Transform]]:
    """Return the places of references that share features with the page, most first, and how it may lie on them."""
    seen = orb_features(working_picture(grey), whole=size_of(grey))
    threshold = FIT_PX * max(1.0, max(size_of(grey)) / WORKING_SIDE)
    rated = []
    for place, reference in enumerate(references):
        source, onto = match(_coarse(reference.orb), seen, norm=cv2.NORM_HAMMING)
        fitted = fit_homography(source, onto, threshold=threshold) if len(source) >= MIN_INLIERS else None
        if fitted is None or not is_plausible(fitted[0], reference.size, size_of(grey)):
            continue
        inliers = int(fitted[1].sum())
        if inliers >= MIN_INLIERS:
            rated.append((inliers, place, fitted[0]))
    rated.sort(key=lambda each: -each[0])
    return [(place, transform) for _, place, transform in rated[:CLOSE_LOOKS]]


def _coarse(features: Features) -> Features:
    return Features(features.points[::COARSE], features.descriptors[::COARSE])


def _by_outline(pixels: NDArray[np.uint8], grey: _Grey, references: Sequence[Reference]) -> list[tuple[int, Transform]]:
    """Return the places of references that look like the sheet in a photo, seen from far, and how it lies on them."""
    found = []
    for size in dict.fromkeys(reference.size for reference in references):
        sheet = find_sheet(pixels, size)
        if sheet is None:
            continue
        for place, reference in enumerate(references):
            if reference.size == size:
                transform = lay_outline(grey, sheet.corners, size, reference)
                if transform is not None:
                    found.append((place, transform))
    return found[:CLOSE_LOOKS]


def _closest(
    grey: _Grey, guesses: Sequence[tuple[int, Transform]], references: Sequence[Reference]
) -> Recognised | None:
    """Return the guess whose patches agree best; None where none does, or two do alike."""
    looked = []
    for place, transform in guesses:
        measured = refine(grey, transform, references[place])
        if measured is None or not measured.trusted:
            continue
        if is_plausible(measured.transform, references[place].size, size_of(grey)):
            looked.append(Recognised(place, measured))
    looked.sort(key=lambda each: -each.measured.found_share)
    if not looked:
        return None
    if len(looked) > 1 and looked[0].measured.found_share - looked[1].measured.found_share < MIN_LEAD:
        return None
    return looked[0]
