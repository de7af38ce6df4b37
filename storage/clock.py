"""Moments and ids as rows carry them."""

from datetime import UTC, datetime

from ulid import ULID


def utc_now() -> datetime:
    """Return this moment, aware, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return a new ULID: 26 characters, later ones sort after earlier ones of the same process."""
    return str(ULID())
