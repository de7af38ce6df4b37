"""Plane geometry of registration: transforms from a template's pixels to those of the page as it came.

Points are (x, y) in OpenCV's convention, where (0, 0) is the middle of the first pixel. A transform is a 3 × 3
homography that takes points of the template to points of the page: what `cv2.warpPerspective` wants, inverted.
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box
from segmentation.prepare import clip_box

Transform = NDArray[np.float64]
Points = NDArray[np.float64]
Size = tuple[int, int]
"""Width and height in pixels."""

MAX_SIDE_RATIO: Final = 2.5
"""Opposite sides of a sheet differ by less in any photo that can be read: at more, digits at the far end are lost."""

MAX_ASPECT_CHANGE: Final = 1.8
"""A sheet photographed from 45° is foreshortened by 1.4."""

MIN_ANGLE_DEGREES: Final = 40.0
"""A corner of a sheet looks sharper than this only from so low that nothing is legible."""

MIN_AREA_SHARE: Final = 0.04
"""Of the picture; a sheet that is smaller has no legible digits, and a false fit often collapses to a point."""

MIN_INSIDE_SHARE: Final = 0.5
"""Of the template's area inside the picture: the rest may be cut off."""

PRESHRINK_SCALE: Final = 1.4
"""A page this much finer than its template is shrunk by area first: sampling alone would drop thin strokes."""


def map_points(transform: Transform, points: Points) -> Points:
    """Return where `transform` takes `points`: float64, shape (n, 2)."""
    mapped = cv2.perspectiveTransform(points.reshape(-1, 1, 2).astype(np.float64), transform)
    return np.asarray(mapped, np.float64).reshape(-1, 2)


def rectangle(size: Size) -> Points:
    """Return the corners of a picture's area, clockwise from the upper left: shape (4, 2)."""
    width, height = size
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64) - 0.5


def scaling(size: Size, onto: Size) -> Transform:
    """Return the transform that stretches a picture of `size` over one of size `onto`, edge to edge."""
    fx, fy = onto[0] / size[0], onto[1] / size[1]
    return np.array([[fx, 0, (fx - 1) / 2], [0, fy, (fy - 1) / 2], [0, 0, 1]], np.float64)


def from_corners(size: Size, corners: Points) -> Transform:
    """Return the transform that takes the corners of a template of `size` to `corners`, both clockwise."""
    source, onto = rectangle(size).astype(np.float32), corners.astype(np.float32)
    return np.asarray(cv2.getPerspectiveTransform(source, onto), np.float64)


def turned(transform: Transform, size: Size, quarter_turns: int) -> Transform:
    """Return the transform of a template that lies turned clockwise by quarter turns in the same place."""
    return from_corners(size, np.roll(map_points(transform, rectangle(size)), -quarter_turns, axis=0))


def turning(size: Size, quarter_turns: int) -> Transform:
    """Return the transform from a template to a page that shows it turned clockwise by quarter turns.

    The page is as large as the template, or has its sides swapped at an odd number of turns.
    """
    width, height = size
    page = (width, height) if quarter_turns % 2 == 0 else (height, width)
    # Turned clockwise by one quarter, the template's upper left corner is the page's upper right one.
    return from_corners(size, np.roll(rectangle(page), -quarter_turns, axis=0))


def quarter_turns_of(transform: Transform, size: Size) -> int:
    """Return by how many quarter turns, clockwise, the template lies turned on the page: 0 to 3."""
    left, right = map_points(transform, np.array([[0.0, size[1] / 2], [size[0], size[1] / 2]]))
    # With y down, an angle from x to y is clockwise.
    return round(float(np.degrees(np.arctan2(right[1] - left[1], right[0] - left[0]))) / 90) % 4


def stretch_px(size: Size, onto: Size) -> float:
    """Return by how many template pixels, on average, a plain scaling is off for the two shapes' difference.

    0.0 where a template of `size` and a page of size `onto` have the same proportions.
    """
    fx, fy = onto[0] / size[0], onto[1] / size[1]
    even = (fx * fy) ** 0.5
    # A point is off in proportion to its distance from the middle, a quarter of the side on average.
    return float(np.hypot((fx / even - 1) * size[0] / 4, (fy / even - 1) * size[1] / 4))


def scale_of(transform: Transform, size: Size) -> float:
    """Return how many pixels of the page one pixel of the template's middle is long."""
    middle = np.array([size[0] / 2, size[1] / 2])
    points = map_points(transform, middle + np.array([[0, 0], [1, 0], [0, 1]]))
    (ax, ay), (bx, by) = points[1] - points[0], points[2] - points[0]
    return float(abs(ax * by - ay * bx) ** 0.5)


def is_plausible(transform: Transform, size: Size, page_size: Size) -> bool:
    """Return whether a flat sheet of the template's `size`, in front of a camera, can look like that.

    A false fit mirrors, folds or squeezes the sheet: its corners must stay convex and clockwise, opposite sides
    and proportions near those of the template, and most of it inside the picture.
    """
    if not np.isfinite(transform).all():
        return False
    depth = np.c_[rectangle(size), np.ones(4)] @ transform[2]
    if depth.min() <= 0 < depth.max() or abs(depth).min() < 1e-9:
        return False
    corners = map_points(transform, rectangle(size))
    if not np.isfinite(corners).all() or abs(corners).max() > 1e5:
        return False
    return _is_sheet(corners, size) and _is_in_view(corners, page_size)


