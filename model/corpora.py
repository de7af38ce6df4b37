"""The folder of real collections: each one's loader, what it may be used for, and under which terms.

The `digits` recipe learns from them, the evaluation measures on their test parts. What is a test here
is never learnt from: MNIST's t10k, all of USPS and Semeion, optdigits' second part, the last quarter of ORAND.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2

from core.errors import InvalidRequest
from model.datasets import Samples, load_samples, normalised

FOLDS: Final = 4
"""Parts of ORAND and Meza, from 1: who holds one out learns from the other three."""

LAST_FOLD: Final = FOLDS
"""What is held out where nothing else is said, and what the published figures are of."""

FOLD_RECIPES: Final = {f"digits-fold-{fold}": fold for fold in range(1, LAST_FOLD)}
"""Recipes, of glyphs and of lines, that learn as `digits` does but hold out another fold."""

MD5_DIGITS: Final = "0123456789abcdef"


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """A digit and where it stands in its string's picture: x, y, width, height in pixels."""

    digit: int
    box: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class LabelledString:
    """A picture of a number with its truth; `boxes` from left to right, where they are known."""

    path: Path
    text: str
    boxes: tuple[LabelledBox, ...] = ()


def mnist(folder: Path, *, split: str) -> Samples:
    """Return MNIST's training or test glyphs, normalised."""
    return normalised(load_samples(folder / "mnist", split=split))


def usps_test(folder: Path) -> Samples:
    """Return the test part of USPS, normalised."""
    return normalised(load_samples(folder / "usps" / "usps.npz", split="test"))


def semeion(folder: Path) -> Samples:
    """Return Semeion, normalised."""
    return normalised(load_samples(folder / "semeion" / "semeion.npz"))


def optdigits(folder: Path, *, split: str) -> Samples:
    """Return optdigits' training or test part, normalised."""
    part = {"train": "tra", "test": "tes"}[split]
    return normalised(load_samples(folder / "optdigits" / f"optdigits_orig_{part}.npz"))


def fold_of(recipe: str) -> int:
    """Return the fold that the recipe holds out."""
    return FOLD_RECIPES.get(recipe, LAST_FOLD)


TEST_SETS: dict[str, Callable[[Path], Samples]] = {
    "mnist-t10k": lambda folder: mnist(folder, split="test"),
    "usps-test": usps_test,
    "semeion": semeion,
    "optdigits-test": lambda folder: optdigits(folder, split="test"),
}


def evaluation_sets(folder: Path, *, names: tuple[str, ...] = ()) -> dict[str, Samples]:
    """Return the test sets that lie in `folder`, or those named.

    Raises:
        InvalidRequest: a name is unknown, or no test set lies there.
    """
    unknown = set(names) - set(TEST_SETS)
    if unknown:
        raise InvalidRequest(f"There is no test set {', '.join(sorted(unknown))}; there is: {', '.join(TEST_SETS)}.")
    wanted = names or tuple(name for name in TEST_SETS if (folder / name.split("-", maxsplit=1)[0]).is_dir())
    if not wanted:
        raise InvalidRequest(f"{folder} holds none of the collections that are tested on.")
    return {name: TEST_SETS[name](folder) for name in wanted}


