"""Forms of the kit: drawn, filled in by hand, scanned and photographed, and read back.

`python -m benchmarks.kit [--count 200] [--seed 1]` draws the example forms, fills them in, bends the paper, puts it
through scanners (also grey, and black and white) and phones, and reads it by the form's own template. Half of the
hands are drawn (`examples.drawing`); half write the online ink of pendigits' test writers, where `../shared/data` has
it. Some documents have their pages out of order, one of them missing, or one twice.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Reading, edit_distance, score
from benchmarks.reading import tell
from benchmarks.sheets import outside, write_sheets
from core.types import FieldReading, Page, PageReading, ReviewReason
from examples.drawing import filled, hand
from examples.drawing.filled import Writer
from forms.kit.layout import Layout

if TYPE_CHECKING:
    from worker.form_reading import Form
    from worker.pipeline import Reader

ROOT: Final = Path(__file__).resolve().parent.parent
SPECS: Final = ("water-meter", "exam-cover")
KINDS: Final = ("scanner", "scanner, grey", "scanner, black and white", "phone")
INK: Final = "pendigits_ink/pendigits_orig.jsonl.gz"
PARTS: Final = {"test": "tes", "training": "tra"}

CHUNK: Final = 8
"""Forms that a process takes at a time."""

TARGETS: Final = (0.005, 0.01)
BEND_PX: Final = 6.0
"""Three quarters of a millimetre, by which paper is bent at most."""

DISORDER: Final = (0.7, 0.85, 0.95)
"""Up to which share of documents of several pages these are in order, out of order, one missing; else one twice."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A captured page, what it shows and what was read on it."""

    kind: str
    hand: str
    form_page: int
    truth: dict[str, str]
    cells: dict[str, int | None]
    reading: PageReading
    misread: tuple[tuple[bytes, str], ...]

    @property
    def told(self) -> bool:
        """Whether the reading says rightly which page of the form it is."""
        registration = self.reading.registration
        form_page = None if registration is None else registration.form_page
        return form_page is not None and form_page.number == self.form_page

    @property
    def reported(self) -> bool:
        """Whether a person is told that the page as a whole is in doubt."""
        whole = {ReviewReason.REGISTRATION_POOR, ReviewReason.PAGE_GUESSED}
        fields = self.reading.fields
        return self.reading.failure is not None or all(whole & set(each.review_reasons) for each in fields)


@dataclass(slots=True)
class Result:
    """What came of all forms.

    Attributes:
        sheets: every page.
        documents: how many forms were filled in.
        disordered: of how many a page was missing or came twice.
        noted: how many of these said so, and nothing else.
        false_notes: documents that are complete, and were said not to be.
        thresholds: from which confidence a reading is accepted, by target error and whether the lattice alone made it.
    """

    sheets: list[Sheet] = field(default_factory=list)
    documents: int = 0
    disordered: int = 0
    noted: int = 0
    false_notes: int = 0
    thresholds: dict[float, tuple[float, float]] = field(default_factory=dict)

    def add(self, other: "Result") -> None:
        """Count what came of other forms, too."""
        self.sheets += other.sheets
        self.documents += other.documents
        self.disordered += other.disordered
        self.noted += other.noted
        self.false_notes += other.false_notes
        self.thresholds |= other.thresholds


@dataclass(frozen=True, slots=True)
class Printed:
    """A form, ready to be filled in and read."""

    layout: Layout
    pages: list[Pixels]
    form: "Form"


