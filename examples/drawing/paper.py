"""Paper and print: texture, rule lines, boxes, combs, security patterns, labels, and what a scanner adds.

Pages are float32 BGR, shape (height, width, 3), 0..255, drawn in place; `scanned` makes uint8 of them.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.types import Box
from examples.drawing.hand import Writing

Canvas = NDArray[np.float32]
Colour = tuple[int, int, int]

PAPERS: tuple[Colour, ...] = ((244, 248, 250), (232, 242, 247), (250, 250, 250), (238, 240, 240), (222, 238, 244))
"""BGR: office white, cream, bright, recycled grey, yellowish."""

PRINT: Colour = (70, 62, 60)
RULE: Colour = (196, 170, 140)
DROPOUT: Colour = (150, 160, 228)


def blank(width: int, height: int, *, rng: np.random.Generator, colour: Colour | None = None) -> Canvas:
    """Return paper with a little unevenness: a gradient of light, clouds and fibres."""
    base = np.array(colour or PAPERS[int(rng.integers(len(PAPERS)))], np.float32)
    page = np.full((height, width, 3), base, np.float32)
    clouds = cv2.resize(rng.normal(0, 2.0, (6, 8)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    fibres = cv2.GaussianBlur(rng.normal(0, 5.0, (height, width)).astype(np.float32), (0, 0), 1.1)
    page += (clouds + fibres)[:, :, None]
    return page


def blend(page: Canvas, ink: NDArray[np.float32], *, x: int, y: int, colour: Colour) -> None:
    """Lay ink (0..1) on the page with its top left corner at (x, y); what hangs over the edge is lost."""
    top, left = max(0, y), max(0, x)
    bottom, right = min(page.shape[0], y + ink.shape[0]), min(page.shape[1], x + ink.shape[1])
    if bottom <= top or right <= left:
        return
    cover = ink[top - y : bottom - y, left - x : right - x, None]
    area = page[top:bottom, left:right]
    area += (np.array(colour, np.float32) - area) * cover


def lay(page: Canvas, writing: Writing, *, x: int, y: int, colour: Colour) -> tuple[Box, ...]:
    """Lay writing on the page and return its digits' boxes there."""
    blend(page, writing.ink * np.float32(0.94), x=x, y=y, colour=colour)
    return tuple(Box(x=box.x + x, y=box.y + y, width=box.width, height=box.height) for box in writing.boxes)


def rule(page: Canvas, *, y: int, left: int, right: int, colour: Colour = RULE, thickness: int = 2) -> None:
    """Draw a printed line."""
    cv2.line(page, (left, y), (right, y), colour, thickness, cv2.LINE_AA)


def frame(page: Canvas, box: Box, *, colour: Colour = PRINT, thickness: int = 2) -> None:
    """Draw a printed box."""
    corner = (box.right, box.bottom)
    cv2.rectangle(page, (box.x, box.y), corner, colour, thickness, cv2.LINE_AA)


def comb(page: Canvas, box: Box, *, cells: int, colour: Colour = DROPOUT, thickness: int = 2) -> None:
    """Draw a row of boxes, one for each digit."""
    frame(page, box, colour=colour, thickness=thickness)
    for cell in range(1, cells):
        x = box.x + round(cell * box.width / cells)
        cv2.line(page, (x, box.y), (x, box.bottom), colour, thickness, cv2.LINE_AA)


def security(page: Canvas, *, rng: np.random.Generator, strength: float = 0.16) -> None:
    """Print a cheque's pale pattern of interleaved waves over the whole page."""
    height, width = page.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    period = float(rng.uniform(9, 14))
    waves = np.sin((y + 10 * np.sin(x / rng.uniform(28, 44))) * 2 * np.pi / period)
    crossing = np.sin((y - 14 * np.sin(x / rng.uniform(36, 60) + 1)) * 2 * np.pi / (1.6 * period))
    lines = np.clip(np.maximum(waves, crossing) - 0.8, 0, 0.2) * 5
    tint = (205, 190, 150) if rng.random() < 0.5 else (170, 200, 190)
    blend(page, (lines * strength * 4).astype(np.float32).clip(0, 0.85), x=0, y=0, colour=tint)


def label(page: Canvas, text: str, *, x: int, y: int, size: int = 22, colour: Colour = PRINT) -> None:
    """Print text with its top left corner at (x, y), in the font that comes with Pillow."""
    font = ImageFont.load_default(size)
    width, height = (round(value) for value in font.getbbox(text)[2:])
    mask = Image.new("L", (width + 4, height + 4))
    ImageDraw.Draw(mask).text((0, 0), text, fill=255, font=font)
    blend(page, np.asarray(mask, np.float32) * np.float32(0.92 / 255), x=x, y=y, colour=colour)


def scanned(
    page: Canvas, *, rng: np.random.Generator, noise: float = 2.5, blur: float = 0.6, skew_degrees: float = 0.0
) -> NDArray[np.uint8]:
    """Return the page as a scanner sees it: slightly turned, soft and noisy. uint8 BGR."""
    if skew_degrees:
        page = _turned(page, skew_degrees)
    soft = cv2.GaussianBlur(page, (0, 0), blur) if blur > 0 else page
    grain = rng.normal(0, noise, page.shape[:2]).astype(np.float32)[:, :, None]
    pixels: NDArray[np.uint8] = np.clip(np.rint(soft + grain), 0, 255).astype(np.uint8)
    return pixels


def turned_box(box: Box, *, degrees: float, width: int, height: int) -> Box:
    """Return the upright box around `box` after the page was turned by `scanned`."""
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    x, y, right, bottom = box.x, box.y, box.right, box.bottom
    corners = np.array([(x, y, 1), (right, y, 1), (x, bottom, 1), (right, bottom, 1)]) @ matrix.T
    low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    return Box(x=int(low[0]), y=int(low[1]), width=int(high[0] - low[0]), height=int(high[1] - low[1]))


def _turned(page: Canvas, degrees: float) -> Canvas:
    height, width = page.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turned = cv2.warpAffine(page, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.float32)
