"""Finds the edges of a sheet in a photo or a scan, and with them its perspective.

Straight segments become lines, lines become quadrilaterals, and the one whose four sides separate paper inside from
something else outside is the sheet. A shadow's edge or a printed frame runs along one or two sides, or has the same
paper on both.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.registration.geometry import Points, Size
from segmentation.registration.sides import Pictured, picture, refine_sides, side_support

SEARCH_LINES: Final = 11
"""Lines kept of each direction, the frame's own two among them: 55 pairs of each, 3000 quadrilaterals."""

MIN_SEGMENT_SHARE: Final = 0.05
"""Of the picture's longer side: print has few straight segments that long."""

SAME_LINE_PX: Final = 3.0
SAME_LINE_DEGREES: Final = 2.5

MIN_SHEET_SHARE: Final = 0.12
"""Of the picture's area."""

MAX_ASPECT_CHANGE: Final = 1.6
"""Of the sheet's proportions by perspective."""

MIN_SUPPORT: Final = 0.6
"""Of the sides' length on which paper ends: hands, clutter of the paper's tone and shadows take the rest."""

MIN_SIDE_SUPPORT: Final = 0.3

AREA_BONUS: Final = 0.25
"""For a sheet that fills the picture: of two with equal sides, the smaller ends at a shadow."""

_Grey = NDArray[np.uint8]
_Lines = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A sheet in a picture.

    Attributes:
        corners: float64, shape (4, 2): clockwise from the upper left as the picture lies.
        residual_px: mean distance, in pixels of the picture, of its edges from straight lines.
        support: share of the sides on which paper ends.
    """

    corners: Points
    residual_px: float
    support: float


def find_sheet(pixels: NDArray[np.uint8], size: Size) -> Sheet | None:
    """Return the sheet in a picture, or None where no four edges are found.

    Args:
        pixels: uint8, grey or BGR.
        size: width and height of the template, which the sheet's proportions are near to, upright or turned.
    """
    seen = picture(pixels)
    level, upright = _lines(seen)
    corners = _quadrilaterals(level, upright, seen.size)
    corners = corners[_are_sheets(corners, seen.size, size)]
    if not len(corners):
        return None
    support = side_support(seen, corners)
    mean = support.mean(axis=1)
    scores = mean + AREA_BONUS * _areas(corners) / (seen.size[0] * seen.size[1])
    scores[(mean < MIN_SUPPORT) | (support.min(axis=1) < MIN_SIDE_SUPPORT)] = -1.0
    best = int(np.argmax(scores))
    if scores[best] < 0:
        return None
    refined, residual = refine_sides(pixels, (corners[best] + 0.5) * seen.shrunk - 0.5)
    return Sheet(corners=refined, residual_px=residual, support=float(mean[best]))


def _lines(seen: Pictured) -> tuple[_Lines, _Lines]:
    """Return lines that are rather level and rather upright, as (normal x, normal y, distance): shape (n, 3)."""
    least = MIN_SEGMENT_SHARE * max(seen.size)
    segments = np.concatenate([_segments(channel, least) for channel in seen.channels])
    directions = segments[:, 2:] - segments[:, :2]
    is_level = abs(directions[:, 0]) >= abs(directions[:, 1])
    right, bottom = seen.size[0] - 1.0, seen.size[1] - 1.0
    level = _merged(segments[is_level])
    upright = _merged(segments[~is_level])
    frame_level, frame_upright = [[0.0, 1.0, 0.0], [0.0, 1.0, bottom]], [[1.0, 0.0, 0.0], [1.0, 0.0, right]]
    return np.vstack([level, frame_level]), np.vstack([upright, frame_upright])


def _segments(channel: _Grey, least: float) -> NDArray[np.float64]:
    """Return straight segments of at least `least` pixels (LSD, Grompone von Gioi et al. 2010): shape (n, 4)."""
    # The stubs do not know that it is None where there is no segment.
    found: object = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(channel)[0]
    if found is None:
        return np.zeros((0, 4))
    segments = np.asarray(found, np.float64).reshape(-1, 4)
    return segments[np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1]) >= least]


def _merged(segments: NDArray[np.float64]) -> _Lines:
    """Return the lines with the most segments on them, each fitted to all of its own."""
    lengths = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1])
    free = np.ones(len(segments), np.bool_)
    lines: list[tuple[float, NDArray[np.float64]]] = []
    for place in np.argsort(-lengths):
        if not free[place]:
            continue
        own = free & _on_line(segments, _line(segments[place : place + 1]))
        own[place] = True
        free &= ~own
        lines.append((float(lengths[own].sum()), _line(segments[own])))
    lines.sort(key=lambda each: -each[0])
    return np.array([line for _, line in lines[: SEARCH_LINES - 2]]).reshape(-1, 3)


def _line(segments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the line through the ends of the segments by least squares, longer ones counting more."""
    ends = segments.reshape(-1, 2)
    weights = np.repeat(np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1]), 2)
    middle = np.average(ends, axis=0, weights=weights)
    centred = (ends - middle) * np.sqrt(weights)[:, None]
    normal = np.linalg.eigh(centred.T @ centred)[1][:, 0]
    return np.array([*normal, normal @ middle])


