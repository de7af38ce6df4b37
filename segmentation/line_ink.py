"""How dark a line's ink is: what OpenCV and numpy give in plain calls, bit for bit, in a third of their time.

Line readers learnt from these pixels (`segmentation.line.LINE_VERSION`), so every shortcut here is exact, and held to
the plain calls by tests.
"""

from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

MIN_WINDOW: Final = 9
MAX_WINDOW: Final = 35
"""Pixels of the window in which the paper is sought: wider than any stroke of a field 64 pixels high."""

PAPER_BLUR: Final = 5.0
"""Standard deviation, in pixels, of the blur that takes the window's shape out of the paper."""

DARKEST_PAPER: Final = 32
FULL_INK_SHARE: Final = 0.985
"""Of the pixels, so many are lighter than what counts as full ink."""

MIN_FULL_INK: Final = 0.06

_Grey = NDArray[np.uint8]
_Floats = NDArray[np.float32]


def line_ink(grey: _Grey) -> _Grey:
    """Return how much darker each pixel is than its paper, full ink near 255: uint8, shape of `grey`."""
    side = min(max(MIN_WINDOW, (min(grey.shape) // 2) | 1), MAX_WINDOW)
    paper = blurred(closed(grey, side))
    drop = np.maximum(paper - grey, np.float32(0))
    drop /= np.maximum(paper, np.float32(DARKEST_PAPER))
    full = max(float(quantile(drop.ravel(), FULL_INK_SHARE)), MIN_FULL_INK)
    return np.asarray(np.minimum(drop * (255 / full), 255), np.uint8)


def closed(grey: _Grey, side: int) -> _Grey:
    """Return the morphological closing of `grey` with an ellipse of `side` (odd) pixels, its rim repeated outside."""
    return _over_ellipse(_over_ellipse(grey, side, np.maximum), side, np.minimum)


def _over_ellipse(grey: _Grey, side: int, extreme: np.ufunc) -> _Grey:
    """Return for each pixel the extreme of those under the ellipse around it.

    An ellipse is a stack of level rows: the rows of the picture are widened step by step, and each width is laid
    where the ellipse has it. The picture is one long row meanwhile, so that each step is one call: what wraps round
    from row to row stays in the margin.
    """
    reach, rows = _ellipse(side)
    height, width = grey.shape
    wide = np.asarray(cv2.copyMakeBorder(grey, reach, reach, reach, reach, cv2.BORDER_REPLICATE), np.uint8)
    length = wide.shape[1]
    flat, half = wide.ravel(), 0
    found: _Grey | None = None
    for target, offsets in rows:
        while half < target:
            step = min(max(half, 1), target - half)
            flat, half = _widened(flat, step, extreme, hollow=half == 0), half + step
        for offset in offsets:
            part = flat[(reach + offset) * length :][: height * length]
            found = part.copy() if found is None else extreme(found, part, out=found)
    return np.asarray(found).reshape(height, length)[:, reach : reach + width]


def _widened(flat: _Grey, step: int, extreme: np.ufunc, *, hollow: bool) -> _Grey:
    """Return the extremes over windows `step` pixels wider on both sides; `hollow` where single pixels were before."""
    wider = flat.copy()
    extreme(flat[2 * step :], flat[: -2 * step], out=wider[step:-step])
    if hollow:
        extreme(wider, flat, out=wider)
    return wider


@lru_cache(maxsize=32)
def _ellipse(side: int) -> tuple[int, list[tuple[int, list[int]]]]:
    """Return OpenCV's ellipse: how far it reaches, and by half a row's width, narrow to wide, the rows that have it."""
    reach = side // 2
    widths = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)).sum(axis=1)
    rows: dict[int, list[int]] = {}
    for offset, width in enumerate(widths.tolist(), start=-reach):
        rows.setdefault(width // 2, []).append(offset)
    return reach, sorted(rows.items())


def blurred(grey: _Grey) -> _Floats:
    """Return `cv2.GaussianBlur(grey, (0, 0), PAPER_BLUR)` as float32.

    OpenCV blurs bytes in fixed point, 8 bits after the point in each direction. Sums of such products stay below
    2²⁴, where float32 is exact, and its filters are four times as fast.
    """
    taps = _blur_taps()
    sums = cv2.sepFilter2D(grey, cv2.CV_32F, taps, taps)
    return np.asarray(np.floor(sums * np.float32(2**-16) + np.float32(0.5)), np.float32)


@lru_cache(maxsize=1)
def _blur_taps() -> _Floats:
    """Return the whole numbers, of which 256 are one, that OpenCV blurs with: its answer to a single bright column."""
    side = 255
    bright = np.zeros((3, side), np.uint8)
    bright[:, side // 2] = 255
    answer = cv2.GaussianBlur(bright, (0, 0), PAPER_BLUR)[1]
    reach = int(np.flatnonzero(answer)[-1]) - side // 2
    return np.asarray(answer[side // 2 - reach : side // 2 + reach + 1], np.float32)


def quantile(values: _Floats, share: float) -> np.float32:
    """Return `np.quantile(values, share)` of float32 numbers of 0 and more, for shares near 1."""
    place = (len(values) - 1) * share
    below, part = int(place), place - int(place)
    # Most are paper: only what is darker than half the darkest is put in order, where that is enough.
    high = values[values >= np.float32(0.5) * values.max()]
    if len(values) - len(high) > below:
        high = values
    ordered = np.partition(high, below - len(values))
    first = ordered[below - len(values)]
    after = ordered[below + 1 - len(values) :].min() if below + 1 < len(values) else first
    gap = after - first
    # The same two formulas as numpy's, so that rounding is the same.
    return np.float32(first + gap * part if part < 0.5 else after - gap * (1 - part))
