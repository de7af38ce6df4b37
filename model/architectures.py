"""The networks by name: glyphs in (uint8, 28 × 28 × 1), logits out, one a class.

Training builds them; the export needs nothing but what is built here.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from core.errors import InvalidRequest
from model.training_extra import load_keras

INPUT_SHAPE = (28, 28, 1)


def build(name: str, *, classes: int) -> Any:  # noqa: ANN401 - keras.Model is untyped
    """Return a fresh Keras network.

    Raises:
        InvalidRequest: no architecture has that name.
        ExtraMissing: TensorFlow is not installed.
    """
    if name not in ARCHITECTURES:
        raise InvalidRequest(f"There is no architecture {name!r}; there is: {', '.join(ARCHITECTURES)}.")
    return ARCHITECTURES[name](classes)


def _baseline(classes: int) -> Any:  # noqa: ANN401
    """Return the published network that Tallyscan is measured against: 760,234 parameters for ten classes."""
    keras = load_keras()
    layers = keras.layers
    stack = [
        keras.Input(INPUT_SHAPE, name="glyph"),
        layers.Rescaling(1 / 255),
        layers.Conv2D(32, 4, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(256, activation="relu"),
        layers.Dense(512, activation="relu"),
        layers.Dense(classes, name="logits"),
    ]
    return keras.Sequential(stack, name="baseline")


def _small(classes: int) -> Any:  # noqa: ANN401
    """Return the network that ships.

    Strided convolutions instead of pooling keep it cheap; batch normalisation folds into them on export.
    """
    keras = load_keras()
    layers = keras.layers
    glyph = keras.Input(INPUT_SHAPE, name="glyph")
    flow = layers.Rescaling(1 / 255)(glyph)
    for filters, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (64, 1)):
        flow = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(flow)
        flow = layers.BatchNormalization()(flow)
        flow = layers.ReLU()(flow)
    flow = layers.Dropout(0.3)(layers.Flatten()(flow))
    return keras.Model(glyph, layers.Dense(classes, name="logits")(flow), name="small")


def _record(classes: int, *, kernel: int = 5, channels: tuple[int, ...] = (16, 32, 56, 72, 88)) -> Any:  # noqa: ANN401
    """Return a network for clean glyphs: plain convolutions of one kernel without padding (after An et al. 2020).

    Nothing is pooled: the unpadded convolutions make the picture small. Theirs have kernels of 3, 5 and 7 pixels, and
    twice the channels.
    """
    keras = load_keras()
    layers = keras.layers
    glyph = keras.Input(INPUT_SHAPE, name="glyph")
    flow = layers.Rescaling(1 / 255)(glyph)
    for filters in channels:
        flow = layers.Conv2D(filters, kernel, use_bias=False)(flow)
        flow = layers.ReLU()(layers.BatchNormalization()(flow))
    flow = layers.Dropout(0.2)(layers.Flatten()(flow))
    return keras.Model(glyph, layers.Dense(classes, name="logits", dtype="float32")(flow), name="record")


def _micr(classes: int) -> Any:  # noqa: ANN401
    """Return the network for E-13B: an eighth of the work of `small`, since its windows come by the hundred."""
    keras = load_keras()
    layers = keras.layers
    window = keras.Input(INPUT_SHAPE, name="glyph")
    flow = layers.Rescaling(1 / 255)(window)
    for filters, kernel, stride in ((12, 5, 2), (24, 3, 1), (32, 3, 2), (48, 3, 1)):
        flow = layers.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False)(flow)
        flow = layers.ReLU()(layers.BatchNormalization()(flow))
    flow = layers.Dropout(0.2)(layers.Flatten()(flow))
    return keras.Model(window, layers.Dense(classes, name="logits")(flow), name="micr")


ARCHITECTURES: dict[str, Callable[[int], Any]] = {
    "baseline": _baseline,
    "small": _small,
    "record": _record,
    "record-3": partial(_record, kernel=3, channels=(16, 16, 16, 24, 32, 48, 64, 80, 96, 112)),
    "record-7": partial(_record, kernel=7, channels=(16, 32, 56, 88)),
    "micr": _micr,
}
