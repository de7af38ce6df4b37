"""Fields drawn from ink: any pen on any paper, scanned or photographed, with what stands around amounts.

Every function takes a seeded generator, so the same seed draws the same field.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from model.line.ink import InkCollection, Stroke, Writing

Grey = NDArray[np.uint8]

_SUBPIXELS = 4
"""Fractional bits of OpenCV's drawing coordinates."""


@dataclass(frozen=True, slots=True)
class Field:
    """A drawn or real field: uint8 grey, dark ink on brighter paper, and its digits."""

    pixels: Grey
    text: str


def draw_field(ink: InkCollection, rng: Generator) -> Field:
    """Return one field: a number as somebody wrote it, or one composed of a writer's digits."""
    if ink.numbers and rng.random() < 0.35:
        writing = ink.numbers[rng.integers(len(ink.numbers))]
    else:
        writing = compose(ink, rng)
    return Field(paint(writing, rng), "".join(c for c in writing.text if c.isdigit()))


def compose(ink: InkCollection, rng: Generator) -> Writing:
    """Return a number put together from the digits of one writer, with separators and a tail as on cheques."""
    writers = list(ink.digits)
    glyphs = ink.digits[writers[rng.integers(len(writers))]]
    text = number_text(rng)
    gap, drift = rng.normal(0.12, 0.13), rng.normal(0, 0.02)
    strokes: list[Stroke] = []
    x = y = 0.0
    for char in text + tail_text(rng):
        if char.isdigit():
            choice = glyphs.get(char) or _from_anyone(ink, char, rng)
            glyph = choice[rng.integers(len(choice))]
            size = float(np.clip(rng.normal(1, 0.09), 0.7, 1.3)) / max(glyph.height, 0.5)
            top = y + 1 - size * glyph.height + rng.normal(0, 0.04)
            strokes += [s * np.float32(size) + np.array([x, top], np.float32) for s in glyph.strokes]
            x += size * glyph.width
        else:
            marks, advance = separator_strokes(char, rng)
            strokes += [mark + np.array([x, y], np.float32) for mark in marks]
            x += advance
        x += max(-0.18, gap + rng.normal(0, 0.05))
        y += drift
    return Writing(text, "", tuple(strokes))


def number_text(rng: Generator) -> str:
    """Return digits with separators: lengths, runs of zeros and grouping as on cheques and in logbooks."""
    length = int(rng.choice(9, p=[0, 0.06, 0.14, 0.2, 0.2, 0.2, 0.12, 0.05, 0.03]))
    digits = "".join(str(d) for d in rng.integers(0, 10, length))
    if rng.random() < 0.2 and length > 2:
        zeros = int(rng.integers(1, length))
        digits = digits[: length - zeros] + "0" * zeros
    if rng.random() < 0.15:
        repeated = str(rng.integers(10))
        start = int(rng.integers(length))
        run = int(rng.integers(2, 4))
        digits = (digits[:start] + repeated * run + digits[start + run :])[:length]
    if length > 3 and rng.random() < 0.5:
        mark = str(rng.choice([".", ",", " ", "'"], p=[0.55, 0.2, 0.2, 0.05]))
        digits = digits[:-3] + mark + digits[-3:]
    elif length > 1 and rng.random() < 0.2:
        at = int(rng.integers(1, length))
        digits = digits[:at] + str(rng.choice([".", ",", "/", "-"], p=[0.5, 0.3, 0.1, 0.1])) + digits[at:]
    return digits


def tail_text(rng: Generator) -> str:
    """Return what writers add so that nobody can add digits: nothing, a dot, a dash, or an equals sign."""
    return str(rng.choice(["", ".", ",", "-", ".-", "=", "--"], p=[0.6, 0.12, 0.08, 0.07, 0.05, 0.06, 0.02]))


def separator_strokes(char: str, rng: Generator) -> tuple[list[Stroke], float]:
    """Return the strokes of a separator in digit heights, and how far it moves the pen on."""
    w, j = rng.uniform(0.08, 0.35), rng.normal(0, 0.03, 8)
    if char == " ":
        return [], float(rng.uniform(0.1, 0.5))
    lines: dict[str, list[list[list[float]]]] = {
        ".": [[[0.05, 0.95 + j[0]], [0.07 + j[1], 0.97 + j[0]]]],
        ",": [[[0.1, 0.92 + j[0]], [0.1 + j[1], 1.02 + j[2]], [0.02 + j[3], 1.15 + j[4]]]],
        "'": [[[0.1, 0.0 + j[0]], [0.06 + j[1], 0.2 + j[2]]]],
        "-": [[[0.0, 0.55 + j[0]], [w + 0.1, 0.52 + j[1]]]],
        "/": [[[0.3, -0.1 + j[0]], [0.0, 1.1 + j[1]]]],
        "=": [[[0.0, 0.45 + j[0]], [w + 0.1, 0.42 + j[1]]], [[0.0, 0.65 + j[2]], [w + 0.1, 0.62 + j[3]]]],
    }
    strokes = [np.asarray(line, dtype=np.float32) for line in lines[char]]
    return strokes, max(float(stroke[:, 0].max()) for stroke in strokes) + float(rng.uniform(0, 0.1))


