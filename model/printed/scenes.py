"""Printed lines on paper: boxes and rules around them, other print above and below, security print, pens, scanners.

Every function takes a seeded generator, so the same seed draws the same pictures.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from model.line.paper import Float, scanned, security_print
from model.micr.drawing import signature
from model.printed.fonts import INDIAN, Font
from model.printed.lettering import Inked, any_setting, set_line, worn
from model.printed.texts import any_text, indian, label_of, words
from segmentation.micr_strip import BandLine
from segmentation.printed import PrintRow

SMALL: Final = 11
STEP: Final = 1.15
STEPS: Final = 12
"""Pixels that figures are tall: from print of a form at 200 dpi to a cheque's large type; in steps, since a font is
opened again for each."""

TEXTURES: Final = 48
TEXTURE_SHAPE: Final = (256, 1024)
"""Security print is drawn once and then cut from: it takes as long as all else."""


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """A picture with a line of print in it.

    Attributes:
        pixels: uint8 grey, dark ink on lighter paper.
        text: its digits, and `OTHER` for each letter.
        row: where it lies.
    """

    pixels: NDArray[np.uint8]
    text: str
    row: PrintRow


def drawn_row(rng: Generator, fonts: tuple[Font, ...]) -> DrawnRow:
    """Return a line of any print on any paper."""
    text, own = any_text(rng), fonts
    if rng.random() < 0.025:
        text, own = indian(rng), tuple(font for font in fonts if font.name in INDIAN) or fonts
    inked = worn(set_line(text, any_setting(rng, own, height=any_height(rng)), rng), rng)
    return on_paper(inked, label_of(text), rng, fonts)


def any_height(rng: Generator) -> float:
    """Return how many pixels a line's figures are tall."""
    return float(SMALL * STEP ** rng.integers(STEPS))


def on_paper(inked: Inked, label: str, rng: Generator, fonts: tuple[Font, ...]) -> DrawnRow:
    """Return the line on paper, with what may stand around it."""
    height = inked.height
    coverage, row = _placed(inked, rng)
    page = paper(coverage.shape, rng, fonts, height=height)
    _rules(page, rng, row)
    _neighbours(page, rng, row, fonts)
    strength = np.float32(rng.uniform(0.3, 0.95))
    page *= 1 - strength * coverage
    if rng.random() < 0.08:
        signature(page, rng, line=BandLine(row.left, row.top + height, 0.0, height, 0.7 * height, row.right - row.left))
    return _seen(page, rng, label, row)


def paper(shape: tuple[int, int], rng: Generator, fonts: tuple[Font, ...], *, height: float) -> Float:
    """Return paper of any tone, with shadows, security print and pale words."""
    page = np.full(shape, rng.uniform(120, 252), np.float32)
    if rng.random() < 0.5:
        page += cv2.resize(rng.normal(0, 12, (2, 3)).astype(np.float32), shape[::-1])
    if rng.random() < 0.5:
        page -= np.float32(rng.uniform(0.5, 1.5)) * security_texture(shape, rng)
    if rng.random() < 0.3:
        _watermark(page, rng, fonts, height=height)
    return page


def security_texture(shape: tuple[int, int], rng: Generator) -> Float:
    """Return a piece of security print, upright or upside down."""
    texture = _texture(int(rng.integers(TEXTURES)))
    down, across = (int(rng.integers(length)) for length in TEXTURE_SHAPE)
    rows, columns = (
        (start + np.arange(length)) % whole
        for start, length, whole in ((down, shape[0], TEXTURE_SHAPE[0]), (across, shape[1], TEXTURE_SHAPE[1]))
    )
    return texture[rows][:, columns]


@lru_cache(maxsize=TEXTURES)
def _texture(number: int) -> Float:
    return security_print(TEXTURE_SHAPE, np.random.default_rng((2025, number)))


def _placed(inked: Inked, rng: Generator) -> tuple[Float, PrintRow]:
    """Return the ink with paper around it, level or a little askew, and where the line lies."""
    height = inked.height
    left, right = (int(each) for each in rng.uniform(0.2, 2.5, 2) * height)
    coverage = cv2.copyMakeBorder(inked.coverage, 0, 0, left, right, cv2.BORDER_CONSTANT, value=0)
    slope = float(rng.normal(0, 0.012)) if rng.random() < 0.4 else 0.0
    row = PrintRow(inked.left + left, inked.right + left, inked.top, height, slope)
    if slope:
        shear = np.array([[1.0, 0.0, 0.0], [slope, 1.0, -slope * row.left]])
        down = round(max(0.0, -slope * (row.right - row.left)))
        shear[1, 2] += down
        size = coverage.shape[1], coverage.shape[0] + round(abs(slope) * coverage.shape[1])
        coverage = cv2.warpAffine(coverage, shear, size)
        row = replace(row, top=row.top + down)
    highest = row.top - max(0.0, -slope) * (row.right - row.left)
    first = int(max(0.0, highest - rng.uniform(0.5, 1.6) * height))
    return np.asarray(coverage[first:], np.float32), replace(row, top=row.top - first)


