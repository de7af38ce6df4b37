"""Architecture of the line reader: fully convolutional, no recurrence, trained with CTC (Graves et al. 2006).

Input (batch, 32, width, 1), bytes of pixels 0..255, ink bright; output (batch, width / 2, 12) logits: ten digits,
what is no digit, then CTC's blank.
"""

from dataclasses import dataclass
from typing import Any, Final

from model.training_extra import load_keras
from segmentation.line import LINE_HEIGHT

LINE_CLASSES: Final = (*"0123456789", "other", "blank")
BLANK: Final = len(LINE_CLASSES) - 1


@dataclass(frozen=True, slots=True)
class Size:
    """How large a line reader is: channels of its four convolutions, and once the height has collapsed."""

    eyes: tuple[int, int, int, int]
    channels: int


WRITING_SIZE: Final = Size((24, 48, 64, 96), 160)
PRINT_SIZE: Final = Size((12, 24, 32, 48), 80)


def build_line_reader(*, size: Size = WRITING_SIZE) -> Any:  # noqa: ANN401 - keras is untyped
    """Return the untrained network for lines of any width."""
    channels = size.channels
    layers = load_keras().layers

    def conv(x: Any, n: int, kernel: int | tuple[int, int], **options: Any) -> Any:  # noqa: ANN401
        x = layers.Conv2D(n, kernel, use_bias=False, padding=options.pop("padding", "same"), **options)(x)
        return layers.ReLU()(layers.BatchNormalization()(x))

    def context(x: Any, dilation: int) -> Any:  # noqa: ANN401
        y = layers.DepthwiseConv2D((1, 5), padding="same", dilation_rate=(1, dilation), use_bias=False)(x)
        y = conv(layers.BatchNormalization()(y), channels, 1)
        return layers.Add()([x, y])

    line = layers.Input((LINE_HEIGHT, None, 1), name="line")
    x = layers.Rescaling(1 / 255)(line)
    x = conv(x, size.eyes[0], 3, strides=(2, 2))
    x = conv(x, size.eyes[1], 3)
    x = layers.MaxPooling2D((2, 1))(x)
    x = conv(x, size.eyes[2], 3)
    x = layers.MaxPooling2D((2, 1))(x)
    x = conv(x, size.eyes[3], 3)
    x = layers.SpatialDropout2D(0.05)(x)
    x = conv(layers.ZeroPadding2D((0, 1))(x), channels, (LINE_HEIGHT // 8, 3), padding="valid")
    for dilation in (1, 2, 1):
        x = context(x, dilation)
    x = layers.Dropout(0.15)(x)
    logits = layers.Conv2D(len(LINE_CLASSES), 1, name="logits", dtype="float32")(x)
    logits = layers.Reshape((-1, len(LINE_CLASSES)), dtype="float32")(logits)
    return load_keras().Model(line, logits, name="line_reader")
