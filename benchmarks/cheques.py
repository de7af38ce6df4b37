"""How well whole cheques are read by the built-in template, field by field, and what a cheque costs.

    python -m benchmarks.cheques [../shared/data] [--template NAME|FILE] [--csv FOLDER]

Reads IDRBT's cheques as `tallyscan read --template` does. Fields whose label is uncertain, and dates and amounts that
were written over, are left out. Networks learnt amounts and dates of the first half of each bank's cheques, so the
second half is the measure. CPU time is set beside that of decoding the file alone, in the same run.
"""

import argparse
import csv
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.fields import HELD_OUT_NETWORKS
from benchmarks.figures import Reading, score, write_csv
from benchmarks.reading import tell

if TYPE_CHECKING:
    from worker.form_reading import Form
    from worker.pipeline import Reader

COLUMNS: Final = {
    "date": "date_ddmmyyyy",
    "amount": "amount_digits",
    "account_number": "account_no_printed",
    "micr_cheque_number": "micr_cheque_no",
    "micr_routing": "micr_city_bank_branch",
    "micr_account": "micr_account",
    "micr_transaction_code": "micr_tc",
}
"""Our names of the fields, and the columns of the labels; an empty one says that the cheque has no such field."""

WRITTEN: Final = ("date", "amount")
"""Fields that a hand may have written over."""


@dataclass(frozen=True, slots=True)
class Cheque:
    """A labelled cheque.

    Attributes:
        path: of its picture.
        half: `first` or `second` of its bank's cheques, as `model.corpora` halves them.
        truth: what its fields say, those left out that nobody can tell.
    """

    path: Path
    half: str
    truth: dict[str, str]


@dataclass(frozen=True, slots=True)
class Measured:
    """A cheque as read: a reading for each labelled field, and CPU milliseconds."""

    cheque: Cheque
    readings: dict[str, Reading]
    decoding_ms: float
    all_ms: float


def cheques(data: Path) -> list[Cheque]:
    """Return the labelled cheques."""
    home = data / "idrbt_cheques"
    with (home / "labels.csv").open(newline="", encoding="utf-8") as lines:
        rows = sorted(csv.DictReader(lines), key=lambda row: row["file"])
    found = []
    for bank in dict.fromkeys(row["bank"] for row in rows):
        own = [row for row in rows if row["bank"] == bank]
        for place, row in enumerate(own):
            half = "first" if place < len(own) // 2 else "second"
            found.append(Cheque(home / "images" / row["file"], half, truth_of(row)))
    return found


def truth_of(row: dict[str, str]) -> dict[str, str]:
    """Return what the fields of a labelled cheque say, without those that are doubtful or not there."""
    doubtful = {name for name in WRITTEN if "1" in {row[f"{name}_uncertain"], row["overwritten"]}}
    return {name: row[column] for name, column in COLUMNS.items() if row[column] and name not in doubtful}


def measure(reader: "Reader", form: "Form", cheque: Cheque) -> Measured:
    """Return the cheque as read; a field that was not found reads as nothing."""
    from worker.pipeline import ReadRequest

    data = cheque.path.read_bytes()
    started = time.process_time()
    reader.decode_page(data, 0)
    decoded = time.process_time()
    page = reader.read(data, request=ReadRequest(form=form)).pages[0]
    spent = time.process_time() - decoded
    found = {field.name: field for field in page.fields}
    readings = {}
    for name, truth in cheque.truth.items():
        field = found.get(name)
        said = (field.text, field.confidence, field.accepted) if field else ("", 0.0, False)
        readings[name] = Reading(truth, *said, file=cheque.path.name)
    return Measured(cheque, readings, 1e3 * (decoded - started), 1e3 * spent)


def print_report(measured: Sequence[Measured]) -> None:
    """Print each half's figures, and what a cheque costs."""
    for half in ("second", "first"):
        part = [each for each in measured if each.cheque.half == half]
        print(f"{half} half of each bank's cheques ({len(part)})")
        for name in COLUMNS:
            figures = score(of_field(part, name))
            print(
                f"  {name:<22} n {figures['n']:2.0f}  exact {figures['exact']:6.1%}  "
                f"coverage at 1 % {figures['coverage_at_1%']:6.1%}  "
                f"accepted {figures['accepted']:6.1%}, {figures['accepted_wrong_n']:.0f} of them wrong"
            )
    decoding = statistics.median(each.decoding_ms for each in measured)
    everything = statistics.median(each.all_ms for each in measured)
    print(f"CPU a cheque: {everything:.0f} ms in all, {decoding:.0f} ms of them to decode its file (medians)")


def of_field(measured: Sequence[Measured], name: str) -> list[Reading]:
    """Return the readings of one field, where it is labelled."""
    return [each.readings[name] for each in measured if name in each.readings]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/data"), help="collections")
    parser.add_argument("--template", default="cheque-cts2010", help="name of a built-in template, or a file")
    parser.add_argument("--csv", type=Path, help="write readings and labels into that folder, a pair of files a field")
    options = parser.parse_args()
    if not (options.folder / "idrbt_cheques").is_dir():
        sys.exit(f"{options.folder} does not hold the cheques")
    reader, form = open_reader(options.template)
    measured = []
    for place, cheque in enumerate(cheques(options.folder), start=1):
        measured.append(measure(reader, form, cheque))
        tell(f"\rcheques: {place}", end="")
    tell("")
    print_report(measured)
    if options.csv:
        for name in COLUMNS:
            write_csv(options.csv, name, of_field(measured, name))


def open_reader(template: str) -> "tuple[Reader, Form]":
    """Return a reader and the template, ready to lay cheques over it."""
    from cli.template_shelf import find_reference, load_template
    from core.settings import Settings
    from forms.builtins import builtin_template
    from segmentation.decoding import DecodeLimits
    from worker.form_reading import open_form
    from worker.pipeline import Reader

    settings = Settings(model=HELD_OUT_NETWORKS.name)
    limits = DecodeLimits.from_settings(settings)
    if template.endswith(".json"):
        loaded = load_template(Path(template))
        form = open_form(loaded, reference=find_reference(loaded, Path(template).parent), limits=limits)
    else:
        form = open_form(builtin_template(template), reference=None, limits=limits)
    return Reader.load(settings), form


if __name__ == "__main__":
    main()
