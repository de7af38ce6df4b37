"""The methods side by side: scikit-learn's wherever it has them, and the networks.

Each is made afresh for each feature set; its settings were chosen on a part of MNIST's training images.
"""

import pickle
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.artifacts import MANIFEST, SHIPPED, artifact_folder, load_manifest
from model.comparison.proximal import ProximalSVC
from model.ensemble import Ensemble
from model.export import keras_logits, load_network, load_run
from model.journal import NETWORK
from model.scores import read_digits
from model.train import TrainOptions, train
from model.training_extra import load_extra
from segmentation.normalise import NORMALISATION_VERSION

Labels = NDArray[np.int64]
EVERY: Final = ("pixels", "hog", "zones", "structure")


@dataclass(frozen=True, slots=True)
class Method:
    """A classical method.

    Attributes:
        title: for a person.
        settings: what is not scikit-learn's default, for a person.
        make: a fresh classifier with scikit-learn's interface, from a seed.
        features: the feature sets that it is tried on.
    """

    title: str
    settings: str
    make: Callable[[int], Any]
    features: tuple[str, ...] = EVERY


def _linear(seed: int) -> Any:  # noqa: ANN401 - scikit-learn ships no types
    return load_extra("sklearn.svm").LinearSVC(C=0.5, random_state=seed)


def _proximal(seed: int) -> Any:  # noqa: ANN401, ARG001 - nothing is left to chance
    return ProximalSVC(nu=1.0)


def _rbf(seed: int) -> Any:  # noqa: ANN401
    return load_extra("sklearn.svm").SVC(C=10, gamma="scale", cache_size=500, random_state=seed)


def _neighbours(seed: int) -> Any:  # noqa: ANN401, ARG001
    return load_extra("sklearn.neighbors").KNeighborsClassifier(n_neighbors=5, weights="distance", algorithm="brute")


def _forest(seed: int) -> Any:  # noqa: ANN401
    return load_extra("sklearn.ensemble").RandomForestClassifier(n_estimators=100, random_state=seed)


def _bayes(seed: int) -> Any:  # noqa: ANN401, ARG001
    return load_extra("sklearn.naive_bayes").GaussianNB(var_smoothing=1e-2)


def _perceptron(seed: int) -> Any:  # noqa: ANN401
    return load_extra("sklearn.neural_network").MLPClassifier(
        (200,), early_stopping=True, max_iter=40, random_state=seed
    )


METHODS: Final[dict[str, Method]] = {
    # On raw pixels it would take as long as all others together.
    "rbf-svm": Method("RBF SVM", "C 10, gamma scale", _rbf, features=("hog", "zones", "structure")),
    "forest": Method("random forest", "100 trees", _forest),
    "neighbours": Method("k-nearest neighbours", "k 5, by distance", _neighbours),
    "linear-svm": Method("linear SVM", "C 0.5", _linear),
    "perceptron": Method("multilayer perceptron", "200 hidden, a tenth held out to stop by", _perceptron),
    "proximal-svm": Method("proximal SVM", "ν 1, one against all", _proximal),
    "bayes": Method("naive Bayes", "Gaussian, smoothing 0.01", _bayes),
}
"""The slow ones first: what runs beside them fills the gaps."""


@dataclass(frozen=True, slots=True)
class ShippedNetwork:
    """What ships and is tested beside what is trained here: one artifact, or several that read as one."""

    title: str
    artifacts: tuple[str, ...]

    def ships(self, root: Path = SHIPPED) -> bool:
        """Return whether all of it is there."""
        return all((root / name / MANIFEST).exists() for name in self.artifacts)


NETWORKS: Final[dict[str, ShippedNetwork]] = {
    "digits": ShippedNetwork("shipped CNN", ("digits",)),
    "mnist": ShippedNetwork("CNN for MNIST alone", ("mnist",)),
    "ensemble": ShippedNetwork(
        "ensemble of six for MNIST alone",
        ("mnist", "mnist-2", "mnist-3", "mnist-upright", "mnist-narrow", "mnist-wide"),
    ),
}


@dataclass(frozen=True, slots=True)
class Trial:
    """What one classifier did.

    Attributes:
        read: by name of the set, which digit it read in each glyph.
        training_seconds: of one core; None where nothing was trained here.
        testing_seconds: of one core for a thousand glyphs, what they look like known.
        size_bytes: of the trained classifier, written to a file.
    """

    read: dict[str, Labels]
    training_seconds: float | None
    testing_seconds: float
    size_bytes: int


def try_method(
    name: str,
    fit: tuple[NDArray[np.float32], Labels],
    sets: dict[str, NDArray[np.float32]],
    *,
    seed: int,
    standardised: bool,
) -> Trial:
    """Train the method on `fit` and let it read `sets`.

    Args:
        name: of the method.
        fit: rows of figures, and their labels.
        sets: rows of figures by name of the set.
        seed: of what is left to chance.
        standardised: bring figures to mean 0 and deviation 1 first.
    """
    classifier = METHODS[name].make(seed)
    if standardised:
        scaler = load_extra("sklearn.preprocessing").StandardScaler()
        classifier = load_extra("sklearn.pipeline").make_pipeline(scaler, classifier)
    begun = time.process_time()
    with warnings.catch_warnings():
        # The epochs are capped on purpose.
        warnings.simplefilter("ignore", load_extra("sklearn.exceptions").ConvergenceWarning)
        classifier.fit(*fit)
    trained = time.process_time() - begun
    read, testing = _read(classifier.predict, sets)
    return Trial(read, trained, testing, len(pickle.dumps(classifier)))


def try_baseline(data: Path, out: Path, sets: dict[str, NDArray[np.uint8]], *, seed: int, epochs: int | None) -> Trial:
    """Train the published network on the file `data`, as published, and let it read `sets` of glyphs.

    Args:
        data: an npz of glyphs and labels; the training holds a fifth of them out.
        out: folder of the run; one that was stopped goes on.
        sets: glyphs by name of the set.
        seed: of what is left to chance.
        epochs: at most; None leaves it to the patience.
    """
    begun = time.process_time()
    result = train(TrainOptions(out=out, arch="baseline", data=data, seed=seed, epochs=epochs, resume=True))
    trained = time.process_time() - begun
    network = load_network(out / NETWORK, load_run(out).keras_sha256)
    read, testing = _read(lambda glyphs: read_digits(keras_logits(network, glyphs)), sets)
    return Trial(read, trained, testing, 4 * result.parameters)


def try_shipped(artifacts: tuple[str, ...], sets: dict[str, NDArray[np.uint8]], *, root: Path = SHIPPED) -> Trial:
    """Let shipped networks read `sets` of glyphs as one, by LiteRT."""
    reader = Ensemble.load(artifacts, normalisation_version=NORMALISATION_VERSION, root=root)
    read, testing = _read(lambda glyphs: read_digits(reader.classify(glyphs)), sets)
    files = [artifact_folder(name, root=root) / load_manifest(name, root=root).file for name in artifacts]
    return Trial(read, None, testing, sum(file.stat().st_size for file in files))


def _read(classify: Callable[[Any], Any], sets: dict[str, Any]) -> tuple[dict[str, Labels], float]:
    """Return what was read in each set, and the core's seconds for a thousand glyphs."""
    begun = time.process_time()
    read = {name: np.asarray(classify(rows), np.int64) for name, rows in sets.items()}
    glyphs = sum(len(labels) for labels in read.values())
    return read, (time.process_time() - begun) * 1000 / max(1, glyphs)
