"""Which service a command talks to, and with which key."""

import fcntl
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from core.errors import InvalidRequest
from core.settings import Settings

LOCK_FILE = "supervisor.lock"
"""Where in its home folder a service says where it listens, `{"url": …}`; the lock on it is held while it runs."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A service's address and the key that opens it."""

    url: str
    key: str | None = field(repr=False)
    hint: str = field(default="", compare=False)
    """What to do where nobody answers, for people who named no service."""


def find_endpoint(settings: Settings, *, url: str | None = None, key: str | None = None) -> Endpoint:
    """Return the service named, else the one on this machine.

    The key file of this machine's service goes to that service only, and only while it runs: at another time, another
    program may listen at its address.

    Raises:
        InvalidRequest: `url` is no HTTP address, or `key` cannot be a key.
    """
    announced = announced_url(settings)
    chosen = _checked_url(url or announced or _usual_url(settings))
    if key is None and chosen == announced:
        key = _key_in(settings.admin_key_file)
    hint = "" if url or announced else " Start a service by 'tallyscan up', or name one by --url."
    return Endpoint(chosen, None if key is None else _checked_key(key), hint)


def announced_url(settings: Settings) -> str | None:
    """Return where the service that runs from this home listens, or None when none runs."""
    try:
        with (settings.home / LOCK_FILE).open(encoding="utf-8") as file:
            return str(json.load(file)["url"]).rstrip("/") if _is_held(file) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _usual_url(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def _checked_url(url: str) -> str:
    """Return an address without what stands around it; what may be secret in it is never repeated.

    Raises:
        InvalidRequest: it is no HTTP address, or more than one.
    """
    url = url.strip()
    if "@" in url:
        raise InvalidRequest("The address of a service holds no name and no password: the key is given by --key.")
    if "?" in url or "#" in url:
        raise InvalidRequest("The address of a service ends before any '?' or '#', which a link to sign in has.")
    url = url.rstrip("/")
    if not (url.startswith(("http://", "https://")) and _has_host(url)):
        raise InvalidRequest("The address of a service begins with http:// or https://, then names a host.")
    return url


def _has_host(url: str) -> bool:
    """Return whether a host is named, and its port, where there is one, is a port."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _checked_key(key: str) -> str:
    """Return a key without the spaces and line ends that a shell or a file left around it.

    Raises:
        InvalidRequest: it could not stand in a header; the key itself is not repeated.
    """
    bare = key.strip()
    if not all("!" <= character <= "~" for character in bare):
        raise InvalidRequest("The key holds characters that no key has.")
    return bare


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
    except (OSError, UnicodeDecodeError):
        return None
