"""`calibrate`: what a confidence is worth on a user's own labelled fields."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import FieldTypeName, examples, load_settings
from cli.output import print_table
from cli.progress import progress_display
from cli.terminal import say

if TYPE_CHECKING:
    from forms.confidence import Calibration
    from worker.calibrating import LabelledField

TARGETS = (0.001, 0.005, 0.01, 0.02, 0.05)

FEWEST = 20
"""Fewer fields say nothing."""


@click.command(
    epilog=examples(
        "tallyscan calibrate labels.csv --type amount --out calibration.json",
        "TALLYSCAN_CALIBRATION=calibration.json tallyscan read scans/ --type amount --target-error 0.005",
    )
)
@click.argument("labels", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Where the files lie.")
@click.option(
    "--type",
    "type_name",
    type=FieldTypeName(),
    help="The fields' type [default: digits; of exported corrections, each one's own].",
)
@click.option(
    "--out", "-o", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The calibration to write."
)
def calibrate(labels: Path, folder: Path | None, type_name: str | None, out: Path) -> None:
    """Measure on LABELS what a confidence is worth, and from where on each target error lets fields be accepted.

    LABELS is a CSV with the columns file and text: a picture of one field, beside the CSV or in --folder, and its
    true digits. In the labels.csv of exported corrections, each field's own type counts where --type is not given,
    and fields that nobody could read, single digits, MICR and letters are passed over. The networks stay as they are. A
    few hundred fields are enough to move the confidence to a new kind of form; the printed table says how many a target
    needs.
    """
    from forms.confidence import NOTHING_ACCEPTED
    from worker.calibrating import collect, recalibrate
    from worker.field_reading import WITHOUT_LINE
    from worker.networks import open_model, save_calibration
    from worker.pipeline import Reader

    if type_name in WITHOUT_LINE:
        raise click.UsageError(f"Fields of type {type_name} are read without line readers: nothing to calibrate.")
    settings = load_settings()
    networks = open_model(settings)
    reader = Reader.of(networks, settings)
    known = reader.calibration
    if known is None:
        raise click.UsageError(f"The network {reader.name!r} has no line readers, and so nothing to calibrate.")
    fields = list(_labelled(labels, folder or labels.parent, type_name))
    if len(fields) < FEWEST:
        raise click.UsageError(f"{labels} names {len(fields)} fields; at least {FEWEST} are needed to say anything.")
    with progress_display() as display:
        bar = display.bar("reading", total=len(fields))
        evidence = collect(reader, fields, on_field=bar.step)
    if len(evidence) < FEWEST:
        raise click.UsageError(f"Only {len(evidence)} of {len(fields)} fields hold writing that can be read.")
    found, judged = recalibrate(evidence, known)
    out.parent.mkdir(parents=True, exist_ok=True)
    save_calibration(out, found, networks=[networks.digest])
    right = sum(text == each.field.text for (text, _), each in zip(judged, evidence, strict=True))
    say(f"{right} of {len(fields)} fields right; {len(fields) - len(evidence)} unreadable or without ink")
    print_table(("target error", "accepted from", "accepted", "wrong", "needs at least"), _rows(found))
    say(f"{out} written; use it with TALLYSCAN_CALIBRATION={out}", err=True)
    if found.threshold(settings.target_error) == NOTHING_ACCEPTED:
        say(
            f"These fields do not show a target error of {settings.target_error:.1%}: with this calibration nothing is "
            "accepted at it. Label more of them, or take a looser target.",
            err=True,
        )


def _rows(found: "Calibration") -> Iterator[tuple[str, str, str, str, str]]:
    from forms.confidence import NOTHING_ACCEPTED, fields_needed

    for target in TARGETS:
        threshold = found.threshold(target)
        accepted = [right for confidence, right in zip(found.confidences, found.right, strict=True)
                    if confidence >= threshold]  # fmt: skip
        shown = "not shown by these" if threshold == NOTHING_ACCEPTED else f"{threshold:.4f}"
        needed = f"{fields_needed(target)} right ones"
        yield f"{target:.1%}", shown, str(len(accepted)), str(accepted.count(0)), needed


def _labelled(labels: Path, folder: Path, type_name: str | None) -> "Iterator[LabelledField]":
    """Yield the rows of the CSV with their files' bytes, but those that say nothing of the readers.

    Raises:
        InvalidRequest: the table is damaged, or lacks a column.
        click.UsageError: a truth is no string of digits, or a file cannot be read.
    """
    from core.types import Truth
    from worker.calibrating import LabelledField
    from worker.corrected import UNTAUGHT, read_alone_as, table_rows, truth_of

    for place, row in table_rows(labels, ("file", "text")):
        if row.get("type") in UNTAUGHT or truth_of(row, place) is Truth.UNREADABLE:
            continue
        name, text = row["file"], row["text"]
        if text and not (text.isascii() and text.isdigit()):
            raise click.UsageError(f"{place}: {text!r} is no string of digits.")
        try:
            data = _read(folder / name)
        except (OSError, ValueError) as error:
            raise click.UsageError(f"{place}: {name!r} cannot be read.") from error
        yield LabelledField(name, data, text, type_name or read_alone_as(row.get("type", "")), name, labels.name)


def _read(path: Path) -> bytes:
    """Return a file's bytes; a pipe, which would be waited for, is none.

    Raises:
        OSError: there is no file, or it may not be read.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    return path.read_bytes()
