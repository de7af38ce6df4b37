"""Everything that a worker process needs at hand, opened once, and what it can do with it.

Neither this module nor what it calls knows Celery, so that tests and the command line can work at a desk too.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from core.queue import Dispatcher
from core.settings import Settings
from forms.templates import fits_print, parse_template
from segmentation.decoding import DecodeLimits
from storage.blobs import BlobStore
from storage.records import TemplateRef
from storage.store import Store
from worker import reading, sweeper
from worker.catalogue import stored_choice
from worker.choosing import Choose
from worker.current import CurrentReader
from worker.form_reading import Form, open_form
from worker.pipeline import Reader

KEPT_FORMS: Final = 32
"""Forms of which a process keeps the template and the reference's features."""

KEPT_FITS: Final = 4096
"""Pairs of versions of which a process keeps whether a page that was printed as one can be read by the other."""


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
        """Take back what dead workers held, send what was never delivered, and remove what deletions left."""
        return sweeper.sweep(self.store, self.dispatcher, self.settings, blobs=self.blobs)

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
    """Return what opens a stored version of a template, and keeps the last ones: features take a while to find.

    A version never changes, but others may come beside it: which of them its pages may have been printed as is asked
    of the database each time.
    """

    @lru_cache(maxsize=KEPT_FORMS)
    def opened(ref: TemplateRef) -> Form:
        template = parse_template(store.templates.get(ref.name, ref.version).body, kept=True)
        digest = template.registration.reference
        return open_form(template, reference=None if digest is None else blobs.get(digest), limits=limits)

    @lru_cache(maxsize=KEPT_FITS)
    def fits(ref: TemplateRef, version: int) -> bool:
        return fits_print(opened(ref).template, parse_template(store.templates.get(ref.name, version).body, kept=True))

    def form_of(ref: TemplateRef) -> Form:
        form = opened(ref)
        if not form.template.registration.code:
            return form  # nobody looks as which version its pages were printed
        numbers = store.templates.numbers(ref.name)
        return replace(form, versions=frozenset(number for number in numbers if fits(ref, number)))

    return form_of
