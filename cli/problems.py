"""The service's problem+json as errors of `core.errors`, so that a caller meets one tree on both sides."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

from core.errors import InternalError, InvalidRequest, ServiceUnreachable, TallyscanError, Unauthorized, Unavailable


def error_in(response: httpx2.Response) -> TallyscanError:
    """Return the error that a refused request's answer speaks of.

    An answer that is no problem of ours comes from a proxy, or from another program at that address.
    """
    try:
        body = response.json()
        code, detail = str(body["code"]), str(body["detail"])
    except (ValueError, KeyError, TypeError, UnicodeDecodeError):
        return ServiceUnreachable(
            f"{response.url} answers {response.status_code}, and not as a Tallyscan service does."
        )
    kind = _kinds().get(code) or _kind_of_status(response.status_code)
    if kind is Unauthorized:
        detail = "The service takes no such key, or none was given: name it by --key or TALLYSCAN_KEY."
    return kind(detail)


def retry_after_in(response: httpx2.Response) -> float | None:
    """Return the seconds that the service asks to wait, or None when it names none."""
    value = response.headers.get("Retry-After", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _kinds() -> dict[str, type[TallyscanError]]:
    # Where a class shares its parent's code, the more special one comes later and stays.
    return {kind.code: kind for kind in _descendants(TallyscanError) if kind.__module__ == TallyscanError.__module__}


def _descendants(kind: type[TallyscanError]) -> Iterator[type[TallyscanError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


def _kind_of_status(status: int) -> type[TallyscanError]:
    if status in {429, 502, 503, 504}:
        return Unavailable
    return InternalError if status >= 500 else InvalidRequest
