"""Finds the decoder's weights from real strings; runs by hand when the network changes, never while reading.

A lattice with weights is a conditional random field (Lafferty, McCallum and Pereira 2001) whose cutting is
hidden: only the string is known. The weights maximise the probability of the true strings, the very number that
the decoder later reports as its confidence, so tuning also calibrates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.types import Lattice
from forms.automaton import DIGITS
from forms.decoder import log_odds
from forms.geometry import SHAPE, SKIP_FEATURES, digit_features, outline, skip_features
from forms.paths import NEVER, log_sum
from forms.weights import Weights

MERGED: Final = 5
"""Pieces that a candidate is made of, at most."""

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """One field: its lattice, the network's probabilities, and the truth."""

    lattice: Lattice
    scores: NDArray[np.float32]
    text: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples as padded arrays. Axes: example b, piece p, pieces merged k, feature f, digit c, position t."""

    odds: _Floats  # (b, p, k, c)
    digit: _Floats  # (b, p, k, f)
    skip: _Floats  # (b, p, f), the network's odds last
    valid: NDArray[np.bool_]  # (b, p, k)
    pieces: NDArray[np.intp]  # (b,)
    text: NDArray[np.intp]  # (b, t)
    lengths: NDArray[np.intp]  # (b,)


def make_batch(examples: Sequence[Example], *, classes: tuple[str, ...]) -> Batch:
    """Return `examples` as one batch; those without ink are left out."""
    examples = [example for example in examples if example.lattice.candidates and example.text]
    pieces = np.array([example.lattice.cuts - 1 for example in examples])
    lengths = np.array([len(example.text) for example in examples])
    shape = (len(examples), int(pieces.max()), MERGED)
    odds, valid = np.zeros((*shape, len(DIGITS))), np.zeros(shape, np.bool_)
    digit, skip, text = [], [], np.zeros((len(examples), int(lengths.max())), np.intp)
    for row, example in enumerate(examples):
        starts = np.array([candidate.start for candidate in example.lattice.candidates])
        merged = np.array([candidate.end for candidate in example.lattice.candidates]) - starts - 1
        own_odds = log_odds(example.scores, classes=classes)
        odds[row, starts, merged], valid[row, starts, merged] = own_odds, True
        digit.append(_scatter(digit_features(outline(example.lattice)), starts, merged, shape[1:]))
        own_skip = np.column_stack([skip_features(outline(example.lattice)), own_odds.max(axis=1)])
        skip.append(_scatter(own_skip, starts, merged, shape[1:])[:, 0])
        text[row, : len(example.text)] = [DIGITS.index(char) for char in example.text]
    return Batch(odds, np.stack(digit), np.stack(skip), valid, pieces, text, lengths)


def _scatter(values: _Floats, starts: NDArray[np.intp], merged: NDArray[np.intp], shape: tuple[int, int]) -> _Floats:
    dense = np.zeros((*shape, values.shape[1]))
    dense[starts, merged] = values
    return dense


def tune(batch: Batch, start: Weights, *, rounds: int = 400, rate: float = 0.05, decay: float = 1e-3) -> Weights:
    """Return weights that make the true strings likelier than `start` does (Adam, Kingma and Ba 2015)."""
    weights = pack(start)
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, rounds + 1):
        _, slope = loss(batch, weights, decay=decay)
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        damped = rate * min(1.0, 2 * (1 - step / (rounds + 1)))
        weights = weights - damped * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
    return unpack(weights)


def pack(weights: Weights) -> _Floats:
    """Return the weights as one vector."""
    by_digit = [value for row in weights.by_digit for value in row]
    return np.array([weights.network, *weights.digit, *by_digit, *weights.skip, weights.skip_network])


def unpack(vector: _Floats) -> Weights:
    """Return the vector as weights."""
    network, *rest, skip_network = (round(value, 4) for value in vector.tolist())
    rows, digit = _parts(vector)
    shapes = [rest[first : first + len(SHAPE)] for first in range(digit, rows, len(SHAPE))]
    return Weights(network, tuple(rest[:digit]), tuple(map(tuple, shapes)), skip_network, tuple(rest[rows:]))


def _parts(vector: _Floats) -> tuple[int, int]:
    """Return where, after the network's weight, the weights by digit end, and where they start."""
    rows = len(vector) - 2 - len(SKIP_FEATURES)
    return rows, rows - len(DIGITS) * len(SHAPE)


