"""Starts the service's processes in order, starts again what dies, and stops all of it cleanly."""

import contextlib
import http.client
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from cli.supervisor.address import listen, url_of
from cli.supervisor.child import Child
from cli.supervisor.home import first_key, is_open, locked, prepare_home, ready_store
from cli.supervisor.journal import put_aside, was_found_damaged
from cli.supervisor.logs import log_file, tail, trim
from cli.supervisor.refusals import ChildrenFailing, StartRefused
from cli.supervisor.roles import Role, api_role, beat_role, broker_role, caller_role, environment, worker_role
from cli.supervisor.wakeups import Wakeups
from cli.terminal import say
from core.errors import TallyscanError
from core.settings import Settings

NEEDED = ("database", "schema")
"""Of the checks of `/readyz`: without these no document can be taken in."""
OK = "ok"
"""What `/readyz` says of a part that is there."""
READY_SECONDS = 60.0
"""From start to ready; a slow disk needs a few seconds for the imports."""
LOG_CHECK_SECONDS = 30.0
LOGIN_LINK_SECONDS = 3600

STOP_PLAN: tuple[tuple[signal.Signals, float], ...] = ((signal.SIGTERM, 4.0), (signal.SIGQUIT, 3.0))
"""Asked politely, a worker finishes its page and gunicorn its requests; asked again, they drop them and leave."""
BROKER_STOP_SECONDS = 1.5


def supervise(settings: Settings, *, allow_remote: bool = False) -> int:
    """Run the embedded service until it is asked to stop; return the exit code.

    Args:
        settings: `port` 0 picks a free one; with `broker_url` set, no broker of our own is started.
        allow_remote: listen at addresses that other machines can reach, too.
    """
    os.umask(0o077)  # nobody else's, even in a home that others may look into
    try:
        with Wakeups.open() as wakeups:
            _run(settings, wakeups, allow_remote=allow_remote)
    except TallyscanError as error:
        _say(str(error))
        return error.exit_code if isinstance(error, StartRefused) else 1
    return 0


def _run(settings: Settings, wakeups: Wakeups, *, allow_remote: bool) -> None:
    prepare_home(settings)
    if is_open(settings.home):
        _say(f"{settings.home} is open to other users; close it: chmod 700 {settings.home}")
    with locked(settings.home) as announce, listen(settings.host, settings.port, allow_remote=allow_remote) as listener:
        url = url_of(listener)
        announce(url)
        link = _login_link(settings, url)
        service = Service(settings.model_copy(update={"port": listener.getsockname()[1]}), listener, wakeups)
        try:
            if service.start(url):
                _invite(url, link)
                service.run()
        finally:
            service.stop()


def _login_link(settings: Settings, url: str) -> str:
    """Bring the database up to date and return a link that signs one browser in, once."""
    store = ready_store(settings)
    try:
        token = store.login_tokens.create(first_key(store, settings).id, ttl_seconds=LOGIN_LINK_SECONDS)
    finally:
        store.dispose()
    return f"{url}/login?token={token}"


def _invite(url: str, link: str) -> None:
    say(f"Tallyscan listens at {url}")
    say(f"Open in a browser (works once): {link}")
    _say("ready; Ctrl-C stops it")


