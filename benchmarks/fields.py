"""The sets of labelled fields that the benchmarks read: files as they lie in the collections, or cut from them.

What is held out is never learnt from: ORAND's last quarter, Meza's test part, and the second half of each bank's
cheques of IDRBT (`model.corpora`).
"""

import csv
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.types import Box
from model.artifacts import SHIPPED
from model.corpora import (
    FOLDS,
    LAST_FOLD,
    LabelledString,
    cheque_fields,
    cut_out,
    meza_strings,
    orand_strings,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HELD_OUT_NETWORKS = SHIPPED / "digits-held-out"
"""What accuracy is measured with: networks that learnt nothing from `HELD_OUT`, as those that ship have."""

MNIST_STEP = 60

HELD_OUT = ("orand", "meza", "idrbt-amounts", "idrbt-dates")
SETS = ("orand-training", *HELD_OUT, "mnist")

IDRBT_FIELDS = {"amounts": "amount", "dates": "date"}
"""The field type of each set."""

MAX_TRIES = 300
MAX_PRINT = 100
"""Grey levels by which security print is darker than its paper; writing is further from it."""

WHITE = 238
"""Brighter than this is the scanner's lid beside the cheque."""


@dataclass(frozen=True, slots=True)
class LabelledDigit:
    """A digit and where it stands in its field's picture."""

    char: str
    box: Box


@dataclass(frozen=True, slots=True)
class Field:
    """A field's picture as a file, and its truth.

    Attributes:
        file: the name of the file it is or was cut from.
        truth: its digits.
        data: the bytes of a picture file.
        digits: where its digits stand, where that is known.
        doubtful: its label is uncertain, or its writing was written over.
    """

    file: str
    truth: str
    data: bytes
    digits: tuple[LabelledDigit, ...] = ()
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class FieldSet:
    """Fields of one kind from one collection.

    Attributes:
        name: for files and the command line.
        title: for a person.
        type_name: the field type that they are read as.
        held_out: whether nothing was learnt from them.
        fields: the fields.
    """

    name: str
    title: str
    type_name: str
    held_out: bool
    fields: tuple[Field, ...]


def load_set(name: str, data: Path, *, limit: int | None = None, fold: int = LAST_FOLD) -> FieldSet:
    """Return the set of that name from the folder of collections, or its first `limit` fields.

    Args:
        name: one of `SETS`.
        data: folder of the collections.
        limit: None for all.
        fold: what the networks that read held out, from 1.
    """
    loaders: dict[str, Callable[[Path], FieldSet]] = {
        "orand-training": partial(orand, training=True, fold=fold),
        "orand": partial(orand, training=False, fold=fold),
        "meza": partial(meza, fold=fold),
        "idrbt-amounts": partial(idrbt, kind="amounts", fold=fold),
        "idrbt-dates": partial(idrbt, kind="dates", fold=fold),
        "mnist": mnist,
    }
    fields = loaders[name](data)
    return fields if limit is None else replace(fields, fields=fields.fields[:limit])


def orand(data: Path, *, training: bool, fold: int) -> FieldSet:
    """Return ORAND's cheque amounts: those learnt from, or the held-out quarter of the ids."""
    title = f"ORAND, {'three quarters learnt from' if training else 'held-out quarter'}"
    if fold == LAST_FOLD:
        title = f"ORAND, {'first three quarters' if training else 'last quarter'}"
    fields = _files(orand_strings(data, training=training, fold=fold))
    return FieldSet("orand-training" if training else "orand", title, "digits", not training, fields)


def meza(data: Path, *, fold: int) -> FieldSet:
    """Return the held-out part of Meza's logbook cells."""
    title = f"Meza, {'test part' if fold == LAST_FOLD else 'held-out quarter'}"
    return FieldSet("meza", title, "digits", True, _files(meza_strings(data, training=False, fold=fold)))


def idrbt(data: Path, *, kind: str, fold: int) -> FieldSet:
    """Return the held-out amounts or dates of IDRBT's cheques, cut along their loose boxes."""
    type_name = IDRBT_FIELDS[kind]
    fields = tuple(
        Field(field.path.name, field.text, cut_out(field), doubtful=field.doubtful)
        for field in cheque_fields(data, type_name=type_name, training=False, fold=fold)
    )
    half = {1: "first half", LAST_FOLD: "second half"}.get(fold, "none")
    return FieldSet(f"idrbt-{kind}", f"IDRBT, {kind}, {half}", type_name, True, fields)


def cheque_crops(data: Path, box_name: str) -> Iterator[tuple[str, bytes]]:
    """Yield the file and the PNG of each box of that name on IDRBT's cheques."""
    import cv2

    for row in _rows(data / "idrbt_cheques" / "field_boxes.csv"):
        if row["field"] == box_name:
            cheque = picture(data / "idrbt_cheques" / "images" / row["file"])
            x1, y1, x2, y2 = (int(row[side]) for side in ("x1", "y1", "x2", "y2"))
            yield row["file"], cv2.imencode(".png", cheque[y1:y2, x1:x2])[1].tobytes()


def cheque_paper(data: Path, *, rng: "np.random.Generator", each: int = 5) -> Iterator["NDArray[np.uint8]"]:
    """Yield pieces of each of IDRBT's cheques that nothing stands on but security print, found by chance.

    Paper is where the darkest two of a thousand pixels are not far from the middle one.
    """
    import numpy as np

    for path in sorted((data / "idrbt_cheques" / "images").iterdir()):
        cheque = picture(path)
        found = 0
        for _ in range(MAX_TRIES):
            height, width = int(rng.integers(50, 140)), int(rng.integers(80, 400))
            y, x = int(rng.integers(0, cheque.shape[0] - height)), int(rng.integers(0, cheque.shape[1] - width))
            piece = cheque[y : y + height, x : x + width]
            dark, middle = np.percentile(piece, (0.2, 50))
            if middle - dark < MAX_PRINT and middle < WHITE and found < each:
                found += 1
                yield piece


def picture(path: Path) -> "NDArray[np.uint8]":
    """Return a picture's pixels: uint8, shape (height, width, 3), BGR."""
    import cv2
    import numpy as np

    return np.asarray(cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR), np.uint8)


