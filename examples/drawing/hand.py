"""A hand that writes: one person's slant, spacing, digit forms and pen, and the ink that it leaves."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box
from examples.drawing.strokes import FORMS, Curve, curve_through

SUPERSAMPLING = 4
"""Strokes are drawn this much larger and averaged down, as a scanner's sensor would."""

BOX_INK = 0.25
"""Ink above this share of full blackness counts for a digit's box."""

Ink = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Hand:
    """How one person writes. Lengths are shares of a digit's height.

    Attributes:
        slant: horizontal shift from foot to top.
        narrowness: width of the digits relative to the templates.
        gap: space between neighbours; negative makes them touch.
        unsteadiness: random shift of each point of a stroke.
        pen: width of the pen's line.
        forms: which form of each digit this person uses.
        colour: BGR of the ink, 0..255.
    """

    slant: float
    narrowness: float
    gap: float
    unsteadiness: float
    pen: float
    forms: dict[str, int]
    colour: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Writing:
    """Written digits: ink 0..1, shape (height, width), and each digit's box in it."""

    ink: Ink
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Stroke:
    """A pen's path: points in pixels, shape (n, 2), and the line's width at each."""

    points: Curve
    widths: NDArray[np.float64]


INKS: tuple[tuple[int, int, int], ...] = ((38, 30, 28), (122, 58, 26), (92, 36, 22), (60, 54, 50), (150, 70, 34))
"""BGR: black gel, blue ballpoint, dark blue, pencil-like grey, light blue."""


CRAMPED_SHARE = 0.15
"""Share of hands whose neighbouring digits often touch."""


def draw_hand(rng: np.random.Generator) -> Hand:
    """Return a random person's hand."""
    cramped = rng.random() < CRAMPED_SHARE
    return Hand(
        slant=float(rng.normal(0.1, 0.12)),
        narrowness=float(rng.uniform(0.85, 1.15)),
        gap=float(rng.uniform(-0.05, 0.03) if cramped else rng.uniform(0.1, 0.26)),
        unsteadiness=float(rng.uniform(0.008, 0.022)),
        pen=float(rng.uniform(0.06, 0.1)),
        forms={digit: int(rng.integers(len(forms))) for digit, forms in FORMS.items()},
        colour=INKS[int(rng.integers(len(INKS)))],
    )


def write(text: str, *, height: float, hand: Hand, rng: np.random.Generator, pitch: float | None = None) -> Writing:
    """Return the digits of `text` written by `hand`, about `height` pixels tall.

    Args:
        text: digits only.
        height: of a digit, in pixels.
        hand: whose writing.
        rng: the chances of this one line.
        pitch: pixels from one digit's centre to the next, for combs; else the hand's own spacing.
    """
    digits = (_digit_strokes(char, height=height, hand=hand, rng=rng) for char in text)
    return set_line(digits, height=height, gap=hand.gap, rng=rng, pitch=pitch)


def set_line(
    digits: Iterable[list[Stroke]],
    *,
    height: float,
    gap: float,
    rng: np.random.Generator,
    pitch: float | None = None,
) -> Writing:
    """Return digits set side by side on a line.

    Args:
        digits: the strokes of each, its top left near the origin; asked for one after the other.
        height: of a digit, in pixels.
        gap: between neighbours, in heights.
        rng: the chances of this one line.
        pitch: pixels from one digit's centre to the next, for combs; else `gap` parts them.
    """
    margin = 0.4 * height
    placed: list[list[Stroke]] = []
    cursor = margin
    for place, strokes in enumerate(digits):
        left, right = _extent(strokes)
        shift = cursor - left if pitch is None else margin + (place + 0.5) * pitch - (left + right) / 2
        offset = np.array([shift, margin + rng.normal(0, 0.03) * height])
        placed.append([Stroke(stroke.points + offset, stroke.widths) for stroke in strokes])
        cursor = shift + right + height * (gap + rng.normal(0, 0.04))
    width = cursor + margin if pitch is None else 2 * margin + len(placed) * pitch
    shape = (round(height + 2 * margin), round(width))
    layers = [_ink_of(strokes, shape) for strokes in placed]
    return Writing(ink=_with_flow(np.maximum.reduce(layers), rng), boxes=tuple(_box_of(layer) for layer in layers))


def _digit_strokes(char: str, *, height: float, hand: Hand, rng: np.random.Generator) -> list[Stroke]:
    """One digit's strokes in pixels, its top left near the origin, each time a little different."""
    size = height * rng.uniform(0.9, 1.06)
    turn = rng.normal(0, 0.04)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    drift = rng.normal(0, hand.unsteadiness, 2)
    strokes = []
    for spline in FORMS[char][_form(char, hand, rng)]:
        points = np.array(spline) + rng.normal(0, hand.unsteadiness, (len(spline), 2)) + drift
        points[:, 0] *= hand.narrowness
        points[:, 0] += hand.slant * (1 - points[:, 1])
        curve = curve_through(points @ rotation.T * size)
        strokes.append(Stroke(curve, pen_widths(len(curve), hand.pen * height, rng)))
    return strokes


def _form(char: str, hand: Hand, rng: np.random.Generator) -> int:
    """The form that this person usually writes, sometimes another."""
    return hand.forms[char] if rng.random() < 0.9 else int(rng.integers(len(FORMS[char])))


def pen_widths(count: int, width: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """The line's width along a stroke: slow changes, thinner where the pen lands and leaves."""
    knots = rng.normal(1.0, 0.13, 5)
    along = np.interp(np.linspace(0, 4, count), np.arange(5), knots)
    ends = np.minimum(1.0, 0.75 + 3.0 * np.minimum(np.linspace(0, 1, count), np.linspace(1, 0, count)))
    pressure: NDArray[np.float64] = width * np.clip(along, 0.7, 1.4) * ends
    return pressure


def _extent(strokes: list[Stroke]) -> tuple[float, float]:
    return (
        min(float((s.points[:, 0] - s.widths / 2).min()) for s in strokes),
        max(float((s.points[:, 0] + s.widths / 2).max()) for s in strokes),
    )


def _ink_of(strokes: list[Stroke], shape: tuple[int, int]) -> Ink:
    """Draw strokes as overlapping lines with round ends, and average down."""
    height, width = shape
    large = np.zeros((height * SUPERSAMPLING, width * SUPERSAMPLING), np.uint8)
    for stroke in strokes:
        points = np.rint(stroke.points * SUPERSAMPLING).astype(int)
        for start, end, line in zip(points[:-1], points[1:], stroke.widths, strict=False):
            thickness = max(1, round(float(line) * SUPERSAMPLING))
            cv2.line(large, start.tolist(), end.tolist(), 255, thickness)
    small = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    ink: Ink = (small / 255).astype(np.float32)
    return ink


def _with_flow(ink: Ink, rng: np.random.Generator) -> Ink:
    """Ink never flows evenly: patches of a few pixels are lighter."""
    coarse = rng.uniform(0.72, 1.0, (max(2, ink.shape[0] // 5), max(2, ink.shape[1] // 5))).astype(np.float32)
    flow = cv2.resize(coarse, (ink.shape[1], ink.shape[0]), interpolation=cv2.INTER_CUBIC)
    uneven: Ink = np.clip(ink * flow, 0, 1).astype(np.float32)
    return uneven


def _box_of(ink: Ink) -> Box:
    rows, columns = np.nonzero(ink > BOX_INK)
    x, y = int(columns.min()), int(rows.min())
    return Box(x=x, y=y, width=int(columns.max()) - x + 1, height=int(rows.max()) - y + 1)
