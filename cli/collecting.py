"""Readings back from a service: wait until a run is read, then fetch it in the order of its files."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from cli.client import Client
from cli.outcome import Outcome
from cli.replies import Document
from cli.sending import Sent
from core.errors import NotFound
from core.status import Status
from core.types import Failure, Phase

LONG_POLL_SECONDS = 2.0
PAUSE_SECONDS = 0.5


def wait_for_batch(client: Client, batch_id: str, *, last_document: str | None, tell: Callable[[int], None]) -> None:
    """Return when every document of the batch is finished.

    Args:
        client: of the service.
        batch_id: the batch.
        last_document: the document sent last: likely the last to be read, so its end is waited for.
        tell: told how many are finished, again and again.
    """
    while True:
        batch = client.batch(batch_id)
        tell(batch.finished_count)
        if batch.finished_count >= batch.total:
            return
        if last_document and not client.document(last_document, wait_seconds=LONG_POLL_SECONDS).finished:
            continue
        last_document = None
        client.patience.sleep(PAUSE_SECONDS)


def collect(client: Client, batch_id: str | None, sent: Sequence[Sent]) -> Iterator[Outcome]:
    """Yield what became of each file, in the order of `sent`.

    The service streams a batch in the order of arrival, which parallel uploads shuffle only a little: what comes
    early is kept until its turn.
    """
    uses = Counter(item.entry.document_id for item in sent)
    arriving = client.batch_documents(batch_id) if batch_id else iter(())
    kept: dict[str, Document] = {}
    for item in sent:
        document_id = item.entry.document_id
        if document_id is None:
            yield refusal(item)
            continue
        document = kept.pop(document_id, None)
        if document is None:
            document = _next_document(client, document_id, arriving if item.entry.in_batch else iter(()), kept=kept)
        uses[document_id] -= 1
        if uses[document_id] and document:
            kept[document_id] = document
        yield outcome_of(str(item.scan), document)


def outcome_of(file: str, document: Document | None) -> Outcome:
    """Return what became of a file; a document that is gone counts as failed."""
    if document is None:
        failure = Failure(NotFound.code, Phase.STORE, "The service no longer has this document.", retryable=False)
        return Outcome(file=file, status=Status.FAILED, failure=failure)
    return Outcome(
        file=file,
        status=document.status,
        pages=document.pages,
        failure=document.failure,
        reader=document.reader,
        document_id=document.id,
    )


def refusal(item: Sent) -> Outcome:
    """Return what became of a file that the service, or this machine, refused."""
    entry = item.entry
    failure = Failure(entry.code or "", Phase.INTAKE, entry.message or "", retryable=False)
    return Outcome(file=str(item.scan), status=Status.FAILED, failure=failure)


def finished_document(client: Client, document_id: str) -> Document | None:
    """Return a document once it is finished, or None when the service no longer has it."""
    try:
        while not (document := client.document(document_id, wait_seconds=LONG_POLL_SECONDS)).finished:
            pass
    except NotFound:
        return None
    return document


def _next_document(
    client: Client, document_id: str, arriving: Iterator[Document], *, kept: dict[str, Document]
) -> Document | None:
    for document in arriving:
        if document.id == document_id:
            return document
        kept[document.id] = document
    return finished_document(client, document_id)
