"""Weights averaged over the steps of a training: steadier than those of any one step (Polyak and Juditsky 1992).

The average follows the weights exponentially. A training measures and keeps the average, and goes on from the weights.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from model.training_extra import load_keras, load_tensorflow

WARM_UP = 10
"""The first averages would else be mostly of what the network was before it learnt anything."""


class Averaging:
    """The average of a network's weights, batch normalisation's statistics among them."""

    def __init__(self, network: Any, momentum: float) -> None:  # noqa: ANN401 - keras.Model is untyped
        """Follow `network`, whose weights count as much as `1 - momentum` at each step."""
        tf = load_tensorflow()
        self._weights = [weight.value for weight in network.weights]
        self._average = [tf.Variable(weight) for weight in self._weights]
        self._momentum = momentum
        self._steps = tf.Variable(0.0)
        self._follow = tf.function(self._step, autograph=False)

    def callback(self) -> Any:  # noqa: ANN401
        """Return the Keras callback that averages after each step."""

        def follow(batch: int, logs: dict[str, float] | None) -> None:  # noqa: ARG001 - Keras names both
            self._follow()

        return load_keras().callbacks.LambdaCallback(on_train_batch_end=follow)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the average into the network for a while."""
        kept = [weight.numpy() for weight in self._weights]
        self._assign(self._weights, [average.numpy() for average in self._average])
        yield
        self._assign(self._weights, kept)

    def save(self, path: Path) -> None:
        """Write the average to `path`."""
        np.savez(path, self._steps.numpy(), *[average.numpy() for average in self._average])

    def load(self, path: Path) -> None:
        """Go on from the average at `path`.

        Raises:
            OSError, EOFError, BadZipFile: it is missing or damaged.
            KeyError, ValueError: it is of another network.
        """
        # Opened here: NumPy leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            values = [arrays[f"arr_{index}"] for index in range(len(arrays.files))]
        self._assign([self._steps, *self._average], values)

    def _step(self) -> None:
        tf = load_tensorflow()
        self._steps.assign_add(1.0)
        share = 1.0 - tf.minimum(self._momentum, self._steps / (self._steps + WARM_UP))
        for average, weight in zip(self._average, self._weights, strict=True):
            average.assign_add((tf.cast(weight, average.dtype) - average) * tf.cast(share, average.dtype))

    @staticmethod
    def _assign(variables: list[Any], values: list[Any]) -> None:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
