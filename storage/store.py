"""One object a process: the way into everything that is stored."""

from typing import Self

from sqlalchemy import Engine, text

from core.settings import Settings
from storage.claims import Claims
from storage.documents import Documents
from storage.engine import Database, make_engine


class Store:
    """The repositories of one database. Make one in each process, or call `dispose` after a fork."""

    def __init__(self, engine: Engine) -> None:
        """Offer the repositories of `engine`'s database."""
        self._database = Database(engine)
        self.documents = Documents(self._database)
        self.claims = Claims(self._database)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Return a store on the settings' database; nothing is connected yet."""
        return cls(make_engine(settings.resolved_database_url))

    def ping(self) -> None:
        """Return when the database answers.

        Raises:
            DatabaseUnavailable: it does not.
        """
        with self._database.read() as connection:
            connection.execute(text("SELECT 1"))

    def dispose(self, *, close: bool = True) -> None:
        """Forget all connections.

        Args:
            close: False in a forked child, where the connections are still the parent's.
        """
        self._database.engine.dispose(close=close)
