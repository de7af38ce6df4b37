"""`tallyscan read`: files to readings in this process; no service, no database, no TensorFlow."""

import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import chosen_format, examples, load_settings, result_options, target_error_option, type_option
from cli.outcome import Outcome
from cli.output import failure_lines, result_sink
from cli.progress import Display, progress_display
from cli.scans import find_scans, load_scan, paths_argument
from cli.stop import FAILED
from cli.summary import Tally
from cli.terminal import say
from core.errors import InternalError, InvalidRequest, OutOfMemory, TallyscanError
from core.settings import Settings
from core.status import Status
from core.types import AUTO, DocumentReading, Phase

if TYPE_CHECKING:
    from worker.form_reading import Form
    from worker.pipeline import Reader, ReadRequest


@click.command(
    epilog=examples(
        "tallyscan read cheque.png --type digits",
        "tallyscan read cheques/ --template cheque-cts2010 --format csv",
        "tallyscan read cheque.png --template cheque-cts2010 --micr 'C083654C 500025033A 290062C 31'",
        "tallyscan read inbox/ --template auto --format csv",
        "tallyscan read scans/ --format csv --out readings.csv",
    )
)
@paths_argument
@type_option
@click.option(
    "--template",
    metavar="NAME|FILE|auto",
    help="Template that says which fields a page has, and where; auto chooses one for each page.",
)
@click.option("--micr", metavar="LINE", help="The cheque's MICR line as you have it; fields that differ go to review.")
@target_error_option
@result_options
@click.option("--timings", is_flag=True, help="Say on stderr what took how long.")
@click.pass_context
def read(  # noqa: PLR0913, PLR0917 - one parameter an option
    ctx: click.Context,
    paths: tuple[Path, ...],
    type_name: str | None,
    template: str | None,
    micr: str | None,
    target_error: float | None,
    format_name: str | None,
    out: Path | None,
    timings: bool,
) -> None:
    """Read scans here and now.

    PATH is a file, or a folder whose scans are read with those of its subfolders. Without --type, the numbers on
    each page are found; with --template, the fields that the template names are read. With --template auto, a page
    that no template fits is read like one without, and nothing on it is accepted. A file that fails does not stop the
    others: it gets a line on stderr, and a row that names the failure in review_reasons.
    """
    if type_name and template:
        raise click.UsageError("A template says itself which types its fields have: name --type or --template.")
    scans = find_scans(paths)
    if micr is not None and (template is None or len(scans) > 1):
        raise click.UsageError("--micr is one cheque's line: name one file, and --template.")
    settings = load_settings()
    started = time.monotonic()
    reader, request = _open_reader(settings, type_name, template=template, target_error=target_error)
    request = replace(request, expected_micr=_checked(micr, request))
    with progress_display() as display, result_sink(chosen_format(format_name, out), out) as sink:
        tally = Tally()
        for outcome in _read_all(scans, reader, request=request, max_bytes=settings.max_file_bytes, display=display):
            sink(outcome)
            tally.add(outcome)
    _summarise(tally, seconds=time.monotonic() - started)
    if timings:
        _show_timings(reader)
    if tally.failed:
        ctx.exit(FAILED)


def _checked(micr: str | None, request: "ReadRequest") -> str | None:
    """Return the caller's line, once there is something to compare it with.

    Raises:
        InvalidRequest: it is no MICR line, or the template has no band of E-13B.
    """
    if micr is None or (request.form is None and request.choose is None):
        return None
    from forms.micr import check_line

    check_line(micr)
    if request.form is not None and not request.form.template.has_micr:
        raise InvalidRequest(f"The template {request.form.template.name!r} has no band of E-13B to compare with.")
    return micr


def _open_reader(
    settings: Settings, type_name: str | None, *, template: str | None, target_error: float | None
) -> "tuple[Reader, ReadRequest]":
    # OpenCV and LiteRT come in here, and only here.
    from worker.pipeline import Reader, ReadRequest

    request = ReadRequest(type_name, target_error=target_error)
    if template == AUTO:
        from cli.template_choice import open_choice

        request = replace(request, choose=open_choice(settings))
    elif template is not None:
        request = replace(request, form=_open_form(settings, template))
    return Reader.load(settings), request


def _open_form(settings: Settings, name: str) -> "Form":
    from cli.template_choice import open_stored
    from cli.template_shelf import find_reference, find_template, names_file, printed_versions
    from segmentation.decoding import DecodeLimits
    from worker.form_reading import open_form

    kept = find_template(name, settings)
    template, versions = kept.template, printed_versions(kept, settings)
    if not names_file(name):
        return open_stored(template, settings, versions=versions)
    reference = find_reference(template, Path(name).parent)
    return open_form(template, reference=reference, limits=DecodeLimits.from_settings(settings), versions=versions)


def _read_all(
    scans: Sequence[Path],
    reader: "Reader",
    *,
    request: "ReadRequest",
    max_bytes: int,
    display: Display,
) -> Iterator[Outcome]:
    bar = display.bar("reading", total=len(scans))
    for scan in scans:
        outcome = _read_one(scan, reader, request=request, max_bytes=max_bytes)
        for line in failure_lines(outcome):
            display.note(line)
        bar.step()
        yield outcome


def _read_one(scan: Path, reader: "Reader", *, request: "ReadRequest", max_bytes: int) -> Outcome:
    from segmentation.memory import ran_out_of_memory

    try:
        reading = reader.read(load_scan(scan, max_bytes=max_bytes), request=request)
    except TallyscanError as error:
        return _failed(scan, error)
    except Exception as error:  # noqa: BLE001 - a fault on one file must not cost the readings of the others
        if ran_out_of_memory(error):
            return _failed(scan, OutOfMemory("There is not enough memory to read this file."))
        _show_if_debugging(error)
        return _failed(scan, InternalError(f"Reading stopped at an unforeseen {type(error).__name__}."))
    return _outcome(scan, reading)


def _outcome(scan: Path, reading: DocumentReading) -> Outcome:
    """Return what the service would say of this reading: failed where every page failed."""
    failures = [page.failure for page in reading.pages]
    failure = failures[0] if failures and all(failures) else None
    status = Status.FAILED if failure else Status.DONE
    return Outcome(file=str(scan), status=status, pages=reading.pages, failure=failure, reader=reading.reader)


def _failed(scan: Path, error: TallyscanError) -> Outcome:
    return Outcome(file=str(scan), status=Status.FAILED, failure=error.failure(Phase.DECODE))


def _show_if_debugging(error: Exception) -> None:
    if click.get_current_context().find_root().params.get("debug"):
        traceback.print_exception(error)


def _summarise(tally: Tally, *, seconds: float) -> None:
    rate = tally.files / seconds if seconds else 0.0
    say(f"{tally}; {seconds:.1f} s ({rate:.1f} files a second)", err=True)


def _show_timings(reader: "Reader") -> None:
    for stage, seconds in reader.timings.as_dict().items():
        say(f"{stage:>16}: {seconds:8.3f} s", err=True)
