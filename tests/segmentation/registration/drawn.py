"""Forms drawn with OpenCV's own fonts, filled in, and what scanners and phones make of them: all seeded.

The benchmark of registration draws from here too.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.registration.geometry import Points, from_corners, map_points, rectangle
from segmentation.registration.target import MarkerLayout

A4 = (1654, 2339)
"""Pixels at 200 dpi."""

CHEQUE = (2370, 1090)
"""Pixels at 300 dpi."""

WORDS = ["name", "date", "amount", "pay", "order", "branch", "account", "number", "total", "box", "clinic", "visit"]
WORDS += ["weight", "height", "meter", "reading", "street", "city", "code", "tax", "year", "month", "witness", "digits"]

_Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Capture:
    """How a form is captured.

    Attributes:
        quarter_turns: clockwise.
        skew_degrees: clockwise.
        scale: pixels of the picture for one of the form.
        perspective: how far corners move, as a share of the sides.
        table: whether the sheet lies on a table that shows around it, or fills a white frame.
        shadow: how much light a shadow takes.
        noise: standard deviation in grey levels.
        blur: sigma in pixels.
        jpeg: quality.
        seed: of everything that is drawn at random.
    """

    quarter_turns: int = 0
    skew_degrees: float = 0.0
    scale: float = 1.0
    perspective: float = 0.0
    table: bool = False
    shadow: float = 0.0
    noise: float = 3.0
    blur: float = 0.6
    jpeg: int = 85
    seed: int = 0


def draw_form(seed: int, *, size: tuple[int, int] = A4) -> _Picture:
    """Return an empty form: a title, lines of text, combs, boxes, rules and a table; grey, on white."""
    rng = np.random.default_rng(seed)
    width, height = size
    form = np.full((height, width), 255, np.uint8)
    _write(form, " ".join(rng.choice(WORDS, 3)), (width // 8, 110), 1.7, 3)
    row = 180
    while row < height - 260:
        kind = rng.choice(["text", "comb", "box", "rule", "table"], p=[0.35, 0.25, 0.15, 0.15, 0.1])
        row += _DRAW[str(kind)](form, row, rng)
    return form


def _write(form: _Picture, text: str, at: tuple[int, int], scale: float = 0.8, thickness: int = 2) -> None:
    cv2.putText(form, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, 30, thickness, cv2.LINE_AA)


def _text(form: _Picture, row: int, rng: np.random.Generator) -> int:
    for line in range(2):
        words = " ".join(rng.choice(WORDS, int(rng.integers(4, 10))))
        _write(form, words, (int(rng.integers(90, 300)), row + 36 * (line + 1)))
    return 110


def _comb(form: _Picture, row: int, rng: np.random.Generator) -> int:
    cells, left, pitch = int(rng.integers(6, 14)), int(rng.integers(300, 500)), 58
    _write(form, str(rng.choice(WORDS)) + ":", (100, row + 50))
    for cell in range(cells):
        corner = (left + cell * pitch, row + 10)
        cv2.rectangle(form, corner, (corner[0] + pitch, corner[1] + 62), 60, 2)
    return 110


def _box(form: _Picture, row: int, rng: np.random.Generator) -> int:
    left = int(rng.integers(90, form.shape[1] - 800))
    cv2.rectangle(form, (left, row + 10), (left + 420, row + 100), 40, 3)
    _write(form, " ".join(rng.choice(WORDS, 2)), (left + 440, row + 65))
    return 140


def _rule(form: _Picture, row: int, rng: np.random.Generator) -> int:
    _write(form, str(rng.choice(WORDS)), (100, row + 60))
    cv2.line(form, (350, row + 66), (form.shape[1] - 150, row + 66), 50, 2)
    return 100


def _table(form: _Picture, row: int, rng: np.random.Generator) -> int:
    right = form.shape[1] - 120
    for line in range(4):
        cv2.line(form, (120, row + 15 + 60 * line), (right, row + 15 + 60 * line), 40, 2)
    for column in np.linspace(120, right, int(rng.integers(4, 8))).astype(int).tolist():
        cv2.line(form, (column, row + 15), (column, row + 195), 40, 2)
        _write(form, str(rng.choice(WORDS)), (column + 12, row + 55), 0.7) if column < right else None
    return 225


_DRAW = {"text": _text, "comb": _comb, "box": _box, "rule": _rule, "table": _table}


def with_markers(form: _Picture) -> tuple[_Picture, MarkerLayout]:
    """Return the form with an ArUco marker at each corner, and where they are."""
    marked, side = form.copy(), 96
    layout = MarkerLayout.at_corners((form.shape[1], form.shape[0]), side=side, margin=70)
    kind = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    for number, (x, y) in enumerate(_corners_of(layout)):
        marked[y - 20 : y + side + 20, x - 20 : x + side + 20] = 255
        marked[y : y + side, x : x + side] = cv2.aruco.generateImageMarker(kind, number, side)
    return marked, layout


def with_squares(form: _Picture) -> tuple[_Picture, MarkerLayout]:
    """Return the form with a solid square at each corner, and where they are."""
    marked, side = form.copy(), 50
    layout = MarkerLayout.at_corners((form.shape[1], form.shape[0]), side=side, margin=70, coded=False)
    for x, y in _corners_of(layout):
        marked[y - 20 : y + side + 20, x - 20 : x + side + 20] = 255
        marked[y : y + side, x : x + side] = 0
    return marked, layout


def _corners_of(layout: MarkerLayout) -> list[tuple[int, int]]:
    return [(round(marker.corners[0][0] + 0.5), round(marker.corners[0][1] + 0.5)) for marker in layout.markers]


def with_code(form: _Picture, text: str, *, side: int = 200) -> _Picture:
    """Return the form with a QR code at the middle of its head."""
    settings = cv2.QRCodeEncoder.Params()
    settings.correction_level = cv2.QRCODE_ENCODER_CORRECT_LEVEL_Q
    code = cv2.QRCodeEncoder.create(settings).encode(text)
    left = (form.shape[1] - side) // 2
    marked = form.copy()
    marked[30 : side + 90, left - 30 : left + side + 30] = 255
    marked[60 : 60 + side, left : left + side] = cv2.resize(code, (side, side), interpolation=cv2.INTER_NEAREST)
    return marked


def fill_in(form: _Picture, seed: int, *, marks: int = 25) -> _Picture:
    """Return the form with scribbles of a blue pen on it, none at its head and corners: uint8 BGR."""
    rng = np.random.default_rng(seed)
    filled = np.asarray(cv2.cvtColor(form, cv2.COLOR_GRAY2BGR), np.uint8)
    height, width = form.shape
    for _ in range(marks):
        at = rng.uniform((250, 320), (width - 450, height - 300))
        steps = np.cumsum(rng.normal((9, 0), (7, 14), (int(rng.integers(8, 30)), 2)), axis=0)
        points = np.round((at + steps) * 8).astype(np.int32)
        cv2.polylines(filled, [points], False, (150, 60, 30), 4, cv2.LINE_AA, shift=3)
    return filled


def capture(form: _Picture, how: Capture) -> tuple[_Picture, Points]:
    """Return the form as captured, BGR, and its corners in that picture, clockwise from its upper left one."""
    rng = np.random.default_rng(how.seed)
    colour = form if form.ndim == 3 else np.asarray(cv2.cvtColor(form, cv2.COLOR_GRAY2BGR), np.uint8)
    size = (form.shape[1], form.shape[0])
    corners, frame = _place(size, how, rng)
    transform = from_corners(size, corners)
    ground = _table_top(frame, rng) if how.table else np.full((frame[1], frame[0], 3), 252, np.uint8)
    # A camera averages over its pixels; sampling alone would break thin lines.
    soft = cv2.GaussianBlur(colour, (0, 0), 0.4 / how.scale) if how.scale < 1.0 else colour
    laid = cv2.warpPerspective(soft, transform, frame, flags=cv2.INTER_CUBIC)
    mask = cv2.warpPerspective(np.full(form.shape[:2], 255, np.uint8), transform, frame, flags=cv2.INTER_LINEAR)
    share = (np.asarray(mask, np.float32) / 255)[..., None]
    lit = (np.asarray(laid, np.float32) * 0.94 * share + ground * (1 - share)) * _light(frame, how, rng)
    return _sensor(lit, how, rng), corners


def _place(size: tuple[int, int], how: Capture, rng: np.random.Generator) -> tuple[Points, tuple[int, int]]:
    upright = np.roll(rectangle(size if how.quarter_turns % 2 == 0 else size[::-1]), -how.quarter_turns, axis=0)
    moved = upright + rng.uniform(-1, 1, (4, 2)) * how.perspective * np.ptp(upright, axis=0)
    angle = np.radians(how.skew_degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle = np.ptp(upright, axis=0) / 2
    corners = ((moved - middle) @ turn + middle) * how.scale
    if not how.table and how.skew_degrees == 0 and how.perspective == 0:
        return corners, (round(np.ptp(corners[:, 0])), round(np.ptp(corners[:, 1])))
    margin = (0.10 if how.table else 0.0) * np.ptp(corners, axis=0)
    low = corners.min(axis=0) - margin * rng.uniform(0.4, 1.0, 2)
    high = corners.max(axis=0) + margin * rng.uniform(0.4, 1.0, 2)
    return corners - low, (int(high[0] - low[0]), int(high[1] - low[1]))


def _table_top(frame: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a wooden table with grain and a few things on it: BGR."""
    tone = rng.uniform((30, 60, 90), (110, 140, 175))
    grain = cv2.GaussianBlur(
        rng.normal(0, 1, (frame[1] // 4 + 1, frame[0] // 4 + 1)).astype(np.float32), (0, 0), 9, None, 1
    )
    grain = cv2.resize(np.asarray(grain), frame, interpolation=cv2.INTER_LINEAR)
    ground = np.asarray(tone + 60 * np.asarray(grain)[..., None], np.float32)
    for _ in range(6):
        x, y = rng.uniform((0, 0), frame)
        half = rng.uniform(30, 160, 2)
        colour = rng.uniform(20, 230, 3).tolist()
        box = cv2.boxPoints(((float(x), float(y)), (float(half[0]), float(half[1])), float(rng.uniform(0, 90))))
        cv2.fillPoly(ground, [np.round(box).astype(np.int32)], colour, cv2.LINE_AA)
    return np.clip(ground, 0, 255)


def _light(frame: tuple[int, int], how: Capture, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return how much light each place gets: a slope, and a soft-edged shadow across."""
    if how.shadow == 0:
        return np.ones((frame[1], frame[0], 1), np.float32)
    ys, xs = np.mgrid[0 : frame[1] : 8, 0 : frame[0] : 8].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    across = ((xs / frame[0] - 0.5) * np.cos(angle) + (ys / frame[1] - 0.5) * np.sin(angle)).astype(np.float32)
    edge = 1 / (1 + np.exp(-(across - rng.uniform(-0.2, 0.2)) / 0.02))
    light = (1 - how.shadow * edge) * (1 - 0.3 * how.shadow * (across + 0.5))
    return np.asarray(cv2.resize(light.astype(np.float32), frame, interpolation=cv2.INTER_LINEAR), np.float32)[
        ..., None
    ]


def _sensor(lit: NDArray[np.float32], how: Capture, rng: np.random.Generator) -> _Picture:
    soft = cv2.GaussianBlur(lit, (0, 0), how.blur) if how.blur else lit
    noisy = np.asarray(soft) + how.noise * rng.standard_normal(lit.shape, np.float32)
    picture = np.clip(np.round(noisy), 0, 255).astype(np.uint8)
    coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, how.jpeg])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def phone(seed: int) -> Capture:
    """Return what a phone does: any turn, up to 15° of skew, perspective, a table, a shadow, blur."""
    rng = np.random.default_rng(seed)
    return Capture(
        quarter_turns=int(rng.integers(4)),
        skew_degrees=float(rng.uniform(-15, 15)),
        scale=float(rng.uniform(0.7, 1.1)),
        perspective=float(rng.uniform(0.0, 0.05)),
        table=True,
        shadow=float(rng.uniform(0.0, 0.55)),
        noise=float(rng.uniform(2, 6)),
        blur=float(rng.uniform(0.5, 1.2)),
        jpeg=int(rng.integers(60, 92)),
        seed=seed,
    )


def scanner(seed: int) -> Capture:
    """Return what a scanner does: any turn, up to 15° of skew on white, little else."""
    rng = np.random.default_rng(seed)
    return Capture(
        quarter_turns=int(rng.integers(4)),
        skew_degrees=float(rng.uniform(-15, 15)),
        scale=float(rng.uniform(0.6, 1.2)),
        noise=float(rng.uniform(1, 4)),
        jpeg=int(rng.integers(70, 95)),
        seed=seed,
    )


def upright(how: Capture) -> Capture:
    """Return the same capture of a sheet that was not turned by quarters."""
    return replace(how, quarter_turns=0)


def corner_errors(transform: NDArray[np.float64], corners: Points, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return how far off each corner is, in pixels of the template."""
    true = from_corners(size, corners)
    back = map_points(np.linalg.inv(true), map_points(transform, rectangle(size)))
    return np.asarray(np.hypot(*(back - rectangle(size)).T))
