"""MICR lines on paper: printed well or badly, written and stamped over, scanned or photographed at any scale.

Every function takes a seeded generator, so the same seed draws the same pictures.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.micr import AMOUNT, DASH, DIGITS, ON_US, SYMBOLS, TRANSIT
from model.line.paper import FONTS, Float, scanned, security_print
from model.micr.glyphs import CLEARANCE, DOTS, MODULES_HIGH, PITCH_MODULES, line_of
from segmentation.micr_strip import BandLine

PRINT: Final = "ABCDEFGHKMNPRSTUVXYZabcdefghknoprstuvwxyz0123456789|/.: "


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """A picture with a MICR line on it.

    Attributes:
        pixels: uint8 grey, dark ink on lighter paper.
        text: its symbols and spaces, a cell each.
        line: where it lies: the first cell starts at its left end.
    """

    pixels: NDArray[np.uint8]
    text: str
    line: BandLine

    def right_edges(self) -> NDArray[np.float64]:
        """Return where along the baseline each cell's symbol ends, in pixels from the line's left end."""
        cells = np.arange(1, len(self.text) + 1)
        return np.asarray((cells - CLEARANCE / PITCH_MODULES) * self.line.pitch)


def any_text(rng: Generator) -> str:
    """Return a line of any layout: as cheques have them, or symbols by chance."""
    if rng.random() < 0.4:
        return "".join(rng.choice([*SYMBOLS, " "], int(rng.integers(12, 26))))
    number = _digits(rng, 6)
    layouts = (
        f"{ON_US}{number}{ON_US} {_digits(rng, 9)}{TRANSIT} {_digits(rng, 6)}{ON_US} {_digits(rng, 2)}",
        f"{TRANSIT}{_digits(rng, 9)}{TRANSIT} {_digits(rng, 9)}{ON_US} {_digits(rng, 4)}",
        f"{ON_US}{number}{ON_US} {TRANSIT}{_digits(rng, 5)}{DASH}{_digits(rng, 3)}{TRANSIT} {_digits(rng, 7)}{ON_US}",
        f"{TRANSIT}{_digits(rng, 9)}{TRANSIT}{_digits(rng, 10)}{ON_US}   {AMOUNT}{_digits(rng, 10)}{AMOUNT}",
    )
    return str(rng.choice(layouts))


def print_line(text: str, rng: Generator) -> Float:
    """Return a line's ink coverage, 0..1 and 16 pixels a module, as a printer may have left it."""
    shifts = [(float(right), float(down)) for right, down in rng.normal(0, rng.uniform(0.0, 0.25), (len(text), 2))]
    ink = line_of(text, shifts=shifts)
    weight = rng.uniform(-0.35, 0.45)
    if abs(weight) > 0.06:
        side = 2 * round(abs(weight) * DOTS / 2) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        ink = np.asarray((cv2.dilate if weight > 0 else cv2.erode)(ink, kernel), np.uint8)
    coverage = ink.astype(np.float32) / 255
    if rng.random() < 0.35:
        coverage *= voids(coverage.shape, rng)
    if rng.random() < 0.3:
        fading = rng.uniform(0.35, 1.0, (2, 8)).astype(np.float32)
        coverage *= cv2.resize(fading, coverage.shape[::-1])
    return np.asarray(coverage, np.float32)


def on_paper(text: str, rng: Generator, *, pitch: float, disturbed: bool = True) -> DrawnLine:
    """Return a band of a cheque with the line on it, `pitch` pixels from symbol to symbol."""
    coverage = print_line(text, rng)
    margins = rng.uniform(0.6, 2.5, 4) * pitch
    degrees = float(rng.normal(0, 1.2))
    squeeze = float(rng.uniform(0.93, 1.07))
    line, shape = placed(len(text), margins, pitch=pitch, degrees=degrees, squeeze=squeeze)
    page = _paper(shape, rng, pitch=pitch)
    if disturbed and rng.random() < 0.3:
        _printed_text(page, rng, line=line)
    page *= 1 - np.float32(rng.uniform(0.45, 0.95)) * laid(coverage, line, shape)
    if disturbed:
        _disturb(page, rng, line=line)
    return _photographed(page, rng, text=text, line=line)


def decoy(rng: Generator, *, pitch: float) -> DrawnLine:
    """Return a band without any symbol of E-13B: words, rules and writing where a line might be."""
    drawn_text = " " * int(rng.integers(10, 20))
    line, shape = placed(len(drawn_text), rng.uniform(0.6, 2, 4) * pitch, pitch=pitch, degrees=0.0, squeeze=1.0)
    page = _paper(shape, rng, pitch=pitch)
    for _ in range(int(rng.integers(1, 4))):
        _printed_text(page, rng, line=line, off_line=0.0)
    _disturb(page, rng, line=line)
    return _photographed(page, rng, text=drawn_text, line=line)


