"""Ctrl-C and SIGTERM as one exception, held back while something must not be torn apart."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class StopSignal:
    """Raises KeyboardInterrupt in the main thread on SIGINT and SIGTERM."""

    def __init__(self) -> None:
        self._asked = False
        self._shielded = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen while the block runs."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Let the block run to its end first.

        Raises:
            KeyboardInterrupt: at the end of the block, when a signal came meanwhile.
        """
        self._shielded = True
        try:
            yield
        finally:
            self._shielded = False
        if self._asked:
            raise KeyboardInterrupt

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._asked = True
        if not self._shielded:
            raise KeyboardInterrupt
