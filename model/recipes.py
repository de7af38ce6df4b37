"""Recipes by name: which collections a training learns from, and in which shares.

`plain` learns from one file or folder that the caller names, `mnist` from MNIST's training images alone. `digits`
makes the network that ships, `digits-easy` the same without hard negatives, to see what they are worth; `digits-open`
makes one from collections alone whose stated terms allow any use. `micr` draws all that the MICR network learns from.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest
from model import corpora, terms
from model.corpora import LabelledBox
from model.datasets import Samples, check_every_class, load_samples, normalised
from model.ink import InkGlyph, drawn, pendigits, unipen_digits, unipen_letters
from model.line.composing import compose
from model.line.paper import painted_field
from model.line.writing import InkCollection, load_ink
from model.material import DIGITS, GARBAGE, Material, Source, split
from model.micr.material import micr_material
from model.mining import mine_boxes, mine_drawings, mine_texts
from model.recogniser import Recogniser
from segmentation.normalise import NORMALISATION_VERSION

NO_DIGITS = frozenset("AEFHKMNPRWXhkmnrwx&@#%*?")
"""Letters and symbols that no hand makes look like a digit."""


OPEN_PENS = 3
"""Drawings of one digit in `digits-open`, which has no other glyphs in such numbers."""

DRAWN_FIELDS = 5_000

MINED_GARBAGE = "orand-garbage"
"""What the reader's own segmentation cuts out of real strings and is no digit: the hard negatives."""

OPEN_INK_TERMS = f"drawn from UNIPEN and pendigits ({terms.UNIPEN}; {terms.UCI})"


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What a recipe is given.

    Attributes:
        data: a file or folder; None asks Keras for MNIST.
        seed: of the split and of everything drawn.
        limit: at most as many glyphs or strings of a source, for a quick try.
        teacher: folder of an artifact that finds the digits in pictures of which only the text is known.
    """

    data: Path | None
    seed: int
    limit: int | None = None
    teacher: Path | None = None


def prepare(recipe: str, ingredients: Ingredients) -> Material:
    """Return what `recipe` learns from.

    Raises:
        InvalidRequest: no recipe has that name, or it finds no data.
    """
    if recipe not in RECIPES:
        raise InvalidRequest(f"There is no recipe {recipe!r}; there is: {', '.join(RECIPES)}.")
    return RECIPES[recipe](ingredients)


def _plain(given: Ingredients) -> Material:
    """Return the collection at `data`, a fifth of it held out; the classes are the collection's."""
    loaded = load_samples(given.data, split="train")
    name, stated = (given.data.name, "the caller's") if given.data else ("mnist", terms.MNIST)
    check_every_class(loaded, name)
    samples = _some(loaded, given)
    check_every_class(samples, f"{name}, limited to {len(samples)},")
    return split(samples.classes, [Source(name, normalised(samples), stated)], share=0.2, seed=given.seed)


def _mnist(given: Ingredients) -> Material:
    """Return MNIST's training images alone, a twentieth of them held out."""
    samples = _some(load_samples(given.data, split="train"), given)
    return split(DIGITS, [Source("mnist", normalised(samples), terms.MNIST)], share=0.05, seed=given.seed)


def _digits(given: Ingredients, *, hard_negatives: bool = True, fold: int = corpora.LAST_FOLD) -> Material:
    """Return what the shipped network learns from, a twentieth of it held out.

    Args:
        given: ingredients.
        hard_negatives: whether the lattices' wrong cuts are among it; without them only letters are garbage.
        fold: of the real strings, held out.

    Raises:
        InvalidRequest: the folder of collections is not named.
    """
    folder = _folder(given)
    sources = [*_scanned(folder, given), *_inked(folder, given), *_mined(folder, given, fold=fold)]
    learnt = [source for source in sources if hard_negatives or source.name != MINED_GARBAGE]
    return split((*DIGITS, GARBAGE), learnt, share=0.05, seed=given.seed)


def _digits_open(given: Ingredients) -> Material:
    """Return what may be learnt from for any use, a twentieth of it held out.

    MNIST has no formal licence and Meza states no terms; ORAND and the rest are for research. Fields drawn from ink
    stand in for the real strings.

    Raises:
        InvalidRequest: the folder of collections is not named.
    """
    folder = _folder(given)
    sources = [_optdigits(folder, given), *_inked(folder, given, pens=OPEN_PENS), *_mined_drawings(folder, given)]
    return split((*DIGITS, GARBAGE), sources, share=0.05, seed=given.seed)


def _micr(given: Ingredients) -> Material:
    """Return windows of drawn MICR lines; `limit` counts lines."""
    return micr_material(seed=given.seed, limit=given.limit)


def _folder(given: Ingredients) -> Path:
    if given.data is None:
        raise InvalidRequest("This recipe needs the folder of collections; name it.")
    return given.data


