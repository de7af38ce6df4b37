"""Ink of no collection: digits drawn after `model.line.shapes` by hands that chance makes up.

Where no collection is at hand, it is what a line reader is reminded of what it knows with. It is no substitute for
real writing, and a training from it alone would read little.
"""

from typing import Final

import numpy as np
from numpy.random import Generator

from model.line.composing import compose, scribble
from model.line.shapes import FORMS, curve_through
from model.line.writing import InkCollection, Stroke, Writing, scaled

SEED: Final = 31
HANDS: Final = 60
WRITINGS: Final = 4
"""Of each digit by each hand."""

NUMBERS: Final = 300
SCRIBBLES: Final = 80


def own_ink(seed: int = SEED) -> InkCollection:
    """Return the ink; with the same seed it is the same every time, with another by other hands."""
    rng = np.random.default_rng(seed)
    digits = {f"hand {number}": _hand(rng, name=f"hand {number}") for number in range(HANDS)}
    alone = InkCollection((), digits, ())
    numbers = tuple(compose(alone, rng) for _ in range(NUMBERS))
    return InkCollection(numbers, digits, tuple(scribble(rng) for _ in range(SCRIBBLES)))


def _hand(rng: Generator, *, name: str) -> dict[str, list[Writing]]:
    """Return one person's digits, each in the form that this person writes it in."""
    slant, narrowness, unsteadiness = rng.normal(0.1, 0.15), rng.uniform(0.8, 1.2), rng.uniform(0.008, 0.03)
    hand: dict[str, list[Writing]] = {}
    for digit, forms in FORMS.items():
        form = forms[int(rng.integers(len(forms)))]
        hand[digit] = []
        for _ in range(WRITINGS):
            turn = rng.normal(0, 0.05)
            rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            strokes: list[Stroke] = []
            for spline in form:
                points = np.array(spline) + rng.normal(0, unsteadiness, (len(spline), 2))
                points[:, 0] = points[:, 0] * narrowness + slant * (1 - points[:, 1])
                strokes.append((curve_through(points, steps=8) @ rotation.T).astype(np.float32))
            hand[digit].append(scaled(digit, name, strokes))
    return hand
