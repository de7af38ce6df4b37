"""Which of many references a page shows: by features on level scans, by its outline in photos, then patch by patch.

```
Page ─ ORB, once ─▶ a few features of each reference ─▶ those with most matches ─ all features, refine ─▶ Recognised
     ├ none: the sheet's edges, once ─▶ likeness from far to each ───────────────────────────┤
     └ none: SIFT, once, of the likeliest ───────────────────────────────────────────────────┘
```
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.registration.features import MAX_RATIO, match, transform_between
from segmentation.registration.geometry import Transform, as_grey, is_plausible, size_of
from segmentation.registration.orientation import lay_outline
from segmentation.registration.reference import Features, Reference, orb_features, sift_features, working_picture
from segmentation.registration.refine import Measured, refine
from segmentation.registration.sheet import find_sheet

COARSE: Final = 4
"""Every so many of a reference's features are compared at first: twenty references take the time of five."""

CLOSE_LOOKS: Final = 3
"""References that are looked at with all their features."""

RATIOS: Final = (0.75, MAX_RATIO)
"""Lowe's: forms that repeat their words and boxes leave too many false matches for the usual one alone."""

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


def recognise(
    pixels: NDArray[np.uint8], references: Sequence[Reference], *, thorough: bool = False
) -> Recognised | None:
    """Return the reference whose print is the page's; None where none is, or two are alike.

    Args:
        pixels: the page as it came, turned any way, grey or BGR.
        references: of the templates that it may be.
        thorough: look by SIFT, which sees faint and blurred print and takes long, and by nothing else.
    """
    if not references:
        return None
    grey = as_grey(pixels)
    working, whole = working_picture(grey), size_of(grey)
    orb = orb_features(working, whole=whole)
    likely = _likeliest(orb, references)
    guesses: list[tuple[int, Transform | None]] = []
    features, norm = (sift_features(working, whole=whole), cv2.NORM_L2) if thorough else (orb, cv2.NORM_HAMMING)
    for place in likely:
        known = references[place].sift if thorough else references[place].orb
        size = references[place].size
        guesses += [(place, transform_between(known, features, norm, whole, size, ratio=ratio)) for ratio in RATIOS]
    found = _closest(grey, guesses, references)
    return found if thorough or found else _closest(grey, _by_outline(pixels, grey, references), references)


def _likeliest(seen: Features, references: Sequence[Reference]) -> list[int]:
    """Return the places of the references with most features on the page, of those that are compared at first."""
    matches = [len(match(_coarse(each.orb), seen, norm=cv2.NORM_HAMMING)[0]) for each in references]
    return [int(place) for place in np.argsort(matches)[::-1][:CLOSE_LOOKS]]


def _coarse(features: Features) -> Features:
    return Features(features.points[::COARSE], features.descriptors[::COARSE])


def _by_outline(
    pixels: NDArray[np.uint8], grey: _Grey, references: Sequence[Reference]
) -> list[tuple[int, Transform | None]]:
    """Return the places of references that look like the sheet in a photo, seen from far, and how it lies on them."""
    found: list[tuple[int, Transform | None]] = []
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
    grey: _Grey, guesses: Sequence[tuple[int, Transform | None]], references: Sequence[Reference]
) -> Recognised | None:
    """Return the guess whose patches agree best; None where none does, or two do alike."""
    looked: list[Recognised] = []
    for place, transform in guesses:
        measured = None if transform is None else refine(grey, transform, references[place])
        if measured is None or not measured.trusted:
            continue
        if is_plausible(measured.transform, references[place].size, size_of(grey)):
            looked.append(Recognised(place, measured))
    looked.sort(key=lambda each: -each.measured.found_share)
    if not looked:
        return None
    others = [each for each in looked if each.place != looked[0].place]
    if others and looked[0].measured.found_share - others[0].measured.found_share < MIN_LEAD:
        return None
    return looked[0]
