"""Corrections out of a service or its database into a folder that a training learns from.

Each field is cut from the scan as it came in, as the reader saw it, and its digits are found by forced alignment: the
likeliest path through its lattice that spells what the person said.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

import cv2
import numpy as np
import structlog
from numpy.typing import NDArray

from core.errors import InputError, InvalidRequest, StorageFull
from core.files import is_full_disk
from core.types import Box, Page, Truth
from model.mining import align, lattice_of_picture
from model.recogniser import Recogniser
from segmentation.decoding import DecodeLimits, decode_page
from segmentation.prepare import paper_around, to_grey
from worker.corrected import (
    DIGITS,
    DIGITS_FOLDER,
    FIELDS_FOLDER,
    LABELS,
    PROVENANCE,
    CorrectedField,
    write_labels,
)
from worker.form_reading import MICR, Form

log = structlog.get_logger(__name__)

HANDWRITTEN: Final = "handwritten"
"""Writing of a field that people fill in."""

_SAID: Final = tuple(name for name in CorrectedField.__dataclass_fields__ if name not in {"file", "document"})
"""What a row of the labels says as the correction does."""

DIGIT_COLUMNS: Final = ("file", "digit", "field", "place")

DIGIT_MARGIN: Final = 4
"""Pixels of paper around a digit, by which whoever learns from it tells paper from ink."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A correction as either source gives it."""

    id: str
    document_id: str
    filename: str
    page: int
    field: str
    type: str
    box: Box
    truth: Truth
    text: str
    read: str
    confirms: bool
    by: str
    at: str
    reader: str


class Source(Protocol):
    """Where corrections come from."""

    def corrections(self) -> Iterable[Corrected]:
        """Return those that count."""
        ...

    def original(self, document_id: str) -> bytes:
        """Return the document's bytes."""
        ...

    def form(self, document_id: str) -> Form | None:
        """Return the form that the document was read by, where it can be had."""
        ...


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: fields, digits, fields whose scan could not be cut, and those in print, which are left out."""

    fields: int
    digits: int
    left_out: int
    printed: int = 0


def export(
    source: Source,
    folder: Path,
    *,
    glyphs: Recogniser,
    limits: DecodeLimits,
    facts: dict[str, Any],
    on_field: Callable[[], None] | None = None,
) -> Exported:
    """Write the corrections of `source` into `folder`, which must not hold any yet.

    Args:
        source: a service or a database.
        folder: made where it is missing.
        glyphs: finds the digits.
        limits: within which scans are decoded.
        facts: for the provenance.
        on_field: called after each field.

    Raises:
        InvalidRequest: the folder holds corrections already, or there are none to export.
        StorageFull: no space is left for the folder.
    """
    _check_unused(folder)
    by_document: dict[str, list[Corrected]] = {}
    for each in source.corrections():
        by_document.setdefault(each.document_id, []).append(each)
    if not by_document:
        raise InvalidRequest("There are no corrections to export.")
    for name in (FIELDS_FOLDER, DIGITS_FOLDER):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rows: list[CorrectedField] = []
    digits: list[tuple[str, ...]] = []
    printed = 0
    for document_id, corrected in by_document.items():
        data, form = source.original(document_id), source.form(document_id)
        written = _handwritten(corrected, form)
        printed += len(corrected) - len(written)
        for each, pixels in _cut(written, data, form, limits=limits):
            rows.append(_write_field(folder, each, pixels, document=hashlib.sha256(data).hexdigest()))
            digits += _write_digits(folder, each, pixels, glyphs=glyphs)
            if on_field:
                on_field()
    if printed:
        log.warning("fields in print left out", fields=printed)
    exported = Exported(len(rows), len(digits), sum(map(len, by_document.values())) - len(rows) - printed, printed)
    counts = {"fields": exported.fields, "documents": len(by_document), "digits": exported.digits, "printed": printed}
    with _space_left(folder):
        _write_digit_table(folder, digits)
        (folder / PROVENANCE).write_text(json.dumps({**facts, **counts}, indent=1) + "\n", "utf-8")
        # Last, for the table is what makes a folder one of corrections: an export that was stopped teaches nothing.
        write_labels(folder, rows)
    return exported


def _check_unused(folder: Path) -> None:
    if (folder / LABELS).exists():
        raise InvalidRequest(f"{folder} holds corrections already; name another folder.")
    digits = folder / DIGITS_FOLDER
    # Digits that have been corrected again since would be learnt from beside the new ones.
    if digits.is_dir() and any(digits.iterdir()):
        raise InvalidRequest(f"{folder} holds part of an export that was stopped; remove it, or name another folder.")


def _handwritten(corrected: Sequence[Corrected], form: Form | None) -> list[Corrected]:
    """Return what readers of handwriting may learn from; print would teach them, and calibrate them, wrongly."""
    if form is None:
        return list(corrected)
    # Parts of a band of E-13B are no fields of the template.
    writings = {field.name: field.writing for field in form.template.fields}
    return [each for each in corrected if each.type != MICR and writings.get(each.field, HANDWRITTEN) == HANDWRITTEN]


def _cut(
    corrected: Sequence[Corrected], data: bytes, form: Form | None, *, limits: DecodeLimits
) -> Iterator[tuple[Corrected, NDArray[np.uint8]]]:
    """Yield each field with its pixels; one whose page cannot be decoded any more is left out."""
    sheets: dict[int, _Sheet | None] = {}
    for each in corrected:
        if each.page not in sheets:
            page = _page(data, each.page, limits)
            sheets[each.page] = None if page is None else _Sheet(page, _crops(form, page))
        sheet = sheets[each.page]
        pixels = None if sheet is None else sheet.cut(each.field, each.box)
        if pixels is not None and pixels.size:
            yield each, pixels


@dataclass(frozen=True)
class _Sheet:
    """A page as it came in, and the fields that its form has on it."""

    page: Page
    crops: dict[str, NDArray[np.uint8]]

    @cached_property
    def grey(self) -> NDArray[np.uint8]:
        return to_grey(self.page)

    def cut(self, name: str, box: Box) -> NDArray[np.uint8]:
        """Return the form's field of that name, or what is inside the box."""
        if name in self.crops:
            return self.crops[name]
        top, left = max(0, box.y), max(0, box.x)
        return self.grey[top : box.bottom, left : box.right]


