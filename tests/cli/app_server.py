"""The real application behind Werkzeug's HTTP server, on a free port, with neither broker nor worker."""

import socket
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Response

from api.app import create_app
from api.services import EXTENSION, Services
from cli.client import Client
from cli.endpoint import Endpoint
from cli.patience import Patience
from core.settings import Settings
from storage import migrate

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class AppServer:
    """An application whose port is known before it listens, so that a client can meet it closed."""

    def __init__(self, home: Path, settings: Mapping[str, object]) -> None:
        """Make the database and a key; nothing listens yet."""
        home.mkdir(parents=True)
        self.settings = Settings(home=home, **settings)  # type: ignore[arg-type]
        migrate.upgrade(self.settings.resolved_database_url)
        app = create_app(self.settings)
        self._app = app
        self.refusals: list[int] = []
        self.services: Services = app.extensions[EXTENSION]
        self.key_id = ""
        self.endpoint = Endpoint(f"http://127.0.0.1:{_free_port()}", self.new_key("admin", "admin"))
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Listen."""
        port = int(self.endpoint.url.rpartition(":")[2])
        self._server = make_server("127.0.0.1", port, self._behind_proxy, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def _behind_proxy(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer as a proxy does that cannot reach the application, with each status of `refusals` once."""
        if self.refusals:
            return Response("away", status=self.refusals.pop(0))(environ, start_response)
        return self._app(environ, start_response)

    def new_key(self, owner: str, *scopes: str) -> str:
        """Return the secret of a new key."""
        record, secret = self.services.store.keys.create(owner=owner, name=owner, scopes=frozenset(scopes))
        self.key_id = record.id
        return secret

    def client(self, patience: Patience | None = None) -> Client:
        """Return a client with the admin's key."""
        return Client(self.endpoint, patience=patience)

    def documents(self) -> list[str]:
        """Return the ids of all documents, oldest first."""
        found = self.services.store.documents.recent(owner=None, limit=1000)
        return [record.id for record in reversed(found)]

    def close(self) -> None:
        """Stop listening and close what is open."""
        if self._server and self._thread:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self.services.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
