"""`tallyscan submit`: files to a running service, and their readings back."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from cli.client import Client
from cli.collecting import collect, wait_for_batch
from cli.endpoint import find_endpoint
from cli.ledger import Ledger, Run, open_ledger, run_name
from cli.options import (
    Finite,
    chosen_format,
    examples,
    load_settings,
    result_options,
    service_options,
    target_error_option,
    type_option,
)
from cli.output import failure_lines, refuse_unwritable, result_sink
from cli.patience import FOREVER, Patience
from cli.progress import Display, progress_display
from cli.scans import find_scans
from cli.sending import Sender, SendOptions, Sent, largest_file, send_all
from cli.stop import FAILED, Stopped
from cli.stopping import StopSignal
from cli.summary import Tally
from cli.template_shelf import names_file
from cli.terminal import say
from cli.watch import Watch, watch_folder
from core.errors import InvalidRequest
from core.status import Priority

PATIENCE_SECONDS = 120.0
JOBS = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """What the command line asks for."""

    paths: tuple[Path, ...]
    batch: str | None
    resume: bool
    wait: bool
    jobs: int
    format_name: str | None
    out: Path | None
    options: SendOptions


@click.command(
    epilog=examples(
        "tallyscan submit scans/ --out readings.csv",
        "tallyscan submit scans/ --batch monday --type digits --no-wait",
        "tallyscan submit scans/ --batch monday --type digits --resume --out readings.csv",
        "tallyscan submit cheques/ --template cheque-us --out amounts.csv",
        "tallyscan submit --watch inbox/ --template auto --out readings.csv",
    )
)
@click.argument("paths", nargs=-1, metavar="PATH...", type=click.Path(exists=True, path_type=Path))
@type_option
@click.option(
    "--template",
    metavar="NAME|auto",
    help="Template of the service that says which fields a page has; auto chooses one for each page.",
)
@target_error_option
@click.option(
    "--priority",
    type=click.Choice([str(priority) for priority in Priority]),
    default=str(Priority.NORMAL),
    show_default=True,
    help="Which queue the files wait in.",
)
@click.option("--tag", "tags", multiple=True, help="Label the documents; may be given more than once.")
@click.option(
    "--duplicates",
    type=click.Choice(["new", "reuse"]),
    default="new",
    show_default=True,
    help="Read the same bytes again, or take the earlier reading.",
)
@click.option("--batch", help="Name of the batch [default: first path and time].")
@click.option("--resume", is_flag=True, help="Go on with an earlier run of this batch or these paths.")
@click.option(
    "--watch",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Keep sending what arrives in this folder; finished files move to its done/ and failed/.",
)
@click.option(
    "--settle",
    type=Finite(min=0.1),
    default=2.0,
    show_default=True,
    help="With --watch: seconds a file must rest before it counts as whole.",
)
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait for the readings, or print the batch id.")
@click.option("--jobs", "-j", type=click.IntRange(1, 32), default=JOBS, show_default=True, help="Uploads at a time.")
@click.option(
    "--patience",
    type=Finite(min=0),
    default=PATIENCE_SECONDS,
    show_default=True,
    help="Seconds a service may be away before this gives up.",
)
@result_options
@service_options
@click.pass_context
def submit(  # noqa: PLR0913, PLR0917 - one parameter an option
    ctx: click.Context,
    paths: tuple[Path, ...],
    type_name: str | None,
    template: str | None,
    target_error: float | None,
    priority: str,
    tags: tuple[str, ...],
    duplicates: str,
    batch: str | None,
    resume: bool,
    folder: Path | None,
    settle: float,
    wait: bool,
    jobs: int,
    patience: float,
    format_name: str | None,
    out: Path | None,
    url: str | None,
    key: str | None,
    home: Path | None,
) -> None:
    """Send files, and the scans in folders, to a running service, and write the readings.

    Uploads run in parallel and slow down when the service asks for it. A service that is away is waited for. If this
    is killed, the same command with --resume sends only what the service does not have yet, and collects everything.
    """
    reuse = duplicates == "reuse"
    options = SendOptions(
        type_name, Priority(priority), tags, reuse_duplicates=reuse, target_error=target_error, template=template
    )
    plan = Plan(paths, batch, resume, wait, jobs, format_name, out, options)
    _check(plan, folder)
    settings = load_settings(home)
    endpoint = find_endpoint(settings, url=url, key=key)
    with progress_display() as display, open_ledger(settings.home) as ledger:
        limit = FOREVER if folder else patience
        with Client(endpoint, patience=Patience(limit_seconds=limit, notice=display.note)) as client:
            if folder:
                watch = Watch(folder, batch, settle, jobs, format_name, out, options)
                failed = watch_folder(client, ledger, watch, usual_max=settings.max_file_bytes, display=display)
            else:
                failed = _submit(client, ledger, plan, usual_max=settings.max_file_bytes, display=display)
    if failed:
        ctx.exit(FAILED)


def _check(plan: Plan, folder: Path | None) -> None:
    if folder and (plan.paths or plan.resume or not plan.wait):
        raise InvalidRequest("--watch takes a folder of its own: leave out PATH, --resume and --no-wait.")
    if not folder and not plan.paths:
        raise InvalidRequest("Name files or folders to send, or a folder to --watch.")
    options = plan.options
    if options.type_name and options.template:
        raise InvalidRequest("A template says itself which types its fields have: name --type or --template.")
    if options.template and names_file(options.template):
        raise InvalidRequest(
            f"The service knows templates by name: 'tallyscan templates add {options.template}', then name it."
        )
    if odd := [word for word in (*options.tags, options.template or "") if not _is_text(word)]:
        raise InvalidRequest(f"{odd[0]!a} is no text: tags and templates are named in UTF-8.")
    if plan.out:
        refuse_unwritable(plan.out)
    if not plan.wait and plan.out:
        raise InvalidRequest("--no-wait writes no readings: fetch them later by 'tallyscan results BATCH'.")


def _is_text(word: str) -> bool:
    """Return whether a word of the command line can be sent; bytes that are no UTF-8 cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in word)


