"""Lines of a training as batches: of about one width, padded, varied a little, and their texts as CTC wants them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.line.material import FRAME_COLUMNS, Sample
from model.line.network import BLANK
from model.line.writing import OTHER
from model.line_recogniser import PAD_COLUMNS
from model.training_extra import load_tensorflow
from segmentation.line import LINE_HEIGHT


def batches(samples: list[Sample], size: int, rng: np.random.Generator) -> Iterator[list[Sample]]:
    """Yield batches of lines about as wide as each other, in random order."""
    order = sorted(range(len(samples)), key=lambda index: samples[index].pixels.shape[1] + rng.uniform(0, 12))
    starts = np.arange(0, len(order), size)
    rng.shuffle(starts)
    for start in starts:
        yield [samples[index] for index in order[start : start + size]]


def stacked(samples: list[Sample]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return the lines side by side, padded with paper, and how many frames each has."""
    widest = max(sample.pixels.shape[1] for sample in samples)
    width = -(-widest // PAD_COLUMNS) * PAD_COLUMNS
    lines = np.zeros((len(samples), LINE_HEIGHT, width, 1), np.float32)
    for line, sample in zip(lines, samples, strict=True):
        line[:, : sample.pixels.shape[1], 0] = sample.pixels
    frames = [-(-sample.pixels.shape[1] // FRAME_COLUMNS) for sample in samples]
    return lines, np.array(frames, np.int32)


def varied(lines: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the lines with other strength and noise, so that a line that comes again is not the same."""
    count = len(lines)
    lines = lines * rng.uniform(0.6, 1.25, (count, 1, 1, 1)).astype(np.float32)
    noisy = (rng.random((count, 1, 1, 1)) < 0.5).astype(np.float32) * 10
    noise = rng.standard_normal(lines.shape, np.float32) * noisy
    return np.asarray(np.clip(lines + noise, 0, 255), np.float32)


def ctc_labels(batch: list[Sample]) -> Any:  # noqa: ANN401
    """Return the batch's texts as a sparse tensor of classes, as CTC's loss takes them."""
    signs = "0123456789" + OTHER
    places = [(row, place) for row, sample in enumerate(batch) for place in range(len(sample.text))]
    values = [signs.index(sign) for sample in batch for sign in sample.text]
    shape = (len(batch), max(len(sample.text) for sample in batch))
    return load_tensorflow().sparse.SparseTensor(np.array(places, np.int64), np.array(values, np.int32), shape)


def greedy_texts(logits: NDArray[np.float32], frames: NDArray[np.int32]) -> list[str]:
    """Return each line's text by its likeliest frames, repeats and blanks dropped."""
    signs = "0123456789" + OTHER
    texts = []
    for line, count in zip(logits.argmax(axis=2), frames, strict=True):
        classes = line[:count]
        kept = classes[np.r_[True, classes[1:] != classes[:-1]]]
        texts.append("".join(signs[index] for index in kept if index != BLANK))
    return texts
