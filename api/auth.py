"""Who calls, and what they may do: API keys as bearer tokens, or the page's signed cookie.

The caller is found once for every request, before the rate limit counts it; views say what they need with `requires`.
An unsafe method under the cookie alone must carry `X-Requested-With: tallyscan`, which no foreign page can add.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from threading import Lock
from typing import Any, TypeVar

import structlog
from flask import Flask, current_app, g, request, session

from api.services import services
from core.errors import Forbidden, Unauthorized
from storage.records import KeyRecord, Scope

F = TypeVar("F", bound=Callable[..., Any])

BEARER_SCHEME = "apiKey"
COOKIE_SCHEME = "pageSession"

CACHE_SECONDS = 2.0
"""How long a verified key or session is taken without asking the database; once revoked or ended it works at most this
long."""

CACHE_KEYS = 1024
CACHE_EXTENSION = "tallyscan_keys"

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "X-Requested-With"
CSRF_VALUE = "tallyscan"

SESSION_KEY = "session"


@dataclass(frozen=True, slots=True)
class Caller:
    """The key that a request came with, and whether it came by the page's cookie."""

    key: KeyRecord
    by_cookie: bool

    @property
    def sees(self) -> str | None:
        """The owner whose documents the caller sees; None sees everybody's."""
        return None if Scope.ADMIN in self.key.scopes else self.key.owner


class KeyCache:
    """Remembers keys that the database has confirmed, for `CACHE_SECONDS`; wrong ones are asked about every time."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lock = Lock()
        self._found: dict[str, tuple[float, KeyRecord]] = {}

    def find(self, name: str, look_up: Callable[[], KeyRecord | None]) -> KeyRecord | None:
        """Return the key remembered under `name`, else what `look_up` finds."""
        with self._lock:
            expires_at, key = self._found.get(name, (0.0, None))
        if key is not None and time.monotonic() < expires_at:
            return key
        key = look_up()
        with self._lock:
            if len(self._found) >= CACHE_KEYS:
                self._found.clear()
            self._found.pop(name, None)
            if key is not None:
                self._found[name] = (time.monotonic() + CACHE_SECONDS, key)
        return key

    def forget(self, name: str) -> None:
        """Ask the database the next time."""
        with self._lock:
            self._found.pop(name, None)


def install(app: Flask) -> None:
    """Find the caller of every request of `app`."""
    cache = app.extensions[CACHE_EXTENSION] = KeyCache()

    @app.before_request
    def identify() -> None:
        g.caller = None
        if request.endpoint and request.path.startswith("/v1/"):
            g.caller = _by_bearer(cache) or _by_cookie(cache)
        if g.caller is not None:
            structlog.contextvars.bind_contextvars(key_id=g.caller.key.id)


def requires(scope: Scope | None = None) -> Callable[[F], F]:
    """Let a view run only for a caller whose key has `scope`, or any valid key; say so in the OpenAPI document.

    Raises:
        Unauthorized: no valid key came with the request.
        Forbidden: the key lacks the scope, or a cookie came without the header that shows the page sent it.
    """

    def decorate(view: F) -> F:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the view takes and gives
            _check(caller(), scope)
            return view(*args, **kwargs)

        guarded.scopes = [scope] if scope else []  # type: ignore[attr-defined]  # for the OpenAPI document
        return guarded  # type: ignore[return-value]  # same parameters, same answer

    return decorate


def caller() -> Caller:
    """Return who calls.

    Raises:
        Unauthorized: no valid key came with the request.
    """
    found: Caller | None = g.get("caller")
    if found is None:
        raise Unauthorized
    return found


def _check(who: Caller, scope: Scope | None) -> None:
    if scope is not None and not who.key.allows(scope):
        raise Forbidden
    if who.by_cookie and request.method not in SAFE_METHODS:
        check_page_header()


def check_page_header() -> None:
    """Return when the request carries the header that no foreign page can add.

    Raises:
        Forbidden: it does not.
    """
    if request.headers.get(CSRF_HEADER) != CSRF_VALUE:
        raise Forbidden(f"A request under the page's cookie must carry the header '{CSRF_HEADER}: {CSRF_VALUE}'.")


def end_session() -> None:
    """End the page's session that a request came under: for this browser, and for whoever has a copy of its cookie.

    Raises:
        DatabaseUnavailable: it cannot be ended just now; the browser keeps it, so that it can be tried again.
    """
    if session_id := session.get(SESSION_KEY):
        services().store.login_tokens.end(session_id)
        current_app.extensions[CACHE_EXTENSION].forget(_session_name(session_id))
    session.clear()


def _by_bearer(cache: KeyCache) -> Caller | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        return None
    # The cache holds no secrets: only their hashes, and not even those of wrong ones.
    name = hashlib.sha256(secret.encode()).hexdigest()
    key = cache.find(name, lambda: services().store.keys.verify(secret))
    return Caller(key, by_cookie=False) if key else None


def _by_cookie(cache: KeyCache) -> Caller | None:
    if "Authorization" in request.headers or not (session_id := session.get(SESSION_KEY)):
        return None
    key = cache.find(_session_name(session_id), lambda: services().store.login_tokens.key_of(session_id))
    return Caller(key, by_cookie=True) if key else None


def _session_name(session_id: str) -> str:
    return f"session:{session_id}"
