"""A blank out of filled pages, where nobody has the empty form: what all of them show is print, the rest is writing."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest
from core.types import Page
from segmentation.registration.evening import even_light
from segmentation.registration.geometry import as_grey
from segmentation.registration.register import register
from segmentation.registration.target import RegistrationTarget

MIN_PAGES: Final = 5
"""Fewer share too much of their writing."""

PRINT_PERCENTILE: Final = 70.0
"""Of the pages' tones at a pixel: ink on most of the pages is print, and the year that half of them bear is not."""


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
    return np.asarray(np.percentile(tones, PRINT_PERCENTILE, axis=0, method="lower"), np.uint8)
