"""Online ink: numbers, digits and words as pen strokes, with their real spacing, slant and touching.

A `Stroke` is float32 of shape (points, 2), x to the right and y down; a `Writing` is what stands in one record,
scaled so that its digits are one unit high.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model import terms
from model.ink import records

Stroke = NDArray[np.float32]

SEPARATORS: Final = frozenset(".,-/$ ()'")
"""What may stand between the digits of a number and is not read."""

OTHER: Final = "?"
"""Stands for a word or drawing in a text: the reader says that it is there, and not what it says."""

LOOK_ALIKES: Final = frozenset("oOQDilIJjzZsSgqbBG|/\\.,-'_\"()[]{}:;~^`+=tyV")
"""Letters and marks that by themselves may pass for a digit or a separator, or for part of one."""


@dataclass(frozen=True, slots=True)
class Writing:
    """Strokes of one number or digit, its digits one unit high, its left end at x = 0 and its top at y = 0.

    Attributes:
        text: what it says.
        writer: whose hand it is.
        strokes: in the order in which they were written.
        owners: for each stroke, which digit of the text it is a part of, -1 for a mark; empty where that is unknown.
    """

    text: str
    writer: str
    strokes: tuple[Stroke, ...]
    owners: tuple[int, ...] = ()

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
    """Whole numbers, single digits by writer, and words.

    Attributes:
        numbers: whole numbers with their separators.
        digits: by writer, by digit.
        words: what is no number; the text of each is `OTHER`.
    """

    numbers: tuple[Writing, ...]
    digits: dict[str, dict[str, list[Writing]]]
    words: tuple[Writing, ...]


@dataclass(frozen=True, slots=True)
class InkSource:
    """A file of online ink.

    Attributes:
        path: below the folder of collections, without its ending.
        y_up: whether y points up.
        terms: as its publisher states them.
        open_terms: whether its stated terms allow any use.
    """

    path: str
    y_up: bool
    terms: str
    open_terms: bool

    @property
    def collection(self) -> str:
        """Folder of the collection that it is a part of."""
        return self.path.split("/", maxsplit=1)[0]


SOURCES: Final = (
    InkSource("unipen_ink/numbers", y_up=True, terms=terms.UNIPEN, open_terms=True),
    InkSource("unipen_ink/digits", y_up=True, terms=terms.UNIPEN, open_terms=True),
    InkSource("unipen_ink/words_sample", y_up=True, terms=terms.UNIPEN, open_terms=True),
    InkSource("unipen_ink/letters_symbols_sample", y_up=True, terms=terms.UNIPEN, open_terms=True),
    InkSource("pendigits_ink/pendigits_orig", y_up=True, terms=terms.UCI, open_terms=True),
    InkSource("crohme_ink/numbers", y_up=False, terms=terms.CROHME, open_terms=False),
    InkSource("crohme_ink/digits", y_up=False, terms=terms.CROHME, open_terms=False),
)

MIN_DIGITS: Final = 6
"""A writer of fewer different digits cannot write a number by themselves."""

MIN_WORD: Final = 2

MAX_REPEATS: Final = 12
"""So many writings of one text by one writer are kept: drill strings would crowd out the rest."""


def load_ink(data: Path, *, open_terms_only: bool = False, collection: str = "") -> InkCollection:
    """Return the online ink under `data`; test writers and doubtful records are left out.

    Args:
        data: folder of collections.
        open_terms_only: leave out what is not for any use.
        collection: take this one alone.
    """
    numbers: list[Writing] = []
    words: list[Writing] = []
    digits: dict[str, dict[str, list[Writing]]] = defaultdict(lambda: defaultdict(list))
    repeats: Counter[tuple[str, str]] = Counter()
    for source in SOURCES:
        if (open_terms_only and not source.open_terms) or collection not in {"", source.collection}:
            continue
        for writing in _read(data / f"{source.path}.jsonl.gz", y_up=source.y_up):
            if len(writing.text) == 1 and writing.text.isdigit():
                digits[writing.writer][writing.text].append(writing)
            elif _is_number(writing.text):
                repeats[writing.writer, writing.text] += 1
                if repeats[writing.writer, writing.text] <= MAX_REPEATS:
                    numbers.append(writing)
            elif _is_word(writing.text):
                words.append(replace(writing, text=OTHER))
    complete = {writer: dict(glyphs) for writer, glyphs in digits.items() if len(glyphs) >= MIN_DIGITS}
    return InkCollection(tuple(numbers), complete, tuple(words))


def _read(path: Path, *, y_up: bool) -> Iterator[Writing]:
    for record in records(path):
        if _usable(record):
            strokes = list(_strokes(record, sign=-1.0 if y_up else 1.0))
            if strokes:
                yield scaled(str(record["label"]), str(record.get("writer", path.parent.name)), strokes)


def _usable(record: dict[str, Any]) -> bool:
    in_training = record.get("split", "train") not in {"test", "tes"}
    return in_training and record.get("lines", 1) == 1 and record.get("q") != "BAD"


def _is_number(label: str) -> bool:
    return any(c.isdigit() for c in label) and all(c.isdigit() or c in SEPARATORS for c in label)


def _is_word(label: str) -> bool:
    """Return whether nobody would take the writing for a number."""
    letters = [c for c in label if c.isalpha()]
    if any(c.isdigit() for c in label):
        return False
    if len(label) == 1:
        return label not in LOOK_ALIKES
    return len([c for c in letters if c not in LOOK_ALIKES]) >= 1 and len(letters) >= MIN_WORD


def _strokes(record: dict[str, Any], *, sign: float) -> Iterator[Stroke]:
    parts = [char["strokes"] for char in record["chars"]] if record.get("chars") else [record["strokes"]]
    for part in parts:
        for points in part:
            if len(points):
                yield np.asarray(points, dtype=np.float32)[:, :2] * np.array([1.0, sign], dtype=np.float32)


def scaled(text: str, writer: str, strokes: list[Stroke]) -> Writing:
    """Return the strokes as one writing, moved to its corner and scaled to the height of a digit."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    unit = max(float(high[1] - low[1]), 0.25 * float(high[0] - low[0]) / max(len(text), 1), 1e-3)
    return Writing(text, writer, tuple((stroke - low) / unit for stroke in strokes))
