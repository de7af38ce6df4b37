"""Whole fields in ordinary type: a loose box of a form with its label, frame, number, and what else is printed there.

Nothing is learnt from them: they show how well numbers are found, and what a confidence is worth.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from model.line.paper import Float, scanned
from model.printed.fonts import Font
from model.printed.lettering import Inked, any_setting, set_line, worn
from model.printed.scenes import any_height, framed, lay_ink, paper
from model.printed.texts import LABELS, digits, words

GROUPED: Final = 0.15
"""Share of numbers that are printed in groups."""

INK: Final = (0.7, 0.95)
"""How much darker than paper a number is printed that somebody relies on; wear takes some of it away."""

TIGHT: Final = 0.12
LOOSE: Final = 0.7
"""Heights of paper between a number and its frame."""


@dataclass(frozen=True, slots=True)
class DrawnField:
    """A field.

    Attributes:
        pixels: uint8 grey, dark ink on lighter paper.
        text: its number's digits.
    """

    pixels: NDArray[np.uint8]
    text: str


def drawn_field(rng: Generator, fonts: tuple[Font, ...], *, lengths: tuple[int, int]) -> DrawnField:
    """Return a field with a number of so many digits, at the least and at the most."""
    height = any_height(rng)
    text = digits(rng, int(rng.integers(lengths[0], lengths[1] + 1)))
    inked = worn(set_line(_printed(text, rng), any_setting(rng, fonts, height=height), rng), rng)
    return DrawnField(_on_form(inked, rng, fonts), text)


def _printed(text: str, rng: Generator) -> str:
    if rng.random() >= GROUPED:
        return text
    size, sign = int(rng.integers(3, 6)), str(rng.choice([" ", "-"]))
    return sign.join(text[start : start + size] for start in range(0, len(text), size))


def _on_form(inked: Inked, rng: Generator, fonts: tuple[Font, ...]) -> NDArray[np.uint8]:
    height, length = inked.height, inked.right - inked.left
    left, right = rng.uniform(0.6, 3.0) * height, rng.uniform(0.6, 9.0) * height
    above, below = rng.uniform(0.6, 2.2, 2) * height
    label = _label(rng, fonts, height=height) if rng.random() < 0.7 else None
    if label is not None:
        left += label.right - label.left + rng.uniform(1.4, 5) * height
    shape = round(above + height + below), round(left + length + right)
    page = paper(shape, rng, fonts, height=height)
    if label is not None:
        at = rng.uniform(0.3, 1.0) * height, above + 0.5 * (height - label.height) + rng.normal(0, 0.2) * height
        lay_ink(page, label, at=at, strength=rng.uniform(0.5, 0.95))
    if rng.random() < 0.6:
        up, down = rng.uniform(TIGHT, LOOSE, 2) * height
        sides = (0.25 * height, above - up, left + length + 0.6 * right, above + height + down)
        level = float(page.mean() * rng.uniform(0.05, 0.75))
        framed(page, sides, level=level, thickness=max(1, round(height * rng.uniform(0.03, 0.1))))
    if rng.random() < 0.4:
        _line_below(page, rng, fonts, top=above + height, height=height)
    lay_ink(page, inked, at=(left, above), strength=rng.uniform(*INK))
    return scanned(page, rng)


def _label(rng: Generator, fonts: tuple[Font, ...], *, height: float) -> Inked:
    setting = any_setting(rng, fonts, height=height * float(rng.uniform(0.5, 1.1)))
    return set_line(str(rng.choice(LABELS)), replace(setting, turn=0.0, dance=0.0, tracking=0.0), rng)


def _line_below(page: Float, rng: Generator, fonts: tuple[Font, ...], *, top: float, height: float) -> None:
    """Print words below the number, and a number too short to be it now and then."""
    text = words(rng) if rng.random() < 0.6 else f"{words(rng)}   {digits(rng, int(rng.integers(2, 7)))}"
    setting = any_setting(rng, fonts, height=height * float(rng.uniform(0.5, 0.95)))
    inked = set_line(text, replace(setting, turn=0.0, dance=0.0), rng)
    at = rng.uniform(0, 0.4) * page.shape[1], top + rng.uniform(0.5, 1.2) * height
    lay_ink(page, inked, at=at, strength=rng.uniform(0.4, 0.95))
