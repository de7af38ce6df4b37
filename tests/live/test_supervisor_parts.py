"""The supervisor's parts on their own: addresses, the home folder, children, logs, signals."""

import fcntl
import http.server
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from cli.supervisor import child as children
from cli.supervisor.address import listen, url_of
from cli.supervisor.child import Child
from cli.supervisor.home import is_open, locked, prepare_home
from cli.supervisor.journal import put_aside, was_found_damaged
from cli.supervisor.logs import open_log, tail, trim
from cli.supervisor.refusals import AlreadyRunning, PortTaken, WrongUsage
from cli.supervisor.roles import Role, broker_role, environment
from cli.supervisor.service import Service, _trim
from cli.supervisor.wakeups import Wakeups
from core.settings import Settings
from tests.live.running import eventually


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.8.8.8", "::1"])
def test_loopback_addresses_are_served(host: str) -> None:
    with listen(host, 0, allow_remote=False) as sock:
        url = url_of(sock)
        port = sock.getsockname()[1]
        socket.create_connection((host, port), timeout=5).close()
        assert url.endswith(f":{port}")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_other_addresses_must_be_allowed(host: str) -> None:
    with pytest.raises(WrongUsage, match="other machines"):
        listen(host, 0, allow_remote=False)
    with listen(host, 0, allow_remote=True) as sock:
        assert url_of(sock).startswith(("http://127.0.0.1:", "http://[::1]:"))


@pytest.mark.parametrize("host", ["no such host", "nowhere.invalid", "203.0.113.7"])
def test_an_address_that_is_not_ours_is_wrong_usage(host: str) -> None:
    with pytest.raises(WrongUsage):
        listen(host, 0, allow_remote=True)


def test_a_port_in_use_is_named() -> None:
    with listen("127.0.0.1", 0, allow_remote=False) as sock:
        port = sock.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)):
            listen("127.0.0.1", port, allow_remote=False)


def test_one_supervisor_a_home(tmp_path: Path) -> None:
    with locked(tmp_path) as announce:
        announce("http://127.0.0.1:1234")
        with (
            pytest.raises(AlreadyRunning, match=rf"at http://127.0.0.1:1234 \(process {os.getpid()}\)"),
            locked(tmp_path),
        ):
            pass
    with locked(tmp_path):
        pass


def test_a_failed_start_leaves_no_address(tmp_path: Path) -> None:
    def start() -> None:
        with locked(tmp_path) as announce:
            announce("http://127.0.0.1:1234")
            raise PortTaken

    with pytest.raises(PortTaken):
        start()
    assert (tmp_path / "supervisor.lock").read_text() == ""


def test_who_looks_whether_a_service_lives_keeps_none_from_starting(tmp_path: Path) -> None:
    with (tmp_path / "supervisor.lock").open("a+") as looked:
        fcntl.flock(looked, fcntl.LOCK_SH)
        threading.Timer(0.05, lambda: fcntl.flock(looked, fcntl.LOCK_UN)).start()
        with locked(tmp_path) as announce:
            announce("http://127.0.0.1:1")


def test_a_lock_left_by_a_killed_process_holds_nobody(tmp_path: Path) -> None:
    (tmp_path / "supervisor.lock").write_text('{"pid": 1, "url": "http://127.0.0.1:1"}')
    with locked(tmp_path) as announce:
        announce("http://127.0.0.1:2")
        assert "127.0.0.1:2" in (tmp_path / "supervisor.lock").read_text()


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WrongUsage, match="home folder"):
        prepare_home(Settings(home=tmp_path / "file"))


def test_a_home_of_our_own_making_is_closed(tmp_path: Path) -> None:
    home = tmp_path / "new"
    prepare_home(Settings(home=home))
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home, *home.iterdir())} == dict.fromkeys(
        ("new", "logs", "broker", "blobs"), 0o700
    )
    assert not is_open(home)


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    prepare_home(Settings(home=tmp_path))
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert is_open(tmp_path)


