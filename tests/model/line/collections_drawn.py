"""A folder of collections in the shape of the real ones, drawn while the tests run: ink, cheque amounts, cells."""

import csv
import gzip
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from model.line.composing import compose
from model.line.paper import painted_field
from model.line.writing import SOURCES, InkCollection, load_ink

SEGMENTS = {
    "a": [(0, 0), (6, 0)], "b": [(6, 0), (6, 5)], "c": [(6, 5), (6, 10)], "d": [(6, 10), (0, 10)],
    "e": [(0, 10), (0, 5)], "f": [(0, 5), (0, 0)], "g": [(0, 5), (6, 5)],
}  # fmt: skip
DIGITS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "gfabcd")

Points = list[list[float]]


def collections(folder: Path) -> Path:
    """Fill `folder` and return it."""
    rng = np.random.default_rng(7)
    for source in SOURCES:
        path = folder / f"{source.path}.jsonl.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "wt", encoding="utf-8") as lines:
            lines.writelines(json.dumps(record) + "\n" for record in _records(source.path, source.y_up, rng))
    ink = load_ink(folder, open_terms_only=True)
    _orand(folder / "orand_car_a", ink, rng)
    _meza(folder / "meza_cells", ink, rng)
    _pictures(folder, rng)
    return folder


def _records(path: str, y_up: bool, rng: Generator) -> Iterable[dict[str, Any]]:
    for writer in ("ann", "bob"):
        if "numbers" in path:
            labels = ["1,204", "77", "3/4", "902"]
        elif "words" in path:
            labels = ["word", "hand"]
        elif "letters" in path:
            labels = ["A", "K", "o"]
        else:
            labels = list("0123456789")
        for label in labels:
            yield {"label": label, "writer": writer, "strokes": _strokes(label, y_up, rng)}


def _strokes(label: str, y_up: bool, rng: Generator) -> list[Points]:
    sign = -1 if y_up else 1
    strokes = []
    for place, char in enumerate(label):
        for segment in DIGITS[int(char)] if char.isdigit() else "eg":
            points = np.array(SEGMENTS[segment]) + np.array([9 * place, 0]) + rng.normal(0, 0.3, (2, 2))
            strokes.append((points * [1, sign]).round(2).tolist())
    return strokes


def _orand(home: Path, ink: InkCollection, rng: Generator) -> None:
    (home / "images").mkdir(parents=True)
    labels, boxes = [], []
    for number in range(12):
        writing = compose(ink, rng)
        field = painted_field(writing, rng)
        name = f"a_car_{number:06d}.png"
        cv2.imwrite(str(home / "images" / name), field.pixels)
        labels.append({"file": name, "label": writing.text, "doubtful": int(number == 0)})
        for place, digit in enumerate(writing.text):
            owned = [s for s, owner in zip(field.strokes, writing.owners, strict=True) if owner == place]
            x, y, width, height = cv2.boundingRect(np.concatenate(owned).round().astype(np.int32))
            boxes.append({"file": name, "digit": digit, "x": x, "y": y, "w": width, "h": height})
    _table(home / "labels.csv", labels)
    _table(home / "boxes.csv", boxes)


def _meza(home: Path, ink: InkCollection, rng: Generator) -> None:
    (home / "images").mkdir(parents=True)
    labels = []
    for number in range(16):
        writing = compose(ink, rng)
        picture = cv2.imencode(".png", painted_field(writing, rng).pixels)[1].tobytes()
        (home / "images" / f"{number}.png").write_bytes(picture)
        # Digests of every first digit, so that both sides of the split hold some.
        digest = f"{number:x}{hashlib.md5(picture, usedforsecurity=False).hexdigest()[1:]}"
        row = {"file": f"{number}.png", "digits": writing.text, "content_md5": digest, "dup_label_conflict": 0}
        labels.append(row)
    _table(home / "labels.csv", labels)


def _pictures(folder: Path, rng: Generator) -> None:
    """Leave drawn digits where MNIST and optdigits lie."""
    labels = np.tile(np.arange(10, dtype=np.uint8), 4)
    images = np.stack([_picture(int(label), rng) for label in labels])
    (folder / "mnist").mkdir()
    with gzip.open(folder / "mnist" / "train-images-idx3-ubyte.gz", "wb") as file:
        file.write(np.array([0x803, *images.shape], ">i4").tobytes() + images.tobytes())
    with gzip.open(folder / "mnist" / "train-labels-idx1-ubyte.gz", "wb") as file:
        file.write(np.array([0x801, len(labels)], ">i4").tobytes() + labels.tobytes())
    (folder / "optdigits").mkdir()
    np.savez(folder / "optdigits" / "optdigits_orig_tra.npz", x=(images[:10] > 99) * np.uint8(255), y=labels[:10])


def _picture(digit: int, rng: Generator) -> NDArray[np.uint8]:
    canvas = np.zeros((28, 28), np.uint8)
    for segment in DIGITS[digit]:
        points = np.array(SEGMENTS[segment]) * 1.8 + 5 + rng.normal(0, 0.3, (2, 2))
        cv2.polylines(canvas, [points.round().astype(np.int32)], False, 255, 2, cv2.LINE_AA)
    return canvas


def _table(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
