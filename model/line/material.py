"""What the line reader learns from: drawn fields and real ones, as the lines that it will see.

A sample is made from the seed, its epoch and its number alone, so that a training can be stopped and repeated.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from core.errors import InvalidRequest
from model import corpora, terms
from model.artifacts import DataSource
from model.line import pictures
from model.line.composing import beside, compose, in_cells, lone_marks, rupee_amount, scribble, struck_out, words
from model.line.paper import blank, empty_comb, in_comb, painted, painted_ink
from model.line.pictures import DIGIT_HEIGHT, DigitPictures, compose_pictures, load_pictures
from model.line.real import RealField, joined, load_cheques, load_meza, load_orand, loosely_cut, shaken, side_by_side
from model.line.writing import OTHER, SOURCES, InkCollection, load_ink
from segmentation.line import MAX_LINE_WIDTH, prepare_line

FRAME_COLUMNS: Final = 2
"""Columns of a line that one output of the network stands for."""


FULL: Final = "digits"
OPEN: Final = "digits-open"
STRINGS: Final = "strings"
ALL: Final = "digits-all"

RECIPES: Final = (FULL, OPEN, STRINGS, ALL, *corpora.FOLD_RECIPES)
"""Everything but what is held out; what may be used for anything; all but what stands on whole cheques; everything;
and as the first, with other fields held out.

The fourth is for networks that ship: its figures say nothing, those of one that learnt by the first do.
"""

CHEQUES: Final = (FULL, ALL, *corpora.FOLD_RECIPES)
"""Recipes that learn from whole cheques."""

CHEQUE_SHARE: Final = 0.1
RUPEE_SHARE: Final = 0.14
FRAMED_FREEDOM: Final = 0.2
DRAWN_SHARE: Final = 0.45
"""Of what is left; the rest are real strings."""

PICTURE_SHARE: Final = 0.2
"""Of what is drawn: numbers put together from pictures of digits."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A line and its text: digits, and `OTHER` for what is no number.

    Attributes:
        pixels: uint8, shape (32, width), ink bright on black.
        text: at least one sign.
    """

    pixels: NDArray[np.uint8]
    text: str


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What samples are made of; without real fields all are drawn.

    Attributes:
        ink: of what is drawn.
        orand: amounts of cheques.
        meza: cells of logbooks.
        cheques: amounts and dates with the print around them.
        rupees: whether amounts as on Indian cheques are drawn, too.
        pictures: single digits that numbers are put together from, besides those of `ink`.
    """

    ink: InkCollection
    orand: list[RealField]
    meza: list[RealField]
    cheques: list[RealField]
    rupees: bool = True
    pictures: DigitPictures | None = None


def load_ingredients(data: Path, *, recipe: str) -> Ingredients:
    """Return what the recipe learns from, out of the folder of collections.

    Raises:
        InvalidRequest: there is no such recipe, or a collection is missing.
    """
    check_collections(data, recipe=recipe)
    ink = load_ink(data, open_terms_only=recipe == OPEN)
    if recipe == OPEN:
        return Ingredients(ink, [], [], [])
    cheques = _real_fields(load_cheques, data, recipe) if recipe in CHEQUES else []
    orand, meza = _real_fields(load_orand, data, recipe), _real_fields(load_meza, data, recipe)
    return Ingredients(ink, orand, meza, cheques, rupees=recipe in CHEQUES, pictures=load_pictures(data))


def check_collections(data: Path, *, recipe: str) -> None:
    """Refuse what cannot be learnt from, before another process stumbles over it.

    Raises:
        InvalidRequest: there is no such recipe, or a collection is missing that it learns from or is measured on.
    """
    if recipe not in RECIPES:
        raise InvalidRequest(f"Line readers know no recipe {recipe!r}; they know: {', '.join(RECIPES)}.")
    needed = [f"{source.path}.jsonl.gz" for source in SOURCES if source.open_terms or recipe != OPEN]
    needed += ["orand_car_a/labels.csv", "meza_cells/labels.csv"]
    needed += ["idrbt_cheques/labels.csv"] if recipe in CHEQUES else []
    needed += list(pictures.FILES) if recipe != OPEN else []
    missing = [name for name in needed if not (data / name).is_file()]
    if missing:
        raise InvalidRequest(f"{data} is no folder of all collections: {missing[0]} is missing.")


def make_samples(ingredients: Ingredients, count: int, *, seed: tuple[int, ...]) -> list[Sample]:
    """Return `count` samples, the same ones for the same seed."""
    rng = np.random.default_rng(seed)
    samples: list[Sample] = []
    while len(samples) < count:
        sample = _sample(ingredients, rng)
        if sample is not None and fits(sample):
            samples.append(sample)
    return samples


def held_out(data: Path, *, recipe: str = FULL) -> dict[str, list[Sample]]:
    """Return the real strings that the recipe learns nothing from, by collection."""
    fold = corpora.fold_of(recipe)
    return {
        name: [Sample(prepare_line(field.pixels).pixels, field.text) for field in load(data, training=False, fold=fold)]
        for name, load in (("orand", load_orand), ("meza", load_meza))
    }


