"""Pictures of what is no number: blank paper, empty boxes, words, letters, signatures, noise, numbers struck out.

Every kind is drawn from a seed that no training uses. The hands are those of `chars74k_ink`, which the readers do not
learn from; without the folder of collections, digits are drawn from `examples`' forms, and there are no letters.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.fields import cheque_crops, cheque_paper
from examples.drawing.strokes import FORMS, curve_through
from model.ink import records
from model.line.composing import number_text, scribble, separator_strokes
from model.line.paper import blank, painted, scanned
from model.line.writing import LOOK_ALIKES, OTHER, Stroke, Writing

SEED: Final = 20_260_000
"""Trainings start from small seeds."""

Grey = NDArray[np.uint8]
Hand = dict[str, tuple[Stroke, ...]]
"""One person's signs, each one unit high or as high as it stands in a word; the line of writing is y = 1."""

WORDS: Final = (
    "Rupees", "Only", "Lakh", "Thousand", "Hundred", "Crore", "Total", "Amount", "Bank", "Cash", "Self", "Bearer",
    "Void", "Cancelled", "Account", "Payee", "Date", "March", "April", "August", "December", "Monday", "Friday", "None",
    "Nil", "Paid", "Draft", "Branch", "Manager", "Signature", "Name", "Street", "Madhu", "Ramesh", "Fatima", "Miller",
    "Jean", "Tokyo", "Madrid", "Bombay", "Kenya", "North", "Weight", "Height", "Female", "Male", "Yes", "Unknown",
    "absent", "mother", "tablet", "weekly", "refer", "done", "kg", "cm", "ditto", "See note", "not known", "and",
)  # fmt: skip

SMALL: Final = frozenset("acemnorsuvwxzgpqy")
BELOW: Final = frozenset("gpqy")

LOOK_ALIKE_KIND: Final = "look-alike letters"
"""Shape alone cannot tell an O from a 0: counted apart, and not among the rest."""


def kinds(data: Path | None, *, count: int, seed: int = SEED) -> Iterator[tuple[str, list[bytes]]]:
    """Yield each kind's name and PNG files: `count` of each that is drawn, and what the cheques hold."""
    hands = load_hands(data) if data else [drawn_hand()]
    draws: dict[str, Callable[[Generator], Grey]] = {
        "blank paper": blank,
        "empty boxes": empty_boxes,
        "noise": noise,
        "scribbles": lambda rng: painted(scribble(rng), rng),
        "signatures": lambda rng: painted(signature(rng), rng),
        "dashes and marks": lambda rng: painted(marks(rng), rng),
        "struck out": lambda rng: painted(struck_out(hands, rng), rng),
    }
    if data:
        draws |= {
            "words": lambda rng: painted(word(hands, rng), rng),
            "letters": lambda rng: painted(letter(hands, rng, alike=False), rng),
            LOOK_ALIKE_KIND: lambda rng: painted(letter(hands, rng, alike=True), rng),
        }
    for place, (kind, draw) in enumerate(draws.items()):
        yield kind, [_png(draw(np.random.default_rng((seed, place, number)))) for number in range(count)]
    if data:
        yield "paper of cheques", [_png(paper) for paper in cheque_paper(data, rng=np.random.default_rng(seed))]
        yield "names on cheques", [crop for _, crop in cheque_crops(data, "ReceiverName")]
        yield "print on cheques", [crop for _, crop in cheque_crops(data, "IssueBank")]


def load_hands(data: Path) -> list[Hand]:
    """Return the hands of `chars74k_ink`: letters and digits of each writer."""
    hands: dict[str, Hand] = {}
    for record in records(data / "chars74k_ink" / "chars.jsonl.gz"):
        strokes = [np.asarray(points, np.float32)[:, :2] for points in record["strokes"] if len(points)]
        hands.setdefault(record["writer"], {})[record["label"]] = _standing(strokes, record["label"])
    return list(hands.values())