def orand_strings(folder: Path, *, training: bool, fold: int = LAST_FOLD) -> list[LabelledString]:
    """Return ORAND's cheque amounts, a quarter of the ids or the others, doubtful labels left out.

    Neighbouring ids share writers, so the folds are runs of ids.

    Args:
        folder: of the collections.
        training: the fields that are learnt from; otherwise those of the fold.
        fold: the one held out, from 1.
    """
    boxes: dict[str, list[LabelledBox]] = {}
    for row in _rows(folder / "orand_car_a" / "boxes.csv"):
        place = (int(row["x"]), int(row["y"]), int(row["w"]), int(row["h"]))
        boxes.setdefault(row["file"], []).append(LabelledBox(int(row["digit"]), place))
    rows = sorted(_rows(folder / "orand_car_a" / "labels.csv"), key=lambda row: row["file"])
    start, end = (len(rows) * each // FOLDS for each in (fold - 1, fold))
    chosen = rows[:start] + rows[end:] if training else rows[start:end]
    images = folder / "orand_car_a" / "images"
    return [
        LabelledString(images / row["file"], row["label"], tuple(boxes.get(row["file"], ())))
        for row in chosen
        if row["doubtful"] != "1"
    ]


def meza_strings(folder: Path, *, training: bool, fold: int = LAST_FOLD) -> list[LabelledString]:
    """Return Meza's logbook cells, a quarter by the digest of their pixels or the others.

    Copies of a picture fall on the same side. Each comes once; those with conflicting labels, or without digits, are
    left out.

    Args:
        folder: of the collections.
        training: the fields that are learnt from; otherwise those of the fold.
        fold: the one held out, from 1.
    """
    seen: set[str] = set()
    strings = []
    for row in _rows(folder / "meza_cells" / "labels.csv"):
        held_out = 1 + MD5_DIGITS.index(row["content_md5"][0]) * FOLDS // len(MD5_DIGITS) == fold
        if held_out is training:
            continue
        if row["digits"] and row["dup_label_conflict"] != "1" and row["content_md5"] not in seen:
            seen.add(row["content_md5"])
            strings.append(LabelledString(folder / "meza_cells" / "images" / row["file"], row["digits"]))
    return strings


@dataclass(frozen=True, slots=True)
class ChequeField:
    """A field of a whole cheque: the cheque's picture, the field's loose box (left, top, right, bottom), its digits.

    `doubtful` says that the label is uncertain or the field written over.
    """

    path: Path
    box: tuple[int, int, int, int]
    text: str
    doubtful: bool


CHEQUE_FIELDS: Final = {"amount": ("Amt", "amount_digits"), "date": ("DateIss", "date_ddmmyyyy")}
"""By field type: the collection's own names of the field and of its label."""

PRINTED_FIELDS: Final = {"account_number": ("AcNo", "account_no_printed")}
"""The same of fields in ordinary type, which nothing is learnt from but how sure a reading is."""


def cheque_fields(folder: Path, *, type_name: str, training: bool, fold: int = LAST_FOLD) -> list[ChequeField]:
    """Return the amounts, dates or account numbers of IDRBT's cheques: of each bank's one half, or the other.

    Neighbouring cheques share writers, so the split is by number within each bank. They are few: the last fold holds
    out the second halves, the first one the first halves, and those between none.

    Args:
        folder: of the collections.
        type_name: of the fields.
        training: the fields that are learnt from; otherwise those of the fold.
        fold: the one held out, from 1.
    """
    printed = type_name in PRINTED_FIELDS
    field, label = (PRINTED_FIELDS if printed else CHEQUE_FIELDS)[type_name]
    home = folder / "idrbt_cheques"
    boxes = {row["file"]: row for row in _rows(home / "field_boxes.csv") if row["field"] == field}
    by_bank: dict[str, list[dict[str, str]]] = {}
    for row in sorted(_rows(home / "labels.csv"), key=lambda row: row["file"]):
        by_bank.setdefault(row["bank"], []).append(row)
    chosen: list[dict[str, str]] = []
    for rows in by_bank.values():
        half = len(rows) // 2
        held_out = {1: rows[:half], LAST_FOLD: rows[half:]}.get(fold, [])
        chosen += [row for row in rows if (row in held_out) is not training]
    found = []
    for row in chosen:
        place = boxes.get(row["file"])
        if place is not None and row[label]:
            left, top, right, bottom = (max(0, int(place[side])) for side in ("x1", "y1", "x2", "y2"))
            doubtful = not printed and "1" in {row[f"{type_name}_uncertain"], row["overwritten"]}
            found.append(ChequeField(home / "images" / row["file"], (left, top, right, bottom), row[label], doubtful))
    return found


def cut_out(field: ChequeField) -> bytes:
    """Return the field as a PNG, cut from its cheque along the loose box.

    Raises:
        InvalidRequest: the cheque's picture is missing or damaged.
    """
    cheque = cv2.imread(str(field.path))
    if cheque is None:
        raise _missing(field.path, field.path.parent.parent)
    left, top, right, bottom = field.box
    return cv2.imencode(".png", cheque[top:bottom, left:right])[1].tobytes()


def picture_of(string: LabelledString) -> bytes:
    """Return the string's picture, as its file has it.

    Raises:
        InvalidRequest: it is missing.
    """
    try:
        return string.path.read_bytes()
    except OSError as error:
        raise _missing(string.path, string.path.parent.parent) from error


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        file = path.open(newline="", encoding="utf-8")
    except OSError as error:
        raise _missing(path, path.parent) from error
    with file:
        yield from csv.DictReader(file)


def _missing(path: Path, collection: Path) -> InvalidRequest:
    what = "missing" if path.suffix == ".csv" else "missing or no picture"
    home = f"{collection.parent} is to be the folder of collections, with all of {collection.name}/ in it"
    return InvalidRequest(f"{path} is {what}: {home}.")
