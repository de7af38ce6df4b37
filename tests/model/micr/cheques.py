"""Whole cheques with a MICR line, drawn while the tests run: any scale, turn and wear, with the truth beside."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from core.types import Page
from model.micr.drawing import laid
from model.micr.glyphs import MODULES_HIGH, PITCH_MODULES, line_of
from segmentation.micr_strip import BandLine

CTS = "⑈{cheque_number}⑈ {routing}⑆ {account}⑈ {transaction_code}"
US = "⑆{routing}⑆ {account}⑈ {cheque_number}"
BUSINESS = "⑈{cheque_number}⑈ ⑆{routing}⑆ {account}⑈"
WITH_AMOUNT = US + "   ⑇{amount}⑇"

PITCHES_ACROSS = 64
"""Cheques are eight inches wide."""


@dataclass(frozen=True)
class Wear:
    """What happened to a cheque: blur and noise in pixels and grey levels, and what was put on it."""

    degrees: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    quality: int = 0
    ink: float = 0.9
    signature: bool = False
    stamp: bool = False
    security: bool = False
    broken: bool = False
    fat: bool = False


def cheque(text: str, *, width: int = 2400, wear: Wear | None = None, seed: int = 0) -> Page:
    """Return a cheque with `text` as its MICR line, a cell a character."""
    worn, rng = wear or Wear(), np.random.default_rng(seed)
    shape = (round(0.45 * width), width)
    pitch = width / PITCHES_ACROSS
    page = np.full(shape, 238.0, np.float32)
    if worn.security:
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        page -= 22 * np.clip(np.sin(2 * np.pi * (y + 0.2 * pitch * np.sin(x / pitch)) / (0.3 * pitch)), 0, 1)
    _print(page, pitch)
    line = micr_line(text, width=width, degrees=worn.degrees)
    page *= 1 - worn.ink * laid(_printed(text, worn, rng), line, shape)
    if worn.signature:
        _sign(page, rng, line)
    if worn.stamp:
        cv2.circle(
            page, (width // 2, round(line.y - pitch)), round(3 * pitch), float(page.mean() * 0.6), round(0.12 * pitch)
        )
    return Page(0, _scanned(page, worn, rng))


def micr_line(text: str, *, width: int, degrees: float = 0.0) -> BandLine:
    """Return where the cheque's line lies: it starts at a tenth of the width, near the lower edge."""
    pitch = width / PITCHES_ACROSS
    return BandLine(0.1 * width, 0.41 * width, degrees, MODULES_HIGH / PITCH_MODULES * pitch, pitch, len(text) * pitch)


def _print(page: NDArray[np.float32], pitch: float) -> None:
    """Print what cheques have: a bank's name, lines to write on, a box, and handwriting on them."""
    height, width = page.shape
    thin, thick = max(1, round(pitch / 20)), max(1, round(pitch / 9))
    words = np.zeros(page.shape, np.uint8)
    font = cv2.FONT_HERSHEY_SIMPLEX
    for place, size, said, thickness in (
        ((0.04, 0.12), 1.4, "FIRST BANK OF SAMPLES", thick),
        ((0.04, 0.2), 0.7, "12 Market Street, Sampletown 560001", thin),
        ((0.04, 0.36), 0.8, "Pay", thin),
        ((0.7, 0.12), 0.9, "0 3 0 1 2 0 1 6", thin),
        ((0.78, 0.52), 1.1, "42,020/-", thick),
        ((0.2, 0.35), 1.2, "Asha Sample", thick),
        ((0.04, 0.7), 0.9, "A/c No. 30002010108841", thin),
    ):
        corner = round(place[0] * width), round(place[1] * height)
        cv2.putText(words, said, corner, font, size * pitch / 30, 255, thickness)
    page *= 1 - np.float32(0.8 / 255) * words
    for row in (0.38, 0.55):
        cv2.line(
            page, (round(0.1 * width), round(row * height)), (round(0.7 * width), round(row * height)), 120.0, thin
        )
    corners = (round(0.75 * width), round(0.43 * height)), (round(0.97 * width), round(0.57 * height))
    cv2.rectangle(page, *corners, 90.0, thin)


def _printed(text: str, wear: Wear, rng: Generator) -> NDArray[np.float32]:
    ink = line_of(text)
    if wear.fat:
        ink = np.asarray(cv2.dilate(ink, np.ones((7, 7), np.uint8)), np.uint8)
    coverage = ink.astype(np.float32) / 255
    if wear.broken:
        coarse = rng.normal(0, 1, (coverage.shape[0] // 10, coverage.shape[1] // 10)).astype(np.float32)
        coverage *= cv2.resize(coarse, coverage.shape[::-1]) < 1.5
    return coverage


def _sign(page: NDArray[np.float32], rng: Generator, line: BandLine) -> None:
    """Sign the cheque so that the pen runs across the right half of its MICR line."""
    across = np.linspace(0.25, 0.9, 60)
    down = 1.6 * np.sin(np.linspace(0, 11, 60)) - 0.6 + rng.normal(0, 0.1, 60)
    points = np.stack([line.x + across * line.length, line.y + down * line.height], axis=1)
    shape = np.round(points).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(page, [shape], False, 70.0, max(1, round(line.height / 14)), cv2.LINE_AA)


def _scanned(page: NDArray[np.float32], wear: Wear, rng: Generator) -> NDArray[np.uint8]:
    if wear.blur:
        page = np.asarray(cv2.GaussianBlur(page, (0, 0), wear.blur), np.float32)
    pixels = np.clip(page + rng.normal(0, wear.noise or 1e-3, page.shape), 0, 255).astype(np.uint8)
    if wear.quality:
        coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, wear.quality])[1]
        pixels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return pixels
