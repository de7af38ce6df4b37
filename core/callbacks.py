"""Where a callback may go: asked when a document is submitted, and again just before the call is made."""

from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def is_allowed(url: str, *, hosts: tuple[str, ...]) -> bool:
    """Return whether `url` leads by HTTP to one of `hosts`, each a name or `name:port`, in either case.

    Only printable ASCII without spaces is taken: parsers disagree on the rest, and drop some of it in silence.
    """
    if not all("!" <= char <= "~" for char in url):
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.scheme not in _PORTS or parts.username is not None or parts.password is not None:
        return False
    shown = f"[{host}]" if ":" in host else host
    named = {host, shown, f"{shown}:{_PORTS[parts.scheme] if port is None else port}"}
    return bool(named & {allowed.lower() for allowed in hosts})
