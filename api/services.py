"""What one API process holds: settings, and lazily, after any fork, the store, the blobs and the sender."""

import time
from collections.abc import Callable
from functools import cached_property
from threading import Lock

import structlog
from flask import current_app

from api.recent import Recent
from core.errors import BlobStoreUnavailable, BrokerUnavailable, Unavailable
from core.queue import Dispatcher
from core.settings import Settings
from core.status import Priority
from storage.blobs import BlobStore, Reads
from storage.models import ModelShelf
from storage.store import Store
from storage.totals import Totals

EXTENSION = "tallyscan"

BROKER_PAUSE_SECONDS = 2.0
"""After a failed send nothing is sent for this long: a try may cost a connect timeout, and the sweeper sends anyway."""

_log = structlog.get_logger("api")


class Services:
    """Opens what the views need when the first of them needs it.

    Attributes:
        queued_count: returns how many documents waited a moment ago.
        broker_up: returns whether the broker answered a moment ago: nobody needs a key to ask, and silence takes a
            timeout.
        stopping: returns whether the server is about to end, and long polls with it.
    """

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; nothing is opened yet. The server may set `stopping`."""
        self.settings = settings
        self.models = ModelShelf.of(settings)
        self._lock = Lock()
        self._broker_back_at = 0.0
        self.queued_count = Recent(self._count_queued)
        self._totals = Recent(self._count)
        self.broker_up = Recent(self._ping)
        self.stopping: Callable[[], bool] = lambda: False

    @property
    def store(self) -> Store:
        """The database."""
        with self._lock:
            return self._store

    @property
    def blobs(self) -> BlobStore:
        """The scans and page pictures."""
        with self._lock:
            return self._blobs

    @property
    def dispatcher(self) -> Dispatcher:
        """The sender."""
        with self._lock:
            return self._dispatcher

    @property
    def broker_expected(self) -> bool:
        """Whether there is a point in trying to send."""
        return time.monotonic() >= self._broker_back_at

    def send(self, document_id: str, *, priority: Priority) -> bool:
        """Send a document to the workers; return False where the broker is away, and the sweeper sends it later."""
        if not self.broker_expected:
            return False
        try:
            self.dispatcher.send_document(document_id, priority=priority)
        except BrokerUnavailable:
            self._broker_back_at = time.monotonic() + BROKER_PAUSE_SECONDS
            return False
        return True

    def keep(self, stream: Reads, max_bytes: int, *, note: Callable[[str], None] | None = None) -> tuple[str, int]:
        """Store a file as `BlobStore.put_stream` does, but not where the blobs that the database knows are away.

        Raises:
            BlobStoreUnavailable: also where the folder of blobs holds none, though rows refer to some.
        """
        # Asked again at the end: another request may have made the folder and committed its row in between.
        if not self.blobs.is_made() and self.store.refers_to_blobs() and not self.blobs.is_made():
            # A volume that is not mounted: what is stored now would be hidden once it is.
            _log.error("the folder of scans is empty: is its volume mounted?", folder=self.settings.resolved_blob_url)
            raise BlobStoreUnavailable
        return self.blobs.put_stream(stream, max_bytes, note=note)

    def totals(self) -> Totals:
        """Return how many documents stand where, as of a moment ago: nobody needs a key to ask, and it takes a scan.

        Raises:
            DatabaseUnavailable: the database does not answer, or did not a moment ago.
        """
        totals = self._totals()
        if isinstance(totals, Unavailable):
            raise type(totals)(str(totals)) from totals.__cause__
        return totals

    def _count_queued(self) -> int:
        return self.store.documents.queued_count()

    def _count(self) -> Totals | Unavailable:
        try:
            return self.store.totals()
        except Unavailable as error:
            return error

    def _ping(self) -> bool:
        try:
            self.dispatcher.ping()
        except BrokerUnavailable:
            return False
        return True

    def close(self) -> None:
        """Close what was opened."""
        opened = self.__dict__
        if "_store" in opened:
            self._store.dispose()
        if "_dispatcher" in opened:
            self._dispatcher.close()

    # Two threads must not both open one, so these are only reached under the lock.

    @cached_property
    def _store(self) -> Store:
        return Store.open(self.settings)

    @cached_property
    def _blobs(self) -> BlobStore:
        return BlobStore.open(self.settings.resolved_blob_url)

    @cached_property
    def _dispatcher(self) -> Dispatcher:
        return Dispatcher(self.settings)


def services() -> Services:
    """Return the running application's services."""
    found: Services = current_app.extensions[EXTENSION]
    return found
