"""Glyphs in, labels out: a table with what was read and how surely, or Kaggle's submission file."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest
from model.artifacts import SHIPPED
from model.datasets import UNKNOWN, Samples, load_samples, normalised
from model.ensemble import Ensemble
from model.material import GARBAGE
from segmentation.normalise import NORMALISATION_VERSION

KAGGLE: Final = "kaggle"
FORMATS: Final = (KAGGLE, "csv")

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class PredictOptions:
    """What to read.

    Attributes:
        data: anything that `load_samples` reads.
        out: the table to write.
        format: "kaggle" for `ImageId,Label`, "csv" for `glyph,file,label,confidence,second,second_confidence,truth`.
        models: the artifacts' names; several label as one, by the mean of their probabilities.
        root: folder of artifacts.
    """

    data: Path
    out: Path
    format: str = KAGGLE
    models: tuple[str, ...] = ("digits",)
    root: Path = SHIPPED


def predict(options: PredictOptions) -> int:
    """Write what every glyph was read as, numbered from 1, and return how many there were.

    Raises:
        InvalidRequest: there is no such data or format.
        UnreadableImage: the data is damaged.
        ArtifactError: the artifact is not there, or was altered.
    """
    if options.format not in FORMATS:
        raise InvalidRequest(f"There is no format {options.format!r}; there is: {', '.join(FORMATS)}.")
    reader = Ensemble.load(options.models, normalisation_version=NORMALISATION_VERSION, root=options.root)
    glyphs = normalised(load_samples(options.data, split="test"))
    # A glyph that is asked about is one, whatever speaks for garbage.
    classes = tuple(each for each in reader.classes if each != GARBAGE)
    shares = reader.classify(glyphs.images)[:, : len(classes)]
    rows = _kaggle(shares, classes) if options.format == KAGGLE else _table(shares, classes, glyphs)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with options.out.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return len(glyphs)


def _kaggle(shares: NDArray[np.float32], classes: tuple[str, ...]) -> Iterator[Row]:
    yield "ImageId", "Label"
    for number, best in enumerate(shares.argmax(axis=1), start=1):
        yield number, classes[best]


def _table(shares: NDArray[np.float32], classes: tuple[str, ...], glyphs: Samples) -> Iterator[Row]:
    """Return a row a glyph; `file` and `truth` are empty where the data names none."""
    yield "glyph", "file", "label", "confidence", "second", "second_confidence", "truth"
    files = glyphs.names or ("",) * len(glyphs)
    order = np.argsort(-shares, axis=1)[:, :2]
    each = zip(files, order, shares, glyphs.labels, strict=True)
    for number, (file, (best, second), row, label) in enumerate(each, start=1):
        truth = "" if label == UNKNOWN else glyphs.classes[label]
        yield number, file, classes[best], f"{row[best]:.6f}", classes[second], f"{row[second]:.6f}", truth
