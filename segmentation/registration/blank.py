"""A blank out of filled pages, where nobody has the empty form: what all of them show is print, the rest is writing."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest
from core.types import Page
from segmentation.registration.evening import even_light
from segmentation.registration.geometry import as_grey
from segmentation.registration.reference import prepare_reference
from segmentation.registration.register import register
from segmentation.registration.target import Method, RegistrationTarget

MIN_PAGES: Final = 5
"""Fewer share too much of their writing."""

PRINT_PERCENTILE: Final = 75.0
"""Of the pages' tones at a pixel: ink on most of the pages is print, and the year that half of them bear is not."""

PAGES_FOR_A_MISS: Final = 8
"""Of so many pages one may lack a piece of the print, under a stamp or a fold; of fewer none."""

NEAR: Final = np.ones((3, 3), np.uint8)
"""Print lies a pixel beside its place on some pages."""


def compose_blank(pages: Sequence[Page], target: RegistrationTarget) -> NDArray[np.uint8]:
    """Return the blank that filled pages were printed as: uint8 grey, the template's size, in even light.

    Args:
        pages: filled by different people with different things, at least `MIN_PAGES`.
        target: the template; by features, its reference is one of the pages.

    Raises:
        InvalidRequest: too few of the pages lie well on the template.
    """
    laid = [registered.page.pixels for page in pages if not (registered := register(page, target)).poor]
    if len(laid) < MIN_PAGES:
        raise InvalidRequest(f"A blank takes {MIN_PAGES} pages of one form at least; {len(laid)} lie well on it.")
    tones = np.stack([even_light(as_grey(pixels)) for pixels in laid])
    # "lower" leaves whole tones alone, and needs no float copy of all pages.
    common = np.percentile(tones, PRINT_PERCENTILE, axis=0, method="lower")
    return np.asarray(np.maximum(common, _seen_everywhere(tones)), np.uint8)


def compose_file(pages: Sequence[Page]) -> bytes:
    """Return the blank that filled pages were printed as, a PNG as large as the first of them; see `compose_blank`."""
    first = pages[0]
    size = (first.width, first.height)
    target = RegistrationTarget(Method.FEATURES, size, reference=prepare_reference(first, size))
    return cv2.imencode(".png", compose_blank(pages, target))[1].tobytes()


def _seen_everywhere(tones: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the tone near each pixel that the lightest page has: where people write, a few lines of most cross."""
    count = len(tones)
    near = np.stack([np.asarray(cv2.erode(page, NEAR), np.uint8) for page in tones])
    return np.asarray(
        np.partition(near, count - 1 - count // PAGES_FOR_A_MISS, axis=0)[count - 1 - count // PAGES_FOR_A_MISS]
    )
