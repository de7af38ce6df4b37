"""The clock of the sweeps, and what shows that it runs: a file is touched each time the broker has taken a sweep.

`python -m worker.beat` ends with status 0 while that file is fresh: the health check of beat's container.
"""

import sys
import time
from pathlib import Path

from celery import signals
from celery.beat import Scheduler

from core.settings import Settings

STALE_SECONDS = 60.0
"""Older than this, and than a few sweeps, beat is stuck or the broker away."""


class SteadyScheduler(Scheduler):
    """Celery's scheduler in memory, for a wall clock that may be set back: Celery's own waits for it to catch up."""

    def tick(self, *args: object, **kwargs: object) -> float:
        """Send what is due and return for how many seconds nothing else will be."""
        for entry in self.schedule.values():
            now = entry.default_now()
            if entry.last_run_at > now:
                entry.last_run_at = now
                self._heap = None  # planned by the old time; it is filled anew
        seconds: float = super().tick(*args, **kwargs)
        return seconds


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
    if not file.exists():
        return False
    # Either way: a file from the future tells of a clock that was set back, not of a sweep.
    return abs(time.time() - file.stat().st_mtime) < max(STALE_SECONDS, 3 * settings.sweep_seconds)


if __name__ == "__main__":
    sys.exit(0 if is_alive(Settings()) else 1)
