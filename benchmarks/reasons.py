"""How often each reason for review is given where it is due, and where it is not.

    python -m benchmarks.reasons [../shared/data] [--count 300] [--sheets FOLDER]

Numbers in the hands of `chars74k_ink`, which the readers do not learn from: as they are, struck out, with a letter for
one digit, in a comb with a letter in one box, with a digit written over another, two in a field, and amounts with cents
that their type does not state. What is found of them is set beside what is found in numbers that have nothing of the
kind: the same hands', Meza's held-out cells, ORAND's and IDRBT's held-out amounts. Dates and amounts of IDRBT's cheques
that a person marked as written over are named one by one.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.random import Generator

from benchmarks.accuracy import open_reader
from benchmarks.fields import FieldSet, load_set
from benchmarks.nonfields import Grey, Hand, load_hands, struck_out, word
from benchmarks.reading import tell
from benchmarks.sheets import outside, write_sheets
from core.types import ReviewReason
from model.line.composing import number_text
from model.line.paper import in_comb, painted
from model.line.writing import LOOK_ALIKES, Stroke, Writing

if TYPE_CHECKING:
    from core.types import FieldReading
    from worker.pipeline import Reader

SEED: Final = 20_261_000
"""No training and no other benchmark starts from it."""

SHOWN: Final = (
    ReviewReason.VOID,
    ReviewReason.OVERWRITTEN,
    ReviewReason.NOT_A_DIGIT,
    ReviewReason.NOT_DIGITS,
    ReviewReason.AMBIGUOUS_CUT,
    ReviewReason.SEVERAL_NUMBERS,
    ReviewReason.INVALID_FORMAT,
)

COMB_TYPE: Final = "date"
"""Its eight boxes are looked for."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Pictures of one kind.

    Attributes:
        title: for a person.
        type_name: what they are read as.
        due: the reason that they should be given; None where there is none.
        files: the pictures.
        truths: what is written, where that is one number.
    """

    title: str
    type_name: str
    due: ReviewReason | None
    files: tuple[bytes, ...]
    truths: tuple[str, ...] = ()


def drawn_kinds(data: Path, *, count: int) -> list[Kind]:
    """Return what is drawn: `count` pictures of each kind."""
    hands = load_hands(data)
    draws: list[tuple[str, str, ReviewReason | None, Callable[[Generator], Grey]]] = [
        ("numbers as they are", "digits", None, lambda rng: painted(number(hands, rng), rng)),
        ("numbers struck out", "digits", ReviewReason.VOID, lambda rng: painted(struck_out(hands, rng), rng)),
        ("a letter for a digit", "digits", ReviewReason.NOT_A_DIGIT, lambda rng: painted(with_letter(hands, rng), rng)),
        (
            "a digit over another",
            "digits",
            ReviewReason.OVERWRITTEN,
            lambda rng: painted(written_over(hands, rng), rng),
        ),
        ("words", "digits", ReviewReason.NOT_DIGITS, lambda rng: painted(word(hands, rng), rng)),
        ("dates in a comb", COMB_TYPE, None, lambda rng: comb(hands, rng, letter=False)),
        ("… a letter in one box", COMB_TYPE, ReviewReason.NOT_A_DIGIT, lambda rng: comb(hands, rng, letter=True)),
        (
            "two numbers far apart",
            "digits",
            ReviewReason.SEVERAL_NUMBERS,
            lambda rng: painted(far_apart(hands, rng), rng),
        ),
        (
            "two numbers in two rows",
            "digits",
            ReviewReason.SEVERAL_NUMBERS,
            lambda rng: painted(in_rows(hands, rng), rng),
        ),
        (
            "amounts with cents",
            "amount",
            ReviewReason.INVALID_FORMAT,
            lambda rng: painted(amount(hands, rng, cents=True), rng),
        ),
        ("whole amounts with commas", "amount", None, lambda rng: painted(amount(hands, rng, cents=False), rng)),
    ]
    return [
        Kind(title, kind, due, tuple(_png(draw(np.random.default_rng((SEED, place, n)))) for n in range(count)))
        for place, (title, kind, due, draw) in enumerate(draws)
    ]


def number(hands: Sequence[Hand], rng: Generator) -> Writing:
    """Return a number of two digits or more in one hand."""
    hand = hands[int(rng.integers(len(hands)))]
    return _set(hand, _number_of(hand, rng), rng)


def with_letter(hands: Sequence[Hand], rng: Generator) -> Writing:
    """Return a number with a letter for one digit, none that looks like one."""
    hand = hands[int(rng.integers(len(hands)))]
    text = _number_of(hand, rng)
    place = int(rng.integers(len(text)))
    return _set(hand, text[:place] + _letter(hand, rng) + text[place + 1 :], rng)


def written_over(hands: Sequence[Hand], rng: Generator) -> Writing:
    """Return a number of which one digit was written over another, heavier or not."""
    hand = hands[int(rng.integers(len(hands)))]
    text = _number_of(hand, rng)
    place = int(rng.integers(len(text)))
    others = [char for char in "0123456789" if char != text[place] and char in hand]
    return _set(hand, text, rng, over={place: str(rng.choice(others))})


def far_apart(hands: Sequence[Hand], rng: Generator) -> Writing:
    """Return two numbers of one hand, two to five heights from each other."""
    return _joined(hands, rng, lambda first: np.array([first[:, 0].max() + rng.uniform(2, 5), rng.normal(0, 0.1)]))


def in_rows(hands: Sequence[Hand], rng: Generator) -> Writing:
    """Return two numbers of one hand, the second below the first."""
    return _joined(
        hands, rng, lambda first: np.array([rng.uniform(-0.5, 0.5), first[:, 1].max() + rng.uniform(0.2, 0.8)])
    )


def _joined(hands: Sequence[Hand], rng: Generator, place: Callable[[Stroke], Stroke]) -> Writing:
    hand = hands[int(rng.integers(len(hands)))]
    first, second = (_set(hand, _number_of(hand, rng), rng) for _ in range(2))
    offset = np.asarray(place(np.concatenate(first.strokes)), np.float32)
    strokes = [*first.strokes, *(stroke + offset for stroke in second.strokes)]
    low = np.concatenate(strokes).min(axis=0)
    return Writing(first.text + second.text, "", tuple(np.asarray(stroke - low, np.float32) for stroke in strokes))


def amount(hands: Sequence[Hand], rng: Generator, *, cents: bool) -> Writing:
    """Return an amount in one hand, commas between its thousands, perhaps with cents behind a point."""
    hand = hands[int(rng.integers(len(hands)))]
    whole = f"{rng.integers(1, 10 ** rng.integers(2, 7)):,}" if cents else f"{rng.integers(1000, 10_000_000):,}"
    return _set(hand, f"{whole}.{rng.integers(100):02}" if cents else whole, rng)


def comb(hands: Sequence[Hand], rng: Generator, *, letter: bool) -> Grey:
    """Return a date in eight printed boxes, perhaps with a letter in one of them."""
    hand = hands[int(rng.integers(len(hands)))]
    text = f"{rng.integers(1, 29):02}{rng.integers(1, 13):02}{rng.integers(1950, 2030)}"
    if letter:
        place = int(rng.integers(8))
        text = text[:place] + _letter(hand, rng) + text[place + 1 :]
    pitch, size = float(rng.uniform(0.8, 1.2)), float(rng.uniform(0.5, 0.9))
    strokes: list[Stroke] = []
    for cell, char in enumerate(text):
        glyph = hand[char]
        width = max(float(stroke[:, 0].max()) for stroke in glyph)
        left = (cell + 0.5) * pitch - size * width / 2 + rng.normal(0, 0.06) * pitch
        strokes += [stroke * np.float32(size) + np.array([left, 0.5 - size / 2], np.float32) for stroke in glyph]
    return in_comb(Writing(text, "", tuple(strokes)), rng, pitch=pitch)


def real_kinds(data: Path) -> list[Kind]:
    """Return held-out fields in which nothing of the kind was marked."""
    orand = load_set("orand", data)
    amounts = replace(orand, title=f"{orand.title}, as amounts", type_name="amount")
    return [_of_set(fields) for fields in (load_set("meza", data), orand, amounts, load_set("idrbt-amounts", data))]


def _of_set(fields: FieldSet) -> Kind:
    files, truths = zip(*((field.data, field.truth) for field in fields.fields), strict=True)
    return Kind(fields.title, fields.type_name, None, files, truths)


def read_kind(reader: "Reader", kind: Kind) -> "list[FieldReading]":
    """Return the readings of a kind's pictures, telling the progress."""
    from worker.pipeline import ReadRequest

    tell(f"{kind.title}: {len(kind.files)}")
    request = ReadRequest(kind.type_name)
    return [reader.read(data, request=request).pages[0].fields[0] for data in kind.files]


