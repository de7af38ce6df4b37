"""What holds no digits, or more than were asked for, is never accepted, however sure the network is of its glyphs."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.settings import Settings
from core.types import Box, FieldReading, Page
from examples.drawing import paper
from tests import factories
from worker.pipeline import Reader, ReadRequest

SEEDS = 25
WORDS = ("paid", "void", "none", "see note", "amount", "Total", "Date", "Name", "cash", "euro", "Signature", "thanks")
PEN = (60, 40, 40)

Draw = Callable[[np.random.Generator], NDArray[np.uint8]]


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load(Settings())


def sheet(rng: np.random.Generator) -> paper.Canvas:
    return paper.blank(int(rng.integers(200, 520)), int(rng.integers(70, 130)), rng=rng)


def blank(rng: np.random.Generator) -> NDArray[np.uint8]:
    return paper.scanned(sheet(rng), rng=rng)


def ruled(rng: np.random.Generator) -> NDArray[np.uint8]:
    page = sheet(rng)
    height, width = page.shape[:2]
    margin = int(width * rng.choice([0, 0.1]))
    y, thickness = int(height * rng.uniform(0.5, 0.9)), int(rng.integers(1, 4))
    paper.rule(page, y=y, left=margin, right=width - margin, colour=paper.PRINT, thickness=thickness)
    return paper.scanned(page, rng=rng, skew_degrees=float(rng.uniform(-3, 3)))


def boxed(rng: np.random.Generator) -> NDArray[np.uint8]:
    page = sheet(rng)
    height, width = page.shape[:2]
    margin = int(rng.integers(4, 14))
    box = Box(margin, margin, width - 2 * margin, height - 2 * margin)
    paper.frame(page, box, thickness=int(rng.integers(1, 4)))
    return paper.scanned(page, rng=rng, skew_degrees=float(rng.uniform(-1.5, 1.5)))


def comb(rng: np.random.Generator) -> NDArray[np.uint8]:
    page = sheet(rng)
    height, width = page.shape[:2]
    paper.comb(page, Box(8, 8, width - 16, height - 16), cells=int(rng.integers(3, 8)))
    return paper.scanned(page, rng=rng, skew_degrees=float(rng.uniform(-1, 1)))


def dash(rng: np.random.Generator) -> NDArray[np.uint8]:
    return strokes(rng, count=1, length=float(rng.uniform(20, 90)))


def equals_sign(rng: np.random.Generator) -> NDArray[np.uint8]:
    return strokes(rng, count=2, length=float(rng.uniform(25, 70)))


def strike_through(rng: np.random.Generator) -> NDArray[np.uint8]:
    page = sheet(rng)
    height, width = page.shape[:2]
    start = (int(width * rng.uniform(0.03, 0.2)), int(height * rng.uniform(0.3, 0.9)))
    end = (int(width * rng.uniform(0.8, 0.97)), int(height * rng.uniform(0.1, 0.7)))
    cv2.line(page, start, end, PEN, int(rng.integers(3, 7)), cv2.LINE_AA)
    return paper.scanned(page, rng=rng)


def word(rng: np.random.Generator) -> NDArray[np.uint8]:
    page = paper.blank(360, 90, rng=rng)
    paper.label(page, str(rng.choice(WORDS)), x=40, y=25, size=int(rng.integers(26, 44)))
    return paper.scanned(page, rng=rng)


def strokes(rng: np.random.Generator, *, count: int, length: float) -> NDArray[np.uint8]:
    """Draw level strokes below each other, each a little different."""
    page = sheet(rng)
    height, width = page.shape[:2]
    x, y = width * rng.uniform(0.2, 0.5), height * rng.uniform(0.35, 0.5)
    for place in range(count):
        level = y + 0.15 * place * height
        end = (int(x + length), int(level + rng.uniform(-4, 4)))
        cv2.line(page, (int(x + rng.uniform(-3, 3)), int(level)), end, PEN, int(rng.integers(3, 8)), cv2.LINE_AA)
    return paper.scanned(page, rng=rng)


def read(reader: Reader, pixels: NDArray[np.uint8], type_name: str | None) -> tuple[FieldReading, ...]:
    return reader.read_pixels(Page(index=0, pixels=pixels), request=ReadRequest(type_name)).fields


@pytest.mark.parametrize("type_name", ["digits", "digit", None])
@pytest.mark.parametrize("draw", [blank, ruled, boxed, comb, dash, equals_sign, strike_through, word])
def test_what_holds_no_digits_is_not_accepted(reader: Reader, draw: Draw, type_name: str | None) -> None:
    drawn = [draw(np.random.default_rng([seed, 9])) for seed in range(SEEDS)]
    readings = [field for pixels in drawn for field in read(reader, pixels, type_name)]
    assert [(field.text, field.confidence) for field in readings if field.accepted] == []
    assert type_name is None or len(readings) == SEEDS


@pytest.mark.parametrize("text", ["42", "12", "907"])
def test_several_digits_are_not_accepted_as_one(reader: Reader, text: str) -> None:
    fields = [read(reader, factories.field(text, seed=seed).image, "digit")[0] for seed in range(SEEDS)]
    assert all(len(field.text) <= 1 for field in fields)
    assert [(field.text, field.confidence) for field in fields if field.accepted] == []


def test_a_printed_word_is_not_accepted_as_one_digit(reader: Reader) -> None:
    for seed in range(SEEDS):
        rng = np.random.default_rng([seed, 11])
        page = paper.blank(200, 90, rng=rng)
        paper.label(page, "IOU", x=40, y=25, size=int(rng.integers(26, 44)))
        assert not read(reader, paper.scanned(page, rng=rng), "digit")[0].accepted


def test_a_lone_stroke_on_a_page_is_not_accepted(reader: Reader) -> None:
    fields: list[FieldReading] = []
    for seed in range(SEEDS):
        rng = np.random.default_rng([seed, 13])
        page = paper.blank(500, 400, rng=rng)
        x = int(rng.integers(150, 350))
        cv2.line(page, (x, 150), (x + int(rng.integers(-9, 3)), 215), PEN, int(rng.integers(3, 7)), cv2.LINE_AA)
        fields += read(reader, paper.scanned(page, rng=rng), None)
    assert not any(field.accepted for field in fields)
    # Not because nothing is ever found: a number is.
    assert read(reader, factories.field("417", seed=1).image, None)[0].text == "417"
