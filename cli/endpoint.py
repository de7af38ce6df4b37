"""Which service a command talks to, and with which key."""

import fcntl
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from core.errors import InvalidRequest
from core.settings import Settings

LOCK_FILE = "supervisor.lock"
"""Where in its home folder a service says where it listens, `{"url": …}`; the lock on it is held while it runs."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A service's address and the key that opens it."""

    url: str
    key: str | None = field(repr=False)


def find_endpoint(settings: Settings, *, url: str | None = None, key: str | None = None) -> Endpoint:
    """Return the service named, else the one on this machine.

    The key file of this machine's service goes to that service only, and only while it runs: at another time, another
    program may listen at its address.

    Raises:
        InvalidRequest: `url` is no HTTP address.
    """
    announced = announced_url(settings)
    chosen = (url or announced or f"http://{settings.host}:{settings.port}").rstrip("/")
    if not chosen.startswith(("http://", "https://")):
        raise InvalidRequest(f"{chosen!r} is not the address of a service: it begins with http:// or https://.")
    if key is None and chosen == announced:
        key = _key_in(settings.admin_key_file)
    return Endpoint(chosen, key)


def announced_url(settings: Settings) -> str | None:
    """Return where the service that runs from this home listens, or None when none runs."""
    try:
        with (settings.home / LOCK_FILE).open(encoding="utf-8") as file:
            return str(json.load(file)["url"]).rstrip("/") if _is_held(file) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_held(file: TextIO) -> bool:
    """Return whether another process holds the lock; what it wrote there outlives one that was killed."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def _key_in(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