def loss(batch: Batch, weights: _Floats, *, decay: float) -> tuple[float, _Floats]:
    """Return the mean negative log probability of the true strings, and its slope along each weight."""
    rows, digit_count = _parts(weights)
    by_digit = weights[1 + digit_count : 1 + rows].reshape(len(DIGITS), len(SHAPE))
    scores = weights[0] * batch.odds + (batch.digit @ weights[1 : 1 + digit_count])[..., None]
    scores = np.where(batch.valid[..., None], scores + batch.digit[..., SHAPE] @ by_digit.T, NEVER)
    skip = batch.skip @ weights[1 + rows :]
    total, free_digit, free_skip = _all_paths(batch, scores, skip)
    truth, true_digit, true_skip = _true_paths(batch, scores, skip)
    # A string that the lattice cannot spell teaches nothing about the weights.
    usable = np.isfinite(truth)
    gap_digit = np.where(usable[:, None, None, None], free_digit - true_digit, 0.0)
    gap_skip = np.where(usable[:, None], free_skip - true_skip, 0.0)
    slope = np.concatenate(
        [
            [np.sum(gap_digit * batch.odds)],
            np.einsum("bpk,bpkf->f", gap_digit.sum(axis=3), batch.digit),
            np.einsum("bpkc,bpkf->cf", gap_digit, batch.digit[..., SHAPE]).ravel(),
            np.einsum("bp,bpf->f", gap_skip, batch.skip),
        ]
    )
    count = max(int(usable.sum()), 1)
    value = float((total - truth)[usable].sum()) / count
    return value + decay * float(weights @ weights), slope / count + 2 * decay * weights


def _all_paths(batch: Batch, scores: _Floats, skip: _Floats) -> tuple[_Floats, _Floats, _Floats]:
    """Return each example's log total, and the posteriors of its digits and skips."""
    size, pieces, merged, _ = scores.shape
    edge = log_sum(scores, axis=3)
    edge[:, :, 0] = np.logaddexp(edge[:, :, 0], skip)
    alpha, beta = np.full((size, pieces + merged), NEVER), np.full((size, pieces + merged), NEVER)
    alpha[:, 0] = 0.0
    beta[np.arange(size), batch.pieces] = 0.0
    for cut in range(1, pieces + 1):
        ways = [alpha[:, cut - k] + edge[:, cut - k, k - 1] for k in range(1, min(merged, cut) + 1)]
        alpha[:, cut] = log_sum(np.stack(ways), axis=0)
    for cut in range(pieces - 1, -1, -1):
        onward = log_sum(edge[:, cut] + beta[:, cut + 1 : cut + merged + 1], axis=1)
        beta[:, cut] = np.where(cut < batch.pieces, onward, beta[:, cut])
    total = alpha[np.arange(size), batch.pieces]
    after = np.stack([beta[:, k : k + pieces] for k in range(1, merged + 1)], axis=2)
    around = alpha[:, :pieces, None] + after - total[:, None, None]
    return total, np.exp(scores + around[..., None]), np.exp(skip + around[:, :, 0])


def _true_paths(batch: Batch, scores: _Floats, skip: _Floats) -> tuple[_Floats, _Floats, _Floats]:
    """Return each example's log weight of its true string, and the posteriors given that string."""
    size, pieces, merged, _ = scores.shape
    length = batch.text.shape[1]
    emit = np.take_along_axis(scores, np.broadcast_to(batch.text[:, None, None], (size, pieces, merged, length)), 3)
    alpha = np.full((size, pieces + merged, length + 1), NEVER)
    beta = np.full_like(alpha, NEVER)
    alpha[:, 0, 0] = 0.0
    beta[np.arange(size), batch.pieces, batch.lengths] = 0.0
    for cut in range(1, pieces + 1):
        ways = [alpha[:, cut - 1] + skip[:, cut - 1, None]]
        ways += [_later(alpha[:, cut - k, :-1] + emit[:, cut - k, k - 1]) for k in range(1, min(merged, cut) + 1)]
        alpha[:, cut] = log_sum(np.stack(ways), axis=0)
    for cut in range(pieces - 1, -1, -1):
        ways = [beta[:, cut + 1] + skip[:, cut, None]]
        ways += [_earlier(beta[:, cut + k, 1:] + emit[:, cut, k - 1]) for k in range(1, merged + 1)]
        onward = log_sum(np.stack(ways), axis=0)
        beta[:, cut] = np.where((cut < batch.pieces)[:, None], onward, beta[:, cut])
    truth = alpha[np.arange(size), batch.pieces, batch.lengths]
    base = np.where(np.isfinite(truth), truth, 0.0)[:, None, None]
    after = np.stack([beta[:, k : k + pieces, 1:] for k in range(1, merged + 1)], axis=2)
    along = np.exp(alpha[:, :pieces, None, :-1] + emit + after - base[..., None])
    digits = np.zeros_like(scores)
    for position in range(length):
        np.put_along_axis(
            digits,
            (where := np.broadcast_to(batch.text[:, position, None, None, None], (size, pieces, merged, 1))),
            np.take_along_axis(digits, where, 3) + along[..., position, None],
            3,
        )
    skipped = np.exp(alpha[:, :pieces] + skip[:, :, None] + beta[:, 1 : pieces + 1] - base).sum(axis=2)
    return truth, digits, skipped


def _later(values: _Floats) -> _Floats:
    return np.pad(values, ((0, 0), (1, 0)), constant_values=NEVER)


def _earlier(values: _Floats) -> _Floats:
    return np.pad(values, ((0, 0), (0, 1)), constant_values=NEVER)
