"""Ink of a printed line: set in a font, stamped by a numbering machine, struck by a dot-matrix printer, worn or faded.

Every function takes a seeded generator, so the same seed draws the same lines.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from model.line.paper import Float
from model.micr.drawing import voids
from model.printed.fonts import Font, opened

PROBE: Final = 100
"""Pixels at which a font is asked how tall its figures are."""

AROUND: Final = 0.5
"""Heights of paper around the ink, for strokes that spread and figures that dance."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How a line is set.

    Attributes:
        font: its letters'.
        height: of its figures, in pixels.
        tracking: paper added behind each sign, in heights.
        squeeze: width of the signs, as a share of the font's.
        dance: heights by which signs stand off the line, as numbering machines leave them.
        turn: degrees by which they are turned.
    """

    font: Font
    height: float
    tracking: float = 0.0
    squeeze: float = 1.0
    dance: float = 0.0
    turn: float = 0.0


@dataclass(frozen=True, slots=True)
class Inked:
    """A line's ink.

    Attributes:
        coverage: float32 in 0..1, shape (height, width).
        left: column where the first sign starts.
        right: column where the last one ends.
        top: row of the figures' upper edge.
        height: of the figures.
    """

    coverage: Float
    left: float
    right: float
    top: float
    height: float


def any_setting(rng: Generator, fonts: tuple[Font, ...], *, height: float) -> Setting:
    """Return a setting as forms have them: most of them plain, some wide, narrow or by numbering machine."""
    font = fonts[int(rng.integers(len(fonts)))]
    kind = rng.random()
    squeeze = float(rng.uniform(0.65, 1.25)) if rng.random() < 0.4 else 1.0
    if kind < 0.3:
        tracking, dance = float(rng.uniform(0.15, 1.1)), float(rng.uniform(0.0, 0.11))
        return Setting(font, height, tracking, squeeze, dance, turn=float(rng.uniform(0, 3)))
    tracking = float(rng.uniform(-0.03, 0.25)) if kind < 0.6 else 0.0
    return Setting(font, height, tracking, squeeze, dance=0.03 if rng.random() < 0.2 else 0.0)


def set_line(text: str, setting: Setting, rng: Generator) -> Inked:
    """Return the text's ink, sharp and full."""
    size = max(6, round(setting.height * PROBE / figure_height(setting.font.path)))
    height = size * figure_height(setting.font.path) / PROBE
    margin = AROUND * height
    advances = [_advance(char, setting, size) for char in text]
    width, baseline = sum(advances) + 2 * margin + height, 2 * height + margin
    coverage = np.zeros((int(3 * height + 2 * margin), int(width) + 2), np.float32)
    pen, left, right = margin, margin, margin
    for char, advance in zip(text, advances, strict=True):
        mask, across, up = _sign(char, setting, size, rng)
        if mask.size:
            x, y = max(0, round(pen + across)), max(0, round(baseline - up + height * rng.normal(0, setting.dance / 2)))
            part = coverage[y : y + mask.shape[0], x : x + mask.shape[1]]
            np.maximum(part, mask[: part.shape[0], : part.shape[1]], out=part)
            left, right = (x if right == margin else left), float(x + mask.shape[1])
        pen += advance
    return Inked(coverage, left, right, baseline - height, height)


def worn(inked: Inked, rng: Generator) -> Inked:
    """Return the ink as a printer may have left it: heavier, thinner, hollow, in dots, broken or fading."""
    coverage, height = inked.coverage, inked.height
    if rng.random() < 0.1 and height >= 18:
        coverage = in_dots(coverage, pitch=height / float(rng.choice([7, 9, 12])), size=float(rng.uniform(0.8, 1.3)))
    elif rng.random() < 0.6:
        coverage = spread(coverage, sigma=0.035 * height, by=float(rng.uniform(-0.3, 0.35)))
    if rng.random() < 0.15:
        coverage = hollow(coverage, height=height, left=float(rng.uniform(0.3, 0.8)))
    if rng.random() < 0.3:
        coverage = coverage * voids(coverage.shape, rng)
    if rng.random() < 0.3:
        fading = rng.uniform(0.35, 1.0, (2, 8)).astype(np.float32)
        coverage = coverage * cv2.resize(fading, coverage.shape[::-1])
    return Inked(np.asarray(coverage, np.float32), inked.left, inked.right, inked.top, height)


