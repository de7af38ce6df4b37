"""Blobs that nobody refers to any more: told by the rows, so that no count of references can drift."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import CompoundSelect, Connection, select, union

from storage.engine import Database
from storage.tables import documents, pages, templates

_reference = templates.c.body["registration"]["reference"].as_string()
"""Of a template: the picture of its empty form, which may have been sent as a document, too."""


def remove_orphans(database: Database, digests: frozenset[str], remove: Callable[[str], None] | None) -> frozenset[str]:
    """Call `remove` with each of `digests` that no row refers to any more, and return these.

    A transaction of its own, after the one that took the rows away: should that not be committed, on a full disk, the
    blobs must still be there. While it lasts no document with the same bytes can be created, so that no blob is removed
    under a newcomer.
    """
    with database.write(durable=False) as connection:
        database.lock(connection, digests)
        orphans = digests - _referenced(connection, digests)
        if remove is not None:
            for digest in sorted(orphans):
                remove(digest)
    return orphans


def _referenced(connection: Connection, digests: frozenset[str]) -> frozenset[str]:
    query: CompoundSelect[Any] = union(
        select(documents.c.sha256).where(documents.c.sha256.in_(digests)),
        select(pages.c.preview_sha256).where(pages.c.preview_sha256.in_(digests)),
        select(_reference).where(_reference.in_(digests)),
    )
    return frozenset(connection.execute(query).scalars())
