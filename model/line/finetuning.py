"""A trained line reader goes on learning: a user's own fields, among samples of what it learnt from before.

Low rate, few steps, and the result is a blend of the weights before and after: a few hundred fields must not make it
forget the rest (replay after Robins 1995; blending after Wortsman et al. 2022).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final

import numpy as np
from numpy.random import Generator

from core.errors import InvalidRequest
from model.line.batching import batches
from model.line.material import Ingredients, Sample, fits, make_samples
from model.line.real import Grey, RealField, shaken, side_by_side
from model.line.training import ctc_step
from model.line.writing import OTHER
from model.training_extra import load_keras
from segmentation.line import prepare_line

PAIR_SHARE: Final = 0.1
"""Of the user's samples: two fields side by side, so that their lengths are not learnt by heart."""

WARM_UP: Final = 0.1
"""Share of the steps until the rate is at its height."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """One epoch: its number from 1, mean loss, seconds."""

    epoch: int
    loss: float
    seconds: float


@dataclass(frozen=True, slots=True)
class TuningOptions:
    """How to go on learning.

    Attributes:
        seed: of everything that is left to chance.
        epochs: each of `lines` samples, new ones every time.
        own_share: of the samples; the others are replay.
        rate: the highest learning rate.
        blend: share of the new weights in the result; the rest are those from before.
        batch_size: lines a step.
        on_epoch: called with each finished epoch.
    """

    seed: int = 1
    epochs: int = 8
    lines: int = 1280
    own_share: float = 0.4
    rate: float = 4e-4
    blend: float = 0.8
    batch_size: int = 32
    on_epoch: Callable[[Tuned], None] | None = field(default=None, compare=False)


def tune(network: Any, own: Sequence[RealField], replay: Ingredients, options: TuningOptions) -> list[Tuned]:  # noqa: ANN401
    """Let `network`, a Keras line reader, go on learning; return its epochs.

    Args:
        network: changed in place.
        own: the user's fields; one without a text holds no number.
        replay: what it learnt from before.
        options: how.

    Raises:
        InvalidRequest: no field's text has room on its line.
    """
    keras = load_keras()
    keras.utils.set_random_seed(options.seed)
    before = [weights.astype(np.float64) for weights in network.get_weights()]
    step = ctc_step(network, keras.optimizers.AdamW(0.0, weight_decay=1e-4, clipnorm=5.0))
    rows = [_epoch(step, own, replay, options, epoch=epoch) for epoch in range(options.epochs)]
    after = network.get_weights()
    network.set_weights(
        [
            ((1 - options.blend) * old + options.blend * new).astype(new.dtype)
            for old, new in zip(before, after, strict=True)
        ]
    )
    return rows


def has_room(field: RealField) -> bool:
    """Return whether the field's text has room on its line, so that it can be learnt from."""
    return fits(_sample_of(field, field.pixels))


def own_samples(own: Sequence[RealField], count: int, *, seed: tuple[int, ...]) -> list[Sample]:
    """Return `count` samples of a user's fields, each time a little different.

    A field whose text has no room on its line, as that of a picture that stands on its side, is left out.

    Raises:
        InvalidRequest: none is left.
    """
    own = [field for field in own if has_room(field)]
    if not own:
        raise InvalidRequest("No corrected field's text has room on its line; do the pictures stand on their sides?")
    rng = np.random.default_rng(seed)
    samples: list[Sample] = []
    while len(samples) < count:
        sample = _sample(own, rng)
        if fits(sample):
            samples.append(sample)
    return samples


def _sample(own: Sequence[RealField], rng: Generator) -> Sample:
    first = _line(own[int(rng.integers(len(own)))], rng)
    if rng.random() >= PAIR_SHARE:
        return first
    second = _line(own[int(rng.integers(len(own)))], rng)
    if OTHER in first.text + second.text:
        return first
    return Sample(side_by_side(first.pixels, second.pixels, rng), first.text + second.text)


def _line(field: RealField, rng: Generator) -> Sample:
    return _sample_of(field, shaken(field, rng).pixels)


def _sample_of(field: RealField, pixels: Grey) -> Sample:
    return Sample(prepare_line(pixels).pixels, field.text or OTHER)


def _epoch(
    step: Callable[[list[Sample], float, Generator], float],
    own: Sequence[RealField],
    replay: Ingredients,
    options: TuningOptions,
    *,
    epoch: int,
) -> Tuned:
    started = perf_counter()
    count = round(options.lines * options.own_share)
    seed = (options.seed, 7, epoch)
    samples = own_samples(own, count, seed=seed) + make_samples(replay, options.lines - count, seed=seed)
    rng = np.random.default_rng(seed)
    steps = -(-len(samples) // options.batch_size)
    losses = [
        step(batch, _rate(epoch * steps + number, steps * options.epochs, options.rate), rng)
        for number, batch in enumerate(batches(samples, options.batch_size, rng))
    ]
    row = Tuned(epoch + 1, round(float(np.mean(losses)), 4), round(perf_counter() - started, 1))
    if options.on_epoch:
        options.on_epoch(row)
    return row


def _rate(step: int, steps: int, highest: float) -> float:
    """Return the learning rate: up in a line, down in half a cosine."""
    share = step / max(1, steps)
    rising = min(1.0, (share + 1 / max(1, steps)) / WARM_UP)
    return highest * rising * (0.02 + 0.98 * 0.5 * (1 + float(np.cos(np.pi * min(1.0, share)))))
