"""Registration by marks that are printed on the form: ArUco markers, or solid squares, near its corners.

Three of four suffice: each mark gives four corners. ArUco markers tell themselves apart and with it which way is up;
squares do not, and a reference picture does.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.prepare import shrink
from segmentation.registration.evening import even_light
from segmentation.registration.geometry import (
    Points,
    Size,
    distances,
    is_plausible,
    quarter_turns_of,
    size_of,
)
from segmentation.registration.sides import refine_sides
from segmentation.registration.target import Found, Marker, MarkerLayout

MIN_MARKS: Final = 3
"""Two lie on one side of the sheet, and tell nothing of the other."""

MIN_TWICE: Final = 2
"""Markers seen twice from which several sheets lie on one scan: noise may look like one, and three others would do."""

SEARCH_SIDE: Final = 1600
"""The longer side of the picture in which squares are sought: theirs are some 20 pixels there."""

MIN_SQUARE_SHARE: Final = 0.006
MAX_SQUARE_SHARE: Final = 0.08
"""Of the picture's longer side: how long a square's side may be."""

MIN_SOLIDITY: Final = 0.85
"""Of its four-cornered outline that a square fills with ink; a printed box or a letter fills less."""

MAX_SQUARES: Final = 30
"""Candidates looked at, those most like squares first."""

NEAR_SHARE: Final = 0.12
"""Of the distance between two squares: how far perspective may move one from where the other alone puts it."""

_Grey = NDArray[np.uint8]


def find_markers(grey: _Grey, size: Size, layout: MarkerLayout) -> list[Found]:
    """Return how the page may lie on its template by its marks: one answer, or several where plain squares allow them.

    Args:
        grey: the page as it came.
        size: width and height of the template.
        layout: where its marks are.
    """
    if not layout.coded:
        return _by_squares(grey, size, layout)
    return lay_coded(see_coded(grey, wanted={marker.id for marker in layout.markers}), size, layout, size_of(grey))


def see_coded(grey: _Grey, *, wanted: set[int | None]) -> dict[int, Points]:
    """Return the corners of the ArUco markers on a page by their ids; empty where too few are seen to lay it by."""
    seen = _aruco(grey, wanted=wanted)
    if len(seen) < MIN_MARKS:
        seen = _aruco(even_light(grey), wanted=wanted) | seen
    return seen if len(seen) >= MIN_MARKS else {}


def lay_coded(seen: dict[int, Points], size: Size, layout: MarkerLayout, page_size: Size) -> list[Found]:
    """Return how a page on which these markers are seen lies on the template; nothing where it cannot."""
    known = {marker.id: np.array(marker.corners, np.float64) for marker in layout.markers}
    pairs = [(known[id_], corners) for id_, corners in seen.items() if id_ in known]
    found = _fit(pairs, size, page_size) if len(pairs) >= MIN_MARKS else None
    return [] if found is None else [found]


def shows_several(grey: _Grey, layout: MarkerLayout) -> bool:
    """Return whether ArUco markers of the layout are seen twice: several sheets lie on one scan.

    Args:
        grey: the page as it came.
        layout: where its marks are.
    """
    if not layout.coded:
        return False
    counts = Counter(id_ for id_, _ in _seen(grey))
    return sum(counts[marker.id] > 1 for marker in layout.markers if marker.id is not None) >= MIN_TWICE


@cache
def _detector() -> cv2.aruco.ArucoDetector:
    settings = cv2.aruco.DetectorParameters()
    settings.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    settings.adaptiveThreshWinSizeMax = 33
    return cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50), settings)


def _aruco(grey: _Grey, *, wanted: set[int | None]) -> dict[int, Points]:
    """Return the corners of each marker that is seen once, by its id."""
    found = _seen(grey)
    numbers = [id_ for id_, _ in found]
    # A marker that is seen twice is on two sheets: neither is known to be the one.
    return {id_: each for id_, each in found if id_ in wanted and numbers.count(id_) == 1}


def _seen(grey: _Grey) -> list[tuple[int, Points]]:
    """Return the ids and corners of all markers."""
    corners, numbered, _ = _detector().detectMarkers(grey)
    # The stubs do not know that it is None where there is no marker.
    ids: object = numbered
    if ids is None:
        return []
    return [
        (int(id_), np.asarray(each, np.float64).reshape(4, 2))
        for id_, each in zip(numbered.ravel(), corners, strict=True)
    ]


def _fit(pairs: Sequence[tuple[Points, Points]], size: Size, page_size: Size) -> Found | None:
    """Return the transform through the marks' corners, by least squares over all of them."""
    source = np.concatenate([known for known, _ in pairs])
    onto = np.concatenate([seen for _, seen in pairs])
    fitted, _ = cv2.findHomography(source.astype(np.float32), onto.astype(np.float32), 0)
    if fitted is None or not is_plausible(np.asarray(fitted, np.float64), size, page_size):
        return None
    transform = np.asarray(fitted, np.float64)
    back = distances(np.asarray(np.linalg.inv(transform), np.float64), onto, source)
    return Found(transform, float(back.mean()), oriented=True)