class Service:
    """The children and what becomes of them."""

    def __init__(self, settings: Settings, listener: socket.socket, wakeups: Wakeups) -> None:
        """Plan the children; none is started yet."""
        self._settings = settings
        self._wakeups = wakeups
        self._environment = environment(settings)
        self._broker = None if settings.broker_url else self._child(broker_role(settings))
        callers = (caller_role(),) if settings.callback_hosts else ()
        self._front = tuple(map(self._child, (api_role(listener.fileno()), worker_role(), beat_role(), *callers)))
        self._started: list[Child] = []
        self._logs_checked = time.monotonic()

    def start(self, url: str) -> bool:
        """Start everything; return False when asked to stop meanwhile.

        Raises:
            ChildrenFailing: it did not become ready in time.
        """
        if self._broker is not None:
            self._start(self._broker)
            self._await("the broker", self._broker_answers)
        for child in self._front:
            self._start(child)
        self._await("the service", lambda: self._takes_documents(url))
        return not self._wakeups.stop_requests

    def run(self) -> None:
        """Start again what dies, until asked to stop."""
        while not self._wakeups.stop_requests:
            self._mend()
            self._wakeups.wait(self._pause_seconds())

    def stop(self) -> None:
        """Stop everything within ten seconds; a second request to stop kills at once."""
        if not self._started:
            return
        _say("stopping")
        for number, seconds in STOP_PLAN:
            self._ask(self._front, number, seconds=seconds)
        _kill(self._front)
        if self._broker is not None:  # last: the worker gives back what it has not done
            self._ask((self._broker,), signal.SIGTERM, seconds=BROKER_STOP_SECONDS)
            _kill((self._broker,))
        _say("stopped")

    def _child(self, role: Role) -> Child:
        return Child(role, self._environment, log_file(self._settings.home, role.name))

    def _start(self, child: Child) -> None:
        if self._wakeups.stop_requests:
            return
        self._started.append(child)
        _trim(child)
        _launch(child)

    def _await(self, what: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._wakeups.stop_requests:
            self._mend()
            if ready():
                return
            if time.monotonic() > deadline:
                raise ChildrenFailing(f"Waited {READY_SECONDS:.0f} s for {what} in vain.\n{self._last_words()}")
            self._wakeups.wait(0.05)

    def _mend(self) -> None:
        for child in self._started:
            status = child.clear_away()
            if status is not None:
                if child is self._broker:
                    self._put_journal_aside(child)
                _say(f"{child.role.name} ended ({_reason(status)}); starting it again in {_pause(child):.1f} s")
            if child.restart_at is not None and time.monotonic() >= child.restart_at:
                _launch(child)
        self._trim_logs()

    def _put_journal_aside(self, broker: Child) -> None:
        """Have the broker start empty where it could not load its append-only file, and never could."""
        if not was_found_damaged(broker.log):
            return
        try:
            aside = put_aside(self._settings.home / "broker")
        except OSError as error:
            _say(f"the broker's append-only file is damaged, and could not be put aside ({error.strerror})")
            return
        if aside is not None:
            _say(f"the broker's append-only file is damaged; it is put aside as {aside}, and what waits is sent again")

    def _trim_logs(self) -> None:
        if time.monotonic() - self._logs_checked > LOG_CHECK_SECONDS:
            self._logs_checked = time.monotonic()
            for child in self._started:
                _trim(child)

    def _pause_seconds(self) -> float:
        restarts = [child.restart_at - time.monotonic() for child in self._started if child.restart_at is not None]
        return min([LOG_CHECK_SECONDS, *restarts])

    def _broker_answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.settimeout(1.0)
            probe.connect(os.fspath(self._settings.broker_socket))
            probe.sendall(b"PING\r\n")
            return probe.recv(16).startswith(b"+PONG")
        return False

    def _takes_documents(self, url: str) -> bool:
        """Return whether the API answers, and has its database; say what else is amiss, which is no reason to end.

        A broker that is away gets its messages later, and workers read by an earlier model than one that is damaged.
        """
        # The API looks for the broker before it answers.
        checks = _checks(url, timeout_seconds=1.0 + self._settings.broker_connect_timeout_seconds)
        if any(checks.get(name) != OK for name in NEEDED):
            return False
        for name, outcome in checks.items():
            if outcome != OK:
                _say(f"amiss: {name} ({outcome}); 'tallyscan doctor' tells more")
        return True

    def _ask(self, children: Iterable[Child], number: signal.Signals, *, seconds: float) -> None:
        """Send a signal to those that run and wait for them to leave."""
        running = [child for child in children if child.running()]
        deadline = time.monotonic() + seconds
        for child in running:
            child.signal(number)
        while any(child.running() for child in running) and time.monotonic() < deadline:
            if self._wakeups.stop_requests > 1:
                return
            self._wakeups.wait(min(0.2, deadline - time.monotonic()))

    def _last_words(self) -> str:
        troubled = [child for child in self._started if child.failures] or self._started
        return "\n".join(f"--- {child.log}\n{tail(child.log)}" for child in troubled)


def _launch(child: Child) -> None:
    """Start a child; where the system has no room for it (EAGAIN, ENOSPC), later again: the others go on."""
    try:
        child.start()
    except OSError as error:
        child.put_off()
        _say(f"{child.role.name} could not be started ({error.strerror}); trying again in {_pause(child):.1f} s")


def _pause(child: Child) -> float:
    return (child.restart_at or 0.0) - time.monotonic()


def _trim(child: Child) -> None:
    """Cut a log off if that can be done; a full disk must not end the service."""
    try:
        trim(child.log)
    except OSError as error:
        _say(f"the log of {child.role.name} could not be put aside ({error.strerror})")


def _kill(children: Iterable[Child]) -> None:
    for child in children:
        child.kill()


def _checks(url: str, *, timeout_seconds: float) -> dict[str, str]:
    """Return what the API says of each part of the service: nothing while it does not answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_seconds)
    try:
        connection.request("GET", "/readyz")
        return dict(json.loads(connection.getresponse().read())["checks"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return {}
    finally:
        connection.close()


def _reason(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone
        for part in f"tallyscan: {line}".split("\n"):  # what a log says last are several
            say(part, err=True)
