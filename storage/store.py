"""One object a process: the way into everything that is stored in the database."""

from typing import Self

from sqlalchemy import Engine, text

from core.settings import Settings
from storage.arrivals import Arrivals
from storage.batches import Batches
from storage.claims import Claims
from storage.corrections import Corrections
from storage.documents import Documents
from storage.engine import Database, make_engine
from storage.idempotency import request_digest
from storage.keys import Keys, LoginTokens
from storage.removals import Removals, refers_to_blobs
from storage.templates import Templates
from storage.totals import Totals, count_documents


class Store:
    """The repositories of one database. Make one in each process, or call `dispose` after a fork.

    Attributes:
        documents: what callers ask of documents.
        claims: what workers and the sweeper do with them.
        arrivals: blobs that are being stored.
        removals: blobs that are to be removed.
        batches: documents that came together.
        keys: API keys.
        login_tokens: one-time links into the page, and its sessions.
        templates: versioned templates.
        corrections: what people say that fields read.
    """

    def __init__(self, engine: Engine) -> None:
        """Offer the repositories of `engine`'s database; nothing is connected yet."""
        self._database = Database(engine)
        self.documents = Documents(self._database)
        self.claims = Claims(self._database)
        self.arrivals = Arrivals(self._database)
        self.removals = Removals(self._database)
        self.batches = Batches(self._database)
        self.keys = Keys(self._database)
        self.login_tokens = LoginTokens(self._database)
        self.templates = Templates(self._database)
        self.corrections = Corrections(self._database)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Return a store on the settings' database; nothing is connected yet."""
        return cls(make_engine(settings.resolved_database_url))

    def totals(self) -> Totals:
        """Return how many documents of all owners stand where.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        return count_documents(self._database)

    def request_digest(self, idempotency_key: str, *, owner: str) -> str | None:
        """Return the digest of the request that came with the owner's key before, if one did."""
        return request_digest(self._database, idempotency_key, owner=owner)

    def refers_to_blobs(self) -> bool:
        """Return whether there is anything whose blobs must be somewhere."""
        with self._database.read() as connection:
            return refers_to_blobs(connection)

    def ping(self) -> None:
        """Return when the database answers.

        Raises:
            DatabaseUnavailable: it does not.
        """
        with self._database.read() as connection:
            connection.execute(text("SELECT 1"))

    def schema_current(self) -> bool:
        """Return whether the database is at the revision that this code expects.

        Raises:
            DatabaseUnavailable: it does not answer.
        """
        from storage import migrate  # noqa: PLC0415 - Alembic weighs 11 MB, and workers never ask

        return migrate.current_of(self._database.engine) == migrate.head()

    def dispose(self, *, close: bool = True) -> None:
        """Forget all connections.

        Args:
            close: False in a forked child, where the connections are still the parent's.
        """
        self._database.engine.dispose(close=close)
