"""Documents and readings with a bit of everything, for tests of storage."""

import hashlib
from typing import Any

from core.types import (
    Alternative,
    Box,
    DigitReading,
    DocumentReading,
    Failure,
    FieldReading,
    PageReading,
    Phase,
    ProcessingStep,
    ReaderInfo,
    Registration,
    ReviewReason,
)
from storage.records import Claim, DocumentRecord, NewDocument
from storage.store import Store

OWNER = "clinic"
READER = ReaderInfo(version="7", sha256="e" * 64)
BAD_PAGE = Failure("unreadable_image", Phase.DECODE, "The page is damaged.", retryable=False)
BROKER_AWAY = Failure("blob_store_unavailable", Phase.FETCH, "The store does not answer.", retryable=True)


def digest(text: str) -> str:
    """Return a SHA-256 that stands for a file called `text`."""
    return hashlib.sha256(text.encode()).hexdigest()


def new_document(content: str = "scan", **changes: Any) -> NewDocument:  # noqa: ANN401 - any field of it
    """Return a document to submit."""
    values = {
        "filename": f"{content}.png",
        "sha256": digest(content),
        "size_bytes": 12_345,
        "media_type": "image/png",
        "type_name": "digits",
        "tags": ("a", "ü"),
    }
    return NewDocument(**{**values, **changes})


def field(name: str = "amount", text: str = "407") -> FieldReading:
    """Return a field whose numbers have no short decimal form."""
    return FieldReading(
        name=name,
        type="digits",
        box=Box(10, 20, 300, 40),
        text=text,
        value=text or None,
        confidence=1 / 3,
        accepted=False,
        review_reasons=(ReviewReason.LOW_CONFIDENCE, ReviewReason.NOT_DIGITS),
        digits=tuple(_digit(char, position) for position, char in enumerate(text)),
    )


def page(index: int = 0, **changes: Any) -> PageReading:  # noqa: ANN401 - any field of it
    """Return a page that was read."""
    values: dict[str, Any] = {
        "index": index,
        "width": 2365,
        "height": 1100,
        "skew_degrees": -0.1 / 3,
        "registration": Registration("features", 1.1),
        "fields": (field("amount"), field("account", "12")),
    }
    return PageReading(**{**values, **changes})


def failed_page(index: int = 0) -> PageReading:
    """Return a page that could not be read."""
    return PageReading(index=index, width=0, height=0, failure=BAD_PAGE)


def reading(*pages: PageReading) -> DocumentReading:
    """Return a document's reading, of one good page unless told otherwise."""
    steps = (ProcessingStep("normalise", {"version": "2", "side": 28, "deskew": True, "limit": 0.1}),)
    return DocumentReading(pages=pages or (page(),), reader=READER, steps=steps)


def queued(store: Store, content: str = "scan", **options: Any) -> DocumentRecord:  # noqa: ANN401 - as create
    """Return a document that was just submitted."""
    return store.documents.create(new_document(content), owner=OWNER, **options).document


def claimed(store: Store, document_id: str, *, worker: str = "w1", lease_seconds: float = 60.0) -> Claim:
    """Return a claim that must succeed."""
    claim = store.claims.claim_document(document_id, worker=worker, lease_seconds=lease_seconds)
    assert claim is not None
    return claim


def claimed_page(store: Store, document_id: str, index: int, *, worker: str = "w1") -> Claim:
    """Return a claim on a page that must succeed."""
    claim = store.claims.claim_page(document_id, index, worker=worker, lease_seconds=60.0)
    assert claim is not None
    return claim


def _digit(char: str, position: int) -> DigitReading:
    alternatives = (Alternative("9", 0.1 + 0.2), Alternative("1", 1e-12))
    return DigitReading(char, 0.1 * 3, Box(position * 20, 3, 18, 25), alternatives if position else ())