def described(data: Path, *, recipe: str) -> tuple[DataSource, ...]:
    """Return what a training learns from: of ink, the numbers, digits and words; of pictures, the fields."""
    open_terms_only = recipe == OPEN
    collections = {source.collection: source.terms for source in SOURCES if source.open_terms or not open_terms_only}
    sources = [
        DataSource(name, _writings(load_ink(data, open_terms_only=open_terms_only, collection=name)), stated)
        for name, stated in collections.items()
    ]
    if not open_terms_only:
        sources.append(DataSource("orand_car_a", len(_real_fields(load_orand, data, recipe)), terms.ORAND))
        sources.append(DataSource("meza_cells", len(_real_fields(load_meza, data, recipe)), terms.MEZA))
        sources += pictures.described(data)
    if recipe in CHEQUES:
        sources.append(DataSource("idrbt_cheques", len(_real_fields(load_cheques, data, recipe)), terms.IDRBT))
    return tuple(sources)


class _Loader(Protocol):
    """Loads the fields of a collection that are learnt from, or those held out."""

    def __call__(self, folder: Path, *, training: bool, fold: int) -> list[RealField]: ...


def _real_fields(load: _Loader, data: Path, recipe: str) -> list[RealField]:
    fold = corpora.fold_of(recipe)
    return load(data, training=True, fold=fold) + (load(data, training=False, fold=fold) if recipe == ALL else [])


def _writings(ink: InkCollection) -> int:
    digits = sum(len(glyphs) for writer in ink.digits.values() for glyphs in writer.values())
    return len(ink.numbers) + digits + len(ink.words)


def _sample(ingredients: Ingredients, rng: Generator) -> Sample | None:
    if ingredients.cheques and rng.random() < CHEQUE_SHARE:
        field = ingredients.cheques[rng.integers(len(ingredients.cheques))]
        again = shaken(loosely_cut(field, rng), rng, freedom=FRAMED_FREEDOM)
        return Sample(prepare_line(again.pixels).pixels, field.text)
    if ingredients.rupees and rng.random() < RUPEE_SHARE:
        writing = rupee_amount(ingredients.ink, rng)
        return Sample(prepare_line(painted(writing, rng, boxed_share=0.75)).pixels, writing.text)
    if not ingredients.orand or rng.random() < DRAWN_SHARE:
        return _drawn(ingredients, rng)
    return _real(ingredients, rng)


def _drawn(ingredients: Ingredients, rng: Generator) -> Sample:
    if ingredients.pictures is not None and rng.random() < PICTURE_SHARE:
        picture = compose_pictures(ingredients.pictures, rng)
        field = painted_ink(picture.ink, rng, digit_height=DIGIT_HEIGHT)
        return Sample(prepare_line(field).pixels, picture.text)
    ink = ingredients.ink
    kind = rng.random()
    if kind < 0.16:
        pitch = float(rng.uniform(0.7, 1.2))
        writing = in_cells(ink, rng, pitch=pitch)
        return Sample(prepare_line(in_comb(writing, rng, pitch=pitch)).pixels, writing.text)
    if kind < 0.26:
        return _no_number(ink, rng)
    if kind < 0.31:
        number, word = compose(ink, rng), words(ink, rng)
        writing = beside(number, word, rng) if rng.random() < 0.5 else beside(word, number, rng)
    elif kind < 0.55:
        whole = ink.numbers[rng.integers(len(ink.numbers))]
        writing = whole
    else:
        writing = compose(ink, rng)
    text = "".join(char for char in writing.text if char.isdigit() or char == OTHER)
    return Sample(prepare_line(painted(writing, rng)).pixels, text)


def _no_number(ink: InkCollection, rng: Generator) -> Sample:
    kind = rng.random()
    if kind < 0.14:
        return Sample(prepare_line(blank(rng)).pixels, OTHER)
    if kind < 0.2:
        return Sample(prepare_line(empty_comb(rng)).pixels, OTHER)
    if kind < 0.32:
        writing = lone_marks(rng)
    elif kind < 0.42:
        writing = scribble(rng)
    elif kind < 0.65:
        writing = struck_out(ink, rng)
    else:
        writing = words(ink, rng)
    return Sample(prepare_line(painted(writing, rng)).pixels, OTHER)


def _real(ingredients: Ingredients, rng: Generator) -> Sample | None:
    kind = rng.random()
    if kind < 0.3:
        field: RealField | None = ingredients.orand[rng.integers(len(ingredients.orand))]
    elif kind < 0.6:
        field = joined(ingredients.orand, rng)
    else:
        field = ingredients.meza[rng.integers(len(ingredients.meza))]
    if field is None:
        return None
    line = prepare_line(shaken(field, rng).pixels).pixels
    if kind < 0.93:
        return Sample(line, field.text)
    other = ingredients.meza[rng.integers(len(ingredients.meza))]
    return Sample(side_by_side(line, prepare_line(shaken(other, rng).pixels).pixels, rng), field.text + other.text)


def fits(sample: Sample) -> bool:
    """Return whether every sign, and a blank between equal ones, has a frame of its own with some room to spare."""
    width = sample.pixels.shape[1]
    repeats = sum(a == b for a, b in zip(sample.text, sample.text[1:], strict=False))
    return bool(sample.text) and width <= MAX_LINE_WIDTH and width // FRAME_COLUMNS >= len(sample.text) + repeats + 2
