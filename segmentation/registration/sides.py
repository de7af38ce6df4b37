"""A sheet's sides in a picture: whether paper ends there, and where to a fraction of a pixel."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.prepare import shrink
from segmentation.registration.geometry import Points, Size

SEARCH_SIDE: Final = 640
"""The longer side of the picture in which a sheet is sought."""

SAMPLES: Final = 32
"""Places along a side at which inside and outside are compared."""

BESIDE_PX: Final = 4.0
"""How far from a side, in pixels of the small picture, inside and outside are looked at: soft edges end before."""

FARTHER_PX: Final = 10.0
"""How far outside is looked at again."""

CLEAR_STEP: Final = 14.0
"""Difference in Lab between paper and what it lies on that counts in full; noise makes 3."""

MAX_DARKER: Final = 8.0
"""Lightness by which paper may be darker than what it lies on: a printed band is much more so than its paper."""

AT_FRAME: Final = 0.5
"""What a side along the picture's frame counts, where nobody can see what lies outside."""

EDGE_SAMPLES: Final = 120
EDGE_REACH_SHARE: Final = 0.008
"""Of the longer side: how far beside its first place an edge is sought again in the whole picture."""

_Lab = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Pictured:
    """A picture made small.

    Attributes:
        lab: float32, shape (height, width, 3): lightness 0 to 255, and two colour differences.
        channels: uint8 pictures in which edges are sought.
        shrunk: pixels of the whole picture that one pixel of the small one is long.
    """

    lab: _Lab
    channels: tuple[NDArray[np.uint8], ...]
    shrunk: float

    @property
    def size(self) -> Size:
        """Width and height of the small picture."""
        return int(self.lab.shape[1]), int(self.lab.shape[0])


def picture(pixels: NDArray[np.uint8]) -> Pictured:
    """Return the picture made small, in Lab: grey alone does not tell paper from a bright table of another hue."""
    scale = min(1.0, SEARCH_SIDE / max(pixels.shape[:2]))
    small = shrink(pixels, scale)
    colour = small if small.ndim == 3 else cv2.cvtColor(small, cv2.COLOR_GRAY2BGR)
    lab = np.asarray(cv2.cvtColor(cv2.GaussianBlur(colour, (0, 0), 1.0), cv2.COLOR_BGR2LAB), np.uint8)
    # Colours differ by some twenty levels at most: stretched, so that the segment detector sees their edges.
    hues = [np.asarray(cv2.convertScaleAbs(lab[..., axis], alpha=3.0, beta=-256.0), np.uint8) for axis in (1, 2)]
    channels = (np.ascontiguousarray(lab[..., 0]), *(hue for hue in hues if float(hue.std()) > 4.0))
    return Pictured(lab=lab.astype(np.float32), channels=channels, shrunk=1 / scale)


