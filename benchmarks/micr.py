"""How well MICR lines are read: the fields of the IDRBT cheques, by halves of each bank's cheques, and the time.

    python -m benchmarks.micr [--data ../shared/data] [--scale 1.0] [--out DIR]

The network learns from drawings alone, and limits were chosen by looking at the first half of each bank's cheques;
the second half is for measuring. `--scale` reads the pictures smaller or larger; `--out` writes readings as the CSV
that `tallyscan read` prints, and a picture of every line that was read wrong, into a folder outside of the project.
"""

import argparse
import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from benchmarks import figures
from benchmarks.cheques import COLUMNS as LABELS
from benchmarks.cheques import Cheque, cheques
from benchmarks.figures import Reading, share
from benchmarks.sheets import outside
from core.rows import COLUMNS, document_rows
from core.types import FieldReading, Page, PageReading
from worker.micr import MicrReader

FIELDS: Final = tuple(name for name in LABELS if name.startswith("micr_"))

TARGET: Final = 0.01


@dataclass(frozen=True, slots=True)
class Measured:
    """A cheque as read, and the CPU milliseconds that decoding its file and reading its line took."""

    cheque: Cheque
    page: Page
    readings: tuple[FieldReading, ...]
    decoding_ms: float
    reading_ms: float

    def reading(self, name: str) -> FieldReading | None:
        """Return the field of that name."""
        return next((reading for reading in self.readings if reading.name == name), None)


def measure(reader: MicrReader, cheque: Cheque, *, scale: float = 1.0) -> Measured:
    """Return the cheque as read, its picture scaled first."""
    data = np.frombuffer(cheque.path.read_bytes(), np.uint8)
    started = time.process_time()
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR)
    decoded = time.process_time()
    if scale != 1.0:
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=how)
    page = Page(0, np.asarray(pixels, np.uint8))
    before = time.process_time()
    readings = reader.read(page, families=("cts2010",))
    return Measured(cheque, page, readings, 1e3 * (decoded - started), 1e3 * (time.process_time() - before))


def exact(results: Sequence[Measured], name: str) -> float:
    """Return the share of cheques whose field is what the label says, character for character."""
    return share(each.right for each in _answers(results, name))


def coverage(results: Sequence[Measured], name: str, *, target: float = TARGET) -> float:
    """Return the largest share that one threshold accepts with at most `target` of them wrong; no text is no answer."""
    return figures.coverage(_answers(results, name), target)


def accepted(results: Sequence[Measured], name: str) -> tuple[float, int]:
    """Return the share that the reader itself accepts, and how many of them are wrong."""
    taken = [each for each in _answers(results, name) if each.text and each.accepted]
    return len(taken) / max(1, len(results)), sum(not each.right for each in taken)


def _answers(results: Sequence[Measured], name: str) -> list[Reading]:
    """Return what was read of one field on each cheque, beside its label; a cheque without the field has none."""
    answers = []
    for result in results:
        read = result.reading(name)
        said = (read.text, read.confidence, read.accepted) if read else ("", 0.0, False)
        answers.append(Reading(result.cheque.truth.get(name, ""), *said))
    return answers


def _text(reading: FieldReading | None) -> str:
    return reading.text if reading else ""


def _report(results: Sequence[Measured]) -> None:
    for half in ("first", "second"):
        part = [result for result in results if result.cheque.half == half]
        print(f"{half} half of each bank's cheques: {len(part)}")
        for name in FIELDS:
            printed = sum(name in result.cheque.truth for result in part)
            taken, wrong = accepted(part, name)
            print(
                f"  {name:<24} exact {exact(part, name):7.2%}  printed on {printed:>2}  "
                f"coverage at 1 % {coverage(part, name):7.2%}  accepted {taken:7.2%}, {wrong} of them wrong"
            )
    reading = sorted(result.reading_ms for result in results)
    decoding = sorted(result.decoding_ms for result in results)
    middle = len(results) // 2
    print(f"CPU a cheque: reading {reading[middle]:.1f} ms, at most {reading[-1]:.1f}")
    print(f"CPU a cheque: decoding its file {decoding[middle]:.1f} ms")


def _write(folder: Path, results: Sequence[Measured], reader: MicrReader) -> None:
    with (folder / "readings.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for result in results:
            page = PageReading(0, result.page.width, result.page.height, fields=result.readings)
            writer.writerows(document_rows(result.cheque.path.name, pages=[page], failure=None))
            if any(_text(result.reading(name)) != result.cheque.truth.get(name, "") for name in FIELDS):
                band = reader.read_band(result.page)
                if band is not None:
                    cv2.imwrite(str(folder / f"{result.cheque.path.stem}.png"), band.strip.pixels)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--out", type=outside)
    arguments = parser.parse_args()
    reader = MicrReader.load(root=arguments.models) if arguments.models else MicrReader.load()
    results = [measure(reader, cheque, scale=arguments.scale) for cheque in cheques(arguments.data)]
    _report(results)
    if arguments.out:
        _write(arguments.out, results, reader)


if __name__ == "__main__":
    main()