def _on_line(segments: NDArray[np.float64], line: NDArray[np.float64]) -> NDArray[np.bool_]:
    away = abs(segments.reshape(-1, 2, 2) @ line[:2] - line[2]).max(axis=1)
    directions = segments[:, 2:] - segments[:, :2]
    sines = abs(directions @ line[:2]) / np.maximum(np.hypot(*directions.T), 1e-9)
    return np.asarray((away <= SAME_LINE_PX) & (sines <= np.sin(np.radians(SAME_LINE_DEGREES))))


def _quadrilaterals(level: _Lines, upright: _Lines, size: Size) -> NDArray[np.float64]:
    """Return all quadrilaterals between two level and two upright lines: shape (n, 4, 2), clockwise."""
    tops, bottoms = _pairs(level, along=1, middle=size[0] / 2)
    lefts, rights = _pairs(upright, along=0, middle=size[1] / 2)
    rows, columns = (each.ravel() for each in np.meshgrid(np.arange(len(tops)), np.arange(len(lefts)), indexing="ij"))
    top, bottom, left, right = (
        level[tops[rows]],
        level[bottoms[rows]],
        upright[lefts[columns]],
        upright[rights[columns]],
    )
    return np.stack([_meet(top, left), _meet(top, right), _meet(bottom, right), _meet(bottom, left)], axis=1)


def _pairs(lines: _Lines, *, along: int, middle: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the places of lines, the first of a pair before the second where they pass the picture's middle."""
    across = 1 - along
    where = (lines[:, 2] - lines[:, across] * middle) / lines[:, along]
    first, second = np.nonzero(where[:, None] < where[None])
    return first, second


def _meet(one: _Lines, other: _Lines) -> NDArray[np.float64]:
    determinant = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    determinant = np.where(abs(determinant) < 1e-9, np.nan, determinant)
    x = (one[:, 2] * other[:, 1] - one[:, 1] * other[:, 2]) / determinant
    y = (one[:, 0] * other[:, 2] - one[:, 2] * other[:, 0]) / determinant
    return np.stack([x, y], axis=1)


def _are_sheets(corners: NDArray[np.float64], frame: Size, size: Size) -> NDArray[np.bool_]:
    """Return which quadrilaterals are large, convex, in the picture, and shaped like the template or it turned."""
    sides = np.roll(corners, -1, axis=1) - corners
    lengths = np.hypot(sides[..., 0], sides[..., 1])
    after = np.roll(sides, -1, axis=1)
    sines = (sides[..., 0] * after[..., 1] - sides[..., 1] * after[..., 0]) / (lengths * np.roll(lengths, -1, axis=1))
    aspect = (lengths[:, 0] + lengths[:, 2]) / (lengths[:, 1] + lengths[:, 3])
    change = np.minimum(abs(np.log(aspect * size[1] / size[0])), abs(np.log(aspect * size[0] / size[1])))
    margin = 0.03 * max(frame)
    inside = (corners > -margin).all(axis=(1, 2)) & (corners < np.array(frame) + margin).all(axis=(1, 2))
    large = _areas(corners) > MIN_SHEET_SHARE * frame[0] * frame[1]
    straight = sines.min(axis=1) > np.sin(np.radians(45))
    return np.asarray(inside & large & straight & (change < np.log(MAX_ASPECT_CHANGE)))


def _areas(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y = corners[..., 0], corners[..., 1]
    return np.asarray(abs((x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1)) / 2)
