"""How well Tallyscan reads real numbers, how honest its confidence is, and what a field costs by stage.

    python benchmarks/accuracy.py [../shared/data] [--json FILE]

Everything goes through `worker.pipeline.Reader`, from the file's bytes on, as in a worker. Reads ORAND's cheque
amounts, the test part of Meza's logbook cells, and every sixtieth of MNIST's training images as type `digit`.
MNIST's t10k stays with `tallyscan evaluate`.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from model.corpora import LabelledString
    from worker.pipeline import Reader

MNIST_STEP = 60
BINS = 15
TARGETS = (0.001, 0.005, 0.01)
STANDS = 0.6
"""Intersection over union from which a candidate is the digit of a labelled box."""

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was written, what was read, how surely, and whether it was accepted without a person's look."""

    truth: str
    text: str
    confidence: float
    accepted: bool

    @property
    def right(self) -> bool:
        """Whether the whole string is right."""
        return self.text == self.truth


def score(readings: Sequence[Reading]) -> Figures:
    """Return the figures of one set of readings: shares in 0..1."""
    accepted = [reading for reading in readings if reading.accepted]
    figures = {
        "n": float(len(readings)),
        "exact": share(reading.right for reading in readings),
        "accepted": len(accepted) / max(len(readings), 1),
        "accepted_wrong": share(not reading.right for reading in accepted),
        "ece": calibration_error(readings),
    }
    return figures | {f"coverage_at_{100 * target:g}%": coverage(readings, target) for target in TARGETS}


def share(values: Iterator[bool]) -> float:
    """Return the share of true ones; 0 of none."""
    known = list(values)
    return sum(known) / max(len(known), 1)


def coverage(readings: Sequence[Reading], target: float) -> float:
    """Return the largest share that one threshold on the confidence accepts with an error of at most `target`.

    Equal confidences stay together, as no threshold divides them; a reading without text is never accepted.
    """
    answers = sorted((reading for reading in readings if reading.text), key=lambda reading: -reading.confidence)
    seen = wrong = best = 0
    for _, group in groupby(answers, key=lambda reading: reading.confidence):
        tied = list(group)
        seen, wrong = seen + len(tied), wrong + sum(not reading.right for reading in tied)
        best = seen if wrong <= target * seen else best
    return best / max(len(readings), 1)


def calibration_error(readings: Sequence[Reading]) -> float:
    """Return how far confidence and accuracy lie apart, over bins of equal width, weighed by their sizes."""
    answers = [reading for reading in readings if reading.text]
    gaps = [0.0] * BINS
    for reading in answers:
        gaps[min(int(reading.confidence * BINS), BINS - 1)] += reading.right - reading.confidence
    return sum(map(abs, gaps)) / max(len(answers), 1)


def read_all(reader: "Reader", files: Sequence[tuple[str, bytes]], *, type_name: str, title: str) -> list[Reading]:
    """Return the readings of (truth, file's bytes), telling the progress."""
    from worker.pipeline import ReadRequest

    readings = []
    for place, (truth, data) in enumerate(files, start=1):
        field = reader.read(data, request=ReadRequest(type_name)).pages[0].fields[0]
        readings.append(Reading(truth, field.text, field.confidence, field.accepted))
        if place % 100 == 0 or place == len(files):
            tell(f"\r{title}: {place} of {len(files)}", end="\n" if place == len(files) else "")
    return readings


def tell(text: str, *, end: str = "\n") -> None:
    """Say how far it is, beside the figures."""
    print(text, end=end, file=sys.stderr, flush=True)


def files_of(strings: Sequence["LabelledString"]) -> list[tuple[str, bytes]]:
    """Return truth and bytes of each picture."""
    return [(string.text, string.path.read_bytes()) for string in strings]


def mnist_files(folder: Path) -> list[tuple[str, bytes]]:
    """Return every sixtieth of MNIST's training images as PNG."""
    import cv2

    from model.datasets import load_samples

    samples = load_samples(folder / "mnist", split="train").take(slice(None, None, MNIST_STEP))
    return [
        (str(label), cv2.imencode(".png", image)[1].tobytes())
        for image, label in zip(samples.images, samples.labels, strict=True)
    ]


def measure_lattices(strings: Sequence["LabelledString"]) -> Figures:
    """Return how many labelled digits, and fields with all of theirs, have a candidate in the lattice."""
    from core.types import Box
    from model.mining import lattice_of, overlap

    stands = []
    for string in strings:
        candidates = lattice_of(string).candidates
        boxes = [Box(*known.box) for known in string.boxes]
        stands.append([any(overlap(each.box, box) >= STANDS for each in candidates) for box in boxes])
    known = [field for field in stands if field]
    return {
        "n": float(len(known)),
        "digits": share(digit for field in known for digit in field),
        "fields": share(all(field) for field in known),
    }


def measure(folder: Path) -> dict[str, Figures]:
    """Return all figures by table row."""
    from core.settings import Settings
    from model.corpora import meza_strings, orand_strings
    from worker.pipeline import Reader

    reader = Reader.load(Settings())
    early, late = (orand_strings(folder, training=training) for training in (True, False))
    read_all(reader, files_of(early[:5]), type_name="digits", title="warming up")
    before, spent = reader.timings.as_dict(), time.process_time()
    first = read_all(reader, files_of(early), type_name="digits", title="ORAND, first three quarters")
    last = read_all(reader, files_of(late), type_name="digits", title="ORAND, last quarter")
    spent, count = time.process_time() - spent, len(first) + len(last)
    stages = {stage: 1000 * (total - before[stage]) / count for stage, total in reader.timings.as_dict().items()}
    cells = files_of(meza_strings(folder, training=False))
    return {
        "ORAND, all": score(first + last),
        "ORAND, first three quarters": score(first),
        "ORAND, last quarter": score(last),
        "Meza, test part": score(read_all(reader, cells, type_name="digits", title="Meza, test part")),
        "MNIST, training": score(read_all(reader, mnist_files(folder), type_name="digit", title="MNIST")),
        "in the lattice (ORAND)": measure_lattices(early + late),
        "ms a field (ORAND)": stages | {"together": sum(stages.values()), "of_them_cpu": 1000 * spent / count},
    }


def printed(row: str, figures: Figures) -> str:
    """Return a row of figures: counts and milliseconds as they are, shares in per cent."""
    cells = []
    for name, value in figures.items():
        if row.startswith("ms"):
            cells.append(f"{name} {value:.2f}")
        else:
            cells.append(f"n {value:.0f}" if name == "n" else f"{name} {100 * value:.1f} %")
    return f"{row:<28} " + "  ".join(cells)


def main() -> None:
    """Measure, print a table, and write JSON when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT.parent / "shared" / "data", help="collections")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    if not (options.folder / "orand_car_a").is_dir():
        sys.exit(f"{options.folder} does not hold the collections")
    figures = measure(options.folder)
    print("\n".join(printed(row, values) for row, values in figures.items()))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