def measure(
    count: int,
    *,
    seed: int,
    data: Path | None = None,
    part: str = "test",
    jobs: int = 1,
    tell: Callable[[int], None] = lambda _: None,
) -> Result:
    """Return what came of `count` filled in forms; the same for the same seed.

    Args:
        count: forms, each of one page or more.
        seed: of everything that is drawn.
        data: folder of collections; None, or one without ink, leaves all to drawn hands.
        part: `test` or `training`, of the ink's writers.
        jobs: processes that share the work.
        tell: is told how many forms are done.
    """
    some = partial(measure_some, seed=seed, data=data, part=part)
    parts = [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    result = Result()
    if jobs == 1:
        for each in map(some, parts):
            result.add(each)
            tell(result.documents)
        return result
    # Fresh processes: OpenCV that was used before a fork hangs the child.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for each in pool.map(some, parts):
            result.add(each)
            tell(result.documents)
    return result


def measure_some(numbers: Sequence[int], *, seed: int, data: Path | None, part: str) -> Result:
    """Return what came of the forms of these numbers; each is drawn by the seed and its own number."""
    from forms.policy import lattice_threshold

    cv2.setNumThreads(1)
    reader, printed, ink = _bench(data, part)
    result = Result()
    for target in TARGETS:
        calibration = reader.calibration
        fused = lattice_threshold(target) if calibration is None else calibration.threshold(target)
        result.thresholds[target] = (fused, lattice_threshold(target))
    for number in numbers:
        rng = np.random.default_rng([seed, number])
        _one(reader, printed[number % len(printed)], result, number=number, rng=rng, ink=ink)
    return result


@lru_cache(maxsize=1)
def _bench(data: Path | None, part: str) -> "tuple[Reader, list[Printed], list[Writer]]":
    """Return what a process reads with and what it reads, made once."""
    from core.settings import Settings
    from worker.pipeline import Reader

    return Reader.load(Settings(model="digits")), [print_form(name) for name in SPECS], list(_ink_writers(data, part))


def print_form(name: str) -> Printed:
    """Return an example form as the printer gives it; its checks are left out, for what is filled in is random."""
    from core.settings import Settings
    from forms.kit.drawing import draw_form
    from forms.kit.layout import lay_out
    from forms.kit.making import template_of
    from forms.kit.spec_file import load_spec
    from forms.kit.typeface import open_typeface
    from segmentation.decoding import DecodeLimits
    from worker.form_reading import open_form

    spec = load_spec(ROOT / "examples" / "forms" / f"{name}.yaml").model_copy(update={"checks": ()})
    typeface = open_typeface()
    layout = lay_out(spec, typeface)
    form = open_form(template_of(layout), reference=None, limits=DecodeLimits.from_settings(Settings()))
    return Printed(layout, filled.print_pages(draw_form(layout, typeface, version=1)), form)


def _one(
    reader: "Reader", printed: Printed, result: Result, *, number: int, rng: np.random.Generator, ink: Sequence[Writer]
) -> None:
    """Fill one form in, capture its pages and read them."""
    from core.form_pages import document_notes
    from worker.pipeline import ReadRequest

    kind, is_ink = KINDS[number // 2 % len(KINDS)], bool(ink) and number // 8 % 2 == 1
    writer = ink[int(rng.integers(len(ink)))] if is_ink else filled.by_hand(hand.draw_hand(rng))
    texts = filled.invent(printed.layout, rng)
    order = _order(len(printed.pages), rng)
    readings = []
    for index, place in enumerate(order):
        laid = printed.layout.pages[place]
        paper = filled.fill_in(printed.pages[place], laid.blanks, texts, writer=writer, rng=rng)
        pixels = capture(filled.bend(paper, depth_px=float(rng.uniform(0, BEND_PX)), rng=rng), kind, rng)
        request = ReadRequest(form=printed.form, target_error=TARGETS[0])
        reading = reader.read_pixels(Page(index, pixels), request=request)
        truth = {blank.asked.name: texts[blank.asked.name] for blank in laid.blanks}
        cells = {blank.asked.name: blank.cells for blank in laid.blanks}
        pictures = tuple(_misread(reading, truth, pixels, kind))
        result.sheets.append(
            Sheet(kind, "online ink" if is_ink else "drawn hands", place + 1, truth, cells, reading, pictures)
        )
        readings.append(reading)
    _count(result, order, [(str(note.code), note.form_page) for note in document_notes(readings)], printed)


def _order(pages: int, rng: np.random.Generator) -> list[int]:
    """Return which pages of the form a document holds, one after the other."""
    order, chance = list(range(pages)), rng.random()
    if pages == 1 or chance < DISORDER[0]:
        return order
    if chance < DISORDER[1]:
        return order[::-1]
    page = int(rng.integers(pages))
    return [each for each in order if each != page] if chance < DISORDER[2] else [*order, page]


def _misread(reading: PageReading, truth: dict[str, str], pixels: Pixels, kind: str) -> Iterator[tuple[bytes, str]]:
    """Yield a picture of each field that was misread, and what was written and read."""
    for read in reading.fields:
        box, written = read.box, truth.get(read.name, "")
        if read.text != written:
            part = pixels[box.slices]
            caption = f"{written} read {read.text} {read.confidence:.3f} {kind[:12]}"
            yield cv2.imencode(".png", part)[1].tobytes(), caption


def _count(result: Result, order: Sequence[int], notes: Sequence[tuple[str, int]], printed: Printed) -> None:
    expected = [("page_missing", page + 1) for page in range(len(printed.pages)) if page not in order]
    expected += [("page_doubled", page + 1) for page in range(len(printed.pages)) if order.count(page) > 1]
    result.documents += 1
    result.disordered += bool(expected)
    result.noted += bool(expected) and list(notes) == expected
    result.false_notes += not expected and bool(notes)


def capture(paper: Pixels, kind: str, rng: np.random.Generator) -> Pixels:
    """Return the paper as a scanner or a phone sees it."""
    from examples.drawing.files import black_and_white
    from tests.segmentation.registration import drawn

    seed = int(rng.integers(2**31))
    if kind == "phone":
        return drawn.capture(paper, drawn.phone(seed))[0]
    how = drawn.scanner(seed)
    if kind != "scanner, black and white":
        pixels = drawn.capture(paper, how)[0]
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8) if "grey" in kind else pixels
    # Fax and archive scanners give one bit, at 200 dpi or more.
    pixels = drawn.capture(paper, replace(how, scale=float(rng.uniform(1.0, 1.5))))[0]
    return np.asarray(black_and_white(pixels).convert("L"), np.uint8)


def _ink_writers(data: Path | None, part: str) -> Iterator[Writer]:
    """Yield the writers of pendigits, each with their own digits and a pen by chance."""
    from model.ink import records

    path = None if data is None else data / INK
    if path is None or not path.is_file():
        return
    digits: defaultdict[str, defaultdict[str, list[list[Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in records(path):
        if row["split"] == PARTS[part]:
            digits[row["writer"]][str(row["label"])].append(row["strokes"])
    for number, (_, own) in enumerate(sorted(digits.items())):
        if len(own) == 10:
            yield _ink_writer(own, np.random.default_rng([number, 17]))


def _ink_writer(own: dict[str, list[list[Any]]], chances: np.random.Generator) -> Writer:
    pen, gap = float(chances.uniform(0.055, 0.1)), float(chances.uniform(0.1, 0.25))

    def line(text: str, height: float, pitch: float | None, rng: np.random.Generator) -> hand.Writing:
        glyphs = (own[char][int(rng.integers(len(own[char])))] for char in text)
        digits = (_strokes(each, height=height, pitch=pitch, pen=pen, rng=rng) for each in glyphs)
        return hand.set_line(digits, height=height, gap=gap, rng=rng, pitch=pitch)

    return Writer(line, hand.INKS[int(chances.integers(len(hand.INKS)))])


def _strokes(
    glyph: list[Any], *, height: float, pitch: float | None, pen: float, rng: np.random.Generator
) -> list[hand.Stroke]:
    """Return a digit's strokes in pixels: as tall as the line, or as wide as a box takes."""
    curves = [np.asarray(each, np.float64)[:, :2] * (1.0, -1.0) for each in glyph if len(each)]
    points = np.concatenate(curves)
    low, extent = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-6)
    widest = 0.9 * pitch if pitch is not None else 1.1 * height
    scale = min(height * rng.uniform(0.9, 1.06) / extent[1], widest / extent[0])
    middle = (height - extent[1] * scale) / 2
    placed = [(each - low) * scale + (0.0, middle) for each in curves]
    # A dot is a stroke, too.
    placed = [np.repeat(each, 2, axis=0) if len(each) == 1 else each for each in placed]
    return [hand.Stroke(each, hand.pen_widths(len(each), pen * height, rng)) for each in placed]


@dataclass(slots=True)
class Tally:
    """Digits written in boxes of one kind, and how many were read right."""

    digits: int = 0
    right: int = 0

    def add(self, truth: str, text: str) -> None:
        """Count one field's."""
        self.digits += len(truth)
        self.right += max(0, len(truth) - edit_distance(truth, text))

    def __str__(self) -> str:
        return f"{self.right / max(self.digits, 1):7.2%} of {self.digits:5}" if self.digits else f"{'–':>16}"


def readings_at(sheets: Sequence[Sheet], result: Result, target: float) -> list[Reading]:
    """Return each field as written and read, accepted as under a target error."""
    found = []
    for sheet in sheets:
        read = {each.name: each for each in sheet.reading.fields}
        for name, truth in sheet.truth.items():
            known = read.get(name)
            said = (
                ("", 0.0, False) if known is None else (known.text, known.confidence, _accepted(known, result, target))
            )
            found.append(Reading(truth, *said, file=name))
    return found


def _accepted(read: FieldReading, result: Result, target: float) -> bool:
    fused, lattice = result.thresholds[target]
    others = set(read.review_reasons) - {ReviewReason.LOW_CONFIDENCE}
    return not others and read.confidence >= (lattice if read.type == "digit" else fused)


def print_result(result: Result) -> None:
    """Print the tables."""
    sheets = result.sheets
    print(f"{result.documents} forms, {len(sheets)} pages")
    told = [sheet for sheet in sheets if sheet.told and not sheet.reported]
    reported = [sheet for sheet in sheets if sheet.reported]
    print(
        f"pages laid and told apart: {len(told)}; reported to a person: {len(reported)}; "
        f"neither: {len(sheets) - len(told) - len(reported)}"
    )
    print(
        f"documents with a page missing or doubled: {result.disordered}, said so: {result.noted}; "
        f"complete ones said to lack a page: {result.false_notes}"
    )
    print(f"\n{'':40}{'cells of combs right':>22}{'digits in plain boxes':>24}{'fields':>9}")
    _row("all", sheets, result)
    for kind in KINDS:
        _row(kind, [sheet for sheet in sheets if sheet.kind == kind], result)
    for name in sorted({sheet.hand for sheet in sheets}):
        _row(name, [sheet for sheet in sheets if sheet.hand == name], result)
    for target in TARGETS:
        figures = score(readings_at(sheets, result, target))
        print(
            f"\nat a target error of {target:.1%}: accepted {figures['accepted']:.1%} of {figures['n']:.0f} fields, "
            f"{figures['accepted_wrong_n']:.0f} of them wrong ({figures['accepted_wrong']:.2%}, "
            f"at most {figures['accepted_wrong_at_most']:.2%})"
        )


def _row(title: str, sheets: Sequence[Sheet], result: Result) -> None:
    combs, plain = tallies(sheets)
    fields = score(readings_at(sheets, result, TARGETS[0]))["exact"]
    if sheets:
        print(f"{title:40}{combs!s:>22}{plain!s:>24}{fields:>9.1%}")


def tallies(sheets: Sequence[Sheet]) -> tuple[Tally, Tally]:
    """Return what was read in boxes for one digit each, and in plain boxes."""
    combs, plain = Tally(), Tally()
    for sheet in sheets:
        read = {each.name: each.text for each in sheet.reading.fields}
        for name, truth in sheet.truth.items():
            (plain if sheet.cells[name] is None else combs).add(truth, read.get(name, ""))
    return combs, plain


def main() -> None:
    """Measure and print; exit code 1 where a page is neither told apart nor reported."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="forms that are filled in")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn")
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="collections, for online ink"
    )
    parser.add_argument("--ink", choices=list(PARTS), default="test", help="whose ink; design with the training part")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the work")
    parser.add_argument("--sheets", help="write contact sheets of misread fields into that folder, outside the project")
    options = parser.parse_args()
    result = measure(
        options.count,
        seed=options.seed,
        data=options.data,
        part=options.ink,
        jobs=options.jobs,
        tell=lambda done: tell(f"\rforms: {done} of {options.count}", end="\n" if done == options.count else ""),
    )
    print_result(result)
    if options.sheets:
        write_sheets(outside(options.sheets), "misread", [each for sheet in result.sheets for each in sheet.misread])
    if not all(sheet.reported or sheet.told for sheet in result.sheets):
        sys.exit(1)


if __name__ == "__main__":
    main()
