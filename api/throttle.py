"""How often one caller may ask: counted in the broker, so that all processes count together."""

from flask import Flask, g, request
from flask_limiter import Limiter

from core.settings import Settings

SHARED_SCHEMES = ("redis://", "rediss://", "redis+unix://")

CONNECT_SECONDS = 1
"""Counting must not hold up a request for longer when the broker is away; the process then counts for itself."""

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


def counter_url(broker_url: str) -> str:
    """Return the broker's URL as the `limits` library spells it."""
    return broker_url.replace("redis+socket://", "redis+unix://", 1).replace("?virtual_host=", "?db=")


def _who() -> str:
    if g.caller is not None:
        return f"key:{g.caller.key.id}"
    return f"address:{request.remote_addr}"