def _watermark(page: Float, rng: Generator, fonts: tuple[Font, ...], *, height: float) -> None:
    """Print a bank's name again and again, paler than any number."""
    font = fonts[int(rng.integers(len(fonts)))]
    setting = replace(any_setting(rng, (font,), height=max(6.0, height * float(rng.uniform(0.25, 1.2)))), turn=0.0)
    inked = set_line(f"{words(rng)} ", setting, rng).coverage
    inked = inked[inked.any(axis=1)]
    if not inked.size:
        return
    tile = cv2.copyMakeBorder(inked, 2, int(rng.uniform(2, 30)), 0, 0, cv2.BORDER_CONSTANT, value=0)
    times = page.shape[0] // tile.shape[0] + 1, page.shape[1] // tile.shape[1] + 1
    shade = np.tile(tile, times)[: page.shape[0], : page.shape[1]]
    page += np.float32(rng.choice([-1, 1, -1]) * rng.uniform(6, 30)) * shade


def _rules(page: Float, rng: Generator, row: PrintRow) -> None:
    """Print a box, a ruling line, or an upright line through the number."""
    level, thickness = float(page.mean() * rng.uniform(0.05, 0.75)), max(1, round(row.height * rng.uniform(0.03, 0.1)))
    height, width = page.shape
    top = round(row.top - rng.uniform(-0.02, 0.9) * row.height)
    bottom = round(row.top + row.height * (1 + rng.uniform(-0.12, 0.8)))
    tilt = round(row.slope * width)
    kind = rng.random()
    if kind < 0.3:
        left, right = row.left - rng.uniform(0.15, 2) * row.height, row.right + rng.uniform(0.15, 2) * row.height
        framed(page, (left, top, right, bottom), level=level, thickness=thickness, tilt=tilt)
    elif kind < 0.45:
        for y in (top, bottom)[int(rng.integers(2)) :]:
            cv2.line(page, (0, y), (width, y + tilt), level, thickness)
    if rng.random() < 0.15:
        x = round(rng.uniform(row.left - row.height, row.right + row.height))
        cv2.line(page, (x, 0 if rng.random() < 0.5 else top), (x, height), level, max(1, thickness - 1))


def framed(
    page: Float, sides: tuple[float, float, float, float], *, level: float, thickness: int, tilt: int = 0
) -> None:
    """Print a frame in `page`.

    Args:
        page: changed in place.
        sides: of the frame: left, top, right, bottom.
        level: how dark it is, 0 black.
        thickness: of its lines, in pixels.
        tilt: pixels by which its right side is lower.
    """
    left, top, right, bottom = sides
    corners = [(left, top), (right, top + tilt), (right, bottom + tilt), (left, bottom)]
    cv2.polylines(page, [np.round(corners).astype(np.int32).reshape(-1, 1, 2)], True, level, thickness)


def _neighbours(page: Float, rng: Generator, row: PrintRow, fonts: tuple[Font, ...]) -> None:
    """Print lines above and below, and something at the ends."""
    for side in (-1, 1):
        if rng.random() < 0.3:
            setting = any_setting(rng, fonts, height=row.height * float(rng.uniform(0.3, 1.1)))
            inked = set_line(any_text(rng), replace(setting, turn=0.0), rng)
            distance = rng.uniform(0.22, 0.9) * row.height
            y = row.top - distance - inked.height if side < 0 else row.top + row.height + distance
            lay_ink(page, inked, at=(rng.uniform(-0.3, 0.6) * page.shape[1], y), strength=rng.uniform(0.3, 0.9))


def lay_ink(page: Float, inked: Inked, *, at: tuple[float, float], strength: float) -> None:
    """Print the line where its figures' upper left corner is `at`; what reaches beyond the page is lost."""
    x, y = round(at[0] - inked.left), round(at[1] - inked.top)
    left, top = max(0, x), max(0, y)
    part = page[top : max(0, y + inked.coverage.shape[0]), left : max(0, x + inked.coverage.shape[1])]
    ink = inked.coverage[top - y :, left - x :][: part.shape[0], : part.shape[1]]
    part *= 1 - np.float32(strength) * ink


def _seen(page: Float, rng: Generator, label: str, row: PrintRow) -> DrawnRow:
    """Return the picture as a scanner or phone gives it, black and white now and then."""
    if rng.random() < 0.05:
        page = np.where(page > page.mean() * rng.uniform(0.7, 0.9), np.float32(250), np.float32(20))
    pixels = scanned(page, rng)
    scale = pixels.shape[1] / page.shape[1]
    return DrawnRow(
        pixels,
        label,
        replace(row, left=row.left * scale, right=row.right * scale, top=row.top * scale, height=row.height * scale),
    )
