"""What the database holds already that an upload depends on: asked before anything of the upload is stored."""

from sqlalchemy import Engine, func, select

from core.errors import NotFound
from core.status import Status
from storage.engine import Database
from storage.records import NewDocument
from storage.tables import batches, documents, idempotency_keys


def check_batch(engine: Engine, batch_id: str, *, owner: str) -> None:
    """Return when there is such a batch of that owner.

    Raises:
        NotFound: there is none.
    """
    query = select(batches.c.id).where(batches.c.id == batch_id, batches.c.owner == owner)
    with Database(engine).read() as connection:
        if connection.execute(query).scalar() is None:
            raise NotFound


def request_digest(engine: Engine, idempotency_key: str, *, owner: str) -> str | None:
    """Return the digest of the request that came with the owner's key before, if one did."""
    query = select(idempotency_keys.c.request_digest).where(
        idempotency_keys.c.owner == owner, idempotency_keys.c.key == idempotency_key
    )
    with Database(engine).read() as connection:
        return connection.execute(query).scalar()


def equal_document(
    engine: Engine, new: NewDocument, *, owner: str, batch_id: str, template_version: int | None
) -> str | None:
    """Return the batch's first document of the same bytes, type and template that has not failed or been cancelled."""
    query = select(func.min(documents.c.id)).where(
        documents.c.batch_id == batch_id,
        documents.c.owner == owner,
        documents.c.sha256 == new.sha256,
        documents.c.type_name.is_not_distinct_from(new.type_name),
        documents.c.template_name.is_not_distinct_from(new.template),
        documents.c.template_version.is_not_distinct_from(template_version),
        documents.c.status.not_in([Status.FAILED, Status.CANCELLED]),
    )
    with Database(engine).read() as connection:
        return connection.execute(query).scalar()
