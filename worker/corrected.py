"""A folder of corrected fields: pictures, what a person says they read, and where each comes from.

```
DIR/labels.csv          one row a field: file, text, truth, type, document, page, field, …
DIR/fields/<id>.png     the field as the reader saw it
DIR/digits/<digit>/<id>-<n>.png, DIR/digits.csv     its digits, where they were found
DIR/provenance.json     from where, when, how many
```

`worker.exporting` writes it, `worker.finetuning` learns from it.
"""

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from os.path import isfile
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest
from core.files import written_at_once
from core.rows import yes_no
from core.types import Truth
from forms.field_types import FIELD_TYPES

LABELS: Final = "labels.csv"
DIGITS: Final = "digits.csv"
PROVENANCE: Final = "provenance.json"
FIELDS_FOLDER: Final = "fields"
DIGITS_FOLDER: Final = "digits"

NEEDED: Final = ("file", "text", "document")
UNTAUGHT: Final = frozenset({"digit", "micr", "letters"})
"""Types of single glyphs, of print and of letters: no line reader of handwritten digits learns from them."""

LETTERS: Final = "letters"
"""The one type whose texts are no digits."""

PLAIN: Final = "digits"
"""Type under which a field of a type that needs a template's options is read by itself."""

FAR: Final = 0.6
"""A part that is held out may have so much of what is wanted, or what is wanted so much of it."""


@dataclass(frozen=True, slots=True)
class CorrectedField:
    """One row of `labels.csv`.

    Attributes:
        file: the picture, below the folder.
        text: its digits, or its letters; empty where the truth is no text.
        truth: what the person said.
        type: the field's type.
        document: SHA-256 of the document's bytes, so that two copies of one scan count as one.
        page, field, document_id, filename: where it was.
        read: what the reader had made of it.
        confirms: whether that was right.
        by, at: whose key, and when.
        reader: SHA-256 of what had read it.
    """

    file: str
    text: str
    truth: Truth = Truth.TEXT
    type: str = PLAIN
    document: str = ""
    document_id: str = ""
    filename: str = ""
    page: int = 0
    field: str = ""
    read: str = ""
    confirms: bool = False
    by: str = ""
    at: str = ""
    reader: str = ""

    @property
    def teaches(self) -> bool:
        """Whether a line reader can learn from it: somebody could tell, and it may be more than a single digit."""
        return self.truth is not Truth.UNREADABLE and self.type not in UNTAUGHT

    @property
    def read_as(self) -> str:
        """The type to read the picture by itself as."""
        return read_alone_as(self.type)


def read_alone_as(type_name: str) -> str:
    """Return the type to read a picture by itself as; one that needs a template's options is read as `PLAIN`."""
    return type_name if type_name in FIELD_TYPES else PLAIN


def write_labels(folder: Path, fields: Sequence[CorrectedField]) -> None:
    """Write `labels.csv`: whole, or not at all."""
    with written_at_once(folder / LABELS) as partial, partial.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, fieldnames=list(CorrectedField.__dataclass_fields__))
        writer.writeheader()
        for field in fields:
            writer.writerow({**asdict(field), "confirms": yes_no(value=field.confirms)})


def load_labels(folder: Path) -> list[CorrectedField]:
    """Return the rows of `labels.csv`; only file, text and document must be there.

    Raises:
        InvalidRequest: there is no such table, it is damaged, a text is no string of digits, or a file is gone.
    """
    path = folder / LABELS
    try:
        rows = list(table_rows(path, NEEDED))
    except OSError as error:
        raise InvalidRequest(f"{folder} holds no corrections: there is no {LABELS} to read.") from error
    return [_field(row, folder, place) for place, row in rows]


