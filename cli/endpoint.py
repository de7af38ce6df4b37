"""Which service a command talks to, and with which key."""

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import InvalidRequest
from core.settings import Settings

SERVICE_FILES = ("service.json", "supervisor.lock")
"""Where in its home folder a running service says where it listens: `{"url": …}`."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A service's address and the key that opens it."""

    url: str
    key: str | None = field(repr=False)


def find_endpoint(settings: Settings, *, url: str | None = None, key: str | None = None) -> Endpoint:
    """Return the service named, else the one on this machine.

    The key file of this machine's service goes to that service only, never to another address.

    Raises:
        InvalidRequest: `url` is no HTTP address.
    """
    local = local_url(settings)
    chosen = (url or local).rstrip("/")
    if not chosen.startswith(("http://", "https://")):
        raise InvalidRequest(f"{chosen!r} is not the address of a service: it begins with http:// or https://.")
    if key is None and chosen == local:
        key = _key_in(settings.admin_key_file)
    return Endpoint(chosen, key)


def local_url(settings: Settings) -> str:
    """Return where the service on this machine listens, running or not."""
    return announced_url(settings) or f"http://{settings.host}:{settings.port}"


def announced_url(settings: Settings) -> str | None:
    """Return what a service that runs from this home wrote down, else None."""
    for name in SERVICE_FILES:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            return str(json.loads((settings.home / name).read_text(encoding="utf-8"))["url"]).rstrip("/")
    return None


def _key_in(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
