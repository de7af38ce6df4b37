"""Every held-out field that is misread, sorted by cause, as a table and as contact sheets to look through.

    python benchmarks/errors.py FOLDER [--data ../shared/data] [--sets orand meza idrbt-amounts idrbt-dates]

Writes `errors.csv`, `causes.csv` and sheets of each set into FOLDER, which must lie outside the project: it holds real
fields. A reading that is sure and wrong comes first within its cause: there the label may be wrong.
"""

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.accuracy import ROOT, open_reader
from benchmarks.fields import HELD_OUT, SETS, Field, add_fold, corrected, load_set
from benchmarks.figures import Reading, edit_distance
from benchmarks.reading import compared, read_fields
from benchmarks.sheets import outside, write_sheets
from model.corrections import CORRECTIONS

SUSPECT = 0.95
"""From this confidence on, a misreading says that the label be looked at again."""

COLUMNS = ("set", "cause", "detail", "file", "truth", "read", "confidence", "accepted", "look_at_label")


@dataclass(frozen=True, slots=True)
class Error:
    """A misread field, its set's name, and what kind of misreading it is."""

    set_name: str
    field: Field
    reading: Reading
    cause: str
    detail: str

    @property
    def row(self) -> tuple[str, ...]:
        """The row of the table."""
        read = self.reading
        suspect = "look" if read.confidence >= SUSPECT else ""
        start = (self.set_name, self.cause, self.detail, read.file, read.truth, read.text)
        return (*start, f"{read.confidence:.4f}", "accepted" if read.accepted else "", suspect)


def cause_of(truth: str, text: str) -> tuple[str, str]:
    """Return the kind of a misreading, and which digits it is about."""
    if not text:
        return "nothing read", ""
    if _squeezed(truth) == _squeezed(text):
        return "run miscounted", f"{len(text) - len(truth):+d}"
    if len(text) != len(truth):
        return _cause_of_length(truth, text)
    pairs = [f"{a}>{b}" for a, b in zip(truth, text, strict=True) if a != b]
    if len(pairs) == 1:
        return "one digit confused", pairs[0]
    if edit_distance(truth, text) < len(pairs):
        return "shifted", ""
    return "several digits confused", " ".join(pairs)


def _cause_of_length(truth: str, text: str) -> tuple[str, str]:
    if len(text) < len(truth):
        lost = _left_over(truth, text)
        return ("digits missing", f"-{lost}") if lost is not None else ("short and confused", "")
    more = _left_over(text, truth)
    return ("digits too many", f"+{more}") if more is not None else ("long and confused", "")


def _squeezed(text: str) -> str:
    """Return the text with runs of one digit as one."""
    return "".join(char for char, before in zip(text, " " + text, strict=False) if char != before)


def _left_over(longer: str, shorter: str) -> str | None:
    """Return what stands in `longer` beyond `shorter`, or None where more than that differs."""
    over, place = [], 0
    for char in longer:
        if place < len(shorter) and char == shorter[place]:
            place += 1
        else:
            over.append(char)
    return "".join(over) if place == len(shorter) else None


def sorted_errors(set_name: str, fields: Sequence[Field], readings: Sequence[Reading]) -> list[Error]:
    """Return the misread fields: the commonest cause first, in it the surest."""
    errors = [
        Error(set_name, field, reading, *cause_of(reading.truth, reading.text))
        for field, reading in zip(fields, readings, strict=True)
        if not reading.right
    ]
    often = Counter(error.cause for error in errors)
    return sorted(errors, key=lambda error: (-often[error.cause], error.cause, -error.reading.confidence))


def write_tables(folder: Path, errors: Sequence[Error], counts: dict[str, int]) -> None:
    """Write all errors, and how many of each cause there are in each set."""
    causes = Counter((error.set_name, error.cause) for error in errors)
    rows = [(name, cause, str(n), f"{100 * n / counts[name]:.2f}") for (name, cause), n in causes.most_common()]
    tables: dict[str, Sequence[tuple[str, ...]]] = {
        "errors.csv": [COLUMNS, *(error.row for error in errors)],
        "causes.csv": [("set", "cause", "fields", "per_cent"), *sorted(rows, key=lambda row: row[0])],
    }
    for file, table in tables.items():
        with (folder / file).open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream, lineterminator="\n").writerows(table)


def caption(error: Error) -> str:
    """Return what stands below a field on a sheet."""
    read = error.reading
    return f"{read.truth} > {read.text or '-'} {read.confidence:.2f}{'!' if read.accepted else ''} {read.file[:18]}"


def main() -> None:
    """Read the held-out sets, and write tables and sheets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=outside, help="folder for tables and sheets, outside the project")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="collections")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=HELD_OUT, help="read these alone")
    parser.add_argument("--limit", type=int, help="read the first so many fields of each set alone")
    parser.add_argument("--artifact", type=Path, help="folder of the networks that read; digits-held-out by default")
    add_fold(parser)
    parser.add_argument("--as-labelled", action="store_true", help=f"leave {CORRECTIONS.name} aside")
    options = parser.parse_args()
    reader = open_reader(options.artifact)
    errors: list[Error] = []
    counts = {}
    for name in options.sets:
        fields = load_set(name, options.data, limit=options.limit, fold=options.fold)
        if CORRECTIONS.exists() and not options.as_labelled:
            fields = corrected(fields)
        found = sorted_errors(name, fields.fields, compared(fields.fields, read_fields(reader, fields)))
        write_sheets(options.out, name, [(error.field.data, caption(error)) for error in found])
        errors, counts[name] = errors + found, len(fields.fields)
    write_tables(options.out, errors, counts)
    print((options.out / "causes.csv").read_text(), end="")


if __name__ == "__main__":
    main()
