"""The average follows the weights, stands in for them for a while, and goes on where it was."""

from pathlib import Path

import numpy as np
import pytest

from model.averaging import WARM_UP, Averaging
from model.training_extra import load_keras

pytest.importorskip("tensorflow", reason="the train extra is not installed")


def test_the_average_follows_and_goes_on(tmp_path: Path) -> None:
    keras = load_keras()
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    average = Averaging(network, 0.5)
    kernel = network.weights[0].value
    kernel.assign([[1.0]])
    follow = average.callback()
    follow.on_train_batch_end(0, logs={})
    # The first step counts more: momentum begins low and grows.
    first = 1 - 1 / (1 + WARM_UP)
    with average.in_place():
        assert float(kernel.numpy()[0, 0]) == pytest.approx(first)
    assert float(kernel.numpy()[0, 0]) == 1.0
    average.save(tmp_path / "average.npz")
    other = Averaging(network, 0.5)
    other.load(tmp_path / "average.npz")
    for each in (average, other):
        each.callback().on_train_batch_end(1, logs={})
        with each.in_place():
            assert np.allclose(kernel.numpy(), 1 - (1 - first) * 2 / (2 + WARM_UP))
