"""Writing on paper: any pen, security print, rules, frames and printed labels, scanned or photographed.

Every function takes a seeded generator, so the same seed draws the same pictures.
"""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from model.line.writing import Stroke, Writing

Grey = NDArray[np.uint8]
Float = NDArray[np.float32]

SUBPIXEL_BITS: Final = 4
"""OpenCV draws at fixed-point coordinates: sixteenths of a pixel."""

PEN: Final = 0.08
"""Middle thickness of a pen, in digit heights."""

MAX_HEIGHT: Final = 160
MAX_WIDTH: Final = 900

FONTS: Final = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)


@dataclass(frozen=True, slots=True)
class PaintedField:
    """A field and where its pen went.

    Attributes:
        pixels: uint8 grey, dark ink on lighter paper.
        strokes: the writing's strokes in pixels of the picture.
        pen: about how thick the pen is, in pixels.
    """

    pixels: Grey
    strokes: tuple[Stroke, ...]
    pen: float


def painted(writing: Writing, rng: Generator, *, boxed_share: float = 0.18) -> Grey:
    """Return the writing on paper as a field, printed boxes around some: uint8 grey, dark ink on lighter paper."""
    return painted_field(writing, rng, boxed_share=boxed_share).pixels


def painted_field(writing: Writing, rng: Generator, *, boxed_share: float = 0.18) -> PaintedField:
    """Return the writing on paper as a field, and where in the picture its strokes are."""
    size = _size(rng)
    strokes = _posed(writing, rng, size=size)
    points = np.concatenate(strokes)
    (left, top, right, bottom), boxed = _margins(rng, size=size, boxed_share=boxed_share)
    shape = _shape(np.ptp(points, axis=0), left + right, top + bottom)
    offset = np.array([left, top], np.float32) - points.min(axis=0)
    strokes = [stroke + offset for stroke in strokes]
    pixels = _on_paper(_pen(strokes, shape, rng, size=size), rng, size=size, framed_from=left if boxed else None)
    scale = np.float32(pixels.shape[0] / shape[0])
    return PaintedField(pixels, tuple(stroke * scale for stroke in strokes), PEN * size * float(scale))


def painted_ink(ink: Float, rng: Generator, *, digit_height: float, boxed_share: float = 0.18) -> Grey:
    """Return ink on paper as a field: slanted, turned, stretched and shrunk, uint8 grey, dark ink on lighter paper.

    Args:
        ink: float32, coverage 0..1.
        rng: decides.
        digit_height: of the digits in it, in pixels.
        boxed_share: of fields with a printed box around them.
    """
    size = _size(rng)
    posed = _posed_ink(ink, rng, scale=size / digit_height)
    (left, top, right, bottom), boxed = _margins(rng, size=size, boxed_share=boxed_share)
    shape = _shape(np.array(posed.shape[::-1]), left + right, top + bottom)
    field = np.zeros(shape, np.float32)
    part = field[int(top) : int(top) + posed.shape[0], int(left) : int(left) + posed.shape[1]]
    part[:] = posed[: part.shape[0], : part.shape[1]]
    return _on_paper(_pressed(field, rng), rng, size=size, framed_from=left if boxed else None)


def in_comb(writing: Writing, rng: Generator, *, pitch: float) -> Grey:
    """Return digits written into a row of printed boxes, with labels around it as on cheques."""
    return _comb(writing, len(writing.text), rng, pitch=pitch)


def empty_comb(rng: Generator) -> Grey:
    """Return a row of printed boxes that nobody wrote into, with labels around it."""
    return _comb(None, int(rng.integers(2, 13)), rng, pitch=float(rng.uniform(0.7, 1.2)))