def drawn_hand() -> Hand:
    """Return digits alone, as the examples draw them."""
    return {
        char: _standing([np.asarray(curve_through(np.array(spline)), np.float32) for spline in forms[0]], char)
        for char, forms in FORMS.items()
    }


def empty_boxes(rng: Generator) -> Grey:
    """Return printed boxes that nobody wrote in: a comb, or one box, on paper of some tone."""
    height, cells = int(rng.integers(20, 60)), int(rng.choice([1, 1, 4, 6, 8, 10]))
    pitch = int(height * rng.uniform(0.7, 1.3)) if cells > 1 else int(height * rng.uniform(1, 6))
    left, top = int(rng.integers(2, 20)), int(rng.integers(2, 14))
    shape = (height + 2 * top + int(rng.integers(0, 20)), cells * pitch + 2 * left + int(rng.integers(0, 60)))
    page = np.full(shape, rng.uniform(150, 250), np.uint8)
    level, thickness = float(page.mean() * rng.uniform(0.1, 0.8)), int(rng.integers(1, 4))
    for cell in range(cells):
        corner = (left + cell * pitch, top)
        cv2.rectangle(page, corner, (corner[0] + pitch, top + height), level, thickness)
        if cells in (6, 8) and rng.random() < 0.3:
            place = (corner[0] + pitch // 3, top + int(0.7 * height))
            cv2.putText(
                page, "DDMMYYYY"[cell], place, cv2.FONT_HERSHEY_SIMPLEX, height / 60, level + 30, 1, cv2.LINE_AA
            )
    return scanned(page.astype(np.float32), rng)


def noise(rng: Generator) -> Grey:
    """Return no writing at all: grains, specks, blots or stripes."""
    shape = (int(rng.integers(24, 100)), int(rng.integers(40, 400)))
    tone = rng.uniform(120, 245)
    kind = rng.integers(4)
    if kind == 0:
        page = tone + rng.normal(0, rng.uniform(3, 50), shape)
    elif kind == 1:
        page = np.where(rng.random(shape) < rng.uniform(0.002, 0.1), rng.uniform(0, 100), tone)
    elif kind == 2:
        grains = cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), float(rng.uniform(1, 6)))
        page = np.where(grains > rng.uniform(0.5, 2.5) * grains.std(), rng.uniform(20, 120), tone)
    else:
        wave = np.sin(np.arange(shape[1]) * rng.uniform(0.05, 1.5) + np.arange(shape[0])[:, None] * rng.uniform(-1, 1))
        page = tone + wave * rng.uniform(5, 80)
    return scanned(page.astype(np.float32), rng)


def signature(rng: Generator) -> Writing:
    """Return a signature's line: a high first loop, waves that grow smaller, and perhaps a line below."""
    length, loops = float(rng.uniform(2, 6)), float(rng.uniform(4, 14))
    t = np.linspace(0, 1, 160)
    height = rng.uniform(0.2, 0.5) + np.exp(-t * rng.uniform(3, 12)) * rng.uniform(0.3, 1)
    phase = 2 * np.pi * loops * t + rng.uniform(0, 6) + rng.uniform(0, 2) * np.sin(2 * np.pi * t * rng.uniform(1, 4))
    x = length * t + rng.uniform(0.1, 0.5) * np.cos(phase) * height
    y = (
        0.5
        + 0.5 * height * np.sin(phase)
        + rng.normal(0, 0.2) * t
        + 0.1 * np.sin(2 * np.pi * 3 * t + rng.uniform(0, 6))
    )
    strokes = [np.stack([x, y], axis=1).astype(np.float32)]
    if rng.random() < 0.5:
        strokes.append(
            np.array([(rng.uniform(0, 1), 1.2), (length * rng.uniform(0.6, 1.2), rng.uniform(0.9, 1.4))], np.float32)
        )
    return _at_origin(strokes)


def marks(rng: Generator) -> Writing:
    """Return one to four dashes, dots or signs, as in a field that is ruled out; no stroke that may be a 1."""
    char = str(rng.choice(list("-~=*#.,")))
    strokes: list[Stroke] = []
    x = 0.0
    for _ in range(int(rng.integers(1, 5))):
        lines, width = separator_strokes(char, rng)
        strokes += [line + np.array([x, 0], np.float32) for line in lines]
        x += width + float(rng.uniform(0.1, 0.6))
    return _at_origin(strokes)


