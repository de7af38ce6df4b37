"""One child of the supervisor: in a session of its own, restarted with growing pauses, ended with all it forked."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cli.supervisor.logs import open_log
from cli.supervisor.roles import Role

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
SETTLED_SECONDS = 10.0
"""A child that ran this long starts over with the shortest pause."""

PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Child:
    """A role's process, past and present.

    Attributes:
        restart_at: monotonic time of the next start; None while it runs.
    """

    role: Role
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    restart_at: float | None = None
    failures: int = 0
    _started_at: float = field(default=0.0, repr=False)

    def start(self) -> None:
        """Start the process, in a session of its own: a Ctrl-C in the terminal reaches the supervisor alone.

        Raises:
            OSError: the system has no room for another process or log.
        """
        with open_log(self.log) as log:
            self.process = subprocess.Popen(  # noqa: S603 - commands are built in roles.py
                self.role.command,
                cwd=self.log.parent.parent,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=self.role.passed_fds,
                preexec_fn=_dying_with(os.getpid()),  # noqa: PLW1509 - the supervisor has one thread
            )
        self.restart_at = None
        self._started_at = time.monotonic()

    def running(self) -> bool:
        """Return whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def clear_away(self) -> int | None:
        """Kill what a dead process has left behind, plan the restart, and return the exit status; None if it lives."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        self.kill()
        self.process = None
        if time.monotonic() - self._started_at > SETTLED_SECONDS:
            self.failures = 0
        self.put_off()
        return status

    def put_off(self) -> None:
        """Plan the next start, later the oftener it failed."""
        self.failures += 1
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (self.failures - 1), LONGEST_PAUSE_SECONDS)
        self.restart_at = time.monotonic() + pause

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process itself."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """Kill the process and whatever it has forked, and take its status."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS answers EPERM for zombies
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _dying_with(parent: int) -> Callable[[], None] | None:
    """Return what a child does before it runs its program: ask the kernel to kill it when `parent` dies (Linux)."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return ask
