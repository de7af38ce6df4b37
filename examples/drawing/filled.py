"""Forms of the kit, filled in: the PDF as pixels, with handwriting in its blanks; and paper that does not lie flat."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import pypdfium2
from numpy.typing import NDArray

from examples.drawing import paper
from examples.drawing.hand import Hand, Writing, write
from forms.automaton import Automaton
from forms.field_specs import FieldSpec
from forms.kit.layout import Blank, Layout
from forms.kit.lengths import string_of
from forms.kit.spec import possible_lengths

DPI = 200
PIXELS_IN_MM = DPI / 25.4

COMB_HEIGHT = (0.58, 0.8)
PLAIN_HEIGHT = (0.42, 0.62)
"""How much of a box's height digits take up."""

EMPTY_SHARE = 0.3
"""Of the fields that may be empty."""

Pixels = NDArray[np.uint8]

WriteLine = Callable[[str, float, float | None, np.random.Generator], Writing]
"""Writes digits of a height in pixels, at a pitch in pixels or with its own spacing."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who fills in a form: how they write, and the BGR of their ink."""

    write: WriteLine
    colour: tuple[int, int, int]


def by_hand(hand: Hand) -> Writer:
    """Return a drawn hand as a writer."""
    return Writer(
        lambda text, height, pitch, rng: write(text, height=height, hand=hand, rng=rng, pitch=pitch), hand.colour
    )


def print_pages(pdf: bytes) -> list[Pixels]:
    """Return the pages of a PDF as a printer puts them on paper: uint8 BGR at `DPI`."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [np.asarray(page.render(scale=DPI / 72).to_numpy(), np.uint8).copy() for page in document]
    finally:
        document.close()


def invent(layout: Layout, rng: np.random.Generator) -> dict[str, str]:
    """Return what to write in each field of a form: any string that it may hold, in some that may be empty nothing."""
    return {blank.asked.name: _text_for(blank, rng) for page in layout.pages for blank in page.blanks}


def _text_for(blank: Blank, rng: np.random.Generator) -> str:
    kind = blank.asked.written_type
    lengths, automaton = possible_lengths(kind), _automaton(kind)
    if blank.cells is not None and blank.cells in lengths:
        length = blank.cells
    else:
        fitting = [each for each in lengths if each <= min(blank.cells or 8, 8)] or [lengths[0]]
        length = int(rng.choice(fitting))
    text = string_of(automaton, length=length, choices=rng.random(length).tolist())
    left_out = not blank.asked.required and rng.random() < EMPTY_SHARE
    return "" if left_out else text or ""


@lru_cache(maxsize=256)
def _automaton(kind: FieldSpec) -> Automaton:
    return kind.automaton()


def fill_in(
    page: Pixels, blanks: Sequence[Blank], texts: Mapping[str, str], *, writer: Writer, rng: np.random.Generator
) -> Pixels:
    """Return a printed page with `texts` written in its blanks: uint8 BGR."""
    canvas = page.astype(np.float32)
    for blank in blanks:
        if text := texts.get(blank.asked.name):
            _write_in(canvas, blank, text, writer=writer, rng=rng)
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)


def _write_in(canvas: paper.Canvas, blank: Blank, text: str, *, writer: Writer, rng: np.random.Generator) -> None:
    box, scale = blank.box, PIXELS_IN_MM
    pitch = None if blank.cells is None else box.width * scale / blank.cells
    low, high = PLAIN_HEIGHT if pitch is None else COMB_HEIGHT
    height = box.height * scale * float(rng.uniform(low, high))
    if pitch is not None:
        # A narrow box is filled by its width.
        height = min(height, 1.15 * pitch)
    writing = writer.write(text, height, pitch, rng)
    if pitch is None and writing.ink.shape[1] > box.width * scale:
        writing = writer.write(text, height * 0.9 * box.width * scale / writing.ink.shape[1], pitch, rng)
    margin = (writing.ink.shape[0] - height) / 2
    room = 0.0 if pitch is not None else max(0.0, box.width * scale - writing.ink.shape[1] + 2 * margin)
    x = box.x * scale - margin + (rng.normal(0, 0.05 * pitch) if pitch else rng.uniform(0.15, 0.6) * room)
    y = (box.y + box.height / 2) * scale - writing.ink.shape[0] / 2 + rng.normal(0, 0.04) * box.height * scale
    paper.lay(canvas, writing, x=round(x), y=round(y), colour=writer.colour)


def bend(page: Pixels, *, depth_px: float, rng: np.random.Generator) -> Pixels:
    """Return the page as paper that is a little wavy: places move by up to `depth_px`, smoothly."""
    height, width = page.shape[:2]
    coarse = rng.normal(0, 1, (2, 4, 3)).astype(np.float32)
    moves = [cv2.resize(each, (width, height), interpolation=cv2.INTER_CUBIC) for each in coarse]
    most = max(float(np.abs(each).max()) for each in moves)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    share = np.float32(depth_px / max(most, 1e-6))
    bent = cv2.remap(
        page, xs + share * moves[0], ys + share * moves[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(bent, np.uint8)
