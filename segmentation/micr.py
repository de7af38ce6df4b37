"""A page to the places where its MICR line may lie, the likeliest first.

E-13B's ten digits share one height, stand on one line and keep one pitch between their right edges: chains of
connected components that do so are lines of it, at any scale and a few degrees askew. Ordinary print, though level, is
proportional, or too wide for its height. Writing across the line takes a few components out of a chain, no more. What
the places hold is for the network to say: `segmentation.micr_strip` makes its windows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.micr_strip import BandLine
from segmentation.prepare import ink_strength, shrink, threshold_ink

SEARCH_WIDTH: Final = 1200
"""Pages are searched at this width: 1.5 pixels a module on a cheque, enough to tell heights and edges."""

SMALLEST_WIDTH: Final = 900
"""Smaller pages are enlarged to it, so that strokes stay apart."""

NARROWEST_WIDTH: Final = 90
"""On narrower pages, enlarged tenfold, a line's digits are dots; a strip of 3 by 900 pixels took seconds to search."""

NARROWEST_PITCH: Final = 1 / 110
WIDEST_PITCH: Final = 1 / 26
"""In widths of the page: a cheque on a sheet of paper, and a small one printed large."""

PITCH_TO_HEIGHT: Final = 0.125 / 0.117
PITCH_TOLERANCE: Final = 0.2
"""Photographs that were stretched one way keep the pitch, but not its ratio to the height."""

SOFT_EDGE: Final = 0.5
"""Pixels of the searched picture by which blur and the whole pixels of boxes push each edge of a digit outwards."""

SHORTEST_CHAIN: Final = 4
MAX_COMPONENTS: Final = 1500

FAINTEST: Final = 10
"""Grey levels by which the faintest ink is darker than its paper."""

_Grey = NDArray[np.uint8]
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Parts:
    """Components that may be digits: arrays of one length, in pixels of the searched picture."""

    left: _Floats
    right: _Floats
    bottom: _Floats
    height: _Floats

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> "_Parts":
        return _Parts(self.left[index], self.right[index], self.bottom[index], self.height[index])

    def __len__(self) -> int:
        return len(self.left)


@dataclass(frozen=True, slots=True)
class _Chain:
    """Components on one line: the line y = level + slope x through their bottoms, their height, pitch and number."""

    level: float
    slope: float
    height: float
    pitch: float
    members: int
    evenness: float


def find_bands(grey: _Grey, *, limit: int = 4, faint: bool = False) -> list[BandLine]:
    """Return where MICR lines may lie on the page, the likeliest first; each runs over the page's whole width.

    Args:
        grey: the page, uint8, dark ink on light paper.
        limit: at most as many.
        faint: look for ink that is weaker than other ink on the page, or joined by ruling lines.
    """
    if grey.shape[1] < NARROWEST_WIDTH:
        return []
    scale = _scale(grey.shape[1])
    small = _scaled(grey, scale)
    parts = _candidates(_faint_ink(small) if faint else threshold_ink(ink_strength(small)).view(np.uint8))
    chains = [chain for group in _groups(parts) if (chain := _chain(group, parts)) is not None]
    chains.sort(key=lambda chain: -_rank(chain, small.shape))
    return [_band(chain, width=grey.shape[1], scale=scale) for chain in _distinct(chains)[:limit]]


def _scale(width: int) -> float:
    if width > SEARCH_WIDTH:
        return SEARCH_WIDTH / width
    return max(1.0, SMALLEST_WIDTH / width)


def _scaled(grey: _Grey, scale: float) -> _Grey:
    if scale <= 1.0:
        return shrink(grey, scale)
    return np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)


def _faint_ink(grey: _Grey) -> _Grey:
    """Return what is darker than its surroundings by their own deviation (Niblack 1986), without long level lines."""
    strength = ink_strength(grey)
    window = (grey.shape[1] // 20, grey.shape[1] // 20)
    mean = cv2.blur(strength, window).astype(np.float32)
    deviation = np.sqrt(np.maximum(cv2.sqrBoxFilter(strength, cv2.CV_32F, window) - mean * mean, 0.0))
    ink = ((strength > mean + deviation) & (strength >= FAINTEST)).astype(np.uint8)
    longest = round(1.3 * WIDEST_PITCH * grey.shape[1])
    level = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, longest), np.uint8))
    return np.asarray(cv2.subtract(ink, cv2.dilate(level, np.ones((3, 1), np.uint8))), np.uint8)