def table_rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield where each row of a table stands, for a sentence about it, and its cells by column.

    Raises:
        InvalidRequest: the table is damaged, or lacks a column that is needed.
        OSError: the file cannot be read.
    """
    with path.open(newline="", encoding="utf-8-sig") as lines:
        # Strict: of a quote that nothing closes, the cell would else swallow all the rows that follow.
        rows = csv.DictReader(lines, strict=True)
        try:
            if missing := [name for name in needed if name not in (rows.fieldnames or ())]:
                raise InvalidRequest(f"{path} lacks the column {missing[0]}.")
            for row in rows:
                yield f"{path}, line {rows.line_num}", _cells(row, f"{path}, line {rows.line_num}")
        except UnicodeError as error:
            raise InvalidRequest(f"{path} is no text in UTF-8; save it as CSV in UTF-8.") from error
        except csv.Error as error:
            raise InvalidRequest(f"{path}, after line {rows.line_num}: {error}.") from error


def truth_of(row: Mapping[str, str], place: str) -> Truth:
    """Return what a row's truth is; where it says nothing of it, its text tells.

    Raises:
        InvalidRequest: it is none that there is, or the text says otherwise.
    """
    text = row["text"]
    try:
        truth = Truth(row.get("truth") or (Truth.TEXT if text else Truth.EMPTY))
    except ValueError as error:
        raise InvalidRequest(f"{place}: {error}.") from error
    if truth is not Truth.UNREADABLE and (truth is Truth.TEXT) != bool(text):
        raise InvalidRequest(f"{place}: the truth is {truth.value!r}, and the text {text!r}.")
    return truth


def picture(folder: Path, field: CorrectedField) -> NDArray[np.uint8]:
    """Return the field's pixels: uint8 grey, shape (height, width).

    Raises:
        InvalidRequest: the file is no picture.
    """
    pixels = cv2.imread(str(folder / field.file), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise InvalidRequest(f"{folder / field.file} is no picture.")
    return np.asarray(pixels, np.uint8)


def split(fields: Sequence[CorrectedField], *, share: float) -> tuple[list[CorrectedField], list[CorrectedField]]:
    """Return the fields to learn from and those held out: whole documents, about `share` of the fields held out.

    A document is held out by its own bytes, whatever else there is: what one fine-tuning held out, the next one does,
    too, when more documents have come. Only where that leaves far too many or too few, as among a handful of documents,
    they are chosen together.
    """
    sizes = Counter(field.document for field in fields)
    wanted = share * len(fields)
    held = {name for name in sizes if _place(name) < share}
    if not FAR * wanted <= sum(sizes[name] for name in held) <= wanted / FAR:
        held = _chosen_together(sizes, wanted)
    return [f for f in fields if f.document not in held], [f for f in fields if f.document in held]


def _chosen_together(sizes: Mapping[str, int], wanted: float) -> set[str]:
    """Return documents that hold about so many fields: those that come first and do not go far beyond it."""
    held: set[str] = set()
    left = wanted
    for name in sorted(sizes, key=_place):
        if left > 0 and sizes[name] <= left / FAR:
            held.add(name)
            left -= sizes[name]
    return held or {min(sizes, key=lambda name: (sizes[name], _place(name)))}


def provenance(folder: Path) -> dict[str, Any]:
    """Return what the folder says of itself; nothing where it says nothing."""
    try:
        found: dict[str, Any] = json.loads((folder / PROVENANCE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _cells(row: dict[str | Any, str | Any], place: str) -> dict[str, str]:
    """Return the row's cells without the blanks around them, once there is one for each column."""
    # csv puts cells without a column under None, and None where a cell is missing.
    if None in row or None in row.values():
        raise InvalidRequest(f"{place}: the row has {'more' if None in row else 'fewer'} cells than there are columns.")
    return {name: cell.strip() for name, cell in row.items()}


def _field(values: dict[str, str], folder: Path, place: str) -> CorrectedField:
    text, file = values["text"], values["file"]
    if text and values.get("type") != LETTERS and not (text.isascii() and text.isdigit()):
        raise InvalidRequest(f"{place}: {text!r} is no string of digits.")
    if not isfile(folder / file):  # noqa: PTH113 - Path's raises on a name that is too long
        raise InvalidRequest(f"{place}: there is no file {file!r}.")
    truth = truth_of(values, place)
    try:
        page = int(values.get("page") or 0)
    except ValueError as error:
        raise InvalidRequest(f"{place}: {error}.") from error
    same = {
        name: values.get(name, "")
        for name in ("document", "document_id", "filename", "field", "read", "by", "at", "reader")
    }
    return CorrectedField(
        file, text, truth, values.get("type") or PLAIN, page=page, confirms=values.get("confirms") == "true", **same
    )


def _place(name: str) -> float:
    """Return where between 0 and 1 a document stands, by its own name alone."""
    return int.from_bytes(hashlib.sha256(f"held out {name}".encode()).digest()[:8], "big") / 2**64
