"""A linear proximal support vector machine (Fung and Mangasarian 2001), one class against all others.

A support vector machine keeps two bounding planes apart and finds them by a quadratic programme. The proximal one
lays each plane through the middle of its class, as far from the other as it goes: what remains is one system of linear
equations. With A the rows, e ones, E = [A, -e] and D the classes as ±1, the plane w, γ solves

    (I/ν + EᵀE) [w; γ] = EᵀDe

The matrix on the left is the same for every class, so ten classes cost one factorisation.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

Floats = NDArray[np.float64]


class ProximalSVC(ClassifierMixin, BaseEstimator):
    """A linear classifier with scikit-learn's interface.

    Attributes:
        nu: how much an error weighs against the width of the margin.
        classes_: the labels, in the order of the decision function's columns.
        coef_: the planes' normals, shape (classes, figures).
        intercept_: shape (classes,), what is added to a row's product with them.
    """

    def __init__(self, nu: float = 1.0) -> None:
        self.nu = nu

    def fit(self, X: Any, y: Any) -> "ProximalSVC":  # noqa: ANN401, N803 - scikit-learn's signature
        """Find a plane for each class: rows in `X`, their labels in `y`."""
        rows = np.asarray(X, np.float64)
        self.classes_, places = np.unique(y, return_inverse=True)
        signs = np.where(places[:, None] == np.arange(len(self.classes_)), 1.0, -1.0)
        extended = np.hstack([rows, -np.ones((len(rows), 1))])
        system = np.eye(extended.shape[1]) / self.nu + extended.T @ extended
        planes = np.linalg.solve(system, extended.T @ signs)
        self.coef_, self.intercept_ = planes[:-1].T, -planes[-1]
        self.n_features_in_ = rows.shape[1]
        return self

    def decision_function(self, X: Any) -> Floats:  # noqa: ANN401, N803
        """Return how far each row lies on each class's side: shape (rows, classes)."""
        far: Floats = np.asarray(X, np.float64) @ self.coef_.T + self.intercept_
        return far

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: ANN401, N803
        """Return the class on whose side each row lies farthest."""
        return np.asarray(self.classes_[self.decision_function(X).argmax(axis=1)])
