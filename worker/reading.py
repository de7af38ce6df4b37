"""Claims what a message names, reads it, and stores the result: the work of the reading tasks, without Celery.

```
claim ─▶ fetch blob ─▶ one page: read, complete the document
                    └▶ more: split; each page is claimed, read and completed by a task of its own
```

Whatever goes wrong under a claim ends in `claims.fail`; where even that fails, the lease runs out.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from core.errors import (
    BrokerUnavailable,
    DatabaseUnavailable,
    InternalError,
    OutOfMemory,
    TallyscanError,
    TimeLimitExceeded,
    Unavailable,
)
from core.logging import log_context
from core.status import Status
from core.types import AUTO, DocumentReading, Failure, Phase
from segmentation.memory import ran_out_of_memory
from storage.records import Claim, Delivery
from worker.callbacks import announce
from worker.pipeline import PageResult, Reader, ReadRequest
from worker.sending import send_all

if TYPE_CHECKING:
    from worker.desk import Desk

log = structlog.get_logger(__name__)


def read_document(desk: "Desk", document_id: str) -> None:
    """Read a document of one page and store the reading, or split a longer one into page tasks.

    Does nothing when the document is not waiting: it was cancelled, purged, or is in other hands.
    """
    reader = desk.readers()  # one from here to the end, whatever is promoted meanwhile
    claim = _claimed(desk, document_id, index=None)
    if claim is None:
        return
    with log_context(attempt=claim.attempt, batch_id=claim.batch_id), _holding(desk, claim):
        data = desk.blobs.get(claim.sha256)
        pages = reader.inspect(data).pages
        if pages > 1:
            _split(desk, claim, pages=pages)
        else:
            _read_only_page(desk, claim, data, reader=reader)


def read_page(desk: "Desk", document_id: str, index: int) -> None:
    """Read one page of a long document and store its reading; does nothing when the page is not waiting."""
    reader = desk.readers()
    claim = _claimed(desk, document_id, index=index)
    if claim is None:
        return
    with log_context(attempt=claim.attempt, batch_id=claim.batch_id), _holding(desk, claim):
        result = reader.read_page(desk.blobs.get(claim.sha256), index, request=_request(desk, claim))
        preview = _keep_preview(desk, result)
        outcome = desk.store.claims.complete_page(
            claim, result.reading, reader=reader.info, preview_sha256=preview, steps=result.steps
        )
        _log_read("page read", result, stored=outcome.stored)
        if outcome.finished:
            announce(document_id, desk.dispatcher, desk.settings)
        _settle_preview(desk, result, preview, stored=outcome.stored)


def failure_of(error: BaseException, *, time_limit_errors: tuple[type[Exception], ...] = ()) -> Failure:
    """Return what is stored of `error`: never a traceback, and one neutral sentence for what nobody foresaw."""
    if isinstance(error, Unavailable):
        return error.failure(Phase.FETCH)
    if isinstance(error, TallyscanError):
        return error.failure(Phase.DECODE)
    if isinstance(error, time_limit_errors):
        return TimeLimitExceeded().failure(Phase.WORKER)
    if ran_out_of_memory(error):
        return OutOfMemory().failure(Phase.WORKER)
    return InternalError().failure(Phase.WORKER)


def _claimed(desk: "Desk", document_id: str, *, index: int | None) -> Claim | None:
    """Return the claim, or None when there is nothing to do here and now."""
    claims, lease = desk.store.claims, desk.settings.lease_seconds
    try:
        if index is None:
            claim = claims.claim_document(document_id, worker=desk.worker, lease_seconds=lease)
        else:
            claim = claims.claim_page(document_id, index, worker=desk.worker, lease_seconds=lease)
    except DatabaseUnavailable as error:
        # Still queued: the sweeper sends it again.
        log.warning("claim put off", code=error.code)
        return None
    if claim is None:
        log.debug("nothing to claim")
    return claim


@contextmanager
def _holding(desk: "Desk", claim: Claim) -> Iterator[None]:
    """See that the claim ends, however the block does."""
    try:
        yield
    except (SystemExit, KeyboardInterrupt):
        # The process is being stopped: this attempt does not count.
        with suppress(DatabaseUnavailable):
            log.info("claim released", released=desk.store.claims.release(claim))
        raise
    except Exception as error:  # noqa: BLE001 - the last line of defence of a process that must go on
        _fail(desk, claim, error)


def _fail(desk: "Desk", claim: Claim, error: Exception) -> None:
    failure = failure_of(error, time_limit_errors=desk.time_limit_errors)
    details = {"code": failure.code, "phase": str(failure.phase)}
    if failure.code == InternalError.code:
        log.error("unforeseen error", **details, exc_info=error)
    try:
        status = desk.store.claims.fail(claim, failure, max_attempts=desk.settings.max_attempts)
    except DatabaseUnavailable:
        log.warning("attempt failed, and the database is away: the lease will run out", **details)
        return
    log.warning("attempt failed", **details, status=str(status))
    if status is Status.FAILED:
        announce(claim.document_id, desk.dispatcher, desk.settings)


def _split(desk: "Desk", claim: Claim, *, pages: int) -> None:
    if not desk.store.claims.split(claim, pages):
        log.info("split dropped: the claim was no longer valid")
        return
    log.info("document split", pages=pages)
    deliveries = [Delivery(claim.document_id, index, claim.priority) for index in range(pages)]
    sent = send_all(desk.store, desk.dispatcher, deliveries)
    if sent < pages:
        log.warning("pages left to the sweeper", code=BrokerUnavailable.code, left=pages - sent)


def _read_only_page(desk: "Desk", claim: Claim, data: bytes, *, reader: Reader) -> None:
    request = _request(desk, claim)
    result = reader.read_page(data, 0, request=request)
    reading = DocumentReading(pages=(result.reading,), reader=reader.info, steps=result.steps)
    preview = _keep_preview(desk, result)
    stored = desk.store.claims.complete_document(claim, reading, (preview,))
    _log_read("document read", result, stored=stored)
    if stored:
        announce(claim.document_id, desk.dispatcher, desk.settings)
    _settle_preview(desk, result, preview, stored=stored)


def _request(desk: "Desk", claim: Claim) -> ReadRequest:
    asked = ReadRequest(claim.type_name, target_error=claim.target_error, expected_micr=claim.expected_micr)
    if claim.template is None:
        return asked
    if claim.template.name == AUTO:
        return replace(asked, choose=desk.choose)
    return replace(asked, form=desk.form_of(claim.template))


def _keep_preview(desk: "Desk", result: PageResult) -> str | None:
    return desk.blobs.put(result.preview) if result.preview is not None else None


def _settle_preview(desk: "Desk", result: PageResult, preview: str | None, *, stored: bool) -> None:
    """Remove the picture of a page that nobody waits for any more; see that the one of a stored page is still there."""
    if preview is None:
        return
    try:
        if not stored:
            desk.store.claims.discard(preview, remove=desk.blobs.delete)
        elif not desk.blobs.exists(preview):  # removed, with the last other page of its bytes, before our row was there
            _keep_preview(desk, result)
    except Unavailable as error:
        # The claim has ended: no reason to count this attempt as failed.
        log.warning("picture not seen to", code=error.code, stored=stored)


def _log_read(event: str, result: PageResult, *, stored: bool) -> None:
    failure = result.reading.failure
    log.info(event, stored=stored, fields=len(result.reading.fields), failure=failure and failure.code)
