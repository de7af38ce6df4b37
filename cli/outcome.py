"""What became of one file, whether it was read here or by a service: the unit of every output format."""

from dataclasses import dataclass
from typing import Any

from core.codec import to_json
from core.form_pages import document_notes
from core.rows import Row, document_rows
from core.status import Status
from core.types import DocumentNote, Failure, PageReading, Phase, ReaderInfo


@dataclass(frozen=True, slots=True)
class Outcome:
    """One file and its readings.

    Attributes:
        file: the name that the person gave.
        status: `done`, `failed` or `cancelled`; `queued` or `running` where nobody waited.
        pages: what was read; empty when the document failed.
        failure: why it failed, else None.
        reader: which network read it, where one did.
        document_id: the service's id, None for what was read here.
    """

    file: str
    status: Status
    pages: tuple[PageReading, ...] = ()
    failure: Failure | None = None
    reader: ReaderInfo | None = None
    document_id: str | None = None

    @property
    def failed(self) -> bool:
        """Whether the exit code should tell of it."""
        return self.status in {Status.FAILED, Status.CANCELLED}

    @property
    def notes(self) -> tuple[DocumentNote, ...]:
        """What is to be said of the document as a whole: pages of the form that are missing or doubled."""
        return document_notes(self.pages) if self.status is Status.DONE else ()

    def rows(self) -> tuple[Row, ...]:
        """Return its rows of the results table; what has no reading, or none yet, says so in a row."""
        failure = self.failure
        if failure is None and self.status is not Status.DONE:
            failure = Failure(code=str(self.status), phase=Phase.WORKER, message="", retryable=False)
        return tuple(document_rows(self.file, pages=self.pages, failure=failure))

    def as_json(self) -> dict[str, Any]:
        """Return it with the field names of the HTTP interface."""
        record: dict[str, Any] = {"file": self.file, "status": str(self.status)}
        if self.document_id is not None:
            record["id"] = self.document_id
        record["failure"] = to_json(self.failure) if self.failure else None
        record["reader"] = to_json(self.reader) if self.reader else None
        record["notes"] = [to_json(note) for note in self.notes]
        record["pages"] = [to_json(page) for page in self.pages]
        return record
