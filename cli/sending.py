"""Files to a service, several at a time, none of them twice."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from cli.client import Client, Upload
from cli.ledger import Entry, Ledger, Run, Stamp, State, upload_key
from cli.replies import Document
from cli.scans import Labels, load_scan
from core.errors import Forbidden, IdempotencyConflict, InputError, InternalError, TallyscanError, UnreadableImage
from core.status import Priority

TAKEN = "The service took this file before, under another name or with other options."


@dataclass(frozen=True, slots=True)
class SendOptions:
    """How the service shall read, and file, what is sent."""

    type_name: str | None = None
    priority: Priority = Priority.NORMAL
    tags: tuple[str, ...] = ()
    reuse_duplicates: bool = False
    target_error: float | None = None
    template: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return them as the ledger keeps them."""
        options = {**asdict(self), "priority": str(self.priority), "tags": list(self.tags)}
        # Runs of a version that knew no such option can still be resumed.
        newer = ("target_error", "template")
        return {name: value for name, value in options.items() if name not in newer or value is not None}


@dataclass(frozen=True, slots=True)
class Sent:
    """A file and what became of its upload; `scan` is the path as the person named it."""

    scan: Path
    entry: Entry


class Sender:
    """Sends the files of one run; safe to use from several threads."""

    def __init__(
        self,
        client: Client,
        ledger: Ledger,
        run: Run,
        *,
        options: SendOptions,
        max_bytes: int,
        paths: Sequence[Path] = (),
    ) -> None:
        """Send as `options` say; scans are called by where they lie in those of `paths` that are folders."""
        self._client = client
        self._ledger = ledger
        self._run = run
        self._options = options
        self._max_bytes = max_bytes
        self._labels = Labels(paths)

    def send(self, scan: Path) -> Sent:
        """Send a file, unless the ledger knows that its content went already; note and return what became of it.

        Raises:
            TallyscanError: the service refuses the run as a whole (its key, its options), or is away for too long.
            Interrupted: the run was stopped.
        """
        known = self._ledger.entry(self._run, scan)
        try:
            stamp = Stamp.of(scan)
            if known and known.state is not State.REFUSED and known.stamp == stamp and known.state is not State.CLOSED:
                return Sent(scan, known)
            data = load_scan(scan, max_bytes=self._max_bytes)
        except OSError as error:
            return self._note(scan, _refused(scan, UnreadableImage(f"The file cannot be opened: {error.strerror}.")))
        except InputError as error:
            return self._note(scan, _refused(scan, error, stamp=stamp))
        sha256 = hashlib.sha256(data).hexdigest()
        if known and known.state is State.SENT and known.sha256 == sha256:
            return self._note(scan, replace(known, stamp=stamp))
        draft = Entry(scan, stamp, sha256, _round_after(known), State.SENT)
        return self._note(scan, self._upload(draft, data))

    def _upload(self, draft: Entry, data: bytes) -> Entry:
        # Noted before it is sent: under its key the service takes the file by no other name.
        label = self._ledger.label(self._run, draft.path, proposed=_as_text(self._labels.of(draft.path)))
        # Earlier versions sent the bare name: the answer to such an upload may have been lost.
        for name in dict.fromkeys((label, _as_text(draft.path.name))):
            try:
                document = self._submit(draft, data, name=name)
            except IdempotencyConflict:
                continue
            except (InputError, InternalError) as error:
                return _refused_as(draft, error)
            return replace(draft, document_id=document.id, in_batch=document.batch_id == self._run.batch_id)
        return _refused_as(draft, IdempotencyConflict(TAKEN))

    def _submit(self, draft: Entry, data: bytes, *, name: str) -> Document:
        upload = Upload(
            name=name,
            data=data,
            idempotency_key=upload_key(self._run, draft.path, sha256=draft.sha256, round=draft.round),
            batch_id=self._run.batch_id,
            type_name=self._options.type_name,
            priority=self._options.priority,
            tags=self._options.tags,
            reuse_duplicates=self._options.reuse_duplicates,
            target_error=self._options.target_error,
            template=self._options.template,
        )
        return self._client.submit(upload)

    def _note(self, scan: Path, entry: Entry) -> Sent:
        self._ledger.record(self._run, entry)
        return Sent(scan, entry)


def largest_file(client: Client, *, usual: int) -> int:
    """Return how many bytes a file may have for the service, or `usual` where it does not tell.

    Older services tell their limits only to keys of scope `read`, which sending does not need; a file that is too large
    after all is refused by itself.
    """
    try:
        return client.limits().max_file_bytes
    except Forbidden:
        return usual


def send_all(
    send: Callable[[Path], Sent], scans: Iterable[Path], *, jobs: int, stop: Callable[[], None]
) -> Iterator[Sent]:
    """Yield what became of each file, as the uploads end; at most `jobs` run at a time.

    Args:
        send: sends one file.
        scans: the files, taken only as fast as they are sent.
        jobs: uploads at a time.
        stop: wakes uploads that wait, when this ends early.
    """
    queue = iter(scans)
    with ThreadPoolExecutor(jobs, thread_name_prefix="upload") as pool:
        pending: set[Future[Sent]] = set()
        try:
            while pending := pending | {pool.submit(send, scan) for scan in islice(queue, 2 * jobs - len(pending))}:
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        except BaseException:
            stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _round_after(known: Entry | None) -> int:
    if known is None:
        return 0
    return known.round + 1 if known.state is State.CLOSED else known.round


def _as_text(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8")  # a file's name need not be text


def _refused_as(draft: Entry, error: TallyscanError) -> Entry:
    return replace(draft, state=State.REFUSED, code=error.code, message=str(error))


def _refused(scan: Path, error: TallyscanError, *, stamp: Stamp | None = None) -> Entry:
    return Entry(scan, stamp or Stamp(0, 0), "", 0, State.REFUSED, code=error.code, message=str(error))
