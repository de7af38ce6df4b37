"""The Celery tasks: ids in, nothing out. Each puts the document's id on the log and calls a plain function."""

from contextlib import AbstractContextManager

from core.logging import log_context
from core.queue import READ_DOCUMENT, READ_PAGE, SWEEP
from worker.app import app
from worker.consuming import logged
from worker.process import desk


def _put_off() -> AbstractContextManager[None]:
    """Log what keeps a task from even beginning: it is queued still, and the sweeper sends it again."""
    return logged(put_off="task put off", broken_off="task broken off")


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
    """Take back what dead workers held, send what was never delivered, and remove what deletions left."""
    with _put_off():
        desk().sweep()
