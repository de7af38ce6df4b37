"""Measures and refines how a page lies on its reference, patch by patch.

A patch of the reference is sought around its place on the page that was laid over the template: by normalised
correlation to the pixel, by ECC below it. Patches that were written over find no counterpart and do not count.
The transform is fitted again to those that do; what is left of their distances is the residual.
"""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.registration.evening import even_light
from segmentation.registration.geometry import (
    Points,
    Transform,
    distances,
    fit_homography,
    least_squares,
    scaling,
    size_of,
    spread,
    warp,
)
from segmentation.registration.reference import PATCH, REACH, Reference

MIN_LIKENESS: Final = 0.55
"""Correlation from which a patch counts as found: print under a pen stroke falls below."""

ECC_STEPS: Final = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 8, 1e-3)

AGREEING_PX: Final = 2.5
"""Working pixels: a patch that was found farther from where the others put it is a mistake, or the page is bent."""

NEAR_PX: Final = 1.5
"""Working pixels by which a first guess may be off for one look to do."""

MIN_PATCHES: Final = 8
MIN_FOUND_SHARE: Final = 0.25
"""Of the reference's patches: a filled reference shares less than half of them with another page, chance a tenth."""

MIN_CELLS: Final = 4
"""Of nine over the template in which patches agree: a fit that rests on one corner says little of the others."""


@dataclass(frozen=True, slots=True)
class Measured:
    """How a page lies on its reference.

    Attributes:
        transform: refined, from template pixels to pixels of the page.
        residual_px: mean distance, in template pixels, of the patches that were found from their place.
        agreeing: how many patches lie where the transform puts them.
        found_share: `agreeing` of all patches of the reference.
        trusted: whether enough of them agree, in enough parts of the template.
        moved_px: mean distance, in working pixels, by which refining moved them.
    """

    transform: Transform
    residual_px: float
    agreeing: int
    found_share: float
    trusted: bool
    moved_px: float = 0.0


def refine(grey: NDArray[np.uint8], transform: Transform, reference: Reference) -> Measured | None:
    """Return the transform refined against the reference and what is left, or None where nothing of it is found.

    Args:
        grey: the page as it came.
        transform: a first guess, right to some ten working pixels.
        reference: the template's.
    """
    measured = _refine_once(grey, transform, reference)
    if measured is None or measured.moved_px <= NEAR_PX:
        return measured
    # Patches that lay out of reach of a rough guess are within that of a better one.
    return _refine_once(grey, measured.transform, reference) or measured


def _refine_once(grey: NDArray[np.uint8], transform: Transform, reference: Reference) -> Measured | None:
    onto_working = scaling(size_of(reference.working), reference.size)
    guess = transform @ onto_working
    laid = even_light(warp(grey, guess, size_of(reference.working)))
    places, offsets = find_patches(laid, reference)
    if len(places) < MIN_PATCHES:
        return None
    onto = places + offsets
    fitted = _fit(places, onto)
    if fitted is None:
        return None
    # The laid page's pixels are the guess's: what moved there moves the transform.
    refined = guess @ fitted @ np.linalg.inv(onto_working)
    left = distances(fitted, places, onto)
    agree = left <= AGREEING_PX
    moved = float(np.hypot(*offsets[agree].T).mean()) if agree.any() else 0.0
    return replace(_measured(refined, places, left, reference), moved_px=moved)


def _fit(places: Points, onto: Points) -> Transform | None:
    """Return the transform that most patches agree on, fitted to all that do: paper that is bent a little counts."""
    fitted = fit_homography(places, onto, threshold=AGREEING_PX / 2)
    if fitted is None:
        return None
    transform = fitted[0]
    for _ in range(2):
        agree = distances(transform, places, onto) <= AGREEING_PX
        if agree.sum() < MIN_PATCHES:
            break
        transform = least_squares(places[agree], onto[agree])
    return transform


def _measured(refined: Transform, places: Points, left: NDArray[np.float64], reference: Reference) -> Measured:
    agree = left <= AGREEING_PX
    agreeing = int(agree.sum())
    share = agreeing / max(1, len(reference.patches))
    cells = spread(places[agree], size_of(reference.working)) if agreeing else 0
    # A patch that is far off is a chance likeness more often than a bent page; unless many are.
    near = left[left <= max(AGREEING_PX, 3 * float(np.median(left)))]
    factor = reference.size[0] / size_of(reference.working)[0]
    return Measured(
        transform=refined / refined[2, 2],
        residual_px=float(near.mean()) * factor,
        agreeing=agreeing,
        found_share=share,
        trusted=agreeing >= MIN_PATCHES and share >= MIN_FOUND_SHARE and cells >= MIN_CELLS,
    )


def find_patches(laid: NDArray[np.uint8], reference: Reference) -> tuple[Points, Points]:
    """Return the middles of the patches that were found, in working pixels, and how far beside them they were.

    Args:
        laid: the page in even light, laid over the working picture.
        reference: the template's.
    """
    places, offsets = [], []
    for x, y in reference.patches.astype(int).tolist():
        patch = reference.working[y : y + PATCH, x : x + PATCH]
        around = laid[y - REACH : y + PATCH + REACH, x - REACH : x + PATCH + REACH]
        offset = _offset(patch, around)
        if offset is not None:
            places.append((x + PATCH // 2, y + PATCH // 2))
            offsets.append(offset)
    return np.array(places, np.float64).reshape(-1, 2), np.array(offsets, np.float64).reshape(-1, 2)


def _offset(patch: NDArray[np.uint8], around: NDArray[np.uint8]) -> tuple[float, float] | None:
    likeness = cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED)
    _, highest, _, (x, y) = cv2.minMaxLoc(likeness)
    if highest < MIN_LIKENESS or not (0 < x < 2 * REACH and 0 < y < 2 * REACH):
        return None
    dx, dy = _below_pixel(patch, around, (x, y))
    return x - REACH + dx, y - REACH + dy


def _below_pixel(patch: NDArray[np.uint8], around: NDArray[np.uint8], at: tuple[int, int]) -> tuple[float, float]:
    """Return how far beside `at` the patch lies: less than a pixel, by ECC (Evangelidis and Psarakis 2008)."""
    x, y = at
    start = np.array([[1, 0, x], [0, 1, y]], np.float32)
    try:
        _, found = cv2.findTransformECC(patch, around, start, cv2.MOTION_TRANSLATION, ECC_STEPS)
    except cv2.error:
        # ECC says so when it does not converge: the whole pixel is what is known.
        return 0.0, 0.0
    dx, dy = float(found[0, 2]) - x, float(found[1, 2]) - y
    return (dx, dy) if max(abs(dx), abs(dy)) <= 1.0 else (0.0, 0.0)
