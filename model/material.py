"""What a training learns from: sources of glyphs, how often each is drawn, and what is held out to stop by.

Recipes make a `Material`; the training draws its epochs from it.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest
from model.artifacts import DataSource
from model.classes import DIGIT_CLASSES
from model.datasets import Samples, joined
from segmentation.normalise import NORMALISATION_VERSION

DIGITS: tuple[str, ...] = DIGIT_CLASSES
GARBAGE = "garbage"
"""The class of what is no digit: half of one, two joined, a bit of a frame."""


@dataclass(frozen=True, slots=True)
class Source:
    """One collection of normalised glyphs.

    Attributes:
        name: what the manifest calls it.
        samples: its glyphs, 28 × 28.
        terms: as its publisher states them.
        per_epoch: glyphs drawn each epoch; 0 draws every one once.
        rounds: how often the samples hold each piece of writing, all of them in every round and in the same order.
    """

    name: str
    samples: Samples
    terms: str
    per_epoch: int = 0
    rounds: int = 1

    @property
    def drawn(self) -> int:
        """Glyphs that one epoch sees."""
        return self.per_epoch or len(self.samples)


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that a training sees.

    Attributes:
        classes: what the labels count.
        sources: to draw epochs from.
        held_out: glyphs that no epoch sees, by which the training stops.
        normalisation_version: of the function that made the glyphs.
    """

    classes: tuple[str, ...]
    sources: tuple[Source, ...]
    held_out: Samples
    normalisation_version: str = NORMALISATION_VERSION

    @property
    def images(self) -> NDArray[np.uint8]:
        """All glyphs to learn from, source after source."""
        return joined([source.samples for source in self.sources]).images

    @property
    def labels(self) -> NDArray[np.int64]:
        """The labels of `images`."""
        return joined([source.samples for source in self.sources]).labels

    def described(self) -> tuple[DataSource, ...]:
        """Return what the manifest says of the sources."""
        return tuple(DataSource(source.name, len(source.samples), source.terms) for source in self.sources)


def split(classes: tuple[str, ...], sources: list[Source], *, share: float, seed: int) -> Material:
    """Return a material that holds out `share` of every source; of one piece of writing, all rounds or none.

    Raises:
        InvalidRequest: a source holds nothing, or glyphs without labels.
    """
    rng = np.random.default_rng(seed)
    kept, held = [], []
    for source in sources:
        _check(source, len(classes))
        order = rng.permutation(len(source.samples) // source.rounds)
        cut = max(1, round(len(order) * share))
        held.append(source.samples.take(_in_rounds(order[:cut], source)))
        kept.append(replace(source, samples=source.samples.take(_in_rounds(order[cut:], source))))
    return Material(classes, tuple(kept), joined(held))


def _in_rounds(writings: NDArray[np.int64], source: Source) -> NDArray[np.int64]:
    """Return where the source's samples hold the pieces of writing, in every round."""
    first = np.arange(source.rounds) * (len(source.samples) // source.rounds)
    return np.asarray((first[:, None] + np.sort(writings)).ravel(), np.int64)


def draw(material: Material, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the indices into `material.images` that the epoch sees, shuffled; the same for the same seed and epoch."""
    rng = np.random.default_rng((seed, epoch))
    start, picks = 0, []
    for source in material.sources:
        picks.append(start + _rounds(len(source.samples), source.drawn, rng))
        start += len(source.samples)
    chosen = np.concatenate(picks)
    return np.asarray(rng.permutation(chosen), np.int64)


def _rounds(count: int, wanted: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return `wanted` indices below `count`: each as often as any other, the rest by chance."""
    whole, rest = divmod(wanted, count)
    return np.concatenate([np.tile(np.arange(count), whole), rng.permutation(count)[:rest]]).astype(np.int64)


def _check(source: Source, classes: int) -> None:
    labels = source.samples.labels
    if len(labels) < 2 * source.rounds:
        raise InvalidRequest(f"{source.name} holds too few glyphs to learn from.")
    if labels.min() < 0 or labels.max() >= classes:
        raise InvalidRequest(f"{source.name} has glyphs whose labels are none of the {classes} classes.")
