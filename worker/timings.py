"""How long each stage of reading takes; `tallyscan read --timings` tells it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields


@dataclass(slots=True)
class StageTimings:
    """Seconds spent in each stage since the reader was loaded."""

    decode: float = 0.0
    choose: float = 0.0
    segment: float = 0.0
    network: float = 0.0
    decode_field: float = 0.0
    printed: float = 0.0
    inspect: float = 0.0
    micr: float = 0.0

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add the time spent inside the block to `stage`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            setattr(self, stage, getattr(self, stage) + time.perf_counter() - started)

    def as_dict(self) -> dict[str, float]:
        """Return the seconds by stage, of those that there were."""
        seconds = {field.name: getattr(self, field.name) for field in fields(self)}
        return {stage: spent for stage, spent in seconds.items() if spent}
