"""Figures from readings, and the vote."""

import numpy as np
import pytest

from model.comparison.figures import figures_of, interval, voted
from model.comparison.running import Entry, Result, best_voters


def test_figures_count_what_was_read() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2])
    found = figures_of(np.array([0, 0, 1, 1, 1, 2]), labels)
    assert found.accuracy == pytest.approx(5 / 6)
    assert found.error == pytest.approx(1 / 6)
    # Only the three digits that are there count in the means.
    assert found.sensitivity == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert found.ppv == pytest.approx((1 + 2 / 3 + 1) / 3)
    assert found.specificity == pytest.approx((1 + 3 / 4 + 1) / 3)
    assert found.low < found.accuracy < found.high


def test_the_interval_is_wilsons() -> None:
    assert interval(0.9, 100) == pytest.approx((0.8256, 0.9448), abs=1e-4)
    assert interval(1.0, 50)[1] == 1.0
    assert interval(1.0, 50)[0] < 1.0


def test_most_ballots_win_and_the_best_one_where_all_differ() -> None:
    ballots = [np.array([1, 1, 7]), np.array([2, 2, 8]), np.array([2, 1, 9])]
    assert voted(ballots).tolist() == [2, 1, 7]


def result(name: str, title: str, validation: float | None, test: float, *, candidate: bool = True) -> Result:
    right = int(test * 10)
    figures = figures_of(np.array([0] * right + [1] * (10 - right)), np.zeros(10, np.int64))
    entry = Entry(name, title, "HOG", "", candidate=candidate)
    return Result(entry, validation, 1.0, 1.0, 1, {"mnist-t10k": figures})


def test_voters_are_chosen_by_validation_alone_each_method_once() -> None:
    results = [
        result("a-hog", "A", 0.90, 1.0),
        result("a-pixels", "A", 0.95, 0.1),
        result("b", "B", 0.99, 0.2),
        result("c", "C", 0.80, 1.0),
        result("d", "D", 0.97, 0.3),
        result("shipped", "S", None, 1.0, candidate=False),
    ]
    assert best_voters(results) == ("b", "d", "a-pixels")
