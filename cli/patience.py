"""How a client waits: back-off while the service is away, and the pauses that a busy service asks for.

One `Patience` is shared by all uploads of a run, so that one 429 holds them all back.
"""

import random
import threading
import time
from collections.abc import Callable

FIRST_DELAY_SECONDS = 0.25
LONGEST_DELAY_SECONDS = 15.0
LONGEST_RETRY_AFTER_SECONDS = 300.0
"""A service that asks for more than this is asked again after this."""

FOREVER = float("inf")


class Interrupted(Exception):
    """The run was stopped while it waited."""


class Patience:
    """Decides whether to try again, and waits until then.

    Args:
        limit_seconds: how long a service may be away before the error is raised; 0 raises at once.
        notice: told once when waiting begins, and once when the service answers again.
    """

    def __init__(self, *, limit_seconds: float = 0.0, notice: Callable[[str], None] | None = None) -> None:
        self.stopped = threading.Event()
        self._limit = limit_seconds
        self._notice = notice or (lambda _line: None)
        self._lock = threading.Lock()
        self._last_answer = time.monotonic()
        self._resume_at = 0.0
        self._waiting = False

    def answered(self) -> None:
        """Note that the service does its work."""
        with self._lock:
            self._last_answer = time.monotonic()
            waited, self._waiting = self._waiting, False
        if waited:
            self._notice("the service answers again")

    def take_turn(self) -> None:
        """Return when no pause is on.

        Raises:
            Interrupted: the run was stopped.
        """
        while (delay := self._resume_at - time.monotonic()) > 0:
            self.sleep(delay)
        if self.stopped.is_set():
            raise Interrupted

    def hold(self, error: Exception, *, attempt: int, retry_after: float | None = None, busy: bool = False) -> None:
        """Wait before the next try, and make everybody wait with it when the service named a time.

        Args:
            error: what happened.
            attempt: tries so far, from 1.
            retry_after: seconds that the service asked for.
            busy: the service is well but has too much to do; that never exhausts the patience.

        Raises:
            Exception: `error`, when the patience is exhausted.
            Interrupted: the run was stopped.
        """
        now = time.monotonic()
        away = now - self._last_answer
        if self._limit == 0 or (not busy and away >= self._limit):
            raise error
        delay = _backoff(attempt) if retry_after is None else _asked(retry_after)
        with self._lock:
            if retry_after is not None:
                self._resume_at = max(self._resume_at, now + delay)
            told, self._waiting = self._waiting, True
        if not told:
            self._notice(f"waiting for the service: {error}")
        self.sleep(delay)

    def sleep(self, seconds: float) -> None:
        """Wait, unless the run is stopped.

        Raises:
            Interrupted: the run was stopped.
        """
        if self.stopped.wait(seconds):
            raise Interrupted


def _asked(retry_after: float) -> float:
    # A time that is past, by a clock that goes wrong, must not make tries without a pause.
    return min(max(retry_after, FIRST_DELAY_SECONDS), LONGEST_RETRY_AFTER_SECONDS)


def _backoff(attempt: int) -> float:
    ceiling = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(attempt - 1, 10))
    # Full jitter over the upper half: many clients must not come back in step.
    return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