def _comb(writing: Writing | None, cells: int, rng: Generator, *, pitch: float) -> Grey:
    height = float(rng.uniform(18, 46))
    left, top = rng.uniform(1, 8), rng.uniform(1, 6)
    label = rng.uniform(0.5, 2.5) * height if rng.random() < 0.3 else 0.0
    below = rng.uniform(0.3, 0.8) * height if rng.random() < 0.4 else rng.uniform(1, 6)
    shape = (
        min(MAX_HEIGHT, int(height * 1.05 + top + below) + 2),
        min(MAX_WIDTH, int(label + cells * pitch * height + left + rng.uniform(2, 10)) + 2),
    )
    origin = np.array([left + label, top], np.float32)
    ink = np.zeros(shape, np.float32)
    if writing is not None:
        strokes = _posed(writing, rng, size=height * float(rng.uniform(0.8, 1.0)), slanted=False)
        ink = _pen([stroke + origin for stroke in strokes], shape, rng, size=height)
    page = _paper(shape, rng)
    level, thickness = float(page.mean() * rng.uniform(0.1, 0.75)), int(rng.integers(1, 3))
    x0, x1, y0, y1 = int(origin[0]), int(origin[0] + cells * pitch * height), int(top), int(top + height)
    cv2.rectangle(page, (x0, y0), (x1, y1), level, thickness)
    for cell in range(1, cells):
        x = int(origin[0] + cell * pitch * height)
        cv2.line(page, (x, y0), (x, y1), level, thickness)
    if label:
        _print(page, "DATE", (int(left), int(top + 0.6 * height)), rng, size=0.4 * height)
    if below > 0.3 * height:
        for cell, char in enumerate(("DDMMYYYY" * 2)[:cells]):
            place = (int(origin[0] + (cell + 0.3) * pitch * height), int(top + height + below))
            _print(page, char, place, rng, size=0.4 * height)
    return scanned(page * (1 - np.float32(rng.uniform(0.4, 0.92)) * ink), rng)


def blank(rng: Generator) -> Grey:
    """Return paper that nobody wrote on."""
    shape = (int(rng.integers(24, 90)), int(rng.integers(40, 300)))
    page = _paper(shape, rng)
    if rng.random() < 0.3:
        _frame(page, rng, writing_from=0.5 * shape[0], size=0.5 * shape[0])
    return scanned(page, rng)


def scanned(grey: Float, rng: Generator) -> Grey:
    """Return the picture as a scanner or phone gives it: blurred, noisy, coarse, compressed."""
    if rng.random() < 0.7:
        grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(0.3, 1.2))), np.float32)
    if rng.random() < 0.15 and min(grey.shape) > 40:
        small = cv2.resize(grey, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
        grey = np.asarray(small, np.float32)
    grey = grey + rng.normal(0, rng.uniform(0, 7), grey.shape).astype(np.float32)
    pixels = np.clip(grey, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        _, coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))])
        pixels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return pixels


def _size(rng: Generator) -> float:
    """Return how high digits are, in pixels."""
    return float(np.exp(rng.uniform(np.log(13), np.log(46))))


def _margins(rng: Generator, *, size: float, boxed_share: float) -> tuple[NDArray[np.float64], bool]:
    """Return the paper to the left, top, right and bottom of the writing, in pixels, and whether a box is around it."""
    margins = rng.uniform((2, 2, 2, 2), (14, 14, 16, 14)) * size / 30
    if rng.random() < boxed_share:
        return rng.uniform((0.1, 0.05, 0.1, 0.05), (2.5, 0.7, 2.5, 0.7)) * size + 3, True
    return margins, False


def _on_paper(ink: Float, rng: Generator, *, size: float, framed_from: float | None) -> Grey:
    """Return the ink on paper, scanned; where the writing begins is told where there is a frame around it."""
    page = _paper(ink.shape, rng)
    if framed_from is not None:
        _frame(page, rng, writing_from=framed_from, size=size)
    return scanned(page * (1 - np.float32(rng.uniform(0.25, 0.92)) * ink), rng)