def _crops(form: Form | None, page: Page) -> dict[str, NDArray[np.uint8]]:
    """Return what lies where the form has a field, on whichever of its pages that is: a name is on one page alone."""
    if form is None:
        return {}
    laid, numbers = form.lay(page).page, range(1, form.template.pages + 1)
    return {cut.field.name: cut.crop.pixels for number in numbers for cut in form.cut_fields(laid, number)}


def _page(data: bytes, index: int, limits: DecodeLimits) -> Page | None:
    try:
        return decode_page(data, index, limits=limits)
    except InputError as error:
        log.warning("page left out", page=index, code=error.code)
        return None


def _write_field(folder: Path, each: Corrected, pixels: NDArray[np.uint8], *, document: str) -> CorrectedField:
    file = f"{FIELDS_FOLDER}/{each.id}.png"
    _write_picture(folder, file, pixels)
    return CorrectedField(file, document=document, **{name: getattr(each, name) for name in _SAID})


def _write_digits(
    folder: Path, each: Corrected, pixels: NDArray[np.uint8], *, glyphs: Recogniser
) -> list[tuple[str, ...]]:
    """Write the digits that the alignment finds, a folder a class.

    There are none where it is not sure enough, or the text is one of letters.
    """
    if not (each.text.isascii() and each.text.isdigit()):
        return []
    lattice = lattice_of_picture(pixels)
    path = align(lattice, each.text, glyphs) if lattice.candidates else None
    if path is None:
        return []
    paper = paper_around(pixels)
    rows: list[tuple[str, ...]] = []
    for place, (step, digit) in enumerate(zip(path, each.text, strict=True)):
        file = f"{DIGITS_FOLDER}/{digit}/{each.id}-{place}.png"
        _write_picture(folder, file, _with_margin(pixels, paper, step.box))
        rows.append((file, digit, f"{FIELDS_FOLDER}/{each.id}.png", str(place)))
    return rows


def _with_margin(pixels: NDArray[np.uint8], paper: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Return what is inside the box, with bare paper around it: what stands there may be the next digit."""
    inside = box.slices
    return np.pad(pixels[inside], DIGIT_MARGIN, constant_values=round(float(np.median(paper[inside]))))


def _write_picture(folder: Path, file: str, pixels: NDArray[np.uint8]) -> None:
    with _space_left(folder):
        (folder / file).parent.mkdir(exist_ok=True)
        # Encoded first: OpenCV's own writing does not say that a disk is full.
        (folder / file).write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


@contextmanager
def _space_left(folder: Path) -> Iterator[None]:
    """Name a full disk as one."""
    try:
        yield
    except OSError as error:
        if is_full_disk(error):
            raise StorageFull(f"No space is left for {folder}.") from error
        raise


def _write_digit_table(folder: Path, rows: Iterable[tuple[str, ...]]) -> None:
    lines = [",".join(row) for row in (DIGIT_COLUMNS, *rows)]
    (folder / DIGITS).write_text("\n".join(lines) + "\n", "utf-8")