def _submit(client: Client, ledger: Ledger, plan: Plan, *, usual_max: int, display: Display) -> int:
    """Send, wait, write; return how many files failed."""
    scans = find_scans(plan.paths)
    max_bytes = largest_file(client, usual=usual_max)
    run = _open_run(client, ledger, plan, display=display)
    sender = Sender(client, ledger, run, options=plan.options, max_bytes=max_bytes, paths=plan.paths)
    with _resumable():
        sent = _send(client, sender, scans, jobs=plan.jobs, display=display)
        if not plan.wait:
            say(run.batch_id or "")
            return sum(item.entry.document_id is None for item in sent)
        return _collect(client, run, sent, plan=plan, display=display)


def _open_run(client: Client, ledger: Ledger, plan: Plan, *, display: Display) -> Run:
    """Return the run to go on with, or a new one; its batch exists at the service."""
    service = client.endpoint.url
    purpose = _purpose(plan)
    earlier = ledger.find(service, purpose=purpose)
    run = earlier if plan.resume else None
    if plan.resume and run is None:
        display.note("nothing to resume; this is a new run")
    if earlier and run is None:
        display.note(f"this sends everything anew; --resume would go on with the earlier batch {earlier.batch_id}")
    if run and run.options != plan.options.as_json():
        raise InvalidRequest(f"The run to resume had other options: {json.dumps(run.options)}.")
    if run is None:
        run = ledger.start(service, purpose=purpose, name=_batch_name(plan), options=plan.options.as_json())
    if run.batch_id is None:
        run = ledger.set_batch(run, client.create_batch(run.name, idempotency_key=run.token).id)
    display.note(f"batch {run.batch_id} ({run.name}) at {service}")
    return run


def _send(client: Client, sender: Sender, scans: Sequence[Path], *, jobs: int, display: Display) -> list[Sent]:
    bar = display.bar("sending", total=len(scans))
    sent: dict[Path, Sent] = {}
    for item in send_all(sender.send, scans, jobs=jobs, stop=client.patience.stopped.set):
        sent[item.scan] = item
        if item.entry.document_id is None:
            display.note(f"{item.scan}: {item.entry.message} ({item.entry.code})")
        bar.step()
    return [sent[scan] for scan in scans]


def _collect(client: Client, run: Run, sent: Sequence[Sent], *, plan: Plan, display: Display) -> int:
    bar = display.bar("reading", total=len(sent))
    if run.batch_id:
        last = next((item.entry.document_id for item in reversed(sent) if item.entry.document_id), None)
        wait_for_batch(client, run.batch_id, last_document=last, tell=bar.at)
    tally = Tally()
    with result_sink(chosen_format(plan.format_name, plan.out), plan.out) as sink:
        for outcome in collect(client, run.batch_id, sent):
            sink(outcome)
            tally.add(outcome)
            if outcome.document_id:  # what was refused has been told already
                for line in failure_lines(outcome):
                    display.note(line)
    display.note(str(tally))
    return tally.failed


@contextmanager
def _resumable() -> Iterator[None]:
    """Say how to go on when the person, or the system, stops the run."""
    with StopSignal().listening():
        try:
            yield
        except KeyboardInterrupt:
            raise Stopped("Stopped; the same command with --resume goes on from here.", code="stopped") from None


def _purpose(plan: Plan) -> str:
    """Return what makes two command lines the same run: the batch's name where there is one, else the paths."""
    if plan.batch:
        return json.dumps({"batch": plan.batch})
    return json.dumps({"paths": sorted(ascii(str(path.absolute())) for path in plan.paths)})


def _batch_name(plan: Plan) -> str:
    if plan.batch:
        return run_name(plan.batch)
    return run_name(plan.paths[0].resolve().name, ending=f" {datetime.now().astimezone():%Y-%m-%d %H:%M}")
