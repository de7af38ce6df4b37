"""Tells a caller's URL how a document ended: `{"id", "status"}`, to hosts that the operator has named, no others."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx2
import structlog

from core.callbacks import is_allowed
from core.errors import BrokerUnavailable
from core.queue import Dispatcher
from core.settings import Settings
from core.status import FINAL, Status
from storage.store import Store

CALLBACK_TIMEOUT_SECONDS = 5.0
MAX_CALLBACK_RETRIES = 3

SILENCE_SECONDS = 15.0
"""After silence a process does not wait for that host again for so long, or calls to others would queue up behind it.
Shorter than the last pause between tries: a receiver that was restarted still hears of every document."""

log = structlog.get_logger(__name__)


class CallbackUnanswered(Exception):
    """The receiver did not answer, or answered that it cannot take the call now; trying again may help."""


def announce(document_id: str, dispatcher: Dispatcher, settings: Settings) -> None:
    """Have the caller of a document that has just ended told, where the operator allows callbacks at all.

    A call may come twice, or not at all when the broker is away just now: polling stays the way to be sure.
    """
    if not settings.callback_hosts:
        return
    try:
        dispatcher.send_notification(document_id)
    except BrokerUnavailable as error:
        log.warning("callback not sent", document_id=document_id, code=error.code)


class SilentHosts:
    """The hosts that this process has waited for in vain lately."""

    def __init__(self) -> None:
        """Begin with none."""
        self._until: dict[str, float] = {}

    @contextmanager
    def shunned(self, url: str) -> Iterator[None]:
        """Refuse to call a host that was silent lately, and note when it is silent now.

        Raises:
            CallbackUnanswered: it was silent less than `SILENCE_SECONDS` ago.
        """
        host = urlsplit(url).netloc.lower()
        if time.monotonic() < self._until.get(host, 0.0):
            raise CallbackUnanswered("its host did not answer a moment ago")
        try:
            yield
        except Exception:
            self._until[host] = time.monotonic() + SILENCE_SECONDS
            raise
        self._until.pop(host, None)


_silent_hosts = SilentHosts()


def notify_caller(store: Store, document_id: str, *, hosts: tuple[str, ...]) -> bool:
    """Tell the document's `callback_url` how it ended; return whether the receiver took it.

    Raises:
        NotFound: the document was deleted meanwhile.
        CallbackUnanswered: no answer in time, or one that invites another try.
    """
    document = store.documents.get(document_id, owner=None)
    if document.callback_url is None or document.status not in FINAL:
        return False
    return call_back(document.callback_url, document_id=document_id, status=document.status, hosts=hosts)


def callback_pause_seconds(retries: int) -> float:
    """Return how long to wait before the next try: 2, 8, then 32 seconds."""
    return float(2 * 4**retries)


def call_back(url: str, *, document_id: str, status: Status, hosts: tuple[str, ...]) -> bool:
    """Send the status to `url`; return whether the receiver took it.

    Redirects are not followed and proxies of the environment not used, so that nothing reaches a host
    that the operator has not named.

    Raises:
        CallbackUnanswered: no answer in time, or a moment ago, or one that invites another try (429, 5xx).
    """
    if not is_allowed(url, hosts=hosts):
        log.warning("callback refused: its host is not among callback_hosts")
        return False
    with _silent_hosts.shunned(url):
        code = _post(url, {"id": document_id, "status": str(status)})
    if code == 429 or code >= 500:
        raise CallbackUnanswered(f"HTTP {code}")
    log.info("callback sent", http_status=code)
    return code < 300


def _post(url: str, body: dict[str, str]) -> int:
    try:
        with (
            httpx2.Client(follow_redirects=False, trust_env=False, timeout=CALLBACK_TIMEOUT_SECONDS) as client,
            client.stream("POST", url, json=body) as answer,  # the body of the answer is nobody's business
        ):
            return int(answer.status_code)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise CallbackUnanswered(type(error).__name__) from error