def spread(coverage: Float, *, sigma: float, by: float) -> Float:
    """Return the ink with its edges moved outwards, or inwards where `by` is negative."""
    soft = cv2.GaussianBlur(coverage, (0, 0), max(0.4, sigma))
    return np.asarray(np.clip((soft - 0.5 + by) * 2.5 + 0.5, 0, 1), np.float32)


def hollow(coverage: Float, *, height: float, left: float) -> Float:
    """Return the ink squeezed to its edges, as stamps press it; `left` of it stays inside."""
    side = 2 * max(1, round(0.035 * height)) + 1
    inside = cv2.erode(coverage, np.ones((side, side), np.uint8))
    return np.asarray(coverage - (1 - np.float32(left)) * inside, np.float32)


def in_dots(coverage: Float, *, pitch: float, size: float) -> Float:
    """Return the ink in dots `pitch` pixels apart, each `size` pitches wide."""
    height, width = coverage.shape
    grid = max(1, round(width / pitch)), max(1, round(height / pitch))
    struck = cv2.resize(coverage, grid, interpolation=cv2.INTER_AREA) > 0.42
    rows, columns = (np.arange(length) / pitch for length in (height, width))
    down, across = (rows % 1 - 0.5)[:, None], (columns % 1 - 0.5)[None, :]
    disc = np.clip((size / 2 - np.hypot(down, across)) * pitch + 0.5, 0, 1)
    row = np.minimum(rows.astype(int), grid[1] - 1)
    column = np.minimum(columns.astype(int), grid[0] - 1)
    return np.asarray(disc * struck[row][:, column], np.float32)


@lru_cache(maxsize=128)
def figure_height(path: Path) -> float:
    """Return how tall the font's figures are at `PROBE` pixels."""
    _, top, _, bottom = opened(path, PROBE).getbbox("0", anchor="ls")
    return float(bottom - top)


def _advance(char: str, setting: Setting, size: int) -> float:
    own = _own_advance(char, setting.font.path, size) * setting.squeeze
    return max(1.0, own + setting.tracking * setting.height)


def _sign(char: str, setting: Setting, size: int, rng: Generator) -> tuple[Float, float, float]:
    """Return a sign's ink, how far right of the pen it starts, and how far above the line."""
    mask, across, up = _drawn(char, setting.font.path, size)
    if setting.squeeze != 1.0 and mask.size:
        width = max(1, round(mask.shape[1] * setting.squeeze))
        mask = np.asarray(cv2.resize(mask, (width, mask.shape[0]), interpolation=cv2.INTER_AREA), np.float32)
    if setting.turn and mask.size:
        middle = mask.shape[1] / 2, mask.shape[0] / 2
        turn = cv2.getRotationMatrix2D(middle, float(rng.normal(0, setting.turn)), 1.0)
        mask = np.asarray(cv2.warpAffine(mask, turn, mask.shape[::-1]), np.float32) * np.float32(rng.uniform(0.6, 1))
    return mask, across * setting.squeeze, up


@lru_cache(maxsize=1 << 15)
def _own_advance(char: str, path: Path, size: int) -> float:
    return float(opened(path, size).getlength(char))


@lru_cache(maxsize=1 << 15)
def _drawn(char: str, path: Path, size: int) -> tuple[NDArray[np.float32], float, float]:
    font = opened(path, size)
    left, top, _, _ = font.getbbox(char, anchor="ls")
    mask = font.getmask(char, mode="L")
    if char.isspace() or not mask.size[0] or not mask.size[1]:
        return np.zeros((0, 0), np.float32), 0.0, 0.0
    ink = np.frombuffer(bytes(mask), np.uint8).reshape(mask.size[::-1]).astype(np.float32) / np.float32(255)
    return ink, float(left), float(-top)
