"""A watched folder: what arrives is sent, and moves to `done/` or `failed/` when it is read.

```
arrives ─ rests for `settle` seconds ─▶ sent ─ finished ─▶ filing: row written, file moved ─▶ closed
                                          └─ refused ──────▶ filing …
```

Each step is in the ledger before it is taken, so that a kill at any point neither sends, nor writes, nor moves anything
twice. A file that failed lies in `failed/` beside a note that says why, and is tried again only when it is put back.
"""

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from cli.client import Client
from cli.collecting import outcome_of, refusal
from cli.filing import Appender, move_aside
from cli.ledger import Entry, Ledger, Run, Stamp, State, run_name
from cli.outcome import Outcome
from cli.output import counted, failure_lines
from cli.patience import Interrupted
from cli.progress import Display
from cli.scans import is_scan
from cli.sending import Sender, SendOptions, Sent, largest_file, send_all
from cli.stopping import StopSignal
from core.errors import InvalidRequest, NotFound

DONE, FAILED = "done", "failed"
POLL_SECONDS = 0.5
"""Between looks at what is being read."""
RESCAN_SECONDS = 5.0
"""Between looks at the folder itself: network shares report no changes."""
UNFINISHED_LOOKS = 16
"""After so many documents that are still being read, those sent later are not asked for."""

_CHANGES: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileClosedEvent,
    DirCreatedEvent,
    DirMovedEvent,
]
"""Reading a file is an event too, and our own reading must not wake us."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What to watch, and what to do with it."""

    folder: Path
    batch: str | None
    settle_seconds: float
    jobs: int
    format_name: str | None
    out: Path | None
    options: SendOptions


def watch_folder(client: Client, ledger: Ledger, watch: Watch, *, usual_max: int, display: Display) -> int:
    """Send what arrives until the process is asked to stop; return how many files failed meanwhile.

    Args:
        client: of the service.
        ledger: keeps what was sent.
        watch: what to watch.
        usual_max: bytes of the largest file, where the service does not tell.
        display: is told what happens.
    """
    with _alone(watch.folder):
        return _watch(client, ledger, watch, usual_max=usual_max, display=display)


def _watch(client: Client, ledger: Ledger, watch: Watch, *, usual_max: int, display: Display) -> int:
    _make_subfolders(watch.folder)
    run = _open_run(client, ledger, watch)
    sender = Sender(client, ledger, run, options=watch.options, max_bytes=largest_file(client, usual=usual_max))
    signals = StopSignal()
    desk = Desk(client, ledger, run, watch, display=display, signals=signals)
    with signals.listening(), _noticing(watch.folder) as changed, suppress(KeyboardInterrupt, Interrupted):
        display.note(f"watching {watch.folder}; Ctrl-C stops")
        desk.recover()
        _work(client, sender, desk, watch=watch, changed=changed)
    display.note(
        f"stopped: {counted(desk.read, 'file')} read, {desk.failed} failed, {len(desk.waiting)} still at the service"
    )
    return desk.failed


def _work(client: Client, sender: Sender, desk: "Desk", *, watch: Watch, changed: threading.Event) -> None:
    arrivals = Arrivals(watch)
    while True:
        changed.clear()
        arrived = arrivals.settled(desk.waiting.keys())
        for item in send_all(sender.send, arrived, jobs=watch.jobs, stop=client.patience.stopped.set):
            desk.take_in(item)
        desk.file_finished()
        changed.wait(POLL_SECONDS if desk.waiting else arrivals.rest_seconds())