def print_row(kind: Kind, found: "Sequence[FieldReading]") -> None:
    """Print how many were accepted, and how many were given each reason."""
    counts = Counter(reason for reading in found for reason in reading.review_reasons)
    accepted = sum(reading.accepted and reading.text != "" for reading in found)
    cells = "".join(f"{100 * counts[reason] / max(len(found), 1):12.1f} %" for reason in SHOWN)
    print(f"{kind.title:<28}{len(found):6}{100 * accepted / max(len(found), 1):10.1f} %{cells}")


def print_cut(kind: Kind, found: "Sequence[FieldReading]") -> None:
    """Print what `ambiguous_cut` says of how many digits there are."""
    flagged = [reading for reading in found if ReviewReason.AMBIGUOUS_CUT in reading.review_reasons]
    pairs = list(zip(found, kind.truths, strict=True))
    long = [reading for reading, truth in pairs if len(reading.text) != len(truth)]
    wrong = sum(ReviewReason.AMBIGUOUS_CUT in reading.review_reasons for reading, t in pairs if reading.text != t)
    caught = sum(ReviewReason.AMBIGUOUS_CUT in reading.review_reasons for reading in long)
    print(
        f"  {kind.title}: of {len(flagged)} with ambiguous_cut {wrong} are misread; "
        f"of {len(long)} with too few or too many digits {caught} carry it"
    )


