"""The application on a real database in a temporary folder, and callers with keys of their own.

There is no broker unless a test asks for one, and nobody reads the documents: `Service.read` stores a reading the way
a worker does.
"""

import io
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import create_app
from api.services import EXTENSION, Services
from core.settings import Settings
from core.types import Box, DigitReading, DocumentReading, FieldReading, PageReading, ReaderInfo
from storage import migrate
from tests.factories import png_bytes
from tests.services import postgres_url, redis_url

__all__ = ["postgres_url", "redis_url"]

BOX = Box(2, 3, 20, 30)
FIELD = FieldReading(
    name="page",
    type="digits",
    box=BOX,
    text="42",
    value="42",
    confidence=0.99,
    accepted=True,
    digits=(DigitReading("4", 0.99, BOX), DigitReading("2", 0.98, BOX)),
)
PAGE = PageReading(index=0, width=60, height=40, fields=(FIELD,))
READER = ReaderInfo(version="1", sha256="a" * 64)
PICTURE = b"RIFF....WEBPpicture"


@dataclass
class Caller:
    """A client of the application that sends one key."""

    client: FlaskClient
    secret: str
    key_id: str

    def call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: object) -> TestResponse:
        """Return the answer to a request under the key."""
        signed = {"Authorization": f"Bearer {self.secret}", **(headers or {})}
        return self.client.open(path, method=method, headers=signed, **options)

    def get(self, path: str, **options: object) -> TestResponse:
        """Return the answer to a GET."""
        return self.call("GET", path, **options)

    def post(self, path: str, **options: object) -> TestResponse:
        """Return the answer to a POST."""
        return self.call("POST", path, **options)

    def submit(
        self, data: bytes | None = None, *, name: str = "scan.png", key: str = "", **form: object
    ) -> TestResponse:
        """Submit one file."""
        content = scan(1) if data is None else data
        headers = {"Idempotency-Key": key} if key else {}
        return self.post("/v1/documents", data={"file": (io.BytesIO(content), name), **form}, headers=headers)

    def batch(self, files: dict[str, bytes], *, key: str = "", **form: object) -> TestResponse:
        """Submit many files."""
        uploads = [(io.BytesIO(content), name) for name, content in files.items()]
        headers = {"Idempotency-Key": key} if key else {}
        return self.post("/v1/batches", data={"files": uploads, **form}, headers=headers)


@dataclass
class Service:
    """The application, and the hands of a worker."""

    services: Services
    client: FlaskClient

    def caller(self, owner: str, *scopes: str) -> Caller:
        """Return somebody with a new key."""
        scopes = scopes or ("submit", "read")
        key, secret = self.services.store.keys.create(owner=owner, name=owner, scopes=frozenset(scopes))
        return Caller(self.client.application.test_client(), secret, key.id)

    def read(self, document_id: str, *pages: PageReading) -> None:
        """Store a reading, as a worker that has claimed the document."""
        claims = self.services.store.claims
        claim = claims.claim_document(document_id, worker="test", lease_seconds=60)
        assert claim is not None
        reading = DocumentReading(pages=pages or (PAGE,), reader=READER)
        previews = [self.services.blobs.put(PICTURE) for _ in reading.pages]
        assert claims.complete_document(claim, reading, previews)


StartService = Callable[..., Service]


def scan(seed: int) -> bytes:
    """Return a drawn scan; another for each seed."""
    return png_bytes("42", seed=seed)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database at the current schema, to be copied: migrating one for every test would take most of the time."""
    path = tmp_path_factory.mktemp("migrated") / "tallyscan.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def start_service(tmp_path: Path, migrated: Path) -> Iterator[StartService]:
    """Return a function that makes an application with other settings."""
    opened: list[Services] = []

    def start(**changes: object) -> Service:
        values = {"home": tmp_path, "max_wait_seconds": 5.0, **changes}
        settings = Settings(**values)
        if not settings.database_url and not (tmp_path / migrated.name).exists():
            shutil.copy(migrated, tmp_path)
        app = create_app(settings)
        opened.append(app.extensions[EXTENSION])
        return Service(opened[-1], app.test_client())

    yield start
    for services in opened:
        services.close()


@pytest.fixture
def service(start_service: StartService) -> Service:
    """The application with its usual settings."""
    return start_service()


@pytest.fixture
def caller(service: Service) -> Caller:
    """Somebody who may submit and read."""
    return service.caller("clearing")


@pytest.fixture
def stranger(service: Service) -> Caller:
    """Somebody else who may submit and read."""
    return service.caller("audit")
