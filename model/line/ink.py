"""Online ink: numbers and digits as pen strokes, with their real spacing, slant and touching.

A `Stroke` is float32 of shape (points, 2), x to the right and y DOWN; a `Writing` is what stands
in one record, scaled so that its digits are one unit high.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Stroke = NDArray[np.float32]

SEPARATORS = frozenset(".,-/$ ()'")
"""What may stand between the digits of a number and is not read."""


@dataclass(frozen=True, slots=True)
class Writing:
    """Strokes of one number or digit, its digits one unit high, its left end at x = 0 and its top at y = 0."""

    text: str
    writer: str
    strokes: tuple[Stroke, ...]

    @property
    def width(self) -> float:
        """Distance from the left end to the right end, in digit heights."""
        return max(float(stroke[:, 0].max()) for stroke in self.strokes)

    @property
    def height(self) -> float:
        """Distance from the top to the bottom, in digit heights."""
        return max(float(stroke[:, 1].max()) for stroke in self.strokes)


@dataclass(frozen=True, slots=True)
class InkCollection:
    """Whole numbers, and single digits by writer."""

    numbers: tuple[Writing, ...]
    digits: dict[str, dict[str, list[Writing]]]


SOURCES: tuple[tuple[str, bool, bool], ...] = (
    # folder/file, whether y points up, whether its terms allow any use
    ("unipen_ink/numbers", True, True),
    ("unipen_ink/digits", True, True),
    ("pendigits_ink/pendigits_orig", True, True),
    ("crohme_ink/numbers", False, False),
    ("crohme_ink/digits", False, False),
)


def load_ink(data: Path, *, open_terms_only: bool = False) -> InkCollection:
    """Return the online ink under `data`; test writers and doubtful records are left out."""
    numbers: list[Writing] = []
    digits: dict[str, dict[str, list[Writing]]] = defaultdict(lambda: defaultdict(list))
    for name, y_up, is_open in SOURCES:
        if open_terms_only and not is_open:
            continue
        for writing in _read(data / f"{name}.jsonl.gz", y_up=y_up):
            if len(writing.text) == 1 and writing.text.isdigit():
                digits[writing.writer][writing.text].append(writing)
            else:
                numbers.append(writing)
    complete = {writer: dict(glyphs) for writer, glyphs in digits.items() if len(glyphs) >= 6}
    return InkCollection(tuple(numbers), complete)


def _read(path: Path, *, y_up: bool) -> Iterator[Writing]:
    with gzip.open(path, "rt") as lines:
        for line in lines:
            record = json.loads(line)
            if _usable(record):
                strokes = list(_strokes(record, sign=-1.0 if y_up else 1.0))
                if strokes:
                    yield _scaled(str(record["label"]), str(record.get("writer", path.parent.name)), strokes)


def _usable(record: dict[str, Any]) -> bool:
    label = str(record["label"])
    readable = any(c.isdigit() for c in label) and all(c.isdigit() or c in SEPARATORS for c in label)
    return readable and record.get("lines", 1) == 1 and record.get("split", "train") not in {"test", "tes"}


def _strokes(record: dict[str, Any], *, sign: float) -> Iterator[Stroke]:
    parts = [char["strokes"] for char in record["chars"]] if record.get("chars") else [record["strokes"]]
    for part in parts:
        for points in part:
            if len(points):
                yield np.asarray(points, dtype=np.float32)[:, :2] * np.array([1.0, sign], dtype=np.float32)


def _scaled(text: str, writer: str, strokes: list[Stroke]) -> Writing:
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    unit = max(float(high[1] - low[1]), 0.25 * float(high[0] - low[0]) / max(len(text), 1), 1e-3)
    return Writing(text, writer, tuple((stroke - low) / unit for stroke in strokes))
