"""Answers that are used again for a moment: many who ask at once, or one after the other, cost one question."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from core.errors import Unavailable

T = TypeVar("T")

LEAST_SECONDS = 1.0
"""How long an answer is used again at least."""

PAUSES = 3.0
"""How many times as long as the answer took. Whoever asks meanwhile waits with the one who asked first: where each
answer takes a timeout, that must not be most of the time, or no thread is free for anything else."""


class Recent(Generic[T]):
    """One question and its last answer."""

    def __init__(self, ask: Callable[[], T]) -> None:
        """Ask by `ask`, not yet. That something is `Unavailable` is told to all who wait just then, and not kept."""
        self._ask = ask
        self._lock = Lock()
        self._outcome: tuple[T] | Unavailable | None = None
        self._until = 0.0

    def __call__(self) -> T:
        """Return the answer, asked for just now or a moment ago."""
        came_at = time.monotonic()
        with self._lock:
            if self._outcome is None or self._until <= came_at:
                self._outcome, self._until = self._asked()
            outcome = self._outcome
        if isinstance(outcome, Unavailable):
            raise type(outcome)(str(outcome)) from outcome.__cause__
        return outcome[0]

    def _asked(self) -> tuple[tuple[T] | Unavailable, float]:
        """Return the outcome, and until when whoever comes may take it."""
        began = time.monotonic()
        try:
            answer = self._ask()
        except Unavailable as error:
            return error, time.monotonic()
        ended = time.monotonic()
        return (answer,), ended + max(LEAST_SECONDS, PAUSES * (ended - began))
