"""Whole drawings with their truth: single fields, forms, cheques and pages of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from core.types import Box
from examples.drawing import paper
from examples.drawing.hand import Hand, draw_hand, write


class Background(StrEnum):
    """What a field is written on."""

    PLAIN = "plain"
    RULED = "ruled"
    BOXED = "boxed"
    COMB = "comb"
    SECURITY = "security"


@dataclass(frozen=True, slots=True)
class DrawnField:
    """A single field: uint8 BGR pixels, what was written, and each digit's box."""

    image: NDArray[np.uint8]
    text: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class WrittenNumber:
    """A number on a page: its label's name, what was written, and the box around its ink."""

    name: str
    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """A page: uint8 BGR pixels and the numbers on it from top to bottom."""

    image: NDArray[np.uint8]
    fields: tuple[WrittenNumber, ...]


FORM_LABELS = ("Household", "Meter reading", "Area in square metres", "Reference", "Persons", "Amount due")
COMB_CELLS = 6


def draw_field(text: str, *, seed: int, height: int = 72, background: Background | None = None) -> DrawnField:
    """Return `text` written by a random hand, tightly cropped as a form reader would hand it over.

    Args:
        text: digits only.
        seed: decides hand, ink, paper and noise.
        height: of a digit, in pixels.
        background: what it is written on; by chance when None.
    """
    rng = np.random.default_rng([seed, 1])
    kind = background or list(Background)[int(rng.integers(len(Background)))]
    hand = draw_hand(rng)
    pitch = 1.0 * height if kind is Background.COMB else None
    writing = write(text, height=height, hand=hand, rng=rng, pitch=pitch)
    page = paper.blank(writing.ink.shape[1], writing.ink.shape[0], rng=rng)
    _print_background(page, kind, len(text), height=height, rng=rng)
    boxes = paper.lay(page, writing, x=0, y=0, colour=hand.colour)
    return DrawnField(image=paper.scanned(page, rng=rng), text=text, boxes=boxes)


def draw_form(numbers: Sequence[str], *, seed: int, title: str = "Survey of households") -> DrawnPage:
    """Return a form with one labelled box a number, at most six."""
    rng = np.random.default_rng([seed, 2])
    hand = draw_hand(rng)
    page = paper.blank(1000, 260 + 150 * len(numbers), rng=rng)
    paper.label(page, title, x=70, y=60, size=40)
    paper.label(page, "Please write clearly and stay inside the boxes.", x=70, y=122, size=22)
    paper.rule(page, y=170, left=70, right=930, colour=paper.PRINT)
    fields = [
        _form_row(page, FORM_LABELS[row], text, y=210 + 150 * row, hand=hand, rng=rng)
        for row, text in enumerate(numbers)
    ]
    return _scan(page, fields, rng=rng)


def draw_cheque(amount: str, *, seed: int) -> DrawnPage:
    """Return a cheque whose amount box holds `amount`."""
    rng = np.random.default_rng([seed, 3])
    hand = draw_hand(rng)
    page = paper.blank(1200, 540, rng=rng)
    paper.security(page, rng=rng)
    paper.label(page, "Example Savings Bank", x=60, y=44, size=38)
    for y, words in ((170, "Pay"), (250, "the sum of"), (430, "Place"), (480, "")):
        paper.label(page, words, x=60, y=y - 30, size=24)
        paper.rule(page, y=y, left=60 if not words else 210, right=760, colour=paper.PRINT)
    paper.label(page, "Signature", x=900, y=470, size=20)
    paper.rule(page, y=462, left=840, right=1140, colour=paper.PRINT)
    box = Box(x=800, y=210, width=350, height=90)
    page[box.slices] += 6  # the amount's window is printed paler
    paper.frame(page, box)
    paper.label(page, "Amount", x=800, y=178, size=22)
    field = _write_in(page, "amount", amount, box=box, hand=hand, rng=rng)
    return _scan(page, [field], rng=rng)


def draw_ledger(numbers: Sequence[str], *, seed: int) -> DrawnPage:
    """Return a ruled page with a number in each line."""
    rng = np.random.default_rng([seed, 4])
    hand = draw_hand(rng)
    pitch = 110
    page = paper.blank(900, 220 + pitch * len(numbers), rng=rng)
    paper.label(page, "Day book", x=80, y=50, size=38)
    fields = []
    for row, text in enumerate(numbers):
        y = 240 + pitch * row
        paper.rule(page, y=y, left=60, right=840)
        line = Box(x=90 + int(rng.integers(0, 320)), y=y - 86, width=420, height=84)
        fields.append(_write_in(page, f"line_{row + 1}", text, box=line, hand=hand, rng=rng))
    return _scan(page, fields, rng=rng)


def _print_background(
    page: paper.Canvas, kind: Background, digits: int, *, height: int, rng: np.random.Generator
) -> None:
    rows, columns = page.shape[:2]
    margin = round(0.2 * height)
    if kind is Background.RULED:
        paper.rule(page, y=rows - round(0.3 * height), left=0, right=columns)
    elif kind is Background.BOXED:
        paper.frame(page, Box(margin, margin, columns - 2 * margin, rows - 2 * margin))
    elif kind is Background.COMB:
        left = round(0.4 * height)
        paper.comb(page, Box(left, margin, columns - 2 * left, rows - 2 * margin), cells=digits)
    elif kind is Background.SECURITY:
        paper.security(page, rng=rng)


def _form_row(
    page: paper.Canvas, name: str, text: str, *, y: int, hand: Hand, rng: np.random.Generator
) -> WrittenNumber:
    """Print a label and a box or comb, and write the number into it."""
    paper.label(page, name, x=70, y=y + 34, size=26)
    key = name.lower().replace(" ", "_")
    if rng.random() < 0.5 and len(text) <= COMB_CELLS:
        box = Box(x=440, y=y, width=80 * COMB_CELLS, height=100)
        paper.comb(page, box, cells=COMB_CELLS)
        return _write_in(page, key, text, box=box, hand=hand, rng=rng, pitch=80.0)
    box = Box(x=440, y=y, width=480, height=100)
    paper.frame(page, box)
    return _write_in(page, key, text, box=box, hand=hand, rng=rng)


def _write_in(
    page: paper.Canvas,
    name: str,
    text: str,
    *,
    box: Box,
    hand: Hand,
    rng: np.random.Generator,
    pitch: float | None = None,
) -> WrittenNumber:
    """Write into a box: at its left, a little off the middle; in a comb, one digit a cell."""
    height = 0.62 * box.height
    writing = write(text, height=height, hand=hand, rng=rng, pitch=pitch)
    margin = round(0.4 * height)
    x = box.x - margin + (0 if pitch else int(rng.integers(18, 40)))
    y = box.y + (box.height - writing.ink.shape[0]) // 2 + int(rng.integers(-4, 5))
    return WrittenNumber(name, text, _around(paper.lay(page, writing, x=x, y=y, colour=hand.colour)))


def _around(boxes: Sequence[Box]) -> Box:
    x, y = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    return Box(x=x, y=y, width=right - x, height=bottom - y)


def _scan(page: paper.Canvas, fields: Sequence[WrittenNumber], *, rng: np.random.Generator) -> DrawnPage:
    """Scan the page a little askew, and turn the truth with it."""
    skew = float(rng.uniform(-0.9, 0.9))
    height, width = page.shape[:2]
    turned = [
        WrittenNumber(field.name, field.text, paper.turned_box(field.box, degrees=skew, width=width, height=height))
        for field in fields
    ]
    return DrawnPage(image=paper.scanned(page, rng=rng, skew_degrees=skew), fields=tuple(turned))
