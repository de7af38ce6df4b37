"""Augmentation changes glyphs, but not what they show."""

import numpy as np
import pytest

from model.augment import Strength, augment
from model.datasets import normalised
from model.recogniser import Recogniser
from tests.model.drawn import printed_digits

tf = pytest.importorskip("tensorflow", reason="the train extra is not installed")


def test_no_strength_leaves_a_glyph_as_it_is() -> None:
    images = normalised(printed_digits(20)).images[..., None].astype(np.float32)
    tf.random.set_seed(1)
    nothing = Strength(**dict.fromkeys(Strength.__dataclass_fields__, 0.0))
    assert np.allclose(augment(tf.constant(images), nothing), images, atol=0.5)


def test_full_strength_keeps_shape_range_and_meaning() -> None:
    digits = normalised(printed_digits(300))
    images = digits.images[..., None].astype(np.float32)
    tf.random.set_seed(1)
    changed = np.asarray(augment(tf.constant(images), Strength()))
    assert changed.shape == images.shape
    assert changed.min() >= 0
    assert changed.max() <= 255
    assert np.abs(changed - images).mean() > 5
    reader = Recogniser.load()
    before, after = (
        np.mean(reader.classify(glyphs.astype(np.uint8)[..., 0])[:, :10].argmax(axis=1) == digits.labels)
        for glyphs in (images, changed)
    )
    assert after > before - 0.15


def test_milder_is_half_of_everything() -> None:
    assert Strength().milder() == Strength(0.085, 0.125, 0.06, 0.6, 0.4, 0.2, 0.125, 0.15, 0.05)
