"""How right a network is on data it never saw: figures as JSON, confusion matrices as pictures.

An artifact is measured as it reads, by LiteRT; a training's run by Keras.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest
from model.artifacts import SHIPPED
from model.corpora import evaluation_sets
from model.datasets import UNKNOWN, Samples, load_samples, normalised
from model.ensemble import Ensemble
from model.export import keras_logits, load_network, load_run
from model.folders import holds_classes
from model.journal import NETWORK
from model.scores import Score, columns_of, score
from model.training_extra import load_extra
from model.views import seen
from segmentation.normalise import NORMALISATION_VERSION

Classify = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """What to measure.

    Attributes:
        data: a folder of collections, a folder of IDX files, or one file of labelled glyphs; None asks Keras for MNIST.
        models: the artifacts' names; several are measured as one, by the mean of their probabilities.
        root: folder of artifacts.
        run: a training's folder, measured instead of an artifact.
        sets: names of test sets in the folder of collections; all that are there by default.
        out: folder for `evaluation.json` and the pictures; None writes nothing.
    """

    data: Path | None
    models: tuple[str, ...] = ("digits",)
    root: Path = SHIPPED
    run: Path | None = None
    sets: tuple[str, ...] = ()
    out: Path | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured: which network, and each test set's figures."""

    network: str
    sets: dict[str, Score]


def evaluate(options: EvaluateOptions) -> Evaluation:
    """Measure a network and write what was found.

    Raises:
        InvalidRequest: there is no such data, or it has no labels.
        ArtifactError: the artifact is not there, or was altered.
        ExtraMissing: a run or pictures are asked for without TensorFlow or matplotlib.
    """
    network, classify, classes = _network(options)
    sets = _sets(options)
    figures = {}
    for name, part in sets.items():
        columns = columns_of(part.classes, classes)
        figures[name] = score(classify(part.images)[:, columns], part.labels, classes=part.classes)
    found = Evaluation(network, figures)
    if options.out is not None:
        _write(found, options.out)
    return found


def _network(options: EvaluateOptions) -> tuple[str, Classify, tuple[str, ...]]:
    if options.run is None:
        reader = Ensemble.load(options.models, normalisation_version=NORMALISATION_VERSION, root=options.root)
        return reader.version, reader.classify, reader.classes
    run = load_run(options.run)
    network = load_network(options.run / NETWORK, run.keras_sha256)
    return f"{run.arch} of {options.run}", lambda glyphs: keras_logits(network, seen(glyphs, run.view)), run.classes


def _sets(options: EvaluateOptions) -> dict[str, Samples]:
    data = options.data
    if options.sets or (data is not None and data.is_dir() and _holds_collections(data)):
        if data is None:
            raise InvalidRequest("Test sets need the folder of collections; name it.")
        return evaluation_sets(data, names=options.sets)
    samples = load_samples(data, split="test")
    if not len(samples) or (samples.labels == UNKNOWN).any():
        raise InvalidRequest("To measure a network, the glyphs need labels.")
    return {data.stem if data else "mnist": normalised(samples)}


def _holds_collections(folder: Path) -> bool:
    return not list(folder.glob("*idx3*")) and not holds_classes(folder)


def _write(found: Evaluation, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(asdict(found), indent=2) + "\n", "utf-8")
    for name, figures in found.sets.items():
        _picture(figures, f"{name}: {figures.accuracy:.2%} of {figures.glyphs}", folder / f"{name}.png")


def _picture(figures: Score, title: str, path: Path) -> None:
    """Draw the confusion matrix: roots of each row's shares as shades, so that mistakes show; counts as figures."""
    figure: Any = load_extra("matplotlib.figure").Figure(figsize=(6.2, 6), layout="constrained")
    axes = figure.subplots()
    counts = np.array(figures.confusion)
    shades = np.sqrt(counts / np.maximum(1, counts.sum(axis=1, keepdims=True)))
    axes.imshow(shades, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(counts):
        colour = "white" if shades[row, column] > 0.6 else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour, fontsize=8)
    names = [each.label for each in figures.classes]
    axes.set(xlabel="read", ylabel="true", title=title)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    figure.savefig(path, dpi=110)