def _candidates(ink: _Grey) -> _Parts:
    """Return the components that are as high as E-13B's digits may be, and no wider than high."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    stats = stats[1:count]
    width, height = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    page = ink.shape[1]
    low, high = NARROWEST_PITCH * page / PITCH_TO_HEIGHT, WIDEST_PITCH * page / PITCH_TO_HEIGHT
    fitting = (height >= low) & (height <= high) & (width <= 1.1 * height) & (width >= 0.2 * height)
    kept = stats[fitting].astype(np.float64)
    if len(kept) > MAX_COMPONENTS:
        # The lowest: the line is at the foot of its cheque.
        kept = kept[np.argsort(kept[:, 1])[-MAX_COMPONENTS:]]
    left, top = kept[:, cv2.CC_STAT_LEFT], kept[:, cv2.CC_STAT_TOP]
    return _Parts(left, left + kept[:, cv2.CC_STAT_WIDTH], top + kept[:, 3], kept[:, 3])


def _groups(parts: _Parts) -> list[_Parts]:
    """Return chains of components, each one, two or three pitches from the one before it on the same line."""
    height = np.maximum(parts.height[:, None], parts.height)
    step = (parts.right - parts.right[:, None]) / (height * PITCH_TO_HEIGHT)
    nearest = np.round(step)
    linked = (
        (np.abs(parts.height[:, None] - parts.height) <= np.maximum(1.5, 0.12 * height))
        & (nearest >= 1)
        & (nearest <= 3)
        & (np.abs(step - nearest) <= PITCH_TOLERANCE * np.minimum(nearest, 1.6))
        & (np.abs(parts.bottom[:, None] - parts.bottom) <= np.maximum(1.5, 0.14 * height * nearest))
    )
    labels = _connected(linked)
    groups = []
    for label in np.unique(labels):
        chosen = labels == label
        if np.count_nonzero(chosen) >= SHORTEST_CHAIN:
            groups.append(parts.take(chosen))
    return groups


def _connected(linked: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return each node's component: labels spread along the links until none changes."""
    labels = np.arange(len(linked))
    first, second = np.nonzero(linked)
    while True:
        before = labels.copy()
        lower = np.minimum(labels[first], labels[second])
        np.minimum.at(labels, first, lower)
        np.minimum.at(labels, second, lower)
        labels = labels[labels]
        if np.array_equal(before, labels):
            return labels


def _chain(group: _Parts, parts: _Parts) -> _Chain | None:
    """Return the line through the group and what else of `parts` is on it; None where too few are left."""
    level, slope = _robust_line(group)
    for reach in (0.3, 0.2, 0.14):
        height = float(np.median(group.height))
        off = np.abs(parts.bottom - level - slope * parts.right) / np.maximum(height, 10.0)
        on_line = (off < reach) & (np.abs(parts.height - height) < np.maximum(1.5, 0.12 * height))
        if np.count_nonzero(on_line) < SHORTEST_CHAIN:
            return None
        group = parts.take(on_line)
        level, slope = _fitted_line(group)
    pitch, evenness = _pitch(np.sort(group.right), float(group.height.mean()))
    return _Chain(level, slope, float(group.height.mean()), pitch, len(group), evenness)


def _robust_line(group: _Parts) -> tuple[float, float]:
    """Return level and slope of the line through the group's bottoms, by the median of slopes (Theil 1950)."""
    apart = group.right[:, None] - group.right
    rises = group.bottom[:, None] - group.bottom
    far = apart > 0.25 * np.ptp(group.right)
    slope = float(np.median(rises[far] / apart[far])) if far.any() else 0.0
    return float(np.median(group.bottom - slope * group.right)), slope


def _fitted_line(group: _Parts) -> tuple[float, float]:
    """Return the same by least squares: of bottoms that are whole pixels, medians are too."""
    centred = group.right - group.right.mean()
    slope = float(centred @ group.bottom / max(1.0, float(centred @ centred)))
    slope = float(np.clip(slope, -0.25, 0.25))
    return float(group.bottom.mean() - slope * group.right.mean()), slope


def _pitch(rights: _Floats, height: float) -> tuple[float, float]:
    """Return the pitch that neighbouring right edges keep, in pixels, and how much of them keep it, 0..1."""
    steps = np.diff(rights)
    steps = steps[(steps > 0.5 * height) & (steps < 3.6 * height * PITCH_TO_HEIGHT)]
    if not len(steps):
        return height * PITCH_TO_HEIGHT, 0.0
    pitches = height * PITCH_TO_HEIGHT * np.linspace(0.8, 1.25, 46)
    ratio = steps / pitches[:, None]
    misfit = np.abs(ratio - np.round(ratio))
    kept = np.clip(1 - misfit / 0.15, 0, 1).mean(axis=1)
    best = float(pitches[int(kept.argmax())])
    near = np.abs(steps / best - np.round(steps / best)) < 0.15
    multiples = np.round(steps / best)
    refined = float(np.sum(steps[near]) / np.sum(multiples[near])) if near.any() and multiples[near].sum() else best
    return refined, float(kept.max())


def _rank(chain: _Chain, shape: Sequence[int]) -> float:
    """Return how much a chain looks like a MICR line: many members at one pitch, low on the page."""
    place = float(np.clip((chain.level + chain.slope * shape[1] / 2) / shape[0], 0, 1))
    return chain.members * chain.evenness**2 * (0.3 + place)


def _distinct(chains: list[_Chain]) -> list[_Chain]:
    """Return the chains without those on the line of one before them: a line may be found in pieces."""
    kept: list[_Chain] = []
    for chain in chains:
        if not any(_same(chain, other) for other in kept):
            kept.append(chain)
    return kept


def _same(chain: _Chain, other: _Chain) -> bool:
    apart = abs(chain.level - other.level + 600 * (chain.slope - other.slope))
    return apart < 0.3 * other.height and abs(chain.height / other.height - 1) < 0.12


def _band(chain: _Chain, *, width: int, scale: float) -> BandLine:
    """Return the chain's line on the page as it came, from its left side to its right."""
    degrees = math.degrees(math.atan(chain.slope))
    stretch = math.hypot(1.0, chain.slope)
    return BandLine(
        x=0.0,
        y=(chain.level - SOFT_EDGE) / scale,
        degrees=degrees,
        height=(chain.height - 2 * SOFT_EDGE) / scale / stretch,
        pitch=chain.pitch * stretch / scale,
        length=width * stretch,
    )