def struck_out(hands: list[Hand], rng: Generator) -> Writing:
    """Return a number of two digits or more that its writer crossed out; a lone 7 may have a bar."""
    hand = _any(hands, rng)
    text = "".join(char for char in number_text(rng) if char in hand)
    text = text if len(text) > 1 else "50"
    strokes = _in_a_row(hand, text, rng)
    right = max(float(stroke[:, 0].max()) for stroke in strokes)
    return _at_origin(strokes + _strike(right, rng))


def word(hands: list[Hand], rng: Generator) -> Writing:
    """Return a word in one hand."""
    return _at_origin(_in_a_row(_any(hands, rng), str(rng.choice(WORDS)), rng))


def letter(hands: list[Hand], rng: Generator, *, alike: bool) -> Writing:
    """Return a single letter, one that looks like a digit or none of these."""
    hand = _any(hands, rng)
    chars = [char for char in hand if char.isalpha() and (char in LOOK_ALIKES) is alike]
    return _at_origin(list(hand[chars[int(rng.integers(len(chars)))]]))


def _strike(right: float, rng: Generator) -> list[Stroke]:
    """Return the lines that cross out what is `right` wide and one high."""
    kind = rng.integers(4)
    x = np.array([rng.uniform(-0.3, 0.05), right + rng.uniform(-0.05, 0.3)])
    if kind == 0:
        heights = [0.5] if rng.random() < 0.5 else [0.4, 0.62]
        lines = [np.stack([x, height + rng.normal(0, 0.06, 2)], axis=1) for height in heights]
    elif kind == 1:
        lines = [
            np.stack([x, np.array([0, 1]) + rng.normal(0, 0.05, 2)], axis=1),
            np.stack([x, np.array([1, 0]) + rng.normal(0, 0.05, 2)], axis=1),
        ]
    elif kind == 2:
        turns = np.linspace(x[0], x[1], max(4, int(right * rng.uniform(3, 8))))
        lines = [np.stack([turns, np.arange(len(turns)) % 2 + rng.normal(0, 0.08, len(turns))], axis=1)]
    else:
        starts = np.linspace(x[0], x[1], max(3, int(right * rng.uniform(3, 6))))
        lines = [
            np.array([(at, rng.normal(1, 0.05)), (at + rng.uniform(0.2, 0.6), rng.normal(0, 0.05))]) for at in starts
        ]
    return [np.asarray(line, np.float32) for line in lines]


def _in_a_row(hand: Hand, text: str, rng: Generator) -> list[Stroke]:
    strokes: list[Stroke] = []
    x, gap = 0.0, float(rng.normal(0.1, 0.06))
    for char in text:
        glyph = hand.get(char) or ()
        strokes += [stroke + np.array([x, 0], np.float32) for stroke in glyph]
        x += max((float(stroke[:, 0].max()) for stroke in glyph), default=0.4) + gap
    return strokes


def _standing(strokes: list[Stroke], char: str) -> tuple[Stroke, ...]:
    """Return a sign as high as it stands in a word, on the line or below it."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    height = 0.65 if char in SMALL else 1.0
    scale = (height + (0.35 if char in BELOW else 0.0)) / max(
        float(high[1] - low[1]), 0.3 * float(high[0] - low[0]), 1e-3
    )
    return tuple(((stroke - low) * scale + np.array([0, 1 - height])).astype(np.float32) for stroke in strokes)


def _at_origin(strokes: list[Stroke]) -> Writing:
    low = np.concatenate(strokes).min(axis=0)
    return Writing(OTHER, "", tuple(np.asarray(stroke - low, np.float32) for stroke in strokes))


def _any(hands: list[Hand], rng: Generator) -> Hand:
    return hands[int(rng.integers(len(hands)))]


def _png(pixels: Grey) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()
