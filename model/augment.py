"""What may befall a glyph on its way from pen to network, as one TensorFlow function over a batch.

Training maps it over `tf.data`; it runs on whole batches, so that it costs little beside the network itself.
Images are float32, shape (n, 28, 28, 1), 0 to 255, ink bright.
"""

from dataclasses import asdict, dataclass
from typing import Any

from model.training_extra import load_tensorflow

SIDE = 28
GRID = 4
"""The elastic displacement is drawn on GRID × GRID points and smoothed in between (after Simard et al. 2003)."""


@dataclass(frozen=True, slots=True)
class Strength:
    """How far each change may go.

    Attributes:
        rotation: radians, either way.
        shear: slant, as a share of the height, either way.
        scale: of each side, either way.
        shift_px: of the whole glyph, either way.
        elastic_px: standard deviation of the displacement.
        restroke: share of glyphs drawn thinner or bolder.
        soften: share of glyphs blurred.
        fade: share of ink that a pale or patchy stroke may lose.
        intrude: share of glyphs with a bit of a neighbour at the edge.
        erase: share of glyphs with a patch wiped out.
    """

    rotation: float = 0.17
    shear: float = 0.25
    scale: float = 0.12
    shift_px: float = 1.2
    elastic_px: float = 0.8
    restroke: float = 0.4
    soften: float = 0.25
    fade: float = 0.3
    intrude: float = 0.1
    erase: float = 0.0

    def milder(self) -> "Strength":
        """Return half of everything: for the last epochs, which settle on glyphs nearly as they are."""
        return Strength(**{name: value / 2 for name, value in asdict(self).items()})


def augment(images: Any, strength: Strength) -> Any:  # noqa: ANN401 - tensors are untyped
    """Return the batch, every glyph changed by chance within `strength`, clipped to 0..255."""
    tf = load_tensorflow()
    images = _warp(tf, images, strength)
    images = _restroke(tf, images, strength.restroke)
    images = _soften(tf, images, strength.soften)
    images = _intrude(tf, images, strength.intrude)
    if strength.erase:
        images = _erase(tf, images, strength.erase)
    keep = 1 - tf.random.uniform((tf.shape(images)[0], 1, 1, 1)) * strength.fade
    return tf.clip_by_value(images * keep, 0.0, 255.0)


def _warp(tf: Any, images: Any, strength: Strength) -> Any:  # noqa: ANN401
    """Return the glyphs resampled once, along an affine map with an elastic displacement on top."""
    count = tf.shape(images)[0]
    middle = (SIDE - 1) / 2
    axis = tf.range(SIDE, dtype=tf.float32) - middle
    y, x = tf.meshgrid(axis, axis, indexing="ij")
    wobble = tf.random.normal((count, GRID, GRID, 2), stddev=strength.elastic_px)
    wobble = tf.image.resize(wobble, (SIDE, SIDE), method="bicubic")
    a, b, c, d, dy, dx = _affine(tf, count, strength)
    source_y = a * y + b * x + dy + wobble[..., 0] + middle
    source_x = c * y + d * x + dx + wobble[..., 1] + middle
    return _sample(tf, images, source_y, source_x)


def _affine(tf: Any, count: Any, strength: Strength) -> tuple[Any, ...]:  # noqa: ANN401
    def within(limit: float) -> Any:  # noqa: ANN401
        return tf.random.uniform((count, 1, 1), -limit, limit)

    angle, shear = within(strength.rotation), within(strength.shear)
    tall, wide = tf.exp(within(strength.scale)), tf.exp(within(strength.scale))
    sine, cosine = tf.sin(angle), tf.cos(angle)
    return (
        tall * cosine,
        -tall * sine,
        wide * (sine + shear * cosine),
        wide * (cosine - shear * sine),
        within(strength.shift_px),
        within(strength.shift_px),
    )


def _sample(tf: Any, images: Any, y: Any, x: Any) -> Any:  # noqa: ANN401
    """Return the bilinear samples of `images` at (y, x); outside is paper."""
    padded = tf.pad(images[..., 0], ((0, 0), (1, 1), (1, 1)))
    width = SIDE + 2
    y = tf.clip_by_value(y + 1, 0.0, SIDE + 0.999)
    x = tf.clip_by_value(x + 1, 0.0, SIDE + 0.999)
    top, left = tf.floor(y), tf.floor(x)
    down, right = y - top, x - left
    corner = tf.cast(top, tf.int32) * width + tf.cast(left, tf.int32)
    flat = tf.reshape(padded, (-1, width * width))

    def at(offset: int) -> Any:  # noqa: ANN401
        return tf.gather(flat, corner + offset, batch_dims=1)

    upper = at(0) * (1 - right) + at(1) * right
    lower = at(width) * (1 - right) + at(width + 1) * right
    return (upper * (1 - down) + lower * down)[..., None]


def _restroke(tf: Any, images: Any, share: float) -> Any:  # noqa: ANN401
    """Return some of the glyphs blended with their dilation or erosion: another pen."""
    bolder = tf.nn.max_pool2d(images, 3, 1, "SAME")
    thinner = -tf.nn.max_pool2d(-images, 2, 1, "SAME")
    shape = (tf.shape(images)[0], 1, 1, 1)
    draw = tf.random.uniform(shape)
    amount = tf.random.uniform(shape)
    other = tf.where(draw < share * 0.6, bolder, thinner)
    return tf.where(draw < share, images + amount * (other - images), images)


def _soften(tf: Any, images: Any, share: float) -> Any:  # noqa: ANN401
    """Return some of the glyphs blurred, as by a coarse scan."""
    blurred = tf.nn.avg_pool2d(tf.nn.avg_pool2d(images, 2, 1, "SAME"), 3, 1, "SAME")
    chosen = tf.random.uniform((tf.shape(images)[0], 1, 1, 1)) < share
    return tf.where(chosen, blurred, images)


def _intrude(tf: Any, images: Any, share: float) -> Any:  # noqa: ANN401
    """Return some of the glyphs with a stroke of another one reaching in from the left or right edge."""
    shape = (tf.shape(images)[0], 1, 1, 1)
    other = tf.roll(images, 1, 0)
    reach = tf.random.uniform(shape, 15.0, 19.0)
    side = tf.where(tf.random.uniform(shape) < 0.5, 1.0, -1.0)
    column = tf.reshape(tf.range(SIDE, dtype=tf.float32) - (SIDE - 1) / 2, (1, 1, SIDE, 1))
    from_right = tf.roll(other, 15, 2)
    from_left = tf.roll(other, -15, 2)
    stranger = tf.where(side > 0, from_right, from_left)
    visible = tf.cast(column * side > reach - 9.0, tf.float32)
    chosen = tf.random.uniform(shape) < share
    return tf.where(chosen, tf.maximum(images, stranger * visible), images)


def _erase(tf: Any, images: Any, share: float) -> Any:  # noqa: ANN401
    """Return some of the glyphs with a patch of paper laid over a part of them (random erasing, Zhong et al. 2020)."""
    count = tf.shape(images)[0]

    def covered(axis: int) -> Any:  # noqa: ANN401
        middle, reach = tf.random.uniform((count, 1), 4.0, SIDE - 4.0), tf.random.uniform((count, 1), 1.5, 4.0)
        inside = tf.abs(tf.range(SIDE, dtype=tf.float32)[None] - middle) < reach
        return tf.expand_dims(inside, axis)

    patch = (covered(2) & covered(1))[..., None]
    chosen = tf.random.uniform((count, 1, 1, 1)) < share
    return tf.where(patch & chosen, 0.0, images)
