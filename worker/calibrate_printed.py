"""`python -m worker.calibrate_printed ../shared/data`: makes the calibration that ships with the reader of print.

Reads drawn fields and the account numbers of the first half of each bank's cheques, by the built-in template's type;
no network learnt from either. Prints what the folds say, and writes `calibration.json` beside the network, whose digest
it names. Without the folder, drawn fields alone.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, FieldCrop
from forms.confidence import Calibration, calibration_error, features, upper_bound
from forms.field_specs import DigitsSpec
from forms.field_types import FieldType
from forms.fusion import FusionWeights
from model.artifacts import SHIPPED, artifact_folder
from model.corpora import PRINTED_FIELDS, cheque_fields, cut_out
from model.line_recogniser import LineRecogniser
from model.printed.fields import drawn_field
from model.printed.fonts import load_fonts
from segmentation.printed import PRINT_VERSION
from worker.calibrating import FOLDS, logistic
from worker.networks import CALIBRATION, save_calibration
from worker.printed import ARTIFACT, PrintReader

LENGTHS: Final = (9, 18)
"""Digits of an account number."""

ANY: Final = (3, 14)
"""Digits of numbers that are read without being told how many they have."""

SEED: Final = (2025, 9)

DRAWN: Final = 1_600

UNKNOWN: Final = Calibration(FusionWeights(), 0.0, (0.0,) * 8)
"""Any will do: what is collected are the network's own words."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A field with its truth."""

    pixels: NDArray[np.uint8]
    text: str
    kind: FieldType
    collection: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What the reader said of a field: the evidence, and whether the string was right."""

    field: Labelled
    evidence: tuple[float, ...]
    right: bool


def drawn_fields(places: range) -> Iterator[Labelled]:
    """Yield drawn fields by their numbers, every fourth of unknown length."""
    fonts = load_fonts()
    for place in places:
        free = place % 4 == 0
        field = drawn_field(np.random.default_rng((*SEED, place)), fonts, lengths=ANY if free else LENGTHS)
        kind = DigitsSpec(min_length=ANY[0]).field_type() if free else _account()
        yield Labelled(field.pixels, field.text, kind, "drawn")


def real_fields(data: Path) -> Iterator[Labelled]:
    """Yield the account numbers of the first half of each bank's cheques."""
    for type_name in PRINTED_FIELDS:
        for real in cheque_fields(data, type_name=type_name, training=True):
            pixels = cv2.imdecode(np.frombuffer(cut_out(real), np.uint8), cv2.IMREAD_GRAYSCALE)
            yield Labelled(np.asarray(pixels, np.uint8), real.text, _account(), "cheques, first half")


def judged(reader: PrintReader, fields: Iterator[Labelled]) -> list[Judged]:
    """Return what the reader says of each field in which nothing but its confidence speaks against the reading."""
    found = []
    for field in fields:
        crop = FieldCrop(field.collection, field.kind.name, Box(0, 0, *field.pixels.shape[::-1]), field.pixels)
        seen = reader.look(crop, field.kind)
        chosen = seen.chosen
        if chosen is not None and not set(reader.judge(seen, crop, field.kind, accept_confidence=0.0).review_reasons):
            evidence = features(chosen.fused, other=chosen.other)
            found.append(Judged(field, evidence, chosen.best.text == field.text))
    return found


def calibrated(rows: Sequence[Judged]) -> Calibration:
    """Return the calibration of all rows, its thresholds shown by folds that a field was not in."""
    table, right = np.array([row.evidence for row in rows]), np.array([row.right for row in rows])
    folds = np.arange(len(rows)) % FOLDS
    confidences = np.zeros(len(rows))
    for fold in range(FOLDS):
        fitted = _fitted(table[folds != fold], right[folds != fold])
        confidences[folds == fold] = [
            fitted.confidence(row.evidence) for row, own in zip(rows, folds == fold, strict=True) if own
        ]
    order = np.argsort(-confidences, kind="stable")
    return replace(
        _fitted(table, right),
        confidences=tuple(round(float(confidences[place]), 5) for place in order),
        right=tuple(int(right[place]) for place in order),
        data=tuple(sorted({row.field.collection for row in rows})),
    )


def main() -> None:
    """Calibrate, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="collections")
    parser.add_argument("--models", type=Path, default=SHIPPED, help="folder of networks")
    parser.add_argument("--drawn", type=int, default=DRAWN, help="fields to draw")
    options = parser.parse_args()
    network = LineRecogniser.load(ARTIFACT, line_version=PRINT_VERSION, root=options.models)
    fields = [*drawn_fields(range(options.drawn)), *(real_fields(options.folder) if options.folder else ())]
    rows = judged(PrintReader(network, UNKNOWN), iter(fields))
    calibration = calibrated(rows)
    _report(fields, rows, calibration)
    path = artifact_folder(ARTIFACT, root=options.models) / CALIBRATION
    save_calibration(path, calibration, networks=[network.info.sha256])
    sys.stdout.write(f"{path.name} written\n")


def _account() -> FieldType:
    return DigitsSpec(min_length=LENGTHS[0], max_length=LENGTHS[1]).field_type()


def _fitted(table: NDArray[np.float64], right: NDArray[np.bool_]) -> Calibration:
    intercept, *coefficients = logistic(table, right, np.ones(len(right))).tolist()
    return replace(UNKNOWN, intercept=intercept, coefficients=tuple(coefficients))


def _report(fields: Sequence[Labelled], rows: Sequence[Judged], calibration: Calibration) -> None:
    threshold = calibration.threshold(0.01)
    accepted = [
        right for each, right in zip(calibration.confidences, calibration.right, strict=True) if each >= threshold
    ]
    error = calibration_error(calibration.confidences, [bool(each) for each in calibration.right])
    for name in sorted({field.collection for field in fields}):
        right = sum(row.right for row in rows if row.field.collection == name)
        total = sum(field.collection == name for field in fields)
        sys.stdout.write(f"{name}: {right} of {total} right\n")
    wrong = accepted.count(0)
    bound = upper_bound(wrong, len(accepted)) if accepted else 0.0
    sys.stdout.write(
        f"accepted from {threshold:.4f} for a target error of 1 %: {len(accepted)} of {len(fields)}, "
        f"{wrong} of them wrong (at most {bound:.1%}); calibration error {error:.1%}\n"
    )


if __name__ == "__main__":
    main()
