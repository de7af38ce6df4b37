"""Idempotency-Key: the same request twice makes one thing, also in a race and across restarts.

The primary key (owner, key) decides a race: the loser's whole transaction is rolled back, and it then reads what the
winner has made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from core.errors import IdempotencyConflict
from storage.clock import utc_now
from storage.engine import Database
from storage.tables import idempotency_keys

T = TypeVar("T")
Kind = Literal["document_id", "batch_id"]
_TRIES = 3
"""More than two only when the winner's work is deleted in the very moment between."""


@dataclass(frozen=True, slots=True)
class RequestKey:
    """An owner's Idempotency-Key with the digest of the request that it came with."""

    owner: str
    key: str
    digest: str
    kind: Kind


def request_key(owner: str, key: str | None, digest: str | None, *, kind: Kind) -> RequestKey | None:
    """Return the key of a request that carries one."""
    if key is None:
        return None
    if digest is None:
        message = "an idempotency key needs the request's digest"
        raise ValueError(message)
    return RequestKey(owner, key, digest, kind)


def request_digest(database: Database, key: str, *, owner: str) -> str | None:
    """Return the digest of the request that came with the owner's key before, if one did."""
    query = select(idempotency_keys.c.request_digest).where(
        idempotency_keys.c.owner == owner, idempotency_keys.c.key == key
    )
    with database.read() as connection:
        return connection.execute(query).scalar()


def once(
    database: Database,
    request: RequestKey | None,
    *,
    make: Callable[[Connection], tuple[str, T]],
    load: Callable[[Connection, str], T],
) -> T:
    """Return what `make` makes, or what `load` finds of an earlier request with the same key.

    Args:
        database: where the work is done, in one transaction.
        request: None when the caller sent no key.
        make: does the work; returns the id of what it made, and the result.
        load: returns the result again, from its id.

    Raises:
        IdempotencyConflict: the key came with another request before.
    """
    for remaining in reversed(range(_TRIES)):
        try:
            with database.write() as connection:
                return _once(connection, request, make, load)
        except IntegrityError:
            if request is None or remaining == 0:
                raise
    raise AssertionError  # pragma: no cover


def _once(
    connection: Connection,
    request: RequestKey | None,
    make: Callable[[Connection], tuple[str, T]],
    load: Callable[[Connection, str], T],
) -> T:
    if request is None:
        return make(connection)[1]
    earlier = _find(connection, request)
    if earlier is not None:
        return load(connection, earlier)
    made_id, made = make(connection)
    _remember(connection, request, made_id)
    return made


def _find(connection: Connection, request: RequestKey) -> str | None:
    row = connection.execute(
        select(idempotency_keys).where(idempotency_keys.c.owner == request.owner, idempotency_keys.c.key == request.key)
    ).one_or_none()
    if row is None:
        return None
    found: str | None = getattr(row, request.kind)
    if row.request_digest != request.digest or found is None:
        raise IdempotencyConflict
    return found


def _remember(connection: Connection, request: RequestKey, made_id: str) -> None:
    connection.execute(
        insert(idempotency_keys).values(
            owner=request.owner,
            key=request.key,
            request_digest=request.digest,
            created_at=utc_now(),
            **{request.kind: made_id},
        )
    )