def _digits(rng: Generator, count: int) -> str:
    return "".join(rng.choice(list(DIGITS), count))


def voids(shape: tuple[int, ...], rng: Generator) -> Float:
    """Return what ink is left where some failed to stick: spots, or bars across the line that break strokes."""
    coarse = rng.normal(0, 1, (max(2, shape[0] // 10), max(2, shape[1] // 10))).astype(np.float32)
    spots = cv2.resize(coarse, (shape[1], shape[0])) > rng.uniform(1.0, 2.2)
    for _ in range(int(rng.integers(0, 3))):
        row = int(rng.uniform(0.1, 0.9) * shape[0])
        spots[row : row + int(rng.integers(3, 9))] = True
    left = np.where(spots, rng.uniform(0.0, 0.6), 1.0)
    return left.astype(np.float32)


def placed(
    cells: int, margins: NDArray[np.float64], *, pitch: float, degrees: float, squeeze: float
) -> tuple[BandLine, tuple[int, int]]:
    """Return where a line of so many cells lies, and how large a picture holds it."""
    height, length = MODULES_HIGH / PITCH_MODULES * pitch * squeeze, cells * pitch
    drop = math.tan(math.radians(degrees)) * length
    top = margins[1] + max(0.0, -drop)
    line = BandLine(margins[0], top + height, degrees, height, pitch, length)
    return line, (round(top + height + margins[3] + max(0.0, drop)), round(margins[0] + length + margins[2]))


def laid(coverage: Float, line: BandLine, shape: tuple[int, int]) -> Float:
    """Return the line's coverage on the picture, averaged over each pixel."""
    finer = 2 if line.pitch < 60 else 1
    scale = finer * line.pitch / (PITCH_MODULES * DOTS)
    rise = line.height * PITCH_MODULES / (line.pitch * MODULES_HIGH)
    size = max(1, round(coverage.shape[1] * scale)), max(1, round(coverage.shape[0] * scale * rise))
    small = cv2.resize(coverage, size, interpolation=cv2.INTER_AREA)
    cos, sin = math.cos(math.radians(line.degrees)), math.sin(math.radians(line.degrees))
    base = (MODULES_HIGH + 2) * DOTS * scale * rise
    origin = np.array([line.x, line.y]) * finer - np.array([[cos, -sin], [sin, cos]]) @ [2 * DOTS * scale, base]
    matrix = np.array([[cos, -sin, origin[0]], [sin, cos, origin[1]]])
    large = cv2.warpAffine(small, matrix, (shape[1] * finer, shape[0] * finer), flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(large, (shape[1], shape[0]), interpolation=cv2.INTER_AREA), np.float32)


def _paper(shape: tuple[int, int], rng: Generator, *, pitch: float) -> Float:
    """Return paper with its tone, shadow and security print."""
    page = np.full(shape, rng.uniform(130, 252), np.float32)
    if rng.random() < 0.5:
        page += cv2.resize(rng.normal(0, 14, (2, 4)).astype(np.float32), (shape[1], shape[0]))
    if rng.random() < 0.55:
        page -= security_print(shape, rng) * np.float32(rng.uniform(0.5, 1.6))
    if rng.random() < 0.1:
        # A screen of dots, as laser printers make grey of.
        y, x = np.mgrid[: shape[0], : shape[1]]
        period = rng.uniform(0.1, 0.3) * pitch
        dots = np.sin(2 * np.pi * x / period) * np.sin(2 * np.pi * y / period) > rng.uniform(0.2, 0.8)
        page -= np.float32(rng.uniform(10, 60)) * dots.astype(np.float32)
    return page


def _printed_text(page: Float, rng: Generator, *, line: BandLine, off_line: float = 1.3) -> None:
    """Print words in ordinary type, so many heights above or below the line: what a reader must not take for it."""
    size = line.height * rng.uniform(0.5, 1.2)
    text = "".join(rng.choice(list(PRINT), int(rng.integers(3, 16))))
    left = int(line.x + rng.uniform(-0.1, 0.8) * line.length)
    bottom = int(line.y + (rng.choice([-off_line, off_line]) + rng.normal(0, 0.05)) * line.height)
    mask = np.zeros(page.shape, np.uint8)
    if rng.random() < 0.5:
        font = FONTS[int(rng.integers(len(FONTS)))]
        cv2.putText(mask, text, (left, bottom), font, size / 22, 255, max(1, round(size / 10)), cv2.LINE_AA)
    else:
        # Pillow's own typeface: its capitals are seven tenths of its size.
        picture = Image.fromarray(mask)
        typeface = ImageFont.load_default(max(6.0, size / 0.7))
        ImageDraw.Draw(picture).text((left, bottom), text, 255, typeface, anchor="ls")
        mask = np.asarray(picture, np.uint8)
    page *= 1 - np.float32(rng.uniform(0.3, 0.9)) / 255 * mask


def _disturb(page: Float, rng: Generator, *, line: BandLine) -> None:
    """Write, stamp or rule over the band."""
    if rng.random() < 0.3:
        signature(page, rng, line=line)
    if rng.random() < 0.15:
        _border(page, rng, line=line)
    if rng.random() < 0.12:
        _stamp(page, rng, line=line)
    if rng.random() < 0.15:
        level = rng.choice(
            [line.y + rng.uniform(0.15, 0.9) * line.height, line.y - rng.uniform(1.2, 1.9) * line.height]
        )
        tilt = math.tan(math.radians(line.degrees)) * page.shape[1]
        ends = (0, int(level)), (page.shape[1], int(level + tilt))
        cv2.line(
            page,
            *ends,
            float(page.mean() * rng.uniform(0.1, 0.7)),
            max(1, round(line.height * rng.uniform(0.03, 0.15))),
        )


def _border(page: Float, rng: Generator, *, line: BandLine) -> None:
    """Print the cheque's frame beside the line: a bar, or a column of ornaments."""
    width, level = line.height * rng.uniform(0.04, 0.5), float(page.mean() * rng.uniform(0.1, 0.7))
    middle = line.x + rng.choice([rng.uniform(-1.5, 0.2), line.length + rng.uniform(0.2, 1.5) * line.pitch])
    left, right = int(middle - width / 2), int(middle + width / 2) + 1
    step = line.height * rng.uniform(0.15, 1.2)
    pieces = np.arange(0, page.shape[0], step) if rng.random() < 0.6 else np.zeros(1)
    high = step * rng.uniform(0.4, 0.9) if len(pieces) > 1 else page.shape[0]
    for top in pieces:
        cv2.rectangle(page, (left, int(top)), (right, int(top + high)), level, -1)


def signature(page: Float, rng: Generator, *, line: BandLine) -> None:
    """Let a pen run through some of the line."""
    points = rng.uniform((0.0, -1.2), (1.0, 1.2), (int(rng.integers(4, 12)), 2))
    width = line.pitch * rng.uniform(1.5, 7)
    start = np.array([line.x + rng.uniform(0, 0.9) * line.length, line.y - line.height / 2])
    knots = (start + points * [width, 1.3 * line.height]).astype(np.float32)
    curve = cv2.resize(knots, (2, len(knots) * 12), interpolation=cv2.INTER_CUBIC)
    mask = np.zeros(page.shape, np.uint8)
    thickness = max(1, round(line.height * rng.uniform(0.04, 0.14)))
    cv2.polylines(mask, [np.round(curve).astype(np.int32).reshape(-1, 1, 2)], False, 255, thickness, cv2.LINE_AA)
    page *= 1 - np.float32(rng.uniform(0.25, 0.9)) / 255 * mask


def _stamp(page: Float, rng: Generator, *, line: BandLine) -> None:
    """Press a rubber stamp on it: a ring or a frame with a word."""
    mask = np.zeros(page.shape, np.uint8)
    middle = int(line.x + rng.uniform(0, 1) * line.length), int(line.y + rng.uniform(-1.5, 0.8) * line.height)
    radius, thickness = int(line.height * rng.uniform(0.8, 2.2)), max(1, round(line.height * rng.uniform(0.04, 0.12)))
    cv2.ellipse(
        mask, middle, (radius, max(2, int(radius * rng.uniform(0.4, 1)))), 0, 0, 360, 255, thickness, cv2.LINE_AA
    )
    cv2.putText(
        mask, "PAID", (middle[0] - radius // 2, middle[1]), FONTS[0], line.height / 40, 255, thickness, cv2.LINE_AA
    )
    page *= 1 - np.float32(rng.uniform(0.15, 0.5)) / 255 * mask


def _photographed(page: Float, rng: Generator, *, text: str, line: BandLine) -> DrawnLine:
    """Return the picture as a scanner or phone gives it: blurred, coarse, black and white now and then."""
    if rng.random() < 0.25:
        page = np.asarray(cv2.GaussianBlur(page, (0, 0), float(rng.uniform(0.5, 1.6))), np.float32)
    if rng.random() < 0.04:
        page = np.where(page > page.mean() * rng.uniform(0.7, 0.85), np.float32(250), np.float32(20))
    pixels = scanned(page, rng)
    scale = pixels.shape[1] / page.shape[1]
    lengths = {name: scale * getattr(line, name) for name in ("x", "y", "height", "pitch", "length")}
    return DrawnLine(pixels, text, replace(line, **lengths))
