"""`python -m worker.calibrate ../shared/data`: makes the calibration that ships with a network.

Reads what the networks never learnt from: ORAND's last quarter, Meza's test part, the amounts and dates of the second
half of each bank's cheques, and what holds no number: drawn words, scribbles, numbers struck out, blank paper. Networks
that held out another quarter add it (`--fold 1=FOLDER`). Prints what the folds say of each collection, and writes
`calibration.json` beside the network, and beside those that learnt the same way from everything, held-out fields too
(`--also digits`). With `--drawn`, all fields are drawn from ink that may be used for anything.
"""

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.settings import Settings
from forms.confidence import FEATURES, Calibration, calibration_error, upper_bound
from forms.fusion import FusionWeights
from forms.values import date_value
from model.artifacts import SHIPPED, artifact_folder
from model.corpora import (
    CHEQUE_FIELDS,
    LAST_FOLD,
    LabelledString,
    cheque_fields,
    cut_out,
    meza_strings,
    orand_strings,
    picture_of,
)
from model.corrections import Corrections
from model.line.composing import compose, in_cells, rupee_amount, scribble, struck_out, words
from model.line.paper import blank, in_comb, painted
from model.line.writing import InkCollection, load_ink
from worker.calibrating import Evidence, LabelledField, calibrate, collect
from worker.networks import CALIBRATION, load_uncalibrated, save_calibration
from worker.pipeline import Reader
from worker.reliability import error_by_chance

NEIGHBOURS = 8
"""So many fields in a row share a fold, since neighbours share writers."""

DRAWN = 1_500
NO_NUMBERS = 300
SEED = 20
"""Of the drawn fields without a number; trainings use small ones with more parts."""


def held_out_fields(data: Path, *, fold: int = LAST_FOLD) -> Iterator[LabelledField]:
    """Yield every labelled field that networks did not learn from which held out that fold."""
    yield from _strings("orand", orand_strings(data, training=False, fold=fold), fold)
    yield from _strings("meza", meza_strings(data, training=False, fold=fold), fold)
    for type_name in CHEQUE_FIELDS:
        for place, field in enumerate(cheque_fields(data, type_name=type_name, training=False, fold=fold)):
            group = f"{type_name} {fold} {place // 4}"
            yield LabelledField(field.path.name, cut_out(field), field.text, type_name, group, f"cheque {type_name}s")


def drawn_fields(data: Path) -> Iterator[LabelledField]:
    """Yield fields drawn from ink that may be used for anything, for networks that shall know nothing else."""
    yield from drawn_numbers(load_ink(data, open_terms_only=True), DRAWN)


def drawn_numbers(ink: InkCollection, count: int) -> Iterator[LabelledField]:
    """Yield `count` numbers drawn with `ink`, the same ones every time."""
    rng = np.random.default_rng(SEED + 1)
    for place in range(count):
        pitch = float(rng.uniform(0.7, 1.2))
        writing = {0: in_cells(ink, rng, pitch=pitch), 1: rupee_amount(ink, rng)}.get(place % 6, compose(ink, rng))
        if place % 6 == 0 and date_value(writing.text) is not None:
            type_name, pixels = "date", in_comb(writing, rng, pitch=pitch)
        else:
            type_name, pixels = "amount" if place % 6 == 1 else "digits", painted(writing, rng)
        yield LabelledField(
            f"drawn {place}", _png(pixels), writing.text, type_name, f"drawn {place}", f"drawn {type_name}"
        )


def no_numbers(data: Path, *, open_terms_only: bool = False) -> Iterator[LabelledField]:
    """Yield drawn fields that hold no number."""
    ink = load_ink(data, open_terms_only=open_terms_only)
    rng = np.random.default_rng(SEED)
    for place in range(NO_NUMBERS):
        draws = (words(ink, rng), scribble(rng), struck_out(ink, rng), None)
        writing = draws[place % len(draws)]
        pixels = blank(rng) if writing is None else painted(writing, rng)
        yield LabelledField(f"no number {place}", _png(pixels), "", "digits", f"none {place}", "no numbers")


