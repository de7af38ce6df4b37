"""How often one caller may ask: counted in the broker, so that all processes count together."""

import logging
import time

from flask import Flask, g, request
from flask_limiter import Limiter

from core.settings import Settings

SHARED_SCHEMES = ("redis://", "rediss://", "redis+unix://")

CONNECT_SECONDS = 1
"""Counting must not hold up a request for longer when the broker is away; the process then counts for itself."""

SAME_SECONDS = 5.0
"""What several requests meet within so many seconds is told once."""

_OPTIONS: dict[str, str | int] = {"socket_timeout": CONNECT_SECONDS, "socket_connect_timeout": CONNECT_SECONDS}


def install(app: Flask, settings: Settings) -> None:
    """Limit the rate of each key's requests to `app`, or of each address without one.

    A caller above the limit gets 429 with the code `rate_limited`.
    """
    uri = counter_url(settings.resolved_broker_url)
    shared = uri.startswith(SHARED_SCHEMES)
    limiter = Limiter(
        _who,
        application_limits=[settings.api_request_rate],
        in_memory_fallback=[settings.api_request_rate] if shared else None,
        # When the broker goes away under several requests at once, the library falls back for the first of them only.
        swallow_errors=True,
        storage_uri=uri if shared else "memory://",
        storage_options=dict(_OPTIONS) if shared else {},
        key_prefix="tallyscan",
        strategy="fixed-window",
        headers_enabled=False,
    )
    limiter.request_filter(lambda: not request.path.startswith("/v1/"))
    limiter.init_app(app)
    _Outage.tell(limiter)


class _Outage(logging.Filter):
    """Says in one line that the broker is away; the library does for each request that meets it, some with traces."""

    def __init__(self, away: tuple[type[Exception], ...]) -> None:
        """Take errors of the kinds `away` for a broker that is away."""
        super().__init__()
        self._away = away
        self._told_at = float("-inf")

    @classmethod
    def tell(cls, limiter: Limiter) -> None:
        """Have the log of `limiter`, which is one for all of a process, speak so."""
        for earlier in [each for each in limiter.logger.filters if isinstance(each, cls)]:
            limiter.logger.removeFilter(earlier)
        kinds = limiter.storage.base_exceptions
        limiter.logger.addFilter(cls(kinds if isinstance(kinds, tuple) else (kinds,)))

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is to be logged; what tells of the broker is put into our words."""
        error = record.exc_info[1] if record.exc_info else None
        if not (record.levelno == logging.WARNING if error is None else isinstance(error, self._away)):
            return True
        now = time.monotonic()
        if now - self._told_at < SAME_SECONDS:
            return False
        self._told_at = now
        record.msg, record.args = "the broker is away: this process counts its requests by itself", ()
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.exc_info = record.exc_text = None
        return True


def counter_url(broker_url: str) -> str:
    """Return the broker's URL as the `limits` library spells it."""
    return broker_url.replace("redis+socket://", "redis+unix://", 1).replace("?virtual_host=", "?db=")


def _who() -> str:
    if g.caller is not None:
        return f"key:{g.caller.key.id}"
    return f"address:{request.remote_addr}"
