"""Tallyscan and RapidOCR on ORAND's cheque amounts, timed in turns on one core.

    python -m venv ~/rapidocr && ~/rapidocr/bin/pip install rapidocr onnxruntime
    python benchmarks/rapidocr.py --rapidocr ~/rapidocr/bin/python [../shared/data] [--min-width 48] [--json FILE]

Each reader is a process of its own (`blocks.py`), both bound to the same core, one thread each. Blocks of fields go
to one and then to the other, so that both meet the same machine; the clock runs from a file's bytes to its text, with
the picture's decoding, all readers and the decoder. RapidOCR recognises lines only, without its detector, and only
digits compete in its output, which reads better than dropping other signs from its text (`--filter-only`). Its networks
come with the package. At `--min-width 320`, as shipped, it pads narrow fields; at 48 it is twice as fast, less right.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.fields import Field, load_set
from benchmarks.figures import Figures, Reading, score
from benchmarks.reading import tell

ROOT = Path(__file__).resolve().parent.parent
CHILD = ROOT / "benchmarks" / "blocks.py"
BLOCK = 25
WARM_UP = 10


@dataclass(slots=True)
class Side:
    """A reader's process, and what it answered."""

    name: str
    process: "subprocess.Popen[str]"
    seconds: list[float] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    resident_mib: float = 0.0
    cpu_seconds: float = 0.0

    def read(self, files: list[Path]) -> dict[str, Any]:
        """Return the answer to a block of files.

        Raises:
            SystemExit: the process is gone.
        """
        return self._exchange(json.dumps([str(file) for file in files]))

    def measure(self, fields: list[Field], files: list[Path]) -> None:
        """Read a block, and keep what it took and said."""
        answer = self.read(files)
        self.seconds.append(answer["seconds"])
        self.cpu_seconds += answer["cpu_seconds"]
        self.resident_mib = max(self.resident_mib, answer["resident_mib"])
        for known, text, sure in zip(fields, answer["texts"], answer["confidences"], strict=True):
            self.readings.append(Reading(known.truth, text, sure, accepted=False, file=known.file))

    def wait_until_ready(self) -> None:
        """Return once the reader is loaded.

        Raises:
            SystemExit: it cannot be, with the reason.
        """
        answer = self._exchange(None)
        if "failed" in answer:
            sys.exit(f"{self.name} cannot be started: {answer['failed']}")

    def close(self) -> None:
        """End the process: its input ends."""
        self.process.communicate()

    def _exchange(self, line: str | None) -> dict[str, Any]:
        if self.process.stdin is None or self.process.stdout is None:
            raise SystemExit(f"{self.name} has no pipes")
        if line is not None:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        reply = self.process.stdout.readline()
        if not reply:
            sys.exit(f"{self.name} ended: exit status {self.process.wait()}")
        answer: dict[str, Any] = json.loads(reply)
        return answer


def start(name: str, python: Path, option: str, *, core: int) -> Side:
    """Start a reader's process on one core."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    process = subprocess.Popen(
        [str(python), "-P", str(CHILD), name, option],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **single},
    )
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(process.pid, {core})
    side = Side(name, process)
    try:
        side.wait_until_ready()
    except SystemExit:
        side.close()
        raise
    return side


def first_core() -> int:
    """Return the first core that this process may run on."""
    return min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0


def take_turns(sides: list[Side], fields: list[Field], folder: Path, *, block: int, rounds: int) -> None:
    """Let both read all fields block by block, who begins changing with every block."""
    files = [folder / field.file for field in fields]
    for side in sides:
        side.read(files[:WARM_UP])
    for turn in range(rounds):
        for number, first in enumerate(range(0, len(fields), block)):
            order = sides if (number + turn) % 2 == 0 else sides[::-1]
            for side in order:
                side.measure(fields[first : first + block], files[first : first + block])
            tell(f"\rround {turn + 1} of {rounds}: {min(first + block, len(fields))} of {len(fields)}", end="")
    tell("")


def figures_of(side: Side, *, fields: int) -> Figures:
    """Return a reader's figures: accuracy over the first round, time over all."""
    read = score(side.readings[:fields])
    return {
        "fields_per_second": len(side.readings) / sum(side.seconds),
        "milliseconds_a_field": 1000 * sum(side.seconds) / len(side.readings),
        "cpu_milliseconds_a_field": 1000 * side.cpu_seconds / len(side.readings),
        "resident_mib": side.resident_mib,
        "exact": read["exact"],
        "coverage_at_1%": read["coverage_at_1%"],
        "ece": read["ece"],
    }


def ratios(ours: Side, theirs: Side) -> Figures:
    """Return how many fields ours reads in the time that theirs takes for one: over all, and block by block."""
    each = sorted(b / a for a, b in zip(ours.seconds, theirs.seconds, strict=True))
    return {
        "times_as_fast": sum(theirs.seconds) / sum(ours.seconds),
        "times_as_fast_median_block": statistics.median(each),
        "times_as_fast_worst_tenth": each[len(each) // 10],
        "times_as_fast_by_cpu": theirs.cpu_seconds / ours.cpu_seconds,
    }


def main() -> None:
    """Measure, print a table, and write JSON when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT.parent / "shared" / "data", help="collections")
    parser.add_argument("--rapidocr", type=Path, required=True, help="Python of the environment that holds rapidocr")
    parser.add_argument("--min-width", type=int, default=48, help="RapidOCR pads narrower lines to it (default 48)")
    parser.add_argument("--filter-only", action="store_true", help="let all signs compete, and drop what is no digit")
    parser.add_argument("--artifact", default="", help="folder of the networks that Tallyscan reads with")
    parser.add_argument("--limit", type=int, help="read the first so many fields of either part alone")
    parser.add_argument("--new-only", action="store_true", help="only the last quarter, which nothing was learnt from")
    parser.add_argument("--rounds", type=int, default=3, help="how often all fields are read (default 3)")
    parser.add_argument("--block", type=int, default=BLOCK, help=f"fields in a turn (default {BLOCK})")
    parser.add_argument("--core", type=int, default=first_core(), help="the core that both are bound to")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    names = ("orand",) if options.new_only else ("orand-training", "orand")
    parts = [load_set(name, options.folder, limit=options.limit).fields for name in names]
    fields = [field for part in parts for field in part]
    ours = start("tallyscan", Path(sys.executable), options.artifact, core=options.core)
    option = f"{options.min_width},{'all' if options.filter_only else 'mask'}"
    theirs = start("rapidocr", options.rapidocr, option, core=options.core)
    images = (options.folder / "orand_car_a" / "images").resolve()
    take_turns([ours, theirs], fields, images, block=options.block, rounds=options.rounds)
    late = len(parts[-1])
    figures = {side.name: figures_of(side, fields=len(fields)) for side in (ours, theirs)}
    for side in (ours, theirs):
        held_out = side.readings[len(fields) - late : len(fields)]
        figures[side.name]["exact_held_out"] = score(held_out)["exact"]
    figures["ratio"] = ratios(ours, theirs)
    print(f"{len(fields)} fields, {options.rounds} rounds, RapidOCR padded to {options.min_width} pixels at least")
    for name, values in figures.items():
        print("\n".join(f"  {name:<10} {key:<28} {value:10.3f}" for key, value in values.items()))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    for side in (ours, theirs):
        side.close()


if __name__ == "__main__":
    main()