def test_a_home_in_which_everybody_may_write_is_refused_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with pytest.raises(WrongUsage, match="Everybody may write"):
        prepare_home(Settings(home=tmp_path))
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("checks", "taken", "said"),
    [
        ({"database": "ok", "schema": "ok", "broker": "ok", "model": "ok"}, True, ""),
        ({"database": "ok", "schema": "ok", "broker": "ok", "model": "artifact_mismatch"}, True, "model (artifact_mi"),
        ({"database": "ok", "schema": "ok", "broker": "broker_unavailable", "model": "ok"}, True, "broker (broker_un"),
        ({"database": "ok", "schema": "database_unavailable", "broker": "broker_unavailable"}, False, ""),
        ({}, False, ""),
    ],
)
def test_only_a_service_without_its_database_is_waited_for(
    checks: dict[str, str], taken: bool, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503)
            self.end_headers()
            self.wfile.write(json.dumps({"checks": checks}).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Keep quiet."""

    with (
        http.server.HTTPServer(("127.0.0.1", 0), Answer) as api,
        socket.socket() as listener,
        Wakeups.open() as wakeups,
    ):
        answering = threading.Thread(target=api.handle_request)
        answering.start()
        service = Service(Settings(home=tmp_path), listener, wakeups)
        assert service._takes_documents(f"http://127.0.0.1:{api.server_port}") is taken
        answering.join()
    told = capsys.readouterr().err
    assert said in told
    assert bool(told) is bool(said)


def test_children_see_the_very_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSCAN_PORT", "1")
    settings = Settings(home=tmp_path, port=9, callback_hosts=("a.example", "b.example:8443"), accept_confidence=0.5)
    for name in [name for name in os.environ if name.startswith("TALLYSCAN_")]:
        monkeypatch.delenv(name)
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


def test_children_are_told_an_absolute_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = environment(Settings(home=Path("svc"), database_url="sqlite:///own.db", blob_url="scans"))
    assert told["TALLYSCAN_HOME"] == str(tmp_path / "svc")
    assert told["TALLYSCAN_DATABASE_URL"] == f"sqlite:///{tmp_path}/own.db"
    assert told["TALLYSCAN_BLOB_URL"] == f"file://{tmp_path}/scans"


def test_the_broker_understands_a_home_with_spaces(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "my home")
    prepare_home(settings)
    with subprocess.Popen(broker_role(settings).command, stdout=subprocess.DEVNULL) as broker:
        try:
            eventually(settings.broker_socket.exists, seconds=10, what="the socket")
        finally:
            broker.terminate()


def test_a_broker_with_a_damaged_journal_starts_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(home=tmp_path)
    prepare_home(settings)
    journal = tmp_path / "broker" / "appendonlydir"
    with socket.socket() as listener, Wakeups.open() as wakeups:
        service = Service(settings, listener, wakeups)
        broker = service._broker
        assert broker is not None
        service._start(broker)
        try:
            for name in ("appendonlydir.damaged", "appendonlydir.damaged.2"):
                service._await("the broker", service._broker_answers)
                broker.kill()
                (growing,) = journal.glob("*.incr.aof")
                # As after a power cut: the length was kept, the data was not.
                growing.write_bytes(growing.read_bytes() + bytes(4096))
                aside = partial(_mended, service, journal.with_name(name))
                eventually(aside, seconds=20, what="it to be put aside")
            service._await("the broker", service._broker_answers)
        finally:
            broker.kill()
    said = capsys.readouterr().err
    assert f"append-only file is damaged; it is put aside as {journal}.damaged, and what waits is sent again" in said


def test_a_broker_that_is_killed_keeps_its_journal(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    prepare_home(settings)
    log = tmp_path / "logs" / "broker.log"
    log.write_text("Valkey is starting\nBad file format reading the append only file x\nValkey is starting\nReady\n")
    assert not was_found_damaged(log)
    assert put_aside(tmp_path / "broker") is None


def test_a_child_that_dies_is_cleared_away_with_all_it_forked(tmp_path: Path) -> None:
    script = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE).wait()"
    child = _child(tmp_path, script)
    child.start()
    assert child.process is not None
    leader = psutil.Process(child.process.pid)
    (forked,) = eventually(leader.children, seconds=10, what="the child to fork")
    leader.kill()
    assert eventually(child.clear_away, seconds=5, what="its death to be seen") == -signal.SIGKILL
    eventually(lambda: not forked.is_running() or forked.status() == "zombie", seconds=5, what="no orphan to be left")
    assert not child.running()


def test_pauses_between_restarts_grow_and_start_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = _child(tmp_path, "raise SystemExit(3)")
    pauses = []
    for _ in range(8):
        child.start()
        assert eventually(child.clear_away, seconds=10, what="its end") == 3
        assert child.restart_at is not None
        pauses.append(round(child.restart_at - time.monotonic(), 1))
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    monkeypatch.setattr(children, "SETTLED_SECONDS", 0.0)
    child.start()
    eventually(child.clear_away, seconds=10, what="its end")
    assert child.failures == 1


def test_a_child_dies_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from cli.supervisor.child import Child; from cli.supervisor.roles import Role\n"
        "role = Role('sleeper', (sys.executable, '-c', 'import time; time.sleep(60)'))\n"
        f"child = Child(role, {{}}, Path({str(tmp_path)!r}) / 'logs' / 'sleeper.log')\n"
        "child.start(); print(child.process.pid, flush=True); child.process.wait()"
    )
    (tmp_path / "logs").mkdir()
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        sleeper = psutil.Process(int(supervisor.stdout.readline()))
        supervisor.kill()
    eventually(lambda: not sleeper.is_running() or sleeper.status() == "zombie", seconds=5, what="the child to die")


def test_a_log_that_grew_too_long_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "role.log"
    with open_log(path) as log:
        log.write(b"old line\n" * 20)
        trim(path, max_bytes=1000)
        assert path.read_bytes() == b"old line\n" * 20
        trim(path, max_bytes=100)
        log.write(b"new line\n")  # by a child that still has it open
    assert path.read_bytes() == b"new line\n"
    assert (tmp_path / "role.log.1").read_bytes() == b"old line\n" * 20
    assert tail(tmp_path / "role.log.1", lines=2) == "old line\nold line"
    assert tail(tmp_path / "nothing.log") == ""


def test_a_log_that_cannot_be_put_aside_is_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "role.log"
    path.write_bytes(b"line\n" * 100_000)
    done = subprocess.run(
        [sys.executable, "-c", TRIM_WITHOUT_ROOM, str(path)], capture_output=True, text=True, check=False
    )
    assert done.stdout == "File too large\n", done.stderr
    assert path.stat().st_size == 500_000
    assert not (tmp_path / "role.log.1").exists()


def test_a_child_that_cannot_start_is_tried_again_and_the_rest_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(home=tmp_path, broker_url="redis://127.0.0.1:1/0")
    prepare_home(settings)
    logs = tmp_path / "logs"
    child = Child(Role("sleeper", (sys.executable, "-c", "input()")), dict(os.environ), logs / "sleeper.log")
    logs.rename(tmp_path / "away")
    with socket.socket() as listener, Wakeups.open() as wakeups:
        service = Service(settings, listener, wakeups)
        service._start(child)
        assert (
            "sleeper could not be started (No such file or directory); trying again in 0.2 s" in capsys.readouterr().err
        )
        service._mend()
        assert not child.running()
        (tmp_path / "away").rename(logs)

        def mended() -> bool:
            service._mend()
            return child.running()

        eventually(mended, seconds=5, what="another try")
    child.kill()
    assert child.failures == 1


def test_a_log_that_cannot_be_put_aside_ends_no_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    child = _child(tmp_path, "pass")
    child.log.touch()
    os.truncate(child.log, 30_000_000)
    child.log.with_suffix(".log.1").mkdir()
    _trim(child)
    assert "the log of test could not be put aside" in capsys.readouterr().err
    assert child.log.stat().st_size == 30_000_000


@pytest.mark.parametrize(("before", "requests"), [(signal.SIG_DFL, 1), (signal.SIG_IGN, 0)])
def test_a_lost_terminal_ends_it_unless_it_was_to_outlive_that(before: signal.Handlers, requests: int) -> None:
    given = signal.signal(signal.SIGHUP, before)
    try:
        with Wakeups.open() as wakeups:
            os.kill(os.getpid(), signal.SIGHUP)
            wakeups.wait(0.0)
            assert wakeups.stop_requests == requests
        assert signal.getsignal(signal.SIGHUP) is before
    finally:
        signal.signal(signal.SIGHUP, given)


def test_signals_end_a_wait_and_requests_are_counted() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Wakeups.open() as wakeups:
        os.kill(os.getpid(), signal.SIGTERM)
        started = time.monotonic()
        wakeups.wait(30.0)
        assert time.monotonic() - started < 5
        assert wakeups.stop_requests == 1
        wakeups.wait(0.0)
        assert wakeups.stop_requests == 1
    assert signal.getsignal(signal.SIGTERM) is before


TRIM_WITHOUT_ROOM = """
import resource, signal, sys
from pathlib import Path
from cli.supervisor.logs import trim
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    trim(Path(sys.argv[1]), max_bytes=100)
except OSError as error:
    print(error.strerror)
"""


def _mended(service: Service, aside: Path) -> bool:
    service._mend()
    return aside.exists()


def _child(folder: Path, script: str) -> Child:
    (folder / "logs").mkdir()
    return Child(Role("test", (sys.executable, "-c", script)), dict(os.environ), folder / "logs" / "test.log")
