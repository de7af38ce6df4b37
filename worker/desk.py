"""Everything that a worker process needs at hand, opened once, and what it can do with it.

Neither this module nor what it calls knows Celery, so that tests and the command line can work at a desk too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from core.queue import Dispatcher
from core.settings import Settings
from core.status import FINAL
from forms.templates import Template, fits_print, parse_template
from segmentation.decoding import DecodeLimits
from storage.blobs import BlobStore
from storage.records import TemplateRef
from storage.store import Store
from worker import callbacks, reading, sweeper
from worker.catalogue import stored_choice
from worker.choosing import Choose
from worker.current import CurrentReader
from worker.form_reading import Form, open_form
from worker.pipeline import Reader

KEPT_FORMS: Final = 32
"""Forms of which a process keeps the template and the reference's features."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One process's open database, blobs, network and queue.

    Attributes:
        readers: returns the reader that is to read the next document.
        form_of: opens the template that a document is read by.
        choose: chooses the template of a page, for documents that leave it open.
        worker: the name under which leases are held.
        time_limit_errors: what the task runner raises when a task's soft time limit is over.
    """

    settings: Settings
    store: Store
    blobs: BlobStore
    readers: Callable[[], Reader]
    dispatcher: Dispatcher
    form_of: Callable[[TemplateRef], Form]
    choose: Choose
    worker: str
    time_limit_errors: tuple[type[Exception], ...] = ()

    def read_document(self, document_id: str) -> None:
        """Read a document of one page, or split a longer one into page tasks."""
        reading.read_document(self, document_id)

    def read_page(self, document_id: str, index: int) -> None:
        """Read one page of a long document."""
        reading.read_page(self, document_id, index)

    def sweep(self) -> sweeper.Swept:
        """Take back what dead workers held, and send what was never delivered."""
        return sweeper.sweep(self.store, self.dispatcher, self.settings)

    def notify(self, document_id: str) -> bool:
        """Tell the document's `callback_url` how it ended; return whether the receiver took it."""
        document = self.store.documents.get(document_id, owner=None)
        if document.callback_url is None or document.status not in FINAL:
            return False
        hosts = self.settings.callback_hosts
        return callbacks.call_back(document.callback_url, document_id=document_id, status=document.status, hosts=hosts)

    def close(self) -> None:
        """Close database and queue."""
        self.dispatcher.close()
        self.store.dispose()


def open_desk(settings: Settings, *, worker: str, time_limit_errors: tuple[type[Exception], ...] = ()) -> Desk:
    """Return a desk with everything opened; call it after any fork, never before.

    Raises:
        ArtifactError: the network's files are missing or altered.
        BlobStoreUnavailable: the blob store's URL leads nowhere.
    """
    store, blobs = Store.open(settings), BlobStore.open(settings.resolved_blob_url)
    limits = DecodeLimits.from_settings(settings)
    form_of = form_keeper(store, blobs, limits=limits)
    return Desk(
        settings=settings,
        store=store,
        blobs=blobs,
        readers=CurrentReader(settings),
        dispatcher=Dispatcher(settings),
        form_of=form_of,
        choose=stored_choice(store.templates, form_of, limits=limits),
        worker=worker,
        time_limit_errors=time_limit_errors,
    )


def form_keeper(store: Store, blobs: BlobStore, *, limits: DecodeLimits) -> Callable[[TemplateRef], Form]:
    """Return what opens a stored version of a template, and keeps the last ones: features take a while to find."""

    @lru_cache(maxsize=KEPT_FORMS)
    def form_of(ref: TemplateRef) -> Form:
        template = parse_template(store.templates.get(ref.name, ref.version).body)
        digest = template.registration.reference
        reference = None if digest is None else blobs.get(digest)
        return open_form(template, reference=reference, limits=limits, versions=_versions(store, template))

    return form_of


def _versions(store: Store, template: Template) -> frozenset[int] | None:
    """Return as which versions of a form with a code its pages may have been printed; None where nobody looks."""
    if not template.registration.code:
        return None
    known = {record.version: parse_template(record.body) for record in store.templates.history(template.name)}
    return frozenset(version for version, printed in known.items() if fits_print(template, printed))
