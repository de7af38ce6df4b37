"""A batch's readings as a stream: rows of CSV, or documents as JSON lines; nothing is held in memory as a whole."""

from collections.abc import Iterable, Iterator

from api.schemas import Document
from core.rows import COLUMNS, Row, csv_lines, document_rows, for_spreadsheets, yes_no
from core.status import Status
from core.types import Failure, Phase
from storage.records import CorrectionRecord, DocumentRecord

CSV = "text/csv"
JSON_LINES = "application/jsonl"

CORRECTION_COLUMNS: tuple[str, ...] = (
    "file",
    "document",
    "page",
    "field",
    "type",
    "read",
    "truth",
    "text",
    "value",
    "confirms",
    "by",
    "at",
    "note",
)


def csv_of(records: Iterable[DocumentRecord]) -> Iterator[str]:
    """Return the header and the rows of all documents."""
    yield from csv_lines([COLUMNS])
    for record in records:
        yield from csv_lines(_rows(record))


def corrections_csv(records: Iterable[CorrectionRecord]) -> Iterator[str]:
    """Return the header and a row for each correction."""
    yield from csv_lines([CORRECTION_COLUMNS])
    for record in records:
        yield from csv_lines([_correction_row(record)])


def json_lines_of(records: Iterable[DocumentRecord]) -> Iterator[str]:
    """Return each document as a line of JSON."""
    for record in records:
        yield Document.of(record).model_dump_json() + "\n"


def _rows(record: DocumentRecord) -> Iterator[Row]:
    failure = record.failure
    if failure is None and record.status is not Status.DONE:
        # No reading yet, or none to come: the row says so, and no file is missing from the table.
        failure = Failure(code=str(record.status), phase=Phase.WORKER, message="", retryable=False)
    return document_rows(record.filename, pages=record.pages, failure=failure)


def _correction_row(record: CorrectionRecord) -> Row:
    return (
        record.filename,
        record.document_id,
        str(record.page_index + 1),
        record.field,
        record.type,
        record.old_text,
        str(record.truth),
        record.text or "",
        record.value or "",
        yes_no(value=record.confirms),
        for_spreadsheets(record.key_name),
        record.created_at.isoformat(timespec="seconds"),
        for_spreadsheets(record.note),
    )
