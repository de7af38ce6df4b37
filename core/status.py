"""Life of a document (and of a page of a long one), and the moves that are allowed.

```
            claim             complete
 queued ───────────▶ running ───────────▶ done
   │  ▲                │  │
   │  └── lease lost,  │  └─ fail ──────▶ failed ──┐
   │      retryable    │                           │ retry
   └── cancel ──▶ cancelled ◀── cancel             │
   ▲                  │                            │
   └──────────────────┴────────────────────────────┘
```

Storage turns every move into one conditional UPDATE, so two workers can never both make it.
"""

from enum import StrEnum


class Status(StrEnum):
    """Where a document stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Priority(StrEnum):
    """How urgent a document is; each value is also the name of its Celery queue."""

    HIGH = "high"
    NORMAL = "normal"
    BULK = "bulk"


FINAL: frozenset[Status] = frozenset({Status.DONE, Status.FAILED, Status.CANCELLED})

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.CANCELLED, Status.FAILED}),
    Status.RUNNING: frozenset({Status.QUEUED, Status.DONE, Status.FAILED, Status.CANCELLED}),
    Status.DONE: frozenset({Status.QUEUED}),
    Status.FAILED: frozenset({Status.QUEUED}),
    Status.CANCELLED: frozenset({Status.QUEUED}),
}


def allowed(current: Status, following: Status) -> bool:
    """Return whether a document may move from `current` to `following`."""
    return following in TRANSITIONS[current]


def origins(following: Status) -> frozenset[Status]:
    """Return the statuses from which `following` may be reached."""
    return frozenset(status for status, targets in TRANSITIONS.items() if following in targets)
