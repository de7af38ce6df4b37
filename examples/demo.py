"""`python -m examples.demo`: the whole path on this machine, from scans to readings, in a temporary home.

Starts the service on the embedded default, submits `examples/scans/` over HTTP, prints what was read beside what was
written, and stops everything. Leaves with 1 when a document failed.
"""

import os
import re
import secrets
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.client import Client, Upload
from cli.endpoint import Endpoint
from cli.replies import Document
from examples.comparison import Comparison, Written, compare, read_truth, show

SCANS = Path(__file__).resolve().parent / "scans"
START_SECONDS = 90.0
STOP_SECONDS = 15.0
DOCUMENT_SECONDS = 120.0
ADDRESS = re.compile(r"listens at (http://\S+)")


class DemoFailed(Exception):
    """The demonstration cannot go on; the message says why."""


@contextmanager
def running_service(home: Path) -> Iterator[Endpoint]:
    """Run `tallyscan up` in `home` on a free port, and stop it afterwards.

    Raises:
        DemoFailed: it does not start, or does not stop.
    """
    log = home / "up.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TALLYSCAN_")}
    environment["TALLYSCAN_HOME"] = str(home)
    command = [str(Path(sysconfig.get_path("scripts")) / "tallyscan"), "up", "--port", "0"]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # a Ctrl-C reaches the demonstration alone, which then stops the service
        )
    try:
        url = _address(process, log)
        yield Endpoint(url=url, key=(home / "admin.key").read_text().strip())
    finally:
        _stop(process)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the service says where it listens, which it does once it is ready."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        said = log.read_text(errors="replace")
        if found := ADDRESS.search(said):
            return found.group(1)
        if process.poll() is not None:
            raise DemoFailed(f"The service did not start:\n{said}")
        time.sleep(0.1)
    raise DemoFailed(f"The service was not ready within {START_SECONDS:.0f} s:\n{log.read_text(errors='replace')}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise DemoFailed(f"The service did not stop within {STOP_SECONDS:.0f} s.") from None


def submit_all(client: Client, written: list[Written], *, console: Console) -> dict[str, Document]:
    """Submit every file that the truth names, wait for each, and return the documents by file name."""
    types = {row.file: row.type for row in written}
    batch = client.create_batch("Example scans", idempotency_key=secrets.token_hex(16))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        sending = progress.add_task("Submitting", total=len(types))
        reading = progress.add_task("Reading", total=len(types))
        sent = {}
        for name, type_name in types.items():
            upload = Upload(
                name=name,
                data=(SCANS / name).read_bytes(),
                idempotency_key=secrets.token_hex(16),
                batch_id=batch.id,
                type_name=type_name or None,
            )
            sent[name] = client.submit(upload).id
            progress.advance(sending)
        finished = {}
        for name, document_id in sent.items():
            finished[name] = _finished(client, document_id)
            progress.advance(reading)
    return finished


def _finished(client: Client, document_id: str) -> Document:
    deadline = time.monotonic() + DOCUMENT_SECONDS
    while time.monotonic() < deadline:
        document = client.document(document_id, wait_seconds=10)
        if document.finished:
            return document
    raise DemoFailed(f"Document {document_id} was not read within {DOCUMENT_SECONDS:.0f} s.")


def run(console: Console, *, keep: bool) -> list[Comparison]:
    """Run the demonstration and return what was read beside what was written."""
    written = read_truth(SCANS / "truth.csv")
    with tempfile.TemporaryDirectory(prefix="tallyscan-demo-", ignore_cleanup_errors=True) as folder:
        console.print("Starting the service: queue, HTTP interface, worker and sweeper …")
        with running_service(Path(folder)) as endpoint:
            console.print(f"Ready at {endpoint.url}")
            with Client(endpoint) as client:
                documents = submit_all(client, written, console=console)
            rows = compare(written, documents)
            show(rows, documents, console=console)
            if keep:
                link = _login_link(Path(folder) / "up.log")
                console.print(f"\nThe page, with these documents: {link}\nCtrl-C stops the service.", soft_wrap=True)
                _wait_for_interrupt()
    console.print("\nStopped. [bold]make up[/] starts the service for good and prints a link to its page;")
    console.print("[bold]make demo KEEP=1[/] leaves this demonstration running, page and all.")
    return rows


def _login_link(log: Path) -> str:
    found = re.search(r"http://\S+/login\?token=\S+", log.read_text(errors="replace"))
    return found.group() if found else "see the first lines of the service's output"


def _wait_for_interrupt() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return


@click.command(help=__doc__)
@click.option("--keep", is_flag=True, help="Leave the service running until Ctrl-C, to look at its page.")
def main(*, keep: bool) -> None:
    """Run, and leave with 1 when a document failed."""
    console = Console()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the service is stopped then, too
    try:
        rows = run(console, keep=keep)
    except DemoFailed as error:
        console.print(f"[red]{error}[/]")
        sys.exit(1)
    sys.exit(1 if any(row.failure for row in rows) else 0)


if __name__ == "__main__":
    main()
