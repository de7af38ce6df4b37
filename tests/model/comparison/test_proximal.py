"""The proximal support vector machine solves what it says, and behaves as scikit-learn's classifiers do."""

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("sklearn", reason="the train extra is not installed")

from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model.comparison.proximal import ProximalSVC


def clouds(classes: int, *, seed: int = 1) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    rng = np.random.default_rng(seed)
    centres = 6 * np.stack([np.cos(np.arange(classes)), np.sin(np.arange(classes))], axis=1)
    places = np.repeat(np.arange(classes), 60)
    return centres[places] + rng.normal(size=(len(places), 2)), np.array(list("abcdef"))[places]


def test_it_solves_the_published_system() -> None:
    rows, labels = clouds(2)
    found = ProximalSVC(nu=0.3).fit(rows, labels)
    extended = np.hstack([rows, -np.ones((len(rows), 1))])
    signs = np.where(labels == "b", 1.0, -1.0)
    left = np.eye(3) / 0.3 + extended.T @ extended
    solution = np.append(found.coef_[1], -found.intercept_[1])
    assert left @ solution == pytest.approx(extended.T @ signs)


def test_the_solution_is_the_least_of_its_objective() -> None:
    rows, labels = clouds(2)
    found = ProximalSVC(nu=0.3).fit(rows, labels)
    signs = np.where(labels == "b", 1.0, -1.0)

    def objective(plane: NDArray[np.float64], offset: float) -> float:
        slack = 1 - signs * (rows @ plane + offset)
        return float(0.3 / 2 * slack @ slack + (plane @ plane + offset * offset) / 2)

    best = objective(found.coef_[1], found.intercept_[1])
    for step in np.random.default_rng(2).normal(scale=0.05, size=(20, 3)):
        assert objective(found.coef_[1] + step[:2], found.intercept_[1] + step[2]) > best


def test_three_classes_are_told_apart() -> None:
    rows, labels = clouds(3)
    found = ProximalSVC().fit(rows, labels)
    assert found.classes_.tolist() == ["a", "b", "c"]
    assert found.decision_function(rows).shape == (180, 3)
    assert found.score(rows, labels) > 0.95


def test_it_fits_into_scikit_learn() -> None:
    rows, labels = clouds(3)
    pipeline = make_pipeline(StandardScaler(), ProximalSVC(nu=2.0))
    assert cross_val_score(pipeline, rows, labels, cv=3).min() > 0.9
    assert clone(ProximalSVC(nu=2.0)).get_params() == {"nu": 2.0}