def paint(writing: Writing, rng: Generator) -> Grey:
    """Return the writing on paper: pen, slant, security print, rules, blur, noise and JPEG as they come."""
    size = float(rng.uniform(18, 44))
    strokes = _posed(writing, rng, size=size)
    points = np.concatenate(strokes)
    left, top = rng.uniform(2, 14, 2)
    width = int(np.ptp(points[:, 0]) + left + rng.uniform(2, 16)) + 2
    height = int(np.ptp(points[:, 1]) + top + rng.uniform(2, 14)) + 2
    offset = np.array([left, top], np.float32) - points.min(axis=0)
    ink = _pen([stroke + offset for stroke in strokes], (min(height, 160), min(width, 900)), rng, size=size)
    page = _paper(ink.shape, rng)
    darkness = rng.uniform(0.25, 0.9)
    grey = page * (1 - darkness * ink)
    return _scanned(grey, rng)


def _posed(writing: Writing, rng: Generator, *, size: float) -> list[Stroke]:
    slant, turn, stretch = rng.normal(0.08, 0.18), rng.normal(0, 0.03), rng.uniform(0.75, 1.3)
    pose = np.array([[stretch, -slant], [turn, 1.0]], dtype=np.float32) * np.float32(size)
    wave = rng.normal(0, 0.012)
    return [stroke @ pose.T + np.sin(stroke * 5).astype(np.float32) * np.float32(wave * size) for stroke in writing.strokes]


def _pen(strokes: list[Stroke], shape: tuple[int, int], rng: Generator, *, size: float) -> NDArray[np.float32]:
    """Return ink coverage 0..1: drawn at twice the size, then shrunk, so that thin pens stay smooth."""
    canvas = np.zeros((2 * shape[0], 2 * shape[1]), dtype=np.uint8)
    thickness = max(1, round(2 * size * float(rng.uniform(0.035, 0.13))))
    for stroke in strokes:
        points = np.round(stroke * (2 << _SUBPIXELS)).astype(np.int32).reshape(-1, 1, 2)
        shade = int(rng.uniform(190, 255))
        if len(points) == 1:
            points = np.concatenate([points, points + 1])
        cv2.polylines(canvas, [points], isClosed=False, color=shade, thickness=thickness, lineType=cv2.LINE_AA, shift=_SUBPIXELS)
    ink = cv2.resize(canvas, (shape[1], shape[0]), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    if rng.random() < 0.3:
        pressure = cv2.resize(rng.uniform(0.55, 1, (3, 8)).astype(np.float32), (shape[1], shape[0]))
        ink *= pressure
    return np.asarray(ink, dtype=np.float32)


def _paper(shape: tuple[int, int], rng: Generator) -> NDArray[np.float32]:
    height, width = shape
    page = np.full(shape, rng.uniform(120, 250), dtype=np.float32)
    if rng.random() < 0.4:
        page += cv2.resize(rng.normal(0, 12, (2, 3)).astype(np.float32), (width, height))
    if rng.random() < 0.6:
        page -= _security_print(shape, rng)
    for _ in range(int(rng.choice(4, p=[0.45, 0.3, 0.2, 0.05]))):
        y = int(rng.choice([rng.uniform(0, 0.15), rng.uniform(0.8, 1.0)]) * height)
        tilt = int(rng.normal(0, 0.01) * width)
        cv2.line(page, (0, y), (width, y + tilt), float(page.mean() * rng.uniform(0.3, 0.85)), int(rng.integers(1, 3)))
    for edge in (0, 1):
        if rng.random() < 0.15:
            x = int((edge * 0.97 + rng.uniform(0, 0.03)) * width)
            cv2.line(page, (x, 0), (x, height), float(page.mean() * rng.uniform(0.3, 0.85)), int(rng.integers(1, 3)))
    return page


def _security_print(shape: tuple[int, int], rng: Generator) -> NDArray[np.float32]:
    """Return a guilloche: one or two families of waving lines, as on cheque paper."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    texture = np.zeros(shape, dtype=np.float32)
    for _ in range(int(rng.integers(1, 3))):
        angle, pitch = rng.uniform(0, np.pi), rng.uniform(3, 9)
        across = x * np.sin(angle) + y * np.cos(angle)
        along = x * np.cos(angle) - y * np.sin(angle)
        phase = across + rng.uniform(0, 6) * np.sin(along / rng.uniform(6, 40) + rng.uniform(0, 6))
        texture += rng.uniform(3, 22) * np.clip(np.sin(2 * np.pi * phase / pitch), 0, 1)
    return texture


def _scanned(grey: NDArray[np.float32], rng: Generator) -> Grey:
    if rng.random() < 0.7:
        grey = cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(0.3, 1.3)))
    grey = grey + rng.normal(0, rng.uniform(0, 7), grey.shape)
    pixels = np.clip(grey, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        _, coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))])
        pixels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
    return pixels


def _from_anyone(ink: InkCollection, char: str, rng: Generator) -> list[Writing]:
    writers = [glyphs[char] for glyphs in ink.digits.values() if char in glyphs]
    return writers[rng.integers(len(writers))]
