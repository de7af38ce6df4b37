"""Long polls: an answer that waits until something has changed, asking SQL ever less often.

Each poll holds a thread of the server, so only half of them may wait at a time; what comes beyond is answered at once.
"""

import time
from collections.abc import Callable
from threading import BoundedSemaphore

from flask import Flask, current_app, request

from api.services import Services
from core.settings import Settings

EXTENSION = "tallyscan.polls"

FIRST_PAUSE_SECONDS = 0.02
LAST_PAUSE_SECONDS = 0.2
PAUSE_GROWTH = 1.5


def install(app: Flask, settings: Settings) -> None:
    """Prepare `app` for long polls."""
    app.extensions[EXTENSION] = BoundedSemaphore(max(1, settings.api_threads // 2))


def wait_for_change(services: Services, state: Callable[[], tuple[str, bool]], *, seconds: float) -> tuple[str, bool]:
    """Return the newest state, waiting while there is nothing new to say.

    That is until it is final, or, when the request carries `If-None-Match`, until it is no longer what the caller has.

    Args:
        services: the process's.
        state: returns an entity tag and whether the state is final.
        seconds: how long to wait at most; the settings' limit holds too.
    """
    deadline = time.monotonic() + min(seconds, services.settings.max_wait_seconds)
    current = state()
    slots: BoundedSemaphore = current_app.extensions[EXTENSION]
    if _is_news(current) or seconds <= 0 or not slots.acquire(blocking=False):
        return current
    try:
        return _poll(services, state, current, deadline=deadline)
    finally:
        slots.release()


def _poll(
    services: Services, state: Callable[[], tuple[str, bool]], current: tuple[str, bool], *, deadline: float
) -> tuple[str, bool]:
    pause = FIRST_PAUSE_SECONDS
    while not _is_news(current) and not services.stopping():
        left = deadline - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(pause, left))
        pause = min(pause * PAUSE_GROWTH, LAST_PAUSE_SECONDS)
        current = state()
    return current


def _is_news(state: tuple[str, bool]) -> bool:
    etag, final = state
    return final or (bool(request.if_none_match) and not request.if_none_match.contains_weak(etag))
