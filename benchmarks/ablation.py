"""What each ingredient of the reader is worth: taken away in turn, on fields that nothing was learnt from.

    python benchmarks/ablation.py [../shared/data] [--trained "without real strings=FOLDER" …] [--json FILE]

What is learnt stays as it was but where a row says otherwise, so a row shows what the shipped reader loses, and not
what a reader trained without the ingredient would be. Hard negatives and real strings can be taken away by another
training alone: `--trained TITLE=FOLDER` adds a row for the artifact in that folder.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from numpy.typing import NDArray

from benchmarks.fields import HELD_OUT, HELD_OUT_NETWORKS, SETS, FieldSet, load_set
from benchmarks.figures import Figures, score
from benchmarks.reading import compared, read_fields
from core.settings import Settings
from core.types import ReaderInfo
from forms.automaton import any_digits
from forms.decoder import GARBAGE
from forms.field_types import FIELD_TYPES
from segmentation import cuts
from worker import preparing, recognising
from worker.networks import Networks, load_networks
from worker.pipeline import Reader

if TYPE_CHECKING:
    from model.line_recogniser import LineRecogniser
    from model.recogniser import Recogniser

ROOT = Path(__file__).resolve().parent.parent

NEEDS_TRAINING = ("without hard negatives", "without real strings")
"""Rows that only another training fills."""

CUTS_BY = ("dents above", "dents below", "thin ink")
"""What proposes cuts, in the order of the rows in which `segmentation.cuts` seeks peaks."""

Context = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Variant:
    """The reader with something changed.

    Attributes:
        title: for the table.
        networks: what it reads with.
        context: in which it reads.
        matters: the sets that the change has a bearing on.
    """

    title: str
    networks: Networks
    context: Context = nullcontext
    matters: tuple[str, ...] = SETS


class WithoutGarbage:
    """A glyph network whose class for what is no digit is gone: its share goes to the digits."""

    def __init__(self, whole: "Recogniser") -> None:
        """Take the class away from `whole`."""
        self._whole = whole
        self._kept = [place for place, name in enumerate(whole.classes) if name != GARBAGE]
        self.classes: tuple[str, ...] = tuple(whole.classes[place] for place in self._kept)
        self.info: ReaderInfo = whole.info

    def classify(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the digits' probabilities."""
        scores = self._whole.classify(glyphs)[:, self._kept]
        return np.asarray(scores / np.maximum(scores.sum(axis=1, keepdims=True), 1e-9), np.float32)


