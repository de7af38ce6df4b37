"""Waits for signals without polling: the kernel writes each one's number to a pipe."""

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Wakeups:
    """Collects SIGCHLD and requests to stop, between `open` and the end of its block.

    Attributes:
        stop_requests: how often the service was asked to stop.
    """

    def __init__(self, reader: int) -> None:
        """Read signal numbers from the descriptor `reader`."""
        self._reader = reader
        self.stop_requests = 0

    @classmethod
    @contextlib.contextmanager
    def open(cls) -> Iterator["Wakeups"]:
        """Take over the signals, and give them back at the end."""
        reader, writer = os.pipe()
        for end in (reader, writer):
            os.set_blocking(end, False)
        watched = [signal.SIGCHLD, signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup: it is to outlive its terminal
            watched.append(signal.SIGHUP)
        before = {number: signal.signal(number, _note) for number in watched}
        previous = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        try:
            yield cls(reader)
        finally:
            signal.set_wakeup_fd(previous)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(reader)
            os.close(writer)

    def wait(self, seconds: float) -> None:
        """Return after a signal, or after `seconds`."""
        if select.select([self._reader], [], [], max(0.0, seconds))[0]:
            numbers = os.read(self._reader, 4096)
            self.stop_requests += sum(number in STOP_SIGNALS for number in numbers)


def _note(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the wake-up descriptor has the signal; without a handler Python would not write to it."""
