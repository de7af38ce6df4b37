"""How long each stage of reading takes; `tallyscan read --timings` tells it."""

import time
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

    def measure(self, stage: str) -> "Measured":
        """Return a context that adds the time spent inside of it to `stage`."""
        return Measured(self, stage)

    def as_dict(self) -> dict[str, float]:
        """Return the seconds by stage, of those that there were."""
        seconds = {field.name: getattr(self, field.name) for field in fields(self)}
        return {stage: spent for stage, spent in seconds.items() if spent}


class Measured:
    """A stretch of a stage; a class because a field passes a dozen of them, and generators take thrice as long."""

    __slots__ = ("_stage", "_started", "_timings")

    def __init__(self, timings: StageTimings, stage: str) -> None:
        """Add what it takes to `stage` of `timings`."""
        self._timings, self._stage = timings, stage
        self._started = 0.0

    def __enter__(self) -> None:
        """Start the clock."""
        self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        """Stop it, whatever came of the stretch."""
        spent = time.perf_counter() - self._started
        setattr(self._timings, self._stage, getattr(self._timings, self._stage) + spent)
