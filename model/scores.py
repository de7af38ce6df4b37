"""How right a network is: confusion matrix, and each class's figures from it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest
from model.material import DIGITS


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class against all others.

    Attributes:
        label: the class.
        glyphs: how many are truly of it.
        accuracy: share of all glyphs rightly called of it or not of it.
        sensitivity: share of its glyphs called so (recall).
        specificity: share of the others' glyphs not called so.
        ppv: share of what was called so that is so (precision); 0 when nothing was.
    """

    label: str
    glyphs: int
    accuracy: float
    sensitivity: float
    specificity: float
    ppv: float


@dataclass(frozen=True, slots=True)
class Score:
    """A test set's figures; `confusion[true][read]` counts glyphs."""

    glyphs: int
    accuracy: float
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[ClassScore, ...]


def read_digits(outputs: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the likeliest digit of each row: what a glyph that is known to be a digit is read as."""
    return np.asarray(outputs[:, : len(DIGITS)].argmax(axis=1), np.int64)


def accuracy(outputs: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the share of rows whose likeliest digit is the label."""
    return float(np.mean(read_digits(outputs) == labels))


def columns_of(classes: tuple[str, ...], known: tuple[str, ...]) -> list[int]:
    """Return where in a network's outputs the `classes` of the data are; it knows the classes `known`.

    Raises:
        InvalidRequest: one is not there.
    """
    strange = [each for each in classes if each not in known]
    if strange:
        raise InvalidRequest(f"The network knows no {', '.join(strange)}; it knows {', '.join(known)}.")
    return [known.index(each) for each in classes]


def score(outputs: NDArray[np.float32], labels: NDArray[np.int64], *, classes: tuple[str, ...] = DIGITS) -> Score:
    """Return all figures of `outputs` (scores or probabilities, a row each, the classes first) against the truth."""
    return score_read(np.asarray(outputs[:, : len(classes)].argmax(axis=1), np.int64), labels, classes=classes)


def score_read(read: NDArray[np.int64], labels: NDArray[np.int64], *, classes: tuple[str, ...] = DIGITS) -> Score:
    """Return all figures of what was read against the truth, both as indices into `classes`."""
    count = len(classes)
    confusion = np.zeros((count, count), np.int64)
    np.add.at(confusion, (labels, read), 1)
    return Score(
        glyphs=len(labels),
        accuracy=float(np.trace(confusion) / max(1, len(labels))),
        confusion=tuple(tuple(int(cell) for cell in row) for row in confusion),
        classes=tuple(_class_score(confusion, index, label) for index, label in enumerate(classes)),
    )


def _class_score(confusion: NDArray[np.int64], index: int, label: str) -> ClassScore:
    total = int(confusion.sum())
    hits = int(confusion[index, index])
    missed = int(confusion[index].sum()) - hits
    wrongly = int(confusion[:, index].sum()) - hits
    others = total - hits - missed - wrongly
    return ClassScore(
        label=label,
        glyphs=hits + missed,
        accuracy=(hits + others) / max(1, total),
        sensitivity=hits / max(1, hits + missed),
        specificity=others / max(1, others + wrongly),
        ppv=hits / max(1, hits + wrongly),
    )