def main() -> None:
    """Calibrate, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="collections")
    parser.add_argument("--model", default="digits-held-out", help="name of the networks that judge")
    parser.add_argument("--also", action="append", default=[], help="name of networks that get the same calibration")
    parser.add_argument("--drawn", action="store_true", help="learn from drawn fields alone, as digits-open does")
    parser.add_argument(
        "--fold",
        action="append",
        default=[],
        type=_fold,
        metavar="N=FOLDER",
        help=f"networks that held out fold N instead of the last, {LAST_FOLD}: its fields are learnt from, too; "
        "they get the same calibration",
    )
    parser.add_argument("--csv", type=Path, help="write what the folds say of each collection, and its labels, there")
    parser.add_argument("--models", type=Path, default=SHIPPED, help="folder of networks")
    options = parser.parse_args()
    reader = _reader(options.model, options.models)
    numbers = drawn_fields(options.folder) if options.drawn else held_out_fields(options.folder)
    fields = [*numbers, *no_numbers(options.folder, open_terms_only=options.drawn)]
    evidence = collect(reader, fields)
    for fold, folder in options.fold:
        others = list(held_out_fields(options.folder, fold=fold))
        evidence += collect(_reader(folder.name, folder.parent), others)
        fields += others
    calibration, judged = calibrate(evidence)
    _report(evidence, judged, calibration, fields)
    if options.csv:
        _write_tables(options.csv, fields, evidence, judged)
    named = [artifact_folder(name, root=options.models) for name in (options.model, *options.also)]
    folders = [*named, *(folder for _, folder in options.fold)]
    digests = [load_uncalibrated(folder.name, root=folder.parent).digest for folder in folders]
    for folder in folders:
        save_calibration(folder / CALIBRATION, calibration, networks=digests)
        sys.stdout.write(f"{folder.name}/{CALIBRATION} written\n")


def _reader(name: str, root: Path) -> Reader:
    """Return a reader with those networks, whose own words are collected: any weights will do."""
    unweighed = Calibration(FusionWeights(), 0.0, (1.0, *[0.0] * (len(FEATURES) - 1)))
    return Reader(replace(load_uncalibrated(name, root=root), calibration=unweighed), Settings())


def _fold(given: str) -> tuple[int, Path]:
    """Return the fold and the folder of its networks, as `1=runs/models/fold-1` names them."""
    number, _, folder = given.partition("=")
    if number not in {str(fold) for fold in range(1, LAST_FOLD)} or not folder:
        raise argparse.ArgumentTypeError(f"give a fold from 1 to {LAST_FOLD - 1} and a folder, as 1=runs/models/fold-1")
    return int(number), Path(folder).resolve()


def _report(
    evidence: Sequence[Evidence],
    judged: Sequence[tuple[str, float]],
    calibration: Calibration,
    fields: Sequence[LabelledField],
) -> None:
    """Print each collection's figures: every confidence came from folds that the field was not in.

    A field that is read as empty is right where it holds no number, and never accepted.
    """
    threshold = calibration.threshold(0.01)
    totals: dict[str, int] = defaultdict(int)
    for field in fields:
        totals[field.collection] += 1
    sys.stdout.write(f"{calibration.fusion}\n{calibration.by_type}\n")
    sys.stdout.write(f"accepted from {threshold:.4f} for a target error of 1 %\n")
    for name, total in totals.items():
        here = [
            (text, text == each.field.text, confidence)
            for each, (text, confidence) in zip(evidence, judged, strict=True)
            if each.field.collection == name
        ]
        said = [(right, confidence) for text, right, confidence in here if text]
        error = calibration_error([confidence for _, confidence in said], [right for right, _ in said])
        by_chance, at_most = error_by_chance([confidence for _, confidence in said])
        accepted = [right for right, confidence in said if confidence >= threshold]
        wrong = accepted.count(False)
        bound = upper_bound(wrong, len(accepted)) if accepted else 0.0
        sys.stdout.write(
            f"{name}: {sum(right for _, right, _ in here)} of {total} right, {len(accepted)} accepted, "
            f"{wrong} of them wrong (at most {bound:.1%}); calibration error {error:.1%} "
            f"(by chance {by_chance:.1%}, at most {at_most:.1%})\n"
        )


def _write_tables(
    folder: Path, fields: Sequence[LabelledField], evidence: Sequence[Evidence], judged: Sequence[tuple[str, float]]
) -> None:
    """Write `file,text,confidence` and `file,label` of each collection, for any other scorer."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in dict.fromkeys(field.collection for field in fields):
        said = zip(evidence, judged, strict=True)
        readings = [(each.field.name, *read) for each, read in said if each.field.collection == name]
        labels = [(field.name, field.text) for field in fields if field.collection == name]
        _write_table(folder / f"{name}.csv", [("file", "text", "confidence"), *readings])
        _write_table(folder / f"{name}.labels.csv", [("file", "label"), *labels])


def _write_table(path: Path, rows: Sequence[tuple[str | float, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)


def _strings(collection: str, strings: Sequence[LabelledString], fold: int) -> Iterator[LabelledField]:
    corrections = Corrections()
    for place, string in enumerate(strings):
        group = f"{collection} {fold} {place // NEIGHBOURS}"
        text = corrections.of(collection, string.path.name, string.text)
        if text:
            yield LabelledField(string.path.name, picture_of(string), text, "digits", group, collection)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


if __name__ == "__main__":
    main()