def print_cheques(reader: "Reader", data: Path) -> None:
    """Print what is said of each cheque's field that a person marked as written over, and of how many others."""
    from worker.pipeline import ReadRequest

    for name in ("idrbt-amounts", "idrbt-dates"):
        fields = load_set(name, data)
        said = [
            (field, reader.read(field.data, request=ReadRequest(fields.type_name)).pages[0].fields[0])
            for field in fields.fields
        ]
        others = [reading for field, reading in said if not field.doubtful]
        taken = sum(ReviewReason.OVERWRITTEN in reading.review_reasons for reading in others)
        print(f"  {fields.title}: overwritten said of {taken} of {len(others)} that are clear; doubtful ones:")
        for field, reading in said:
            if field.doubtful:
                print(f"    {field.file}: {'accepted' if reading.accepted else ', '.join(reading.review_reasons)}")


def main() -> None:
    """Read, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/data"), help="collections")
    parser.add_argument("--count", type=int, default=300, help="pictures of each kind that is drawn (default 300)")
    parser.add_argument("--sheets", type=Path, help="write contact sheets of what is drawn into that folder")
    options = parser.parse_args()
    if not (options.folder / "chars74k_ink").is_dir():
        sys.exit(f"{options.folder} does not hold the collections")
    reader = open_reader(None)
    print(f"{'':<28}{'n':>6}{'accepted':>12}" + "".join(f"{reason:>14}" for reason in SHOWN))
    real: list[tuple[Kind, list[FieldReading]]] = []
    for kind in [*drawn_kinds(options.folder, count=options.count), *real_kinds(options.folder)]:
        found = read_kind(reader, kind)
        print_row(kind, found)
        if kind.truths:
            real.append((kind, found))
        elif options.sheets:
            shown = [
                (data, f"{r.text} {' '.join(r.review_reasons)}") for data, r in zip(kind.files, found, strict=True)
            ]
            write_sheets(outside(options.sheets), kind.title.replace(" ", "-"), shown[:70])
    for kind, found in real:
        print_cut(kind, found)
    print_cheques(reader, options.folder)


def _number_of(hand: Hand, rng: Generator) -> str:
    text = "".join(char for char in number_text(rng) if char in hand)
    return text if len(text) > 1 else "50"


def _letter(hand: Hand, rng: Generator) -> str:
    letters = [char for char in hand if char.isalpha() and char not in LOOK_ALIKES]
    return letters[int(rng.integers(len(letters)))]


def _set(hand: Hand, text: str, rng: Generator, *, over: dict[int, str] | None = None) -> Writing:
    """Return the signs in a row, at some places with another one over them."""
    strokes: list[Stroke] = []
    x, gap = 0.0, float(rng.normal(0.1, 0.06))
    for place, char in enumerate(text):
        room = 0.0 if char in hand else float(rng.uniform(0.05, 0.2))
        width = _put(strokes, hand[char] if char in hand else _mark(char, rng), x + room) + 2 * room
        if over and place in over:
            _put(strokes, hand[over[place]], x + float(rng.normal(0, 0.05)))
        x += width + gap
    low = np.concatenate(strokes).min(axis=0)
    return Writing(text, "", tuple(np.asarray(stroke - low, np.float32) for stroke in strokes))


def _mark(char: str, rng: Generator) -> list[Stroke]:
    """Return a point on the line, or a comma through it."""
    down, left = (rng.uniform(0.15, 0.3), rng.uniform(0.02, 0.1)) if char == "," else (0.04, 0.02)
    return [np.array([[left, 0.95], [0, 0.95 + down]], np.float32)]


def _put(strokes: list[Stroke], glyph: Sequence[Stroke], x: float) -> float:
    strokes += [stroke + np.array([x, 0], np.float32) for stroke in glyph]
    return max(float(stroke[:, 0].max()) for stroke in glyph)


def _png(pixels: Grey) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


if __name__ == "__main__":
    main()
