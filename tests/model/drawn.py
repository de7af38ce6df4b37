"""Printed digits and letters, drawn while the tests run: small data that a network learns in seconds."""

from collections.abc import Sequence

import cv2
import numpy as np

from model.datasets import Samples


def printed_digits(count: int, *, seed: int = 0, side: int = 28) -> Samples:
    """Return `count` digits in a plain font, shifted and weighted by chance: uint8, ink 255 on 0."""
    return printed("0123456789", count, seed=seed, side=side)


def printed(characters: Sequence[str], count: int, *, seed: int = 0, side: int = 28) -> Samples:
    """Return `count` of the characters in turn, as `printed_digits` has its digits."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(characters)
    images = np.zeros((count, side, side), np.uint8)
    for image, label in zip(images, labels, strict=True):
        origin = (int(rng.integers(2, 8)), side - int(rng.integers(3, 8)))
        weight = int(rng.integers(1, 4))
        cv2.putText(image, characters[label], origin, cv2.FONT_HERSHEY_SIMPLEX, side / 32, 255, weight, cv2.LINE_AA)
    return Samples(images, labels.astype(np.int64), tuple(characters))
