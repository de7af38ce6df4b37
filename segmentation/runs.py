"""Long runs of ink along rows or columns: what may be a ruling line.

An opening with a line of pixels, as OpenCV has it, but in steps that double: its time grows with the logarithm of the
line's length, and where no run is long enough, half of it is left out.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

_Bits = NDArray[np.uint8]


def label_type(pixels: int) -> int:
    """Return OpenCV's type for labels of components: of two bytes where they must do, in half the time of four.

    Components that touch not even at corners are at most one for each four pixels, and a few at the rim.
    """
    return cv2.CV_16U if pixels < 2**17 else cv2.CV_32S


def level_runs(bits: _Bits, length: int) -> _Bits | None:
    """Return the runs of at least `length` pixels in the rows of `bits`; None where there is none.

    Args:
        bits: uint8, shape (height, width), 0 is paper.
        length: pixels, at least 2. Where it is even, runs come out one pixel further right, as from OpenCV's opening.
    """
    if _is_too_thin(bits, length, axis=1):
        return None
    height, width = bits.shape
    # One row after the other, and paper between them.
    apart = np.asarray(cv2.copyMakeBorder(bits, 0, 0, 0, 1, cv2.BORDER_CONSTANT, value=0), np.uint8)
    runs = _opened(apart.ravel(), length, stride=1)
    if runs is None:
        return None
    found = runs.reshape(height, width + 1)
    return found[:, :width] if length % 2 else _shifted(found[:, :width], down=0, right=1)


def upright_runs(bits: _Bits, length: int) -> _Bits | None:
    """Return the runs of at least `length` pixels in the columns of `bits`; None where there is none.

    Args:
        bits: uint8, shape (height, width), 0 is paper.
        length: pixels, at least 2. Where it is even, runs come out one pixel further down, as from OpenCV's opening.
    """
    if _is_too_thin(bits, length, axis=0):
        return None
    runs = _opened(np.ascontiguousarray(bits).ravel(), length, stride=bits.shape[1])
    if runs is None:
        return None
    found = runs.reshape(bits.shape)
    return found if length % 2 else _shifted(found, down=1, right=0)


def _is_too_thin(bits: _Bits, length: int, *, axis: int) -> bool:
    """Return whether no row (axis 1) or column (axis 0) has `length` inked pixels.

    Each counts for one at least, so that a sum below `length` tells it.
    """
    return int(cv2.reduce(bits, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S).max()) < length


def _opened(flat: _Bits, length: int, *, stride: int) -> _Bits | None:
    """Return the least and then the greatest of every `length` values `stride` apart; None where all is 0."""
    margin = (length - 1) * stride
    if margin >= flat.size:
        return None
    cores = _extremes(flat, length, stride, np.minimum)
    if not cores.any():
        return None
    wide = np.zeros(flat.size + margin, np.uint8)
    wide[margin : margin + cores.size] = cores
    return _extremes(wide, length, stride, np.maximum)


def _extremes(flat: _Bits, length: int, stride: int, extreme: np.ufunc) -> _Bits:
    """Return the extreme of each value and the `length - 1` after it, `stride` apart."""
    reached = 1
    while reached < length:
        step = min(reached, length - reached)
        flat = extreme(flat[: -step * stride], flat[step * stride :])
        reached += step
    return flat


def _shifted(bits: _Bits, *, down: int, right: int) -> _Bits:
    moved = np.zeros_like(bits)
    moved[down:, right:] = bits[: bits.shape[0] - down, : bits.shape[1] - right]
    return moved