class FewerLines:
    """One of several line readers."""

    def __init__(self, whole: "LineRecogniser", place: int) -> None:
        """Keep the network number `place`."""
        self._whole, self._place = whole, place
        self.version, self.classes = whole.version, whole.classes
        self.networks = 1

    def classify(self, lines: list[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Return what that network says, shape (1, frames, classes) for each line."""
        return [output[None] for output in self.read_by(0, lines)]

    def read_by(self, network: int, lines: list[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Return what that network says, shape (frames, classes) for each line; there is no other `network` than 0."""
        return self._whole.read_by(self._place + network, lines)


def variants(networks: Networks) -> Iterator[Variant]:
    """Yield the whole reader, and then each with an ingredient less."""
    yield Variant("everything", networks)
    yield from _less_reading(networks)
    if GARBAGE in networks.glyphs.classes:
        bare = cast("Recogniser", WithoutGarbage(networks.glyphs))
        yield Variant("without the garbage class", replace(networks, glyphs=bare))
    yield Variant("without combs", networks, without_combs, matters=("idrbt-dates",))
    yield Variant("commas say nothing of a number", networks, without_commas, matters=("idrbt-amounts",))
    yield Variant("without the grammar", networks, without_grammar, matters=("idrbt-amounts", "idrbt-dates"))
    for name in CUTS_BY:
        yield Variant(f"without cuts by {name}", networks, partial(without_cuts, name))
    yield Variant("without any cuts", networks, partial(without_cuts, *CUTS_BY))


def _less_reading(networks: Networks) -> Iterator[Variant]:
    """Yield the readers with line readers or the lattice's word taken away."""
    lines, calibration = networks.lines, networks.calibration
    if lines is None or calibration is None:
        return
    yield Variant("lattice alone, no line reader", replace(networks, lines=None, calibration=None))
    if lines.networks > 1:
        for place in range(lines.networks):
            single = cast("LineRecogniser", FewerLines(lines, place))
            yield Variant(f"with line reader {place + 1} alone", replace(networks, lines=single))
    for title, weights in (
        ("the lattice's word counts nothing", {"lattice": 0.0}),
        ("the line readers propose, their word counts nothing", {"lines": 0.0}),
    ):
        fusion = replace(calibration.fusion, **weights)
        by_type = {name: replace(own, **weights) for name, own in calibration.by_type.items()}
        changed = replace(calibration, fusion=fusion, by_type=by_type)
        yield Variant(title, replace(networks, calibration=changed))


@contextmanager
def without_combs() -> Iterator[None]:
    """Read as if no field had printed boxes."""
    with patch.object(preparing, "find_comb", lambda *_, **__: None):
        yield


@contextmanager
def without_commas() -> Iterator[None]:
    """Read numbers as if their digits alone told which of several it is."""
    with patch.object(recognising, "regrouped", lambda weighed, *_, **__: weighed):
        yield


@contextmanager
def without_grammar() -> Iterator[None]:
    """Read as if any digits could be an amount or a date."""
    free = {name: replace(kind, automaton=any_digits()) for name, kind in FIELD_TYPES.items() if name != "digit"}
    with patch.dict(FIELD_TYPES, free):
        yield


@contextmanager
def without_cuts(*names: str) -> Iterator[None]:
    """Cut no component where these, of `CUTS_BY`, alone say so: no dent is deep enough."""
    whole = vars(cuts)["_peaks"]
    rows = [CUTS_BY.index(name) for name in names]

    def fewer(values: NDArray[np.float32], *, reach: int, prominence: NDArray[np.float32]) -> object:
        needed = prominence.copy()
        needed[rows] = np.inf
        return whole(values, reach=reach, prominence=needed)

    with patch.object(cuts, "_peaks", fewer):
        yield


def measure(variant: Variant, sets: list[FieldSet]) -> dict[str, Figures]:
    """Return the figures of each set that the variant has a bearing on."""
    reader = Reader(variant.networks, Settings())
    figures = {}
    with variant.context():
        for fields in sets:
            if fields.name in variant.matters:
                found = read_fields(reader, fields, thorough=True)
                read = score(compared(fields.fields, found))
                figures[fields.title] = {name: read[name] for name in ("n", "exact", "coverage_at_1%", "ece")}
    return figures


def print_table(rows: dict[str, dict[str, Figures]]) -> None:
    """Print whole strings right, and what is covered at 1 % error, by set; the difference to everything in brackets."""
    whole = rows["everything"]
    for title, figures in rows.items():
        cells = [
            f"{name}: {100 * each['exact']:.1f} ({100 * (each['exact'] - whole[name]['exact']):+.1f})"
            f" covered {100 * each['coverage_at_1%']:.1f}"
            for name, each in figures.items()
        ]
        print(
            f"{title:<52} "
            + (
                "  ".join(cells)
                or ("needs another training" if title in NEEDS_TRAINING else "no bearing on these sets")
            )
        )


def trained(argument: str) -> tuple[str, Path]:
    """Return title and artifact folder of a row that another training fills."""
    title, _, folder = argument.partition("=")
    return title, Path(folder)


def main() -> None:
    """Measure every variant, print a table, and write JSON when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT.parent / "shared" / "data", help="collections")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=HELD_OUT, help="read these alone")
    parser.add_argument("--limit", type=int, help="read the first so many fields of each set alone")
    parser.add_argument("--artifact", type=Path, default=HELD_OUT_NETWORKS, help="folder of the networks")
    parser.add_argument("--trained", type=trained, action="append", default=[], metavar="TITLE=FOLDER")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    sets = [load_set(name, options.folder, limit=options.limit) for name in options.sets]
    networks = load_networks(options.artifact.name, root=options.artifact.resolve().parent)
    rows = {variant.title: measure(variant, sets) for variant in variants(networks)}
    rows |= {title: {} for title in NEEDS_TRAINING}
    for title, folder in options.trained:
        rows[title] = measure(Variant(title, load_networks(folder.name, root=folder.resolve().parent)), sets)
    print_table(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
