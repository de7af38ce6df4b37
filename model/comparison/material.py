"""What everybody in the comparison learns from, chooses by, and is tested on: the same glyphs for all.

MNIST's training images are split once into a part to learn from and a part to choose by. The test sets are MNIST's
t10k and, where they lie beside it, USPS, Semeion and optdigits.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from core.errors import InvalidRequest
from model.corpora import TEST_SETS
from model.datasets import UNKNOWN, Samples, load_samples, normalised
from model.material import DIGITS

VALIDATION: Final = "validation"
T10K: Final = "mnist-t10k"
VALIDATION_SHARE: Final = 0.1

TITLES: Final = {
    "mnist-t10k": "MNIST t10k",
    "usps-test": "USPS",
    "semeion": "Semeion",
    "optdigits-test": "optdigits",
}
"""What the test sets are called for a person."""

QUICK_TRAINING, QUICK_TEST = 6_000, 2_000


@dataclass(frozen=True, slots=True)
class Fair:
    """The glyphs of a comparison, normalised.

    Attributes:
        fit: to learn from.
        sets: to read: `VALIDATION`, `T10K` and the other collections' test parts, by name.
        missing: test sets that are not there.
    """

    fit: Samples
    sets: dict[str, Samples]
    missing: tuple[str, ...]


def gather(data: Path | None, *, seed: int, quick: bool) -> Fair:
    """Return the glyphs at `data`, a folder of MNIST's IDX files or an npz; None asks Keras.

    Args:
        data: whose siblings hold the other collections.
        seed: of the split and of the subset.
        quick: take a subset.

    Raises:
        InvalidRequest: there is no data, or it is no digits.
        UnreadableImage: it is damaged.
    """
    rng = np.random.default_rng(seed)
    learnt = _some(_digits(data, "train"), QUICK_TRAINING if quick else None, rng)
    order = rng.permutation(len(learnt))
    cut = max(1, round(len(order) * VALIDATION_SHARE))
    sets = {VALIDATION: normalised(learnt.take(np.sort(order[:cut])))}
    sets[T10K] = normalised(_some(_digits(data, "test"), QUICK_TEST if quick else None, rng))
    others = {name: load for name, load in TEST_SETS.items() if name != T10K}
    there = {name for name in others if data and (data.parent / name.partition("-")[0]).is_dir()}
    for name, load in others.items():
        if name in there and data:
            sets[name] = _some(load(data.parent), QUICK_TEST if quick else None, rng)
    missing = tuple(name for name in others if name not in there)
    return Fair(normalised(learnt.take(np.sort(order[cut:]))), sets, missing)


def _digits(data: Path | None, split: str) -> Samples:
    samples = load_samples(data, split=split)
    if len(samples) < 2 * len(DIGITS) or (samples.labels == UNKNOWN).any():
        raise InvalidRequest("A comparison needs labelled digits, both to learn from and to test on.")
    if samples.labels.max() >= len(DIGITS):
        raise InvalidRequest("The methods are compared on digits; this data has more than ten classes.")
    return samples


def _some(samples: Samples, count: int | None, rng: np.random.Generator) -> Samples:
    if count is None or count >= len(samples):
        return samples
    return samples.take(np.sort(rng.permutation(len(samples))[:count]))