def side_support(seen: Pictured, corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each side of each quadrilateral on which paper ends: shape (n, 4).

    Args:
        seen: the small picture.
        corners: shape (n, 4, 2), clockwise, in its pixels.
    """
    starts, ends = corners, np.roll(corners, -1, axis=1)
    along = np.linspace(0.06, 0.94, SAMPLES)[:, None]
    places = starts[:, :, None] + (ends - starts)[:, :, None] * along
    inward = _inward(starts, ends)[:, :, None]
    paper = _look(seen.lab, places + inward * BESIDE_PX)
    # A printed line has paper again behind it: what lies outside must differ near and farther off.
    near, far = (_ends_at(seen, paper, places - inward * away) for away in (BESIDE_PX, FARTHER_PX))
    return np.asarray(np.minimum(near, far).mean(axis=-1))


def _ends_at(seen: Pictured, paper: _Lab, outside: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how clearly each place outside differs from the paper inside: 0 to 1."""
    step = paper - _look(seen.lab, outside)
    clear = np.minimum(np.sqrt(np.square(step).sum(axis=-1)) / CLEAR_STEP, 1.0) ** 2
    ends_here = np.where(step[..., 0] < -MAX_DARKER, 0.0, clear)
    return np.asarray(np.where(_is_inside(outside, seen.size), ends_here, AT_FRAME), np.float64)


def _inward(starts: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return unit normals that point into a clockwise quadrilateral."""
    sides = ends - starts
    normals = np.stack([-sides[..., 1], sides[..., 0]], axis=-1)
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9))


def _look(lab: _Lab, places: NDArray[np.float64]) -> _Lab:
    height, width = lab.shape[:2]
    columns = np.clip(np.round(places[..., 0]), 0, width - 1).astype(np.intp)
    rows = np.clip(np.round(places[..., 1]), 0, height - 1).astype(np.intp)
    return lab[rows, columns]


def _is_inside(places: NDArray[np.float64], size: Size) -> NDArray[np.bool_]:
    x, y = places[..., 0], places[..., 1]
    return np.asarray((x >= 0) & (y >= 0) & (x <= size[0] - 1) & (y <= size[1] - 1))


def refine_sides(pixels: NDArray[np.uint8], corners: Points, *, reach: int | None = None) -> tuple[Points, float]:
    """Return the corners where the sides' edges really are, and the mean distance of edges from straight lines.

    Args:
        pixels: the whole picture, grey or BGR.
        corners: shape (4, 2), clockwise, right to some pixels.
        reach: pixels beside its first place in which an edge is sought.
    """
    reach = reach or max(4, round(EDGE_REACH_SHARE * max(pixels.shape[:2])))
    colour = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    lines, lefts = [], []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        line, left = _edge_line(colour, start, end, reach=reach)
        lines.append(line)
        lefts.append(left)
    met = [_cross(lines[place - 1], lines[place]) for place in range(4)]
    return np.array(met), float(np.mean(lefts))


def _edge_line(
    colour: NDArray[np.uint8], start: Points, end: Points, *, reach: int
) -> tuple[NDArray[np.float64], float]:
    """Return the side as (normal x, normal y, distance), and the mean distance of its edge from it."""
    inward = _inward(start, end)
    as_it_was = np.array([*inward, inward @ start])
    places = start + (end - start) * np.linspace(0.04, 0.96, EDGE_SAMPLES)[:, None]
    places = places[_is_inside(places - inward * reach, (colour.shape[1], colour.shape[0]))]
    if len(places) < EDGE_SAMPLES // 3:
        return as_it_was, 0.0
    edges = places + inward * _edge_offsets(colour, places, inward, reach)[:, None]
    near = abs(edges @ (first := _fit_line(edges))[:2] - first[2])
    kept = edges[near <= max(1.5, 2.5 * float(np.median(near)))]
    line = _fit_line(kept)
    return line, float(abs(kept @ line[:2] - line[2]).mean())


def _fit_line(points: Points) -> NDArray[np.float64]:
    """Return the line through the points as (normal x, normal y, distance), far ones counting little."""
    fitted = cv2.fitLine(points.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01)
    dx, dy, x, y = np.asarray(fitted, np.float64).ravel()
    return np.array([-dy, dx, dx * y - dy * x])


def _edge_offsets(colour: NDArray[np.uint8], places: Points, inward: Points, reach: int) -> NDArray[np.float64]:
    """Return how far inside of each place the picture changes most from what is outside to what is inside."""
    steps = np.arange(-reach, reach + 1)
    spots = (places[:, None] + inward * steps[:, None]).astype(np.float32)
    profiles = cv2.remap(colour, spots[..., 0], spots[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    levels = np.asarray(profiles, np.float64)
    difference = np.median(levels[:, -reach // 2 :], axis=(0, 1)) - np.median(levels[:, : reach // 2], axis=(0, 1))
    brightness = cv2.GaussianBlur(levels @ (difference / max(1.0, float(np.linalg.norm(difference)))), (5, 1), 1.0)
    slope = np.gradient(np.asarray(brightness, np.float64), axis=1)
    peak = np.clip(slope.argmax(axis=1), 1, len(steps) - 2)
    rows = np.arange(len(places))
    before, at, after = slope[rows, peak - 1], slope[rows, peak], slope[rows, peak + 1]
    curve = before - 2 * at + after
    below = np.where(curve < -1e-9, (before - after) / (2 * np.where(curve < -1e-9, curve, 1.0)), 0.0)
    return np.asarray(steps[peak] + np.clip(below, -1, 1), np.float64)


def _cross(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.solve(np.stack([one[:2], other[:2]]), np.array([one[2], other[2]]))
