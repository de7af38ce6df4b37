"""The Celery tasks: ids in, nothing out. Each puts the document's id on the log and calls a plain function."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from core.errors import TallyscanError
from core.logging import log_context
from core.queue import READ_DOCUMENT, READ_PAGE, SWEEP
from worker.app import app
from worker.process import desk

log = structlog.get_logger(__name__)


@contextmanager
def _put_off() -> Iterator[None]:
    """Log what keeps this task from even beginning: it is queued still, and the sweeper sends it again."""
    try:
        yield
    except TallyscanError as error:
        log.warning("task put off", code=error.code, reason=str(error))
    except Exception:
        log.exception("task broken off")


@app.task(name=READ_DOCUMENT)
def read_document(document_id: str) -> None:
    """Read a document of one page, or split a longer one into page tasks."""
    with log_context(document_id=document_id), _put_off():
        desk().read_document(document_id)


@app.task(name=READ_PAGE)
def read_page(document_id: str, index: int) -> None:
    """Read one page of a long document."""
    with log_context(document_id=document_id, page=index), _put_off():
        desk().read_page(document_id, index)


@app.task(name=SWEEP)
def sweep() -> None:
    """Take back what dead workers held, and send what was never delivered."""
    with _put_off():
        desk().sweep()