def _by_squares(grey: _Grey, size: Size, layout: MarkerLayout) -> list[Found]:
    """Return the best fit for each way up in which enough squares lie where the template has them."""
    squares = _squares(grey)
    best: dict[int, tuple[int, Found]] = {}
    for pairs in _assignments(squares, layout):
        found = _fit(pairs, size, size_of(grey))
        if found is None:
            continue
        turn = quarter_turns_of(found.transform, size)
        if turn not in best or (len(pairs), -found.residual_px) > (best[turn][0], -best[turn][1].residual_px):
            best[turn] = len(pairs), found
    most = max((count for count, _ in best.values()), default=0)
    return [replace(found, oriented=False) for count, found in best.values() if count == most]


def _squares(grey: _Grey) -> list[Points]:
    """Return the corners, clockwise, of solid dark squares: those most like squares first."""
    scale = min(1.0, SEARCH_SIDE / max(grey.shape))
    small = shrink(grey, scale)
    even = even_light(small)
    dark = np.asarray(cv2.threshold(even, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)[1], np.uint8)
    # All outlines: on a dark table, those on the sheet lie inside of the table's.
    outlines = cv2.findContours(dark, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]
    rated = []
    for outline in outlines:
        square = _as_square(np.asarray(outline), dark)
        if square is not None:
            rated.append(square)
    rated.sort(key=lambda each: -each[0])
    return [(_sharpened(small, corners) + 0.5) / scale - 0.5 for _, corners in rated[:MAX_SQUARES]]


def _as_square(outline: NDArray[np.int32], dark: _Grey) -> tuple[float, Points] | None:
    """Return how like a square the outline is, and its corners clockwise; None where it is none."""
    left, top, width, height = cv2.boundingRect(outline)
    longest = max(dark.shape)
    if not MIN_SQUARE_SHARE * longest <= min(width, height) <= max(width, height) <= MAX_SQUARE_SHARE * longest:
        return None
    corners = _four_corners(outline)
    sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    area = float(cv2.contourArea(corners.astype(np.float32)))
    if sides.min() < 0.6 * sides.max() or area < 1:
        return None
    inside = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [np.round(corners - (left, top)).astype(np.int32)], 1)
    filled = float(dark[top : top + height, left : left + width][inside > 0].mean())
    solidity = min(float(cv2.contourArea(outline)) / area, filled)
    return (solidity * float(sides.min() / sides.max()), corners) if solidity >= MIN_SOLIDITY else None


def _four_corners(outline: NDArray[np.int32]) -> Points:
    hull = cv2.convexHull(outline, clockwise=True)
    few = np.asarray(cv2.approxPolyDP(hull, 0.08 * cv2.arcLength(hull, True), True), np.float64).reshape(-1, 2)
    corners = few if len(few) == 4 else np.asarray(cv2.boxPoints(cv2.minAreaRect(outline)), np.float64)
    x, y = (np.roll(corners, -1, axis=0) - corners).T
    clockwise = x[0] * y[1] - y[0] * x[1] > 0
    return corners if clockwise else corners[::-1].copy()


def _sharpened(small: _Grey, corners: Points) -> Points:
    """Return the corners where the square's edges really are, or as they were where edges lead elsewhere."""
    shortest = float(np.hypot(*(np.roll(corners, -1, axis=0) - corners).T).min())
    low = np.maximum(np.floor(corners.min(axis=0) - shortest / 2), 0).astype(int)
    high = np.ceil(corners.max(axis=0) + shortest / 2).astype(int)
    part = small[low[1] : high[1], low[0] : high[0]]
    refined, _ = refine_sides(part, corners - low, reach=max(3, round(shortest / 5)))
    moved = np.hypot(*(refined + low - corners).T)
    return refined + low if float(moved.max()) <= shortest / 4 else corners


def _assignments(squares: Sequence[Points], layout: MarkerLayout) -> Iterator[list[tuple[Points, Points]]]:
    """Yield pairs of a template's and a found square's corners, where at least three lie as on the template.

    One square taken for one of the template's, in one of four turns, tells where the others must be.
    """
    for square, marker, turn in product(squares, layout.markers, range(4)):
        first = np.roll(square, turn, axis=0)
        pairs = [(np.array(marker.corners), first)]
        for other in layout.markers:
            if other is not marker:
                there = _nearest(squares, first, marker, other)
                if there is not None:
                    pairs.append((np.array(other.corners), there))
        if len(pairs) >= MIN_MARKS:
            yield pairs


def _nearest(squares: Sequence[Points], first: Points, marker: Marker, other: Marker) -> Points | None:
    """Return the square nearest to where `first`, taken for `marker`, puts `other`; None where there is none."""
    here, there = np.array(marker.corners), np.array(other.corners)
    axes = _axes(first) @ np.linalg.inv(_axes(here))
    way = axes @ (there.mean(axis=0) - here.mean(axis=0))
    expected = first.mean(axis=0) + way
    away = [float(np.hypot(*(square.mean(axis=0) - expected))) for square in squares]
    place = int(np.argmin(away))
    if away[place] > NEAR_SHARE * float(np.hypot(*way)):
        return None
    # Its corners begin where the first one's do: the side that points the same way is the same side.
    direction = first[1] - first[0]
    turns = [np.roll(squares[place], turn, axis=0) for turn in range(4)]
    return max(turns, key=lambda each: float((each[1] - each[0]) @ direction))


def _axes(corners: Points) -> Points:
    """Return a square's two directions as columns, each a side long."""
    return (
        np.stack(
            [corners[1] + corners[2] - corners[0] - corners[3], corners[2] + corners[3] - corners[0] - corners[1]]
        ).T
        / 2
    )
