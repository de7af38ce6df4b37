"""API keys, and the one-time links that open the page: only SHA-256 digests of the secrets are kept.

A secret is 32 random bytes, so a plain digest is enough: there is nothing to guess that a slow hash would protect.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import delete, insert, or_, select, update

from core.errors import NotFound, Unavailable
from storage import mappers
from storage.clock import new_id, utc_now
from storage.engine import Database
from storage.mappers import AnyRow
from storage.records import KeyRecord, PageSession, Scope
from storage.tables import api_keys, login_tokens

PREFIX = "ts"
SECRET_BYTES = 32
LAST_USED_SECONDS = 60.0
"""`last_used_at` is written at most this often, so that reading stays free of writes."""

SESSION_SECONDS = 7 * 24 * 3600.0
"""A session of the page lasts so long, if nobody signs out before."""

_NOBODY = hashlib.sha256(b"").hexdigest()


class Keys:
    """The API keys of one database."""

    def __init__(self, database: Database) -> None:
        """Work on `database`."""
        self._database = database

    def create(self, *, owner: str, name: str, scopes: Iterable[str]) -> tuple[KeyRecord, str]:
        """Make a key; returns it with its secret, which cannot be had again.

        Raises:
            ValueError: an unknown scope.
        """
        key_id, random = new_id(), secrets.token_urlsafe(SECRET_BYTES)
        secret = f"{PREFIX}_{key_id}_{random}"
        values = {
            "id": key_id,
            "owner": owner,
            "name": name,
            "scopes": sorted(Scope(scope).value for scope in scopes),
            "secret_sha256": _sha256(secret),
            "created_at": utc_now(),
        }
        with self._database.write() as connection:
            row = connection.execute(insert(api_keys).returning(*api_keys.c), values).one()
        return mappers.key_record(row), secret

    def verify(self, secret: str) -> KeyRecord | None:
        """Return the key that `secret` belongs to, or None when it is wrong or revoked."""
        row = self._row(_id_in(secret))
        kept = _NOBODY if row is None else row.secret_sha256
        # Compared also when there is no such key, so that the time taken tells nothing.
        right = hmac.compare_digest(kept, _sha256(secret))
        if row is None or not right or row.revoked_at is not None:
            return None
        self._touch(row)
        return mappers.key_record(row)

    def revoke(self, key_id: str) -> None:
        """End a key; a second time changes nothing.

        Raises:
            NotFound: no such key.
        """
        with self._database.write() as connection:
            revoked = connection.execute(
                update(api_keys)
                .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
                .values(revoked_at=utc_now())
            ).rowcount
        if not revoked and self._row(key_id) is None:
            raise NotFound

    def list(self, owner: str | None = None) -> list[KeyRecord]:
        """Return all keys, revoked ones too, oldest first."""
        query = select(api_keys).order_by(api_keys.c.id)
        if owner is not None:
            query = query.where(api_keys.c.owner == owner)
        with self._database.read() as connection:
            return [mappers.key_record(row) for row in connection.execute(query)]

    def _row(self, key_id: str) -> AnyRow | None:
        with self._database.read() as connection:
            return connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()

    def _touch(self, row: AnyRow) -> None:
        now = utc_now()
        if row.last_used_at is not None and (now - row.last_used_at).total_seconds() < LAST_USED_SECONDS:
            return
        before = now - timedelta(seconds=LAST_USED_SECONDS)
        unseen = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < before)
        try:
            with self._database.write() as connection:
                connection.execute(update(api_keys).where(api_keys.c.id == row.id, unseen).values(last_used_at=now))
        except Unavailable:
            return  # the caller is who they are, though nobody can note it down just now


class LoginTokens:
    """One-time tokens that open the page under a key, and the sessions of the page that they have opened.

    The row of a used token is its session: it is deleted when somebody signs out.
    """

    def __init__(self, database: Database) -> None:
        """Work on `database`."""
        self._database = database

    def create(self, key_id: str, ttl_seconds: float) -> str:
        """Return a token that can be redeemed once within `ttl_seconds`.

        Raises:
            NotFound: no such key.
        """
        now = utc_now()
        token, expires_at = secrets.token_urlsafe(SECRET_BYTES), now + timedelta(seconds=ttl_seconds)
        with self._database.write() as connection:
            # Rows come from here alone, so here they go, too: none is kept whose session would be over.
            connection.execute(
                delete(login_tokens).where(login_tokens.c.expires_at < now - timedelta(seconds=SESSION_SECONDS))
            )
            if connection.execute(select(api_keys.c.id).where(api_keys.c.id == key_id)).first() is None:
                raise NotFound
            connection.execute(
                insert(login_tokens), {"token_sha256": _sha256(token), "key_id": key_id, "expires_at": expires_at}
            )
        return token

    def redeem(self, token: str) -> PageSession | None:
        """Return the session that the token opens; None when it is unknown, used, out of date, or its key revoked."""
        now, session_id = utc_now(), _sha256(token)
        statement = (
            update(login_tokens)
            .where(
                login_tokens.c.token_sha256 == session_id,
                login_tokens.c.used_at.is_(None),
                login_tokens.c.expires_at > now,
            )
            .values(used_at=now)
            .returning(login_tokens.c.key_id)
        )
        with self._database.write() as connection:
            key_id = connection.execute(statement).scalar()
            if key_id is None:
                return None
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one()
        return None if row.revoked_at is not None else PageSession(session_id, mappers.key_record(row))

    def key_of(self, session_id: str) -> KeyRecord | None:
        """Return the key of a session, or None when it was ended, is over, or its key revoked."""
        query = (
            select(api_keys)
            .join(login_tokens, login_tokens.c.key_id == api_keys.c.id)
            .where(
                login_tokens.c.token_sha256 == session_id,
                login_tokens.c.used_at > utc_now() - timedelta(seconds=SESSION_SECONDS),
                api_keys.c.revoked_at.is_(None),
            )
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else mappers.key_record(row)

    def end(self, session_id: str) -> None:
        """End a session, whoever still holds its cookie; a second time changes nothing."""
        with self._database.write() as connection:
            connection.execute(delete(login_tokens).where(login_tokens.c.token_sha256 == session_id))


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _id_in(secret: str) -> str:
    """Return the id within a secret; a text of another form has one that no key has."""
    parts = secret.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == PREFIX and parts[1].isascii() and parts[1].isalnum() else ""
