"""A batch's readings as a stream: rows of CSV, or documents as JSON lines; nothing is held in memory as a whole."""

from collections.abc import Iterable, Iterator

from api.schemas import Document
from core.rows import COLUMNS, Row, csv_lines, document_rows
from core.status import Status
from core.types import Failure, Phase
from storage.records import DocumentRecord

CSV = "text/csv"
JSON_LINES = "application/jsonl"


def csv_of(records: Iterable[DocumentRecord]) -> Iterator[str]:
    """Return the header and the rows of all documents."""
    yield from csv_lines([COLUMNS])
    for record in records:
        yield from csv_lines(_rows(record))


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