class Arrivals:
    """Which files of the folder have come to rest."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._seen: dict[Path, tuple[Stamp, float]] = {}

    def settled(self, busy: Set[Path]) -> list[Path]:
        """Return the scans that have not changed for long enough, without those at work already."""
        now = time.monotonic()
        seen: dict[Path, tuple[Stamp, float]] = {}
        for path in self._files():
            with suppress(OSError):  # gone again
                stamp = Stamp.of(path)
                before = self._seen.get(path)
                seen[path] = before if before and before[0] == stamp else (stamp, now)
        self._seen = seen
        due = now - self._watch.settle_seconds
        return [path for path, (_, since) in seen.items() if since <= due and path.absolute() not in busy]

    def rest_seconds(self) -> float:
        """Return how long nothing needs to be looked at, if nothing changes."""
        return min(RESCAN_SECONDS, self._watch.settle_seconds / 2) if self._seen else RESCAN_SECONDS

    def _files(self) -> Iterator[Path]:
        top = self._watch.folder
        out = self._watch.out.absolute() if self._watch.out else None
        for folder, folders, files in os.walk(top):
            aside = {DONE, FAILED} if Path(folder) == top else set()
            folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in aside)
            for name in sorted(files):
                path = Path(folder, name)
                if not name.startswith(".") and path.absolute() != out and is_scan(path):
                    yield path


class Desk:
    """Files what is finished: a row, a move, a line in the ledger."""

    def __init__(
        self, client: Client, ledger: Ledger, run: Run, watch: Watch, *, display: Display, signals: StopSignal
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._run = run
        self._folder = watch.folder
        self._appender = Appender.open(watch.out, watch.format_name)
        self._display = display
        self._signals = signals
        self.waiting = {entry.path: entry for entry in ledger.entries(run, State.SENT)}
        self.read = 0
        self.failed = 0

    def recover(self) -> None:
        """Finish what a kill interrupted while it was filed."""
        for entry in self._ledger.entries(self._run, State.FILING):
            outcome = self._outcome(entry)
            if outcome:
                self._file(entry, outcome, again=True)

    def take_in(self, item: Sent) -> None:
        """Wait for what was just sent, or file it at once when it was refused."""
        if item.entry.document_id is None:
            self._file(item.entry, refusal(item))
        else:
            self.waiting[item.entry.path.absolute()] = item.entry

    def file_finished(self) -> None:
        """File what has been read, oldest first."""
        looks = UNFINISHED_LOOKS
        for path, entry in list(self.waiting.items()):
            outcome = self._outcome(entry)
            if outcome:
                self._file(entry, outcome)
                del self.waiting[path]
            else:
                looks -= 1
            if not looks:
                return

    def _outcome(self, entry: Entry) -> Outcome | None:
        """Return what became of a file, or None while it is being read."""
        name = self._folder / entry.path.absolute().relative_to(self._folder.absolute())
        if entry.document_id is None:
            return refusal(Sent(name, entry))
        try:
            document = self._client.document(entry.document_id)
        except NotFound:
            return outcome_of(str(name), None)
        return outcome_of(str(name), document) if document.finished else None

    def _file(self, entry: Entry, outcome: Outcome, *, again: bool = False) -> None:
        with self._signals.held_back():
            self._ledger.record(self._run, replace(entry, state=State.FILING))
            path = entry.path.absolute()
            if path.exists() or not again:
                self._appender.append(outcome, unless_last=again)
            if _unchanged(path, entry.stamp):
                aside = FAILED if outcome.failed else DONE
                move_aside(path, top=self._folder.absolute(), subfolder=aside, outcome=outcome)
            self._ledger.record(self._run, replace(entry, state=State.CLOSED))
        self._tell(outcome)

    def _tell(self, outcome: Outcome) -> None:
        self.failed += outcome.failed
        self.read += not outcome.failed
        for line in failure_lines(outcome):
            self._display.note(line)


def _unchanged(path: Path, stamp: Stamp) -> bool:
    """Return whether the file is there still, and is the one that was sent."""
    try:
        return Stamp.of(path) == stamp
    except OSError:
        return False


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: two watches of one folder would each write a row for the same file.

    Raises:
        InvalidRequest: another process on this machine watches it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InvalidRequest(f"Another 'tallyscan submit --watch' is at work in {folder}.") from error
    except OSError:
        pass  # some network shares lock nothing


def _make_subfolders(folder: Path) -> None:
    try:
        for name in (DONE, FAILED):
            (folder / name).mkdir(exist_ok=True)
    except OSError as error:
        raise InvalidRequest(f"Finished files cannot be moved aside in {folder}: {error.strerror}.") from error


def _open_run(client: Client, ledger: Ledger, watch: Watch) -> Run:
    """Return the run of this folder, the same one after every restart."""
    options = watch.options.as_json()
    purpose = json.dumps({"watch": ascii(str(watch.folder.absolute())), "batch": watch.batch, **options})
    run = ledger.find(client.endpoint.url, purpose=purpose)
    if run is None:
        name = run_name(watch.batch or watch.folder.resolve().name)
        run = ledger.start(client.endpoint.url, purpose=purpose, name=name, options=options)
    if watch.batch and run.batch_id is None:
        run = ledger.set_batch(run, client.create_batch(run.name, idempotency_key=run.token).id)
    return run


class _Noticed(FileSystemEventHandler):
    """Wakes the watch."""

    def __init__(self, changed: threading.Event) -> None:
        self._changed = changed

    def on_any_event(self, event: FileSystemEvent) -> None:  # noqa: ARG002 - watchdog's signature
        """Wake it, whatever happened."""
        self._changed.set()


@contextmanager
def _noticing(folder: Path) -> Iterator[threading.Event]:
    changed = threading.Event()
    observer = Observer()
    observer.schedule(_Noticed(changed), str(folder), recursive=True, event_filter=_CHANGES)
    observer.start()
    try:
        yield changed
    finally:
        observer.stop()
        observer.join()
