"""The line's ink is made by shortcuts, the same to the bit as plain calls: networks learnt from what these give."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from segmentation.line_ink import blurred, closed, line_ink, quantile

KINDS = ("noise", "flat", "smooth", "strokes", "extremes")


def picture(kind: str, seed: int, *, width: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    shape = (64, width)
    if kind == "noise":
        return rng.integers(0, 256, shape, dtype=np.uint8)
    if kind == "flat":
        return np.full(shape, rng.integers(0, 256), np.uint8)
    if kind == "smooth":
        small = rng.integers(0, 256, (8, max(2, width // 8)), dtype=np.uint8)
        return np.asarray(cv2.resize(small, (width, 64), interpolation=cv2.INTER_CUBIC), np.uint8)
    if kind == "strokes":
        return np.where(rng.random(shape) < 0.1, 40, rng.integers(150, 256, shape)).astype(np.uint8)
    return np.where(rng.random(shape) < 0.5, 0, 255).astype(np.uint8)


def plainly(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    side = min(max(9, (min(grey.shape) // 2) | 1), 35)
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    paper = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, window, borderType=cv2.BORDER_REPLICATE)
    paper = cv2.GaussianBlur(paper, (0, 0), 5).astype(np.float32)
    drop = np.clip(paper - grey, 0, None) / np.maximum(paper, 32)
    full = max(float(np.percentile(drop, 98.5)), 0.06)
    return np.asarray(np.clip(drop * (255 / full), 0, 255), np.uint8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [8, 9, 17, 40, 63, 64, 150, 333, 1600])
def test_the_ink_is_what_the_plain_calls_give(kind: str, width: int) -> None:
    for seed in range(4):
        grey = picture(kind, seed, width=width)
        assert np.array_equal(line_ink(grey), plainly(grey))


@pytest.mark.parametrize("side", range(9, 36, 2))
def test_the_closing_is_the_ellipse_s(side: int) -> None:
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    for seed, width in enumerate((8, side, 100)):
        grey = picture("noise", seed, width=width)
        expected = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, window, borderType=cv2.BORDER_REPLICATE)
        assert np.array_equal(closed(grey, side), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_the_blur_is_that_of_bytes(kind: str) -> None:
    for seed, width in enumerate((8, 15, 16, 31, 200)):
        grey = picture(kind, seed, width=width)
        assert np.array_equal(blurred(grey), cv2.GaussianBlur(grey, (0, 0), 5))


@pytest.mark.parametrize("share", [0.985, 0.9, 1.0])
def test_the_quantile_is_numpy_s(share: float) -> None:
    rng = np.random.default_rng(2)
    for count in (*range(1, 70), 200, 201, 4000, 12345):
        for values in (rng.random(count), rng.random(count) ** 9, np.round(rng.random(count)), np.zeros(count)):
            numbers = values.astype(np.float32)
            assert quantile(numbers, share) == np.quantile(numbers, share)