def mnist(data: Path) -> FieldSet:
    """Return every sixtieth of MNIST's training images as PNG."""
    import cv2

    from model.datasets import load_samples

    samples = load_samples(data / "mnist", split="train").take(slice(None, None, MNIST_STEP))
    fields = tuple(
        Field(f"mnist_{MNIST_STEP * place:05}.png", str(label), cv2.imencode(".png", image)[1].tobytes())
        for place, (image, label) in enumerate(zip(samples.images, samples.labels, strict=True))
    )
    return FieldSet("mnist", "MNIST, training", "digit", False, fields)


def add_fold(parser: ArgumentParser) -> None:
    """Let a benchmark's caller name what was held out."""
    parser.add_argument(
        "--fold",
        type=int,
        choices=range(1, FOLDS + 1),
        default=LAST_FOLD,
        help="the quarter of the fields that the networks of --artifact held out [default: the last]",
    )


def without_doubtful(fields: FieldSet) -> FieldSet:
    """Return the set without the fields whose truth is uncertain or written over."""
    kept = tuple(field for field in fields.fields if not field.doubtful)
    return replace(fields, name=f"{fields.name}-clear", title=f"{fields.title}, clear ones", fields=kept)


def corrected(fields: FieldSet, *, path: Path | None = None) -> FieldSet:
    """Return the set with the labels that a person corrected; those that nobody can tell are left out."""
    from model.corrections import CORRECTIONS, Corrections

    known = Corrections(path or CORRECTIONS)
    collection = fields.name.split("-", maxsplit=1)[0]
    relabelled = (_relabelled(field, known.of(collection, field.file, field.truth)) for field in fields.fields)
    kept = tuple(field for field in relabelled if field.truth)
    return replace(fields, name=f"{fields.name}-corrected", title=f"{fields.title}, labels corrected", fields=kept)


def _relabelled(field: Field, truth: str) -> Field:
    """Return the field with another truth, its digits too where there are as many: their boxes are right."""
    digits = field.digits
    if len(truth) == len(digits):
        digits = tuple(replace(digit, char=char) for digit, char in zip(digits, truth, strict=True))
    return replace(field, truth=truth, digits=digits)


def _files(strings: Sequence[LabelledString]) -> tuple[Field, ...]:
    return tuple(
        Field(
            string.path.name,
            string.text,
            string.path.read_bytes(),
            tuple(LabelledDigit(str(known.digit), Box(*known.box)) for known in string.boxes),
        )
        for string in strings
    )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)
