"""Grey, level and ink: what happens to pixels before anything is cut out of them.

Everything here is a few OpenCV calls on whole arrays; a field of a cheque takes about a millisecond.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, Page
from segmentation.runs import level_runs, upright_runs

MIN_CONTRAST: Final = 10.0
"""Ink must be darker than its paper by this many grey levels: below it JPEG noise looks like writing."""

MIN_SEPARATION: Final = 3.5
"""Ink must be darker than its paper by this many standard deviations of the paper. Otsu splits pure noise at 2.7."""

SKEW_LIMIT_DEGREES: Final = 15.0
SKEW_PIXELS: Final = 600
"""The longer side of the picture in which skew is sought: lines of text stay visible, and it is quick."""

_Grey = NDArray[np.uint8]
_Ink = NDArray[np.bool_]
_Number = TypeVar("_Number", np.uint8, np.float32)


def to_grey(page: Page) -> _Grey:
    """Return the page as grey, dark ink on light paper: uint8, shape (height, width).

    A page of bright ink on dark paper, as MNIST's images are, is turned over.
    """
    pixels = page.pixels
    grey = pixels if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8)
    return np.asarray(cv2.bitwise_not(grey), np.uint8) if is_inverted(grey) else grey


def is_inverted(grey: _Grey) -> bool:
    """Return whether the ink is brighter than the paper.

    The paper is the larger part of a picture, and almost all of its rim. A dark photo of a dark page has little
    contrast between the two parts, and is left as it is.
    """
    threshold, dark = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    dark_share = cv2.countNonZero(dark) / dark.size
    if not 0.6 < dark_share < 1.0 or threshold > 160:
        return False
    rim = np.concatenate([dark[0], dark[-1], dark[:, 0], dark[:, -1]])
    bright, paper = cv2.mean(grey, 1 - dark)[0], cv2.mean(grey, dark)[0]
    return float(rim.mean()) > 0.8 and bright - paper > 60


def ink_strength(grey: _Grey) -> _Grey:
    """Return how much darker each pixel is than the paper around it: uint8, 0 is paper."""
    smooth = _smooth(grey)
    return np.asarray(cv2.subtract(_paper(smooth), smooth), np.uint8)


def paper_around(grey: _Grey) -> _Grey:
    """Return the tone of the paper at each pixel, as if nothing stood on it: uint8, shape of `grey`."""
    return _paper(_smooth(grey))


def _smooth(grey: _Grey) -> _Grey:
    return np.asarray(cv2.GaussianBlur(grey, (3, 3), 0), np.uint8) if min(grey.shape) >= 40 else grey


def _paper(smooth: _Grey) -> _Grey:
    """Return a morphological closing with a window wider than any stroke: shadows and slow changes of tone stay."""
    side = _odd(float(np.clip(min(smooth.shape) / 2, 15, 61)))
    window = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
    return np.asarray(cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, window, borderType=cv2.BORDER_REPLICATE), np.uint8)


def ink_map(grey: _Grey) -> _Ink:
    """Return where there is ink: bool, shape of `grey`; all False on a blank page."""
    return threshold_ink(ink_strength(grey))


def threshold_ink(strength: _Grey) -> _Ink:
    """Return where `strength` is ink's, by Otsu's threshold (1979); all False where nothing stands out."""
    threshold, ink = cv2.threshold(strength, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    if threshold <= 0 and not ink.any():
        return np.zeros(strength.shape, np.bool_)
    ink_mean = cv2.mean(strength, ink)[0]
    paper_mean, paper_deviation = (float(value[0, 0]) for value in cv2.meanStdDev(strength, mask=cv2.bitwise_not(ink)))
    contrast = ink_mean - paper_mean
    if contrast < max(MIN_CONTRAST, MIN_SEPARATION * paper_deviation):
        return np.zeros(strength.shape, np.bool_)
    return np.asarray(ink > 0)


def remove_rules(ink: _Ink) -> _Ink:
    """Return `ink` without ruling lines and frames; strokes that cross a line are mended.

    A vertical line goes only at the edges or where it spans the whole height: elsewhere it is a 1.
    """
    height, width = ink.shape
    if min(height, width) < 12:
        return ink
    bits = ink.view(np.uint8)
    level = _long_runs(bits, length=max(round(1.1 * height), round(0.3 * width), 24), thickness=_rule_thickness(height))
    upright = _upright_rules(bits, level)
    rest = bits
    if level is not None and cv2.hasNonZero(level):
        rest = mend(rest, level, vertical=True)
    if upright is not None and cv2.hasNonZero(upright):
        rest = mend(rest, upright & rest, vertical=False)
    return ink if rest is bits else np.asarray(rest > 0)


def find_frames(ink: _Ink) -> _Ink:
    """Return the long thin lines in a page's `ink`, level or upright: rulings, boxes, table frames.

    An upright line counts where it meets a level one or is longer than any digit: else it may be a 1.
    """
    height, width = ink.shape
    bits = ink.view(np.uint8)
    thickness = max(3, round(0.004 * max(height, width)))
    level = _long_runs(bits, length=max(60, round(0.05 * width)), thickness=thickness)
    upright = _long_runs(bits, length=max(40, round(0.02 * height)), thickness=thickness, upright=True)
    frames = np.zeros_like(bits) if level is None else level
    if upright is not None:
        frames = frames | _meeting(upright, frames, reach=thickness, enough=max(60, round(0.15 * height)))
    return np.asarray(frames > 0)


def _meeting(upright: _Grey, level: _Grey, *, reach: int, enough: int) -> _Grey:
    """Return the lines of `upright` that come within `reach` of one of `level`, or are `enough` pixels long."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(upright, connectivity=8)
    if count == 1:
        return upright
    near = cv2.dilate(level, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    keep = stats[:, cv2.CC_STAT_HEIGHT] >= enough
    keep[np.unique(np.asarray(labels)[near])] = True
    keep[0] = False
    return np.asarray(keep[labels], np.uint8)


def _rule_thickness(height: int) -> int:
    return max(3, round(0.08 * height))


def _long_runs(bits: _Grey, *, length: int, thickness: int, upright: bool = False) -> _Grey | None:
    """Return the parts of `bits` on lines of at least `length`, no thicker than `thickness`; None where there is none.

    The lines are level ones, or `upright`.
    """
    across = (1, 3) if upright else (3, 1)
    # A line that is a little askew steps from row to row: thickened by one row, its runs join.
    joined = np.asarray(cv2.dilate(bits, np.ones(across, np.uint8)), np.uint8)
    runs = upright_runs(joined, length) if upright else level_runs(joined, length)
    if runs is None:
        return None
    thicker = (1, thickness + 1) if upright else (thickness + 1, 1)
    thick = cv2.morphologyEx(bits, cv2.MORPH_OPEN, np.ones(thicker, np.uint8))
    return np.asarray(cv2.bitwise_and(bits, cv2.subtract(runs, thick)), np.uint8)


def _upright_rules(bits: _Grey, level: _Grey | None) -> _Grey | None:
    """Return the upright lines over the whole height, at an edge, or from one line of `level` to another."""
    height, width = bits.shape
    halves = _long_runs(bits, length=max(2, round(0.5 * height)), thickness=4, upright=True)
    if halves is None or not cv2.hasNonZero(halves):
        return None
    spans = _long_runs(bits, length=max(2, round(0.95 * height)), thickness=4, upright=True)
    margin = max(2, round(0.04 * width))
    rules = halves.copy()
    rules[:, margin : width - margin] = 0
    if spans is not None:
        rules |= spans
    if level is not None:
        rules |= _sides(halves, level)
    return rules


def _sides(upright: _Grey, level: _Grey) -> _Grey:
    """Return the lines of `upright` with a line of `level` at both ends: a frame's sides."""
    sides = np.zeros_like(upright)
    if not (level.any() and upright.any()):
        return sides
    near = cv2.dilate(level, np.ones((7, 7), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(upright, connectivity=8)
    for label in range(1, count):
        x, y, width, height = (int(value) for value in stats[label, :4])
        if near[y, x : x + width].any() and near[y + height - 1, x : x + width].any():
            sides[np.asarray(labels) == label] = 1
    return sides


def mend(bits: _Grey, rules: _Grey, *, vertical: bool) -> _Grey:
    """Return `bits` without `rules`, but with what joins ink on both sides of a rule.

    Args:
        bits: uint8, shape (height, width), 1 where there is ink.
        rules: the same of the rules alone.
        vertical: whether what is above and below a rule is joined, rather than left and right.
    """
    rest = bits & (1 - rules)
    reach = 5
    shape = (2 * reach + 1, 1) if vertical else (1, 2 * reach + 1)
    before, after = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    before.reshape(-1)[:reach] = 1
    after.reshape(-1)[reach + 1 :] = 1
    crossing = cv2.bitwise_and(cv2.dilate(rest, before), cv2.dilate(rest, after))
    return np.asarray(cv2.bitwise_or(rest, cv2.bitwise_and(rules, crossing)), np.uint8)


def shrink(pixels: NDArray[_Number], scale: float) -> NDArray[_Number]:
    """Return `pixels`, grey or in colour, with sides `scale` times as long, but none shorter than one pixel."""
    if scale == 1.0:
        return pixels
    height, width = pixels.shape[:2]
    small = cv2.resize(pixels, None, fx=max(scale, 1 / width), fy=max(scale, 1 / height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, pixels.dtype)


def estimate_skew(ink: _Ink, *, limit_degrees: float = SKEW_LIMIT_DEGREES) -> float:
    """Return the angle by which the page is turned, in degrees, counter-clockwise positive.

    Projection-profile search (Postl 1986): the angle at which the row sums vary most. 0.0 where there is
    too little ink to tell.
    """
    scale = min(1.0, SKEW_PIXELS / max(ink.shape))
    small = shrink(ink.astype(np.float32), scale)
    ys, xs = np.nonzero(small > 0.25)
    if len(ys) < 50:
        return 0.0
    centred = xs - xs.mean()
    coarse = _best_angle(ys, centred, np.arange(-limit_degrees, limit_degrees + 0.25, 0.5))
    fine = _best_angle(ys, centred, coarse + np.arange(-0.5, 0.51, 0.1))
    return round(float(np.clip(fine, -limit_degrees, limit_degrees)), 2) + 0.0  # no -0.0


def _best_angle(ys: NDArray[np.intp], xs: NDArray[np.float64], degrees: NDArray[np.float64]) -> float:
    scores = [_row_energy(ys + xs * np.tan(np.radians(angle))) for angle in degrees]
    best = int(np.argmax(scores))
    level = int(np.argmin(np.abs(degrees)))
    # A page without lines of text has no clear best: leave it as it lies.
    return float(degrees[best]) if scores[best] > 1.02 * scores[level] else float(degrees[level])


def _row_energy(rows: NDArray[np.float64]) -> float:
    counts = np.bincount(np.round(rows - rows.min()).astype(np.intp))
    return float(np.square(np.diff(counts, prepend=0, append=0)).sum())


@dataclass(frozen=True, slots=True)
class Levelling:
    """How a page was turned to be level, and the way back."""

    skew_degrees: float
    width: int
    height: int

    def undo(self, box: Box) -> Box:
        """Return the box on the page as it came that holds `box` of the levelled page."""
        if self.skew_degrees == 0.0:
            return box
        inverse = cv2.invertAffineTransform(self.matrix)
        right, bottom = box.right, box.bottom
        corners = np.array([[box.x, box.y, 1], [right, box.y, 1], [box.x, bottom, 1], [right, bottom, 1]], np.float64)
        points = corners @ inverse.T
        return clip_box(points.min(axis=0), points.max(axis=0), width=self.width, height=self.height)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The affine transform from the page as it came to the levelled page."""
        return np.asarray(
            cv2.getRotationMatrix2D((self.width / 2, self.height / 2), -self.skew_degrees, 1.0), np.float64
        )


def deskew(grey: _Grey, skew_degrees: float) -> tuple[_Grey, Levelling]:
    """Return `grey` turned level, same shape, new corners filled with the paper's tone, and the way back."""
    height, width = grey.shape
    levelling = Levelling(skew_degrees=skew_degrees, width=width, height=height)
    if skew_degrees == 0.0:
        return grey, levelling
    paper = float(np.median(grey[::4, ::4]))
    level = cv2.warpAffine(grey, levelling.matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=paper)
    return np.asarray(level, np.uint8), levelling


def clip_box(low: NDArray[np.float64], high: NDArray[np.float64], *, width: int, height: int) -> Box:
    """Return the box from corner `low` to corner `high` (x, y), at least 1 × 1, inside width × height."""
    x = int(np.clip(np.floor(low[0]), 0, width - 1))
    y = int(np.clip(np.floor(low[1]), 0, height - 1))
    right = int(np.clip(np.ceil(high[0]), x + 1, width))
    bottom = int(np.clip(np.ceil(high[1]), y + 1, height))
    return Box(x=x, y=y, width=right - x, height=bottom - y)


def widened(box: Box, *, across: int, down: int, width: int, height: int) -> Box:
    """Return the box with so many pixels more left and right, and above and below, inside width × height."""
    x, y = max(0, box.x - across), max(0, box.y - down)
    right, bottom = min(width, box.right + across), min(height, box.bottom + down)
    return Box(x, y, right - x, bottom - y)


def share_inside(box: Box, other: Box) -> float:
    """Return how much of the box lies in the other one, in 0..1."""
    across = min(box.right, other.right) - max(box.x, other.x)
    down = min(box.bottom, other.bottom) - max(box.y, other.y)
    return max(0, across) * max(0, down) / max(1, box.width * box.height)


def lies_in_any(box: Box, others: Iterable[Box]) -> bool:
    """Return whether more than half of the box lies in one of the others."""
    return any(share_inside(box, other) > 0.5 for other in others)


def pieces_of(ink: _Ink | _Grey) -> list[Box]:
    """Return the connected pieces of an ink map, shape (height, width), in its pixels; none where it is empty."""
    if not ink.size:
        return []
    bits = np.ascontiguousarray(ink).view(np.uint8)
    return [Box(*piece) for piece in cv2.connectedComponentsWithStats(bits, connectivity=8)[2][1:, :4].tolist()]


def _odd(value: float) -> int:
    return int(value) | 1
