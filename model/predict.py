"""Glyphs in a table, labels out in another, as Kaggle's digit competition asks for them."""

import csv
from dataclasses import dataclass
from pathlib import Path

from model.artifacts import SHIPPED
from model.datasets import load_samples, normalised
from model.recogniser import Recogniser
from model.scores import read_digits
from segmentation.normalise import NORMALISATION_VERSION


@dataclass(frozen=True, slots=True)
class PredictOptions:
    """What to read.

    Attributes:
        data: a CSV of pixels, an IDX file or an npz.
        out: the table to write, `ImageId,Label`.
        model: the artifact's name.
        root: folder of artifacts.
    """

    data: Path
    out: Path
    model: str = "digits"
    root: Path = SHIPPED


def predict(options: PredictOptions) -> int:
    """Write the digit of every glyph, numbered from 1, and return how many there were.

    Raises:
        InvalidRequest: there is no such data.
        UnreadableImage: it is damaged.
        ArtifactError: the artifact is not there, or was altered.
    """
    reader = Recogniser.load(options.model, normalisation_version=NORMALISATION_VERSION, root=options.root)
    glyphs = normalised(load_samples(options.data, split="test"))
    digits = read_digits(reader.classify(glyphs.images))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with options.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["ImageId", "Label"])
        writer.writerows([number, int(digit)] for number, digit in enumerate(digits, start=1))
    return len(digits)