def _is_sheet(corners: Points, size: Size) -> bool:
    sides = np.roll(corners, -1, axis=0) - corners
    lengths = np.maximum(np.hypot(*sides.T), 1e-9)
    before = np.roll(sides, 1, axis=0)
    turns = before[:, 0] * sides[:, 1] - before[:, 1] * sides[:, 0]
    sines = turns / (lengths * np.roll(lengths, 1))
    if sines.min() < np.sin(np.radians(MIN_ANGLE_DEGREES)):
        return False
    ratios = lengths[:2] / lengths[2:]
    aspect = lengths[::2].mean() / lengths[1::2].mean() / (size[0] / size[1])
    return bool(
        np.all(np.maximum(ratios, 1 / ratios) <= MAX_SIDE_RATIO)
        and 1 / MAX_ASPECT_CHANGE <= aspect <= MAX_ASPECT_CHANGE
    )


def _is_in_view(corners: Points, page_size: Size) -> bool:
    frame = rectangle(page_size).astype(np.float32)
    area = float(cv2.contourArea(corners.astype(np.float32)))
    inside, _ = cv2.intersectConvexConvex(corners.astype(np.float32), frame)
    return area >= MIN_AREA_SHARE * page_size[0] * page_size[1] and inside >= MIN_INSIDE_SHARE * area


def warp(pixels: NDArray[np.uint8], transform: Transform, size: Size) -> NDArray[np.uint8]:
    """Return the page laid over the template: uint8, `size` pixels, grey or BGR as `pixels` are.

    What lies outside of the page gets the paper's tone.
    """
    transform, pixels = _preshrunk(transform, pixels, size)
    samples = pixels[::8, ::8].reshape(-1, *pixels.shape[2:])
    paper = np.atleast_1d(np.median(samples, axis=0)).tolist()
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpPerspective(pixels, transform, size, flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=paper)
    return np.asarray(laid, np.uint8)


def _preshrunk(transform: Transform, pixels: NDArray[np.uint8], size: Size) -> tuple[Transform, NDArray[np.uint8]]:
    scale = scale_of(transform, size)
    height, width = pixels.shape[:2]
    if scale < PRESHRINK_SCALE:
        return transform, pixels
    small = (max(1, round(width / scale)), max(1, round(height / scale)))
    shrunk = cv2.resize(pixels, small, interpolation=cv2.INTER_AREA)
    return scaling((width, height), small) @ transform, np.asarray(shrunk, np.uint8)


def boxes_back(transform: Transform, box: Box, *, width: int, height: int) -> Box:
    """Return the box on the page as it came that holds `box` of the template.

    Args:
        transform: from template pixels to pixels of the page.
        box: on the template.
        width: of the page as it came.
        height: of the page as it came.
    """
    left, top = box.x - 0.5, box.y - 0.5
    right, bottom = left + box.width, top + box.height
    # An edge of a pixel lies half a pixel before its middle.
    corners = map_points(transform, np.array([[left, top], [right, top], [right, bottom], [left, bottom]])) + 0.5
    # Rounding of the transform must not push a box by a pixel where it maps to whole pixels.
    low, high = np.round(corners.min(axis=0), 3), np.round(corners.max(axis=0), 3)
    return clip_box(low, high, width=width, height=height)


def as_grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture as grey, its tones as they are: a sheet on a dark table is no negative."""
    return pixels if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8)


def fit_homography(source: Points, onto: Points, *, threshold: float) -> tuple[Transform, NDArray[np.bool_]] | None:
    """Return the homography from `source` to `onto` and who agrees with it, or None where there is none.

    MAGSAC++ (Barath et al. 2020), which needs no exact threshold, polished by least squares over those who agree.
    """
    if len(source) < 4:
        return None
    fitted = cv2.findHomography(
        source.astype(np.float32), onto.astype(np.float32), cv2.USAC_MAGSAC, threshold, None, 2000, 0.999
    )
    # The stubs do not know that both are None where nothing fits.
    found: object = fitted[0]
    if found is None:
        return None
    return np.asarray(fitted[0], np.float64), np.asarray(fitted[1]).reshape(-1) > 0


def least_squares(source: Points, onto: Points) -> Transform:
    """Return the homography nearest to all of at least four pairs of points."""
    fitted, _ = cv2.findHomography(source.astype(np.float32), onto.astype(np.float32), 0)
    return np.asarray(fitted, np.float64)


def distances(transform: Transform, source: Points, onto: Points) -> NDArray[np.float64]:
    """Return how far from `onto` the transform takes each point of `source`."""
    return np.asarray(np.hypot(*(map_points(transform, source) - onto).T))


def size_of(pixels: NDArray[np.uint8]) -> Size:
    """Return width and height of a picture."""
    return int(pixels.shape[1]), int(pixels.shape[0])


def spread(points: Points, size: Size, *, cells: Sequence[int] = (3, 3)) -> int:
    """Return in how many cells of a grid over the template there are points."""
    columns = np.clip((points[:, 0] / size[0] * cells[0]).astype(int), 0, cells[0] - 1)
    rows = np.clip((points[:, 1] / size[1] * cells[1]).astype(int), 0, cells[1] - 1)
    return len(set(zip(columns.tolist(), rows.tolist(), strict=True)))
