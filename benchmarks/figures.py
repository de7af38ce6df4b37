"""Figures of a set of readings, as every benchmark here means them.

`exact`, `ned`, `empty`, `coverage`, `aurc` and `ece` are counted as in a public scorer of readings that takes the CSV
files which `write_csv` leaves: a reading without text is an abstention, never accepted, and left out of `ece`.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from forms import confidence
from forms.confidence import upper_bound
from worker.reliability import Bin, error_by_chance, reliability

TARGETS = (0.001, 0.005, 0.01)

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was written, what was read, how surely, and whether it was accepted without a person's look."""

    truth: str
    text: str
    confidence: float
    accepted: bool
    file: str = ""

    @property
    def right(self) -> bool:
        """Whether the whole string is right."""
        return self.text == self.truth


def score(readings: Sequence[Reading]) -> Figures:
    """Return the figures of one set of readings: shares in 0..1, and two counts."""
    accepted = [reading for reading in readings if reading.accepted]
    wrong = sum(not reading.right for reading in accepted)
    by_chance, by_chance_at_most = chance_errors(readings)
    figures = {
        "n": float(len(readings)),
        "exact": share(reading.right for reading in readings),
        "empty": share(not reading.text for reading in readings),
        "ned": sum(map(normalised_distance, readings)) / max(len(readings), 1),
        "ece": calibration_error(readings),
        "ece_by_chance": by_chance,
        "ece_by_chance_at_most": by_chance_at_most,
        "aurc": risk_area(readings),
        "accepted": len(accepted) / max(len(readings), 1),
        "accepted_wrong_n": float(wrong),
        "accepted_wrong": wrong / max(len(accepted), 1),
        "accepted_wrong_at_most": upper_bound(wrong, len(accepted)),
    }
    return figures | {f"coverage_at_{100 * target:g}%": coverage(readings, target) for target in TARGETS}


def share(values: Iterable[bool]) -> float:
    """Return the share of true ones; 0 of none."""
    known = list(values)
    return sum(known) / max(len(known), 1)


def coverage(readings: Sequence[Reading], target: float) -> float:
    """Return the largest share that one threshold on the confidence accepts with an error of at most `target`.

    Equal confidences stay together, as no threshold divides them; a reading without text is never accepted.
    """
    best = max((seen for seen, wrong in _surest(readings) if wrong <= target * seen), default=0)
    return best / max(len(readings), 1)


def risks(readings: Sequence[Reading]) -> list[tuple[float, float]]:
    """Return the risk-coverage curve: the share of all fields that the surest ones make up, and how many are wrong.

    Equal confidences are one point; what has no text is never among them.
    """
    return [(0.0, 0.0), *((seen / len(readings), wrong / seen) for seen, wrong in _surest(readings))]


def _surest(readings: Sequence[Reading]) -> Iterator[tuple[int, int]]:
    """Yield for every threshold, highest first, how many readings with a text it accepts, and how many of them err."""
    seen = wrong = 0
    for tied in _by_confidence([reading for reading in readings if reading.text]):
        seen, wrong = seen + len(tied), wrong + sum(not reading.right for reading in tied)
        yield seen, wrong


def risk_area(readings: Sequence[Reading]) -> float:
    """Return the area under the risk-coverage curve: the error among the k surest, averaged over every k.

    Errors among equal confidences are spread evenly over them; what has no text comes last.
    """
    seen = errors = 0
    area = 0.0
    answers = [reading for reading in readings if reading.text]
    silent = [reading for reading in readings if not reading.text]
    for tied in [*_by_confidence(answers), *([silent] if silent else [])]:
        wrong = sum(not reading.right for reading in tied)
        area += sum((errors + wrong * k / len(tied)) / (seen + k) for k in range(1, len(tied) + 1))
        seen, errors = seen + len(tied), errors + wrong
    return area / max(len(readings), 1)


def calibration_error(readings: Sequence[Reading]) -> float:
    """Return the calibration error of the readings that have a text."""
    answers = [reading for reading in readings if reading.text]
    return confidence.calibration_error(
        [reading.confidence for reading in answers], [reading.right for reading in answers]
    )


def chance_errors(readings: Sequence[Reading]) -> tuple[float, float]:
    """Return the calibration error if every confidence were exactly right: its mean, and what it exceeds in one of 20.

    Few fields do not come out even.
    """
    return error_by_chance([reading.confidence for reading in readings if reading.text])


def bins_of(readings: Sequence[Reading]) -> tuple[Bin, ...]:
    """Return what the confidences of readings that are not empty are worth, bin by bin."""
    said = [reading for reading in readings if reading.text]
    return reliability([each.confidence for each in said], [each.right for each in said])


def normalised_distance(reading: Reading) -> float:
    """Return the edit distance from the truth, over the length of the longer of both."""
    return edit_distance(reading.text, reading.truth) / max(len(reading.text), len(reading.truth), 1)


def edit_distance(a: str, b: str) -> int:
    """Return the least number of signs to insert, delete or replace that turns `a` into `b`."""
    row = list(range(len(b) + 1))
    for i, ca in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, cb in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (ca != cb))
    return row[-1]


def write_csv(folder: Path, name: str, readings: Sequence[Reading]) -> None:
    """Write `name.csv` (file, text, confidence) and `name.labels.csv` (file, label) for a scorer of readings."""
    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[str, Sequence[tuple[str, ...]]] = {
        f"{name}.csv": [("file", "text", "confidence")] + [(r.file, r.text, repr(r.confidence)) for r in readings],
        f"{name}.labels.csv": [("file", "label")] + [(r.file, r.truth) for r in readings],
    }
    for file, rows in tables.items():
        with (folder / file).open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream, lineterminator="\n").writerows(rows)


def _by_confidence(answers: Sequence[Reading]) -> list[list[Reading]]:
    ranked = sorted(answers, key=lambda reading: -reading.confidence)
    return [list(tied) for _, tied in groupby(ranked, key=lambda reading: reading.confidence)]
