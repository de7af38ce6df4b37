"""Figures against ones worked out by hand."""

import numpy as np
import pytest

from model.scores import read_digits, score


def outputs(read: list[int], *, classes: int = 10) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.eye(classes, dtype=np.float32)[read]


def test_each_class_is_measured_against_the_rest() -> None:
    found = score(outputs([1, 1, 7, 1, 0, 0]), np.array([1, 1, 1, 7, 0, 0]))
    one = found.classes[1]
    assert (found.glyphs, one.glyphs) == (6, 3)
    assert found.accuracy == pytest.approx(4 / 6)
    assert [one.sensitivity, one.ppv, one.specificity, one.accuracy] == pytest.approx([2 / 3, 2 / 3, 2 / 3, 4 / 6])


def test_rows_of_the_confusion_are_the_truth() -> None:
    confusion = np.array(score(outputs([7, 7, 1]), np.array([1, 1, 1])).confusion)
    assert confusion[1, 7] == 2
    assert confusion.sum() == 3


def test_a_class_that_nothing_was_called_has_no_precision() -> None:
    assert score(outputs([1]), np.array([1])).classes[5].ppv == 0.0


def test_a_known_digit_is_never_read_as_garbage() -> None:
    likeliest_garbage = np.array([[0.1] * 3 + [0.2] + [0.0] * 6 + [0.5]], np.float32)
    assert read_digits(likeliest_garbage).tolist() == [3]
