"""Shows that the clock of the sweeps runs: it touches a file each time the broker has taken a sweep.

`python -m worker.beat` ends with status 0 while that file is fresh: the health check of beat's container.
"""

import sys
import time
from pathlib import Path

from celery import signals

from core.settings import Settings

STALE_SECONDS = 60.0
"""Older than this, and than a few sweeps, beat is stuck or the broker away."""


def sign_of_life(settings: Settings) -> Path:
    """Return the file that beat touches."""
    return settings.home / "beat.alive"


def watch(**_: object) -> None:
    """Touch the file from now on; Celery calls this in beat when it starts."""
    file = sign_of_life(Settings())
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def touch(**_: object) -> None:
        file.touch()

    signals.after_task_publish.connect(touch, weak=False)


def is_alive(settings: Settings) -> bool:
    """Return whether a sweep was sent lately."""
    file = sign_of_life(settings)
    return file.exists() and time.time() - file.stat().st_mtime < max(STALE_SECONDS, 3 * settings.sweep_seconds)


if __name__ == "__main__":
    sys.exit(0 if is_alive(Settings()) else 1)
