"""Recipes by name: which collections a training learns from, and in which shares.

`plain` learns from one file or folder that the caller names; `digits` makes the network that ships.
"""

from collections.abc import Callable
from pathlib import Path

from core.errors import InvalidRequest
from model.corpora import mnist
from model.datasets import Samples, load_samples, normalised
from model.material import DIGITS, Material, Source, split

MNIST_TERMS = "no formal licence, of NIST origin"


def prepare(recipe: str, data: Path | None, *, seed: int, limit: int | None = None) -> Material:
    """Return what `recipe` learns from.

    Args:
        recipe: its name.
        data: a file or folder; None asks Keras for MNIST.
        seed: of the split.
        limit: at most as many glyphs of a source, for a quick try.

    Raises:
        InvalidRequest: no recipe has that name, or it finds no data.
    """
    if recipe not in RECIPES:
        raise InvalidRequest(f"There is no recipe {recipe!r}; there is: {', '.join(RECIPES)}.")
    return RECIPES[recipe](data, seed, limit)


def _plain(data: Path | None, seed: int, limit: int | None) -> Material:
    """Return the collection at `data`, a fifth of it held out."""
    samples = _limited(load_samples(data, split="train"), limit)
    source = Source(
        data.name if data else "mnist", normalised(samples), MNIST_TERMS if data is None else "the caller's"
    )
    return split(DIGITS, [source], share=0.2, seed=seed)


def _digits(data: Path | None, seed: int, limit: int | None) -> Material:
    """Return what the shipped network learns from, a twentieth of it held out.

    Raises:
        InvalidRequest: the folder of collections is not named.
    """
    if data is None:
        raise InvalidRequest("The recipe 'digits' needs the folder of collections: name it with --data.")
    sources = [Source("mnist", _limited(mnist(data, split="train"), limit), MNIST_TERMS)]
    return split(DIGITS, sources, share=0.05, seed=seed)


def _limited(samples: Samples, limit: int | None) -> Samples:
    return samples if limit is None else samples.take(slice(limit))


RECIPES: dict[str, Callable[[Path | None, int, int | None], Material]] = {"plain": _plain, "digits": _digits}
