"""Printed digits, drawn while the tests run: small data that a network learns in seconds."""

import cv2
import numpy as np

from model.datasets import Samples


def printed_digits(count: int, *, seed: int = 0, side: int = 28) -> Samples:
    """Return `count` digits in a plain font, shifted and weighted by chance: uint8, ink 255 on 0."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 10
    images = np.zeros((count, side, side), np.uint8)
    for image, label in zip(images, labels, strict=True):
        origin = (int(rng.integers(2, 8)), side - int(rng.integers(3, 8)))
        weight = int(rng.integers(1, 4))
        cv2.putText(image, str(label), origin, cv2.FONT_HERSHEY_SIMPLEX, side / 32, 255, weight, cv2.LINE_AA)
    return Samples(images, labels.astype(np.int64))