def _scanned(folder: Path, given: Ingredients) -> list[Source]:
    mnist = _some(corpora.mnist(folder, split="train"), given)
    return [Source("mnist", mnist, terms.MNIST, per_epoch=min(40_000, len(mnist))), _optdigits(folder, given)]


def _optdigits(folder: Path, given: Ingredients) -> Source:
    samples = _some(corpora.optdigits(folder, split="train"), given)
    return Source("optdigits", samples, terms.UCI, per_epoch=min(4_000, 2 * len(samples)))


def _inked(folder: Path, given: Ingredients, *, pens: int = 1) -> list[Source]:
    """Return the online ink, each digit drawn with so many pens; letters are garbage."""
    letters = [glyph for glyph in unipen_letters(folder) if glyph.label in NO_DIGITS][: given.limit]
    garbage = drawn(letters, [len(DIGITS)] * len(letters), seed=given.seed)
    return [
        Source("unipen-digits", _drawn_digits(unipen_digits(folder), given, pens=pens), terms.UNIPEN, rounds=pens),
        Source("pendigits", _drawn_digits(pendigits(folder), given, pens=pens), terms.UCI, rounds=pens),
        Source("unipen-letters", garbage, terms.UNIPEN, per_epoch=min(3_000, len(garbage))),
    ]


def _drawn_digits(glyphs: list[InkGlyph], given: Ingredients, *, pens: int) -> Samples:
    order = np.random.default_rng(given.seed).permutation(len(glyphs))[: given.limit]
    chosen = [glyphs[index] for index in order] * pens
    return drawn(chosen, [int(glyph.label) for glyph in chosen], seed=given.seed)


def _mined(folder: Path, given: Ingredients, *, fold: int) -> list[Source]:
    """Return the digits and the garbage of real strings; Meza's only where a teacher finds them."""
    orand = mine_boxes(corpora.orand_strings(folder, training=True, fold=fold)[: given.limit])
    sources = [
        _often(Source("orand", orand.digit_samples(), terms.ORAND), 14_000),
        _often(Source(MINED_GARBAGE, orand.garbage_samples(len(DIGITS)), terms.ORAND), 9_000),
    ]
    if given.teacher is not None:
        # Only its digits: what alignment passes by is too often a digit that the label leaves out.
        teacher = Recogniser.load(
            given.teacher.name, normalisation_version=NORMALISATION_VERSION, root=given.teacher.parent
        )
        meza = mine_texts(corpora.meza_strings(folder, training=True, fold=fold)[: given.limit], teacher)
        sources.append(_often(Source("meza", meza.digit_samples(), terms.MEZA), 12_000))
    return sources


def _mined_drawings(folder: Path, given: Ingredients) -> list[Source]:
    """Return the digits and the garbage of fields drawn from open ink, cut as the reader cuts them."""
    ink = load_ink(folder, open_terms_only=True)
    rng = np.random.default_rng((given.seed, DRAWN_FIELDS))
    finds = mine_drawings(_drawing(ink, rng) for _ in range(given.limit or DRAWN_FIELDS))
    garbage = finds.garbage_samples(len(DIGITS))
    return [
        _often(Source("drawn-fields", finds.digit_samples(), OPEN_INK_TERMS), 14_000),
        _often(Source("drawn-fields-garbage", garbage, OPEN_INK_TERMS), 9_000),
    ]


def _drawing(ink: InkCollection, rng: np.random.Generator) -> tuple[NDArray[np.uint8], tuple[LabelledBox, ...]]:
    """Return a drawn field and the boxes of its digits."""
    writing = compose(ink, rng)
    field = painted_field(writing, rng)
    boxes = []
    for place, digit in enumerate(writing.text):
        strokes = [stroke for stroke, owner in zip(field.strokes, writing.owners, strict=True) if owner == place]
        points = np.concatenate(strokes)
        (left, top), (right, bottom) = points.min(axis=0) - field.pen / 2, points.max(axis=0) + field.pen / 2
        box = (round(left), round(top), max(1, round(right - left)), max(1, round(bottom - top)))
        boxes.append(LabelledBox(int(digit), box))
    return field.pixels, tuple(boxes)


def _often(source: Source, wanted: int) -> Source:
    """Return the source drawn `wanted` times an epoch, but no glyph more than four times."""
    return replace(source, per_epoch=min(wanted, 4 * len(source.samples)))


def _some(samples: Samples, given: Ingredients) -> Samples:
    """Return at most `limit` of the samples, chosen by chance: a folder a class holds one class after the other."""
    if given.limit is None:
        return samples
    order = np.random.default_rng(given.seed).permutation(len(samples))
    return samples.take(np.sort(order[: given.limit]))


RECIPES: dict[str, Callable[[Ingredients], Material]] = {
    "plain": _plain,
    "mnist": _mnist,
    "digits": _digits,
    "digits-easy": partial(_digits, hard_negatives=False),
    **{name: partial(_digits, fold=fold) for name, fold in corpora.FOLD_RECIPES.items()},
    "digits-open": _digits_open,
    "micr": _micr,
}
