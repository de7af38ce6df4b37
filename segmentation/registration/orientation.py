"""Which way up a page lies: told by a template's reference, never guessed.

A sheet's outline and plain marks look the same after half a turn. The reference tells: of the possible turns, the one
whose print looks most like it, when it does so clearly.
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.prepare import estimate_skew, ink_map, shrink
from segmentation.registration.evening import even_light
from segmentation.registration.geometry import (
    Points,
    Size,
    Transform,
    from_corners,
    scaling,
    size_of,
    stretch_px,
    turned,
    turning,
    warp,
)
from segmentation.registration.reference import Reference
from segmentation.registration.target import Found

MIN_LIKENESS: Final = 0.3
"""Correlation with the reference, seen from far; of a page of another form 0.1 to 0.2."""

MIN_LEAD: Final = 0.08
"""By which the right turn's correlation beats the others'."""

FAR_SIDE: Final = 240
"""The longer side in pixels of a page seen from far: lines of text are there, letters are not."""

SLACK: Final = 6
"""Pixels seen from far by which a page may lie beside its place."""

MIN_SKEW_DEGREES: Final = 0.2
"""Less is left alone: a plain scan stays pixel for pixel what it was."""

_Grey = NDArray[np.uint8]


def tell_upright(grey: _Grey, transforms: Sequence[Transform], reference: Reference) -> int | None:
    """Return the place of the transform that lays the page upright on the reference; None where none clearly does."""
    likeness = [_likeness(grey, transform, reference) for transform in transforms]
    order = np.argsort(likeness)[::-1]
    best = likeness[order[0]]
    lead = best - likeness[order[1]] if len(order) > 1 else best
    return int(order[0]) if best >= MIN_LIKENESS and lead >= MIN_LEAD else None


def _likeness(grey: _Grey, transform: Transform, reference: Reference) -> float:
    scale = FAR_SIDE / max(reference.size)
    far = (max(1, round(reference.size[0] * scale)), max(1, round(reference.size[1] * scale)))
    laid = _seen_from_far(warp(grey, transform @ scaling(far, reference.size), far), far)
    known = _seen_from_far(reference.working, far)
    inner = known[SLACK:-SLACK, SLACK:-SLACK]
    if min(inner.shape) < 2 * SLACK:
        return 0.0
    return float(cv2.matchTemplate(laid, inner, cv2.TM_CCOEFF_NORMED).max())


def _seen_from_far(picture: _Grey, far: Size) -> NDArray[np.float32]:
    small = even_light(np.asarray(cv2.resize(picture, far, interpolation=cv2.INTER_AREA), np.uint8))
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 1.5), np.float32)


def lay_whole_frame(grey: _Grey, size: Size, reference: Reference | None) -> Found:
    """Return how the whole picture lies on a template of `size`: scaled, and upright where a reference tells how."""
    page = size_of(grey)
    plain = _scaled(page, size, quarter_turns=0, skew_degrees=0.0)
    as_it_came = Found(plain, stretch_px(size, page), oriented=False, trusted=reference is None and _fits(page, size))
    if reference is None:
        return as_it_came
    turns = [turn for turn in range(4) if _fits(_swapped(page, turn), size)] or list(range(4))
    guesses = [_scaled(page, size, quarter_turns=turn, skew_degrees=_skew(grey, turn)) for turn in turns]
    upright = tell_upright(grey, guesses, reference)
    if upright is None:
        return as_it_came
    return Found(guesses[upright], stretch_px(size, _swapped(page, turns[upright])), oriented=True)


def lay_outline(grey: _Grey, corners: Points, size: Size, reference: Reference | None) -> Transform | None:
    """Return the transform onto a sheet whose corners are known, clockwise; None where nothing tells which way is up.

    Without a reference a sheet of the template's proportions is taken as it came; one that lies across may have been
    turned either way.
    """
    outline = from_corners(size, corners)
    if reference is None:
        lengths = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
        aspect = float((lengths[0] + lengths[2]) / (lengths[1] + lengths[3]))
        across = abs(np.log(aspect * size[0] / size[1])) < abs(np.log(aspect * size[1] / size[0]))
        return None if across else outline
    guesses = [turned(outline, size, turn) for turn in range(4)]
    upright = tell_upright(grey, guesses, reference)
    return None if upright is None else guesses[upright]


def _scaled(page: Size, size: Size, *, quarter_turns: int, skew_degrees: float) -> Transform:
    upright = _swapped(page, quarter_turns)
    # From template to the upright page, from there to the skewed one, and from there to the page as it came.
    level = cv2.getRotationMatrix2D((upright[0] / 2, upright[1] / 2), skew_degrees, 1.0)
    skewed = np.vstack([level, [0, 0, 1]])
    return np.asarray(turning(upright, quarter_turns) @ skewed @ scaling(size, upright), np.float64)


def _skew(grey: _Grey, quarter_turns: int) -> float:
    """Return the angle, counter-clockwise, by which the form is skewed once it is turned back."""
    small = _small(grey)
    skew = estimate_skew(ink_map(np.ascontiguousarray(np.rot90(small, quarter_turns))))
    return skew if abs(skew) >= MIN_SKEW_DEGREES else 0.0


def _small(grey: _Grey) -> _Grey:
    return shrink(grey, min(1.0, 1000 / max(grey.shape)))


def _swapped(page: Size, quarter_turns: int) -> Size:
    return page if quarter_turns % 2 == 0 else (page[1], page[0])


def _fits(page: Size, size: Size) -> bool:
    """Return whether the proportions are near enough for the picture to show the sheet and little more."""
    change = (page[0] / page[1]) / (size[0] / size[1])
    return 1 / 1.25 <= change <= 1.25