def _posed_ink(ink: Float, rng: Generator, *, scale: float) -> Float:
    """Return the ink slanted, turned, waved and stretched as `_posed` does with strokes, and shrunk by `scale`."""
    slant, turn, stretch = rng.normal(0, 0.15), rng.normal(0, 0.03), rng.uniform(0.72, 1.3)
    height, width = ink.shape
    aside, up = abs(slant) * height, abs(turn) * width
    y, x = np.mgrid[: int(height + up) + 1, : int(width + aside) + 1].astype(np.float32)
    bend = rng.normal(0, 0.02 * height, (2, 3, max(3, round(3 * width / height)))).astype(np.float32)
    bend_x, bend_y = (cv2.resize(part, x.shape[::-1], interpolation=cv2.INTER_CUBIC) for part in bend)
    # Upright again what leans to the right: a point of the slanted picture comes from further left, the higher it is.
    source_x = x + np.float32(slant) * (y - height / 2) - np.float32(aside / 2) + bend_x
    source_y = y + np.float32(turn) * (x - width / 2) - np.float32(up / 2) + bend_y
    moved = cv2.remap(ink, source_x, source_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    shape = max(1, round(moved.shape[1] * scale * stretch)), max(1, round(moved.shape[0] * scale))
    return np.asarray(cv2.resize(moved, shape, interpolation=cv2.INTER_AREA), np.float32)


def draw_line(canvas: NDArray[Any], points: NDArray[Any], *, shade: float, thickness: int) -> None:
    """Draw a line through points, shape (n, 2), of pixels and parts of them; one point alone is a dot."""
    fixed = np.round(points * (1 << SUBPIXEL_BITS)).astype(np.int32).reshape(-1, 1, 2)
    if len(fixed) == 1:
        fixed = np.concatenate([fixed, fixed + 1])
    cv2.polylines(canvas, [fixed], False, shade, thickness, cv2.LINE_AA, SUBPIXEL_BITS)


def _posed(writing: Writing, rng: Generator, *, size: float, slanted: bool = True) -> list[Stroke]:
    slant, turn, stretch = rng.normal(0.08, 0.18), rng.normal(0, 0.03), rng.uniform(0.72, 1.3)
    if not slanted:
        slant, turn, stretch = rng.normal(0.03, 0.04), 0.0, 1.0
    pose = np.array([[stretch, -slant], [turn, 1.0]], np.float32) * np.float32(size)
    wave = np.float32(rng.normal(0, 0.012) * size)
    return [stroke @ pose.T + np.sin(stroke * 5) * wave for stroke in writing.strokes]


def _shape(extent: NDArray[Any], across: float, down: float) -> tuple[int, int]:
    width, height = float(extent[0]) + across, float(extent[1]) + down
    return min(MAX_HEIGHT, int(height) + 2), min(MAX_WIDTH, int(width) + 2)


def _pen(strokes: list[Stroke], shape: tuple[int, int], rng: Generator, *, size: float) -> Float:
    """Return ink coverage 0..1: drawn at twice the size, then shrunk, so that thin pens stay smooth."""
    canvas = np.zeros((2 * shape[0], 2 * shape[1]), np.uint8)
    thickness = max(1, round(2 * size * float(rng.uniform(0.035, 0.13))))
    for stroke in strokes:
        draw_line(canvas, stroke * 2, shade=int(rng.uniform(190, 255)), thickness=thickness)
    ink = cv2.resize(canvas, (shape[1], shape[0]), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    return _pressed(ink, rng)


def _pressed(ink: Float, rng: Generator) -> Float:
    """Return the ink as a hand presses that is heavy here and light there, or as a pen leaves it that fails."""
    if rng.random() < 0.3:
        pressure = rng.uniform(0.5, 1, (3, 8)).astype(np.float32)
        ink = ink * cv2.resize(pressure, ink.shape[::-1])
    if rng.random() < 0.1:
        ink = ink * (rng.random(ink.shape) > rng.uniform(0.03, 0.25)).astype(np.float32)
    return np.asarray(ink, np.float32)


def _paper(shape: tuple[int, int], rng: Generator) -> Float:
    """Return paper with its tone, shadow, security print and rules."""
    height, width = shape
    page = np.full(shape, rng.uniform(140, 250), np.float32)
    if rng.random() < 0.5:
        page += cv2.resize(rng.normal(0, 12, (2, 3)).astype(np.float32), (width, height))
    if rng.random() < 0.6:
        page -= security_print(shape, rng)
    for _ in range(int(rng.choice(4, p=[0.45, 0.3, 0.2, 0.05]))):
        y = int(rng.choice([rng.uniform(0, 0.15), rng.uniform(0.8, 1.0)]) * height)
        tilt = int(rng.normal(0, 0.01) * width)
        cv2.line(page, (0, y), (width, y + tilt), float(page.mean() * rng.uniform(0.3, 0.85)), int(rng.integers(1, 3)))
    for edge in (0, 1):
        if rng.random() < 0.15:
            x = int((edge * 0.97 + rng.uniform(0, 0.03)) * width)
            cv2.line(page, (x, 0), (x, height), float(page.mean() * rng.uniform(0.3, 0.85)), int(rng.integers(1, 3)))
    if rng.random() < 0.12:
        _neighbour(page, rng)
    return page


def _neighbour(page: Float, rng: Generator) -> None:
    """Let the writing of the row above or below reach in."""
    height, width = page.shape
    level, thickness = float(page.mean() * rng.uniform(0.2, 0.7)), int(rng.integers(1, 4))
    edge, inwards = (0, 1) if rng.random() < 0.5 else (height - 1, -1)
    for _ in range(int(rng.integers(1, 4))):
        x = int(rng.uniform(0, width))
        reach = inwards * int(rng.uniform(0.05, 0.2) * height)
        cv2.line(page, (x, edge), (x + int(rng.normal(0, 4)), edge + reach), level, thickness, cv2.LINE_AA)


def security_print(shape: tuple[int, int], rng: Generator) -> Float:
    """Return a guilloche: one or two families of waving lines, as on cheque paper."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    texture = np.zeros(shape, np.float32)
    for _ in range(int(rng.integers(1, 3))):
        angle, pitch = rng.uniform(0, np.pi), rng.uniform(3, 9)
        across = x * np.sin(angle) + y * np.cos(angle)
        along = x * np.cos(angle) - y * np.sin(angle)
        phase = across + rng.uniform(0, 6) * np.sin(along / rng.uniform(6, 40) + rng.uniform(0, 6))
        wave = np.clip(np.sin(2 * np.pi * phase / pitch), 0, 1)
        texture += np.float32(rng.uniform(3, 22)) * np.asarray(wave, np.float32)
    return texture


def _frame(page: Float, rng: Generator, *, writing_from: float, size: float) -> None:
    """Print a box around the field, with the currency's sign before the writing where there is room."""
    height, width = page.shape
    level = float(page.mean() * rng.uniform(0.05, 0.7))
    inset = rng.uniform(0, 0.06, 4) * height
    corner = (int(inset[0]), int(inset[1])), (int(width - 1 - inset[2]), int(height - 1 - inset[3]))
    cv2.rectangle(page, *corner, level, int(rng.integers(1, 3)))
    room = writing_from - inset[0]
    if room > 0.7 * size and rng.random() < 0.8:
        x = int(inset[0] + room * rng.uniform(0.1, 0.4))
        _rupee(page, (x, int(0.5 * height)), rng, size=min(0.6 * room, rng.uniform(0.35, 0.7) * size), level=level)
        if rng.random() < 0.4:
            cv2.line(page, (int(writing_from) - 2, corner[0][1]), (int(writing_from) - 2, corner[1][1]), level, 1)


def _rupee(page: Float, middle: tuple[int, int], rng: Generator, *, size: float, level: float) -> None:
    """Print ₹, $ or Rs."""
    x, y = middle[0], middle[1] - size / 2
    if rng.random() < 0.3:
        text = str(rng.choice(["$", "Rs", "Rs.", "EUR"]))
        _print(page, text, (x, int(y + size)), rng, size=size)
        return
    w = 0.7 * size
    lines = [
        [(0, 0), (w, 0)],
        [(0, 0.22 * size), (w, 0.22 * size)],
        [(0.1 * w, 0), (0.55 * w, 0.02 * size), (0.75 * w, 0.22 * size), (0.5 * w, 0.42 * size), (0, 0.45 * size)],
        [(0, 0.45 * size), (0.8 * w, size)],
    ]
    thickness = max(1, round(size * rng.uniform(0.07, 0.16)))
    for line in lines:
        draw_line(page, np.array(line) + np.array([x, y]), shade=level, thickness=thickness)


def _print(page: Float, text: str, place: tuple[int, int], rng: Generator, *, size: float) -> None:
    """Print a label whose capitals are `size` pixels high."""
    font = FONTS[int(rng.integers(len(FONTS)))]
    level, thickness = float(page.mean() * rng.uniform(0.05, 0.6)), max(1, round(size / 12))
    # OpenCV prints text on bytes alone.
    mask = np.zeros(page.shape, np.uint8)
    cv2.putText(mask, text, place, font, size / 22, 255, thickness, cv2.LINE_AA)
    page += (level - page) * (mask.astype(np.float32) / 255)
