"""Readings as table rows: the one definition of the CSV that `read`, `submit`, `results` and the service give out.

One row a field. What has no field still has a row, so that no file that went in is missing from what comes out:
a document or page that failed names its failure's code in `review_reasons`, a page without numbers says `empty`. A page
of the form that is missing, or comes twice, has a row as well, of type `page`.
"""

import csv
import io
from collections.abc import Iterable, Iterator

from core.form_pages import document_notes
from core.types import DocumentNote, Failure, FieldReading, PageReading, ReviewReason

COLUMNS: tuple[str, ...] = (
    "file",
    "page",
    "field",
    "type",
    "text",
    "value",
    "confidence",
    "accepted",
    "review_reasons",
)

REASON_SEPARATOR = ";"

CONFIDENCE_DIGITS = 6
"""Digits after the point: enough to rank fields, and the same whatever the database did with the last bit."""

PAGE_TYPE = "page"
"""In place of a field's type, where a row speaks of a page of the form; its `text` is the page's number."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula."""

Row = tuple[str, ...]


def document_rows(file: str, *, pages: Iterable[PageReading], failure: Failure | None) -> Iterator[Row]:
    """Return the rows of one document, in the order of `COLUMNS`; `page` counts from 1.

    Args:
        file: the name to put in the first column.
        pages: its pages as read.
        failure: why the whole document failed, else None.
    """
    if failure is not None:
        yield _unread(file, page="", reason=failure.code)
        return
    read = tuple(pages)
    for page in read:
        yield from _page_rows(file, page)
    for note in document_notes(read):
        yield _note_row(file, note)


def csv_lines(rows: Iterable[Row]) -> Iterator[str]:
    """Return each row as a line of CSV (RFC 4180, CRLF), without a header.

    A file's name comes from strangers: one that a spreadsheet would run as a formula gets a `'` before it.
    """
    for file, *others in rows:
        buffer = io.StringIO(newline="")
        csv.writer(buffer).writerow([for_spreadsheets(file), *others])
        yield buffer.getvalue()


def for_spreadsheets(text: str) -> str:
    """Return a stranger's text as a spreadsheet may have it: what would run as a formula gets a `'` before it."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def yes_no(*, value: bool) -> str:
    """Return a truth value as tables have it."""
    return "true" if value else "false"


def _page_rows(file: str, page: PageReading) -> Iterator[Row]:
    number = str(page.index + 1)
    if page.failure is not None:
        yield _unread(file, page=number, reason=page.failure.code)
    elif not page.fields:
        yield _unread(file, page=number, reason=str(ReviewReason.EMPTY))
    for field in page.fields:
        yield _field_row(file, number, field=field)


def _field_row(file: str, page: str, *, field: FieldReading) -> Row:
    return (
        file,
        page,
        field.name,
        field.type,
        field.text,
        field.value or "",
        f"{field.confidence:.{CONFIDENCE_DIGITS}f}",
        yes_no(value=field.accepted),
        REASON_SEPARATOR.join(field.review_reasons),
    )


def _note_row(file: str, note: DocumentNote) -> Row:
    return (file, "", "", PAGE_TYPE, str(note.form_page), "", "", yes_no(value=False), str(note.code))


def _unread(file: str, *, page: str, reason: str) -> Row:
    return (file, page, "", "", "", "", "", yes_no(value=False), reason)
