"""How often what is no number is accepted as one: blank paper, empty boxes, words, signatures, noise, struck out.

    python benchmarks/rejection.py [../shared/data] [--count 1000] [--sheets FOLDER] [--json FILE]

The goal: fewer than 1 in 200 at the default target error, of each kind and over all. Letters that look like digits
are counted apart: an O drawn alone is a 0. Without the folder of collections, only kinds drawn by the project count.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.accuracy import ROOT, open_reader
from benchmarks.fields import Field, FieldSet
from benchmarks.figures import Figures
from benchmarks.nonfields import LOOK_ALIKE_KIND, kinds
from benchmarks.reading import read_fields
from benchmarks.sheets import outside, write_sheets
from forms.confidence import upper_bound

if TYPE_CHECKING:
    from core.types import FieldReading
    from worker.pipeline import Reader

GOAL = 1 / 200
TYPES = ("digits", "amount", "date")


def accepted_as_numbers(
    reader: "Reader", files: Sequence[bytes], *, type_name: str, title: str
) -> "list[FieldReading]":
    """Return the readings of pictures that hold no number."""
    fields = FieldSet("", f"{title}, as {type_name}", type_name, True, tuple(Field("", "", data) for data in files))
    return read_fields(reader, fields)


def figures_of(found: "Sequence[FieldReading]") -> Figures:
    """Return how many were accepted as a number, and how many had anything read in them."""
    accepted = sum(reading.accepted and reading.text != "" for reading in found)
    return {
        "n": float(len(found)),
        "accepted_n": float(accepted),
        "accepted": accepted / max(len(found), 1),
        "accepted_at_most": upper_bound(accepted, len(found)),
        "read_anything": sum(reading.text != "" for reading in found) / max(len(found), 1),
    }


def over_all(rows: dict[str, Figures]) -> Figures:
    """Return the figures of all kinds but the look-alikes."""
    counted = [figures for kind, figures in rows.items() if kind != LOOK_ALIKE_KIND]
    n, accepted = (sum(figures[name] for figures in counted) for name in ("n", "accepted_n"))
    return {
        "n": n,
        "accepted_n": accepted,
        "accepted": accepted / max(n, 1),
        "accepted_at_most": upper_bound(int(accepted), int(n)),
        "read_anything": sum(figures["read_anything"] * figures["n"] for figures in counted) / max(n, 1),
    }


def print_rows(type_name: str, rows: dict[str, Figures]) -> None:
    """Print a table, and whether each row keeps the goal."""
    print(f"\nread as {type_name}: accepted as a number")
    for kind, figures in rows.items():
        kept = "" if kind == LOOK_ALIKE_KIND else "within 1 in 200" if figures["accepted"] < GOAL else "TOO MANY"
        print(
            f"  {kind:<22} {figures['accepted_n']:5.0f} of {figures['n']:6.0f}  {100 * figures['accepted']:5.2f} %"
            f"  at most {100 * figures['accepted_at_most']:5.2f} %"
            f"  (anything read: {100 * figures['read_anything']:5.1f} %)  {kept}"
        )


def main() -> None:
    """Read, print tables, and write sheets of what was accepted when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT.parent / "shared" / "data", help="collections")
    parser.add_argument("--count", type=int, default=1000, help="pictures of each kind that is drawn (default 1000)")
    parser.add_argument("--types", nargs="+", default=TYPES, help="field types to read as (default: all three)")
    parser.add_argument("--artifact", type=Path, help="folder of the networks that read; digits-held-out by default")
    parser.add_argument("--sheets", type=Path, help="write contact sheets into that folder: what was accepted")
    parser.add_argument("--samples", action="store_true", help="with --sheets: some of each kind, accepted or not")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    reader = open_reader(options.artifact)
    data = options.folder if (options.folder / "chars74k_ink").is_dir() else None
    rows: dict[str, dict[str, Figures]] = {type_name: {} for type_name in options.types}
    shown: list[tuple[bytes, str]] = []
    for kind, files in kinds(data, count=options.count):
        if options.sheets and options.samples:
            write_sheets(outside(options.sheets), kind.replace(" ", "-"), [(each, kind) for each in files[:70]])
        for type_name in options.types:
            found = accepted_as_numbers(reader, files, type_name=type_name, title=kind)
            rows[type_name][kind] = figures_of(found)
            shown += [
                (picture, f"{kind} as {type_name}: {reading.text} {reading.confidence:.3f}")
                for picture, reading in zip(files, found, strict=True)
                if reading.accepted and reading.text
            ]
    for table in rows.values():
        table["over all"] = over_all(table)
    for type_name, table in rows.items():
        print_rows(type_name, table)
    if options.sheets:
        write_sheets(outside(options.sheets), "accepted", shown)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
