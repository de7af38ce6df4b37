"""How well Tallyscan reads real numbers, how honest its confidence is, and what a field costs by stage.

    python benchmarks/accuracy.py [../shared/data] [--json FILE] [--csv FOLDER] [--plot FILE]

Everything goes through `worker.pipeline.Reader`, from the file's bytes on, as in a worker. Reads ORAND's cheque
amounts (the last quarter is held out, the rest was learnt from), the test part of Meza's logbook cells, amounts and
dates cut from IDRBT's cheques (nothing was learnt from them), and every sixtieth of MNIST's training images as type
`digit`. MNIST's t10k stays with `tallyscan evaluate`. Where `docs/label-corrections.csv` corrects labels, figures are
given for both. `--csv` writes all readings and labels, for any other scorer, `--plot` draws the reliability
diagram and the risk-coverage curve.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.fields import (
    HELD_OUT,
    HELD_OUT_NETWORKS,
    SETS,
    Field,
    FieldSet,
    add_fold,
    corrected,
    load_set,
    without_doubtful,
)
from benchmarks.figures import Figures, Reading, bins_of, score, write_csv
from benchmarks.plots import draw_honesty
from benchmarks.reading import box_figures, compared, lattice_figures, read_fields, tell
from model.corrections import CORRECTIONS

if TYPE_CHECKING:
    from core.types import FieldReading
    from worker.pipeline import Reader

ROOT = Path(__file__).resolve().parent.parent
TARGET_ERROR = 0.01


@dataclass(frozen=True, slots=True)
class Measured:
    """A set, and what was read of it."""

    fields: FieldSet
    found: "tuple[FieldReading, ...]"
    milliseconds: Figures

    @property
    def readings(self) -> list[Reading]:
        """What was read beside what was written."""
        return compared(self.fields.fields, self.found)

    def relabelled(self, fields: FieldSet) -> "Measured":
        """Return the same readings of the files that `fields` keeps, against its labels."""
        by_file = dict(zip((field.file for field in self.fields.fields), self.found, strict=True))
        return Measured(fields, tuple(by_file[field.file] for field in fields.fields), self.milliseconds)


def measure_set(reader: "Reader", fields: FieldSet, *, target_error: float) -> Measured:
    """Return the readings of a set, and the milliseconds a field by stage."""
    before, spent = reader.timings.as_dict(), time.process_time()
    found = tuple(read_fields(reader, fields, target_error=target_error))
    spent, count = time.process_time() - spent, max(len(found), 1)
    after = reader.timings.as_dict()
    stages = {stage: 1000 * (total - before.get(stage, 0.0)) / count for stage, total in after.items()}
    return Measured(fields, found, stages | {"together": sum(stages.values()), "of_them_cpu": 1000 * spent / count})


def variants(measured: Measured) -> list[Measured]:
    """Return the set as it is, without doubtful fields, and with labels corrected, where that makes a difference."""
    fields = measured.fields
    found = [measured]
    if any(field.doubtful for field in fields.fields):
        found.append(measured.relabelled(without_doubtful(fields)))
    if CORRECTIONS.exists() and (relabelled := corrected(fields)).fields != fields.fields:
        found.append(measured.relabelled(relabelled))
    return found


def together(first: Measured, second: Measured) -> Measured:
    """Return both parts of ORAND as one."""
    fields = FieldSet("orand-all", "ORAND, all", "digits", False, first.fields.fields + second.fields.fields)
    return Measured(fields, first.found + second.found, first.milliseconds)


def tables(measured: list[Measured]) -> dict[str, dict[str, Figures]]:
    """Return the figures by table, then by row."""
    known = {each.fields.name: each for each in measured}
    if {"orand", "orand-training"} <= known.keys():
        measured = [together(known["orand-training"], known["orand"]), *measured]
    everything = [variant for each in measured for variant in variants(each)]
    boxed = [each for each in everything if any(field.digits for field in each.fields.fields)]
    return {
        "whole strings": {each.fields.title: score(each.readings) for each in everything},
        "digits in their places": {each.fields.title: box_figures(each.fields.fields, each.found) for each in boxed},
        "in the lattice": {
            each.fields.title: lattice_figures(each.fields.fields) for each in boxed if each in measured
        },
        "milliseconds a field": {each.fields.title: each.milliseconds for each in measured if each.milliseconds},
    }


def print_tables(figures: dict[str, dict[str, Figures]]) -> None:
    """Print counts and milliseconds as they are, shares in per cent."""
    for title, rows in figures.items():
        print(f"\n{title}")
        for row, values in rows.items():
            print(f"  {row:<34} " + "  ".join(_cell(name, value, title) for name, value in values.items()))


def _cell(name: str, value: float, table: str) -> str:
    if table.startswith("milliseconds"):
        return f"{name} {value:.2f}"
    return f"{name} {value:.0f}" if name in {"n", "accepted_wrong_n"} else f"{name} {100 * value:.2f} %"


def print_reliability(measured: list[Measured]) -> None:
    """Print how often readings of about the same confidence are right."""
    print("\nconfidence and accuracy, bin by bin (fields: confidence → accuracy)")
    for each in measured:
        bins = "  ".join(f"{n}: {100 * sure:.0f} → {100 * right:.0f} %" for sure, right, n in bins_of(each.readings))
        print(f"  {each.fields.title:<34} {bins}")


def held_out(measured: list[Measured]) -> list[Measured]:
    """Return the sets that nothing was learnt from, by corrected labels where there are any."""
    return [variants(each)[-1] for each in measured if each.fields.name in HELD_OUT]


def warm(reader: "Reader", field: Field, type_name: str) -> None:
    """Read one field a few times: the first calls are slower."""
    from worker.pipeline import ReadRequest

    for _ in range(5):
        reader.read(field.data, request=ReadRequest(type_name))


def main() -> None:
    """Measure, print tables, and write JSON and CSV when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT.parent / "shared" / "data", help="collections")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, help="read these alone")
    parser.add_argument("--limit", type=int, help="read the first so many fields of each set alone")
    parser.add_argument("--target-error", type=float, default=TARGET_ERROR, help="of what is accepted (default 0.01)")
    parser.add_argument("--artifact", type=Path, help="folder of the networks that read; digits-held-out by default")
    add_fold(parser)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--plot", type=Path, help="draw reliability and risk against coverage of held-out sets there")
    parser.add_argument("--csv", type=Path, help="write readings and labels into that folder")
    options = parser.parse_args()
    if not (options.folder / "orand_car_a").is_dir():
        sys.exit(f"{options.folder} does not hold the collections")
    reader = open_reader(options.artifact)
    measured = []
    for name in options.sets:
        fields = load_set(name, options.folder, limit=options.limit, fold=options.fold)
        if not fields.fields:
            continue  # folds between the first and the last hold out no cheques
        warm(reader, fields.fields[0], fields.type_name)
        measured.append(measure_set(reader, fields, target_error=options.target_error))
    figures = tables(measured)
    print_tables(figures)
    print_reliability(measured)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    if options.plot:
        draw_honesty(options.plot, {each.fields.title: each.readings for each in held_out(measured)})
    if options.csv:
        for each in measured:
            write_csv(options.csv, each.fields.name, each.readings)
        tell(f"readings and labels are in {options.csv}")


def open_reader(artifact: Path | None) -> "Reader":
    """Return a reader with the networks in that folder, or those that learnt nothing from what is held out."""
    from core.settings import Settings
    from worker.pipeline import Reader

    folder = (artifact or HELD_OUT_NETWORKS).resolve()
    return Reader.load(Settings(model=folder.name), root=folder.parent)


if __name__ == "__main__":
    main()
