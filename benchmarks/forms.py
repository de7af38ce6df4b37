"""How well whole forms are read by a template: real exam covers and pages, and drawn forms with what is taken out.

    python -m benchmarks.forms [../shared/data] [--keep FOLDER] [--kit 200]

Templates are drafted by the commands that a person would use (`tallyscan templates draft`), and then edited as a person
would: what is no field is deleted, a name and a type given. The exam covers have no empty form, so it is composed of
all five of them. Pages of which there is one alone are read by a template drafted from themselves; where writing hides
the field from the draft, its box is set by hand.

Drawn forms have fields on dotted lines, in boxes with print in them and in combs with a letter in each box. They are
read with the empty form known and not known, and with orange guides dropped out and not. CPU time is of one page, its
file's decoding included. The table of the form kit comes last; `benchmarks/kit.py` says more of it.
"""

import argparse
import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.kit import measure, print_result

if TYPE_CHECKING:
    from core.types import FieldReading
    from worker.form_reading import Form
    from worker.pipeline import Reader

Pixels = NDArray[np.uint8]

DRAWN_PAGES: Final = 12
SEED: Final = 20_262_000
"""Trainings start from small seeds."""

SIZE: Final = (1240, 900)
ORANGE: Final = (96, 144, 255)
GREY: Final = (70, 70, 70)

FIELDS: Final = (
    ("id", "line", (360, 120, 420, 74), 6),
    ("total", "box", (360, 260, 420, 84), 5),
    ("code", "comb", (360, 420, 560, 78), 8),
    ("reading", "line", (360, 580, 420, 74), 5),
    ("fee", "box", (360, 720, 420, 84), 4),
)
"""Name, what is printed around it, where it is, and how many digits are written."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A field of a page that is labelled.

    Attributes:
        name: given to it.
        type: what it may hold.
        near: about where its middle is, in shares of width and height: which of the drafted fields it is.
        by_hand: its box in pixels, and how many cells its comb has, where the draft of a filled page does not have it.
    """

    name: str
    type: str | dict[str, Any]
    near: tuple[float, float]
    by_hand: tuple[tuple[int, int, int, int], int | None] | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What was read of a field, and the CPU milliseconds of its page."""

    file: str
    truth: str
    text: str
    accepted: bool
    reasons: str
    page_ms: float


PAGES: Final = {
    "tu_cover_*.jpg": Asked("student_id", {"name": "digits", "min_length": 4, "max_length": 7}, (0.825, 0.275)),
    "quexf_filled_1.png": Asked("amount", "amount", (0.77, 0.828), ((1775, 2850, 295, 115), None)),
    "markus_cover.png": Asked("student_number", {"name": "digits", "length": 10}, (0.475, 0.443)),
    "markus_student_info_num.jpg": Asked("student_number", "digits", (0.25, 0.45), ((30, 24, 1630, 118), 16)),
}
"""Of each kind of page the field that is labelled."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/data"), help="collections")
    parser.add_argument("--keep", type=Path, help="write drafted templates into that folder, outside of the project")
    parser.add_argument("--kit", type=int, default=200, help="forms of the kit to fill in and read; 0 leaves them out")
    options = parser.parse_args()
    reader = open_reader()
    with tempfile.TemporaryDirectory() as scratch:
        work = options.keep or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        if (options.folder / "forms").is_dir():
            print_pages(reader, options.folder / "forms", work)
        else:
            print(f"{options.folder} does not hold the pages", file=sys.stderr)
        print_drawn(reader, work)
    if options.kit:
        print_result(measure(options.kit, seed=1, data=options.folder))


def open_reader() -> "Reader":
    """Return a reader with the networks that the settings name."""
    from core.settings import Settings
    from worker.pipeline import Reader

    return Reader.load(Settings(model="digits"))


def print_pages(reader: "Reader", home: Path, work: Path) -> None:
    """Print what is read of the labelled field of each real page."""
    with (home / "labels.csv").open(newline="", encoding="utf-8") as lines:
        truths = {row["file"]: row["label"] for row in csv.DictReader(lines)}
    print("real pages, one template for each kind of page")
    for pattern, asked in PAGES.items():
        files = sorted((home / "images").glob(pattern))
        form = drafted(files, asked, work)
        for file in files:
            if form is None:
                print(f"  {file.name:<30} the draft has no field there")
                continue
            result = read_page(reader, form, asked.name, file, truths[file.name])
            print(f"  {file.name:<30}{_told(result)}")


def drafted(files: Sequence[Path], asked: Asked, work: Path) -> "Form | None":
    """Return a template drafted from the pages, with the asked field alone; None where the draft does not have it."""
    from cli.template_shelf import find_reference
    from core.settings import Settings
    from forms.templates import parse_template
    from segmentation.decoding import DecodeLimits
    from worker.form_reading import open_form

    name = files[0].stem.replace("_", "-")
    made = work / f"{name}.json"
    copies = [work / file.name for file in files]
    for copy, file in zip(copies, files, strict=True):
        copy.write_bytes(file.read_bytes())
    tallyscan("templates", "draft", *copies, "--name", name, "--out", made, *(["--filled"] if len(files) == 1 else []))
    body = json.loads(made.read_text(encoding="utf-8"))
    wanted = [field for field in body["fields"] if _is_near(field["box"], body["page"], asked.near)]
    if wanted:
        body["fields"] = [{**wanted[0], "name": asked.name, "type": asked.type}]
    elif asked.by_hand:
        body["fields"] = [_field_by_hand(asked, *asked.by_hand)]
    else:
        return None
    made.write_text(json.dumps(body, indent=2), encoding="utf-8")
    tallyscan("templates", "show", made)
    template = parse_template(body)
    reference = find_reference(template, work)
    return open_form(template, reference=reference, limits=DecodeLimits.from_settings(Settings()))


def _field_by_hand(asked: Asked, box: tuple[int, int, int, int], cells: int | None) -> dict[str, Any]:
    area = dict(zip(("x", "y", "width", "height"), box, strict=True))
    return {"name": asked.name, "type": asked.type, "box": area} | ({"cells": cells} if cells else {})


def tallyscan(*words: object) -> None:
    """Run a command as typed.

    Raises:
        RuntimeError: it failed.
    """
    from click.testing import CliRunner

    from cli.main import cli

    result = CliRunner().invoke(cli, [str(word) for word in words])
    if result.exit_code != 0:
        raise RuntimeError(result.output)


def read_page(reader: "Reader", form: "Form", name: str, file: Path, truth: str) -> Result:
    """Return what is read of one field of a page."""
    found, spent = _read(reader, form, file.read_bytes())
    field = found[name]
    return Result(file.name, truth, field.text, field.accepted, ", ".join(field.review_reasons), spent)


def print_drawn(reader: "Reader", work: Path) -> None:
    """Print how drawn forms are read with and without what the template knows of their print."""
    print(f"\ndrawn forms, {DRAWN_PAGES} pages of {len(FIELDS)} fields: right as a whole, accepted, of those wrong")
    for title, colour, known in _variants():
        form = drawn_form(colour, work, **known)
        pages = list(drawn_pages(colour))
        results = [each for data, truths in pages for each in _compared(reader, form, data, truths)]
        print(f"  {title:<44}{_summed(results)}")
        for name, kind, _, _ in FIELDS:
            own = [each for each in results if each.file == name]
            print(f"      {name + ', ' + kind:<40}{_summed(own)}")


def _variants() -> Iterator[tuple[str, tuple[int, int, int], dict[str, Any]]]:
    yield "grey print, the empty form not known", GREY, {"filled": True}
    yield "grey print, the empty form known", GREY, {}
    yield "orange guides, nothing known", ORANGE, {"filled": True}
    yield "orange guides dropped out", ORANGE, {"filled": True, "guides": "#ff9060"}
    yield "orange guides found and dropped out", ORANGE, {"filled": True, "guides": "auto"}


def drawn_form(colour: tuple[int, int, int], work: Path, *, filled: bool = False, guides: str | None = None) -> "Form":
    """Return the drawn form's template, with what it knows of the print."""
    import hashlib

    from core.settings import Settings
    from forms.templates import parse_template
    from segmentation.decoding import DecodeLimits
    from worker.form_reading import open_form

    data = cv2.imencode(".png", draw_blank(colour))[1].tobytes()
    (work / "drawn.png").write_bytes(data)
    fields = [
        {"name": name, "type": "digits", "box": dict(zip(("x", "y", "width", "height"), box, strict=True))}
        | ({"cells": 8} if kind == "comb" else {})
        for name, kind, box, _ in FIELDS
    ]
    registration = {"method": "features", "reference": hashlib.sha256(data).hexdigest(), "filled": filled}
    body: dict[str, Any] = {"name": "drawn", "page": {"width": SIZE[0], "height": SIZE[1]}, "fields": fields}
    template = parse_template({**body, "registration": registration, **({"guides": guides} if guides else {})})
    return open_form(template, reference=data, limits=DecodeLimits.from_settings(Settings()))


def draw_blank(colour: tuple[int, int, int]) -> Pixels:
    """Return the empty form: BGR."""
    page = np.full((SIZE[1], SIZE[0], 3), 248, np.uint8)
    _print(page, "Return of goods and readings", (60, 60), 1.2, GREY)
    _print(page, "Write in black or blue. One number a field.", (60, 96), 0.7, GREY)
    for name, kind, (x, y, width, height), _ in FIELDS:
        _print(page, f"{name} no. of the depot", (60, y + height - 22), 0.75, GREY)
        if kind == "line":
            for dot in range(x, x + width, 14):
                cv2.circle(page, (dot, y + height - 12), 2, colour, -1, cv2.LINE_AA)
            _print(page, "see overleaf", (x + 8, y + height + 18), 0.55, GREY)
        else:
            cv2.rectangle(page, (x, y), (x + width, y + height), colour, 2)
        if kind == "box":
            _print(page, "EUR", (x + width - 66, y + height - 12), 0.7, colour)
            cv2.line(page, (x, y + height - 18), (x + width, y + height - 18), colour, 1)
        for cell in range(8 if kind == "comb" else 0):
            left = x + cell * width // 8
            cv2.line(page, (left, y), (left, y + height), colour, 2)
            _print(page, "DDMMYYYY"[cell], (left + 22, y + height - 26), 0.9, tuple(c + (255 - c) // 2 for c in colour))
    return page


def drawn_pages(colour: tuple[int, int, int]) -> Iterator[tuple[bytes, dict[str, str]]]:
    """Yield filled and scanned forms, JPEG, and what is written in each field."""
    from tests.segmentation.registration.drawn import Capture, capture

    for number in range(DRAWN_PAGES):
        rng = np.random.default_rng((SEED, number))
        page, truths = draw_blank(colour), {}
        for name, kind, box, digits in FIELDS:
            truths[name] = "".join(str(digit) for digit in rng.integers(0, 10, digits))
            _write(page, truths[name], box, rng, pitch=box[2] / 8 if kind == "comb" else None)
        how = Capture(skew_degrees=float(rng.uniform(-1.5, 1.5)), seed=number)
        yield cv2.imencode(".jpg", capture(page, how)[0], [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes(), truths


def _write(
    page: Pixels, text: str, box: tuple[int, int, int, int], rng: np.random.Generator, *, pitch: float | None
) -> None:
    """Write a number into a field, some of it out of its box."""
    from examples.drawing.hand import draw_hand, write

    hand = draw_hand(rng)
    height = float(rng.uniform(0.5, 0.72)) * box[3]
    writing = write(text, height=height, hand=hand, rng=rng, pitch=pitch)
    margin = 0.4 * height
    x = box[0] - margin + (0 if pitch else rng.uniform(8, 60))
    y = box[1] + (box[3] - writing.ink.shape[0]) / 2 + rng.uniform(-6, 10)
    left, top = max(0, round(x)), max(0, round(y))
    area = page[top : top + writing.ink.shape[0], left : left + writing.ink.shape[1]]
    ink = 0.9 * writing.ink[: area.shape[0], : area.shape[1], None]
    area[:] = np.clip(area * (1 - ink) + ink * np.array(hand.colour), 0, 255).astype(np.uint8)


def _compared(reader: "Reader", form: "Form", data: bytes, truths: dict[str, str]) -> Iterator[Result]:
    found, spent = _read(reader, form, data)
    for name, truth in truths.items():
        field = found[name]
        yield Result(name, truth, field.text, field.accepted, ", ".join(field.review_reasons), spent)


def _read(reader: "Reader", form: "Form", data: bytes) -> "tuple[dict[str, FieldReading], float]":
    from worker.pipeline import ReadRequest

    started = time.process_time()
    page = reader.read(data, request=ReadRequest(form=form)).pages[0]
    return {field.name: field for field in page.fields}, 1e3 * (time.process_time() - started)


def _told(result: Result) -> str:
    said = "accepted" if result.accepted else result.reasons
    right = "right" if result.text == result.truth else "WRONG"
    return f"{result.truth:>11} {result.text:>11}  {right}  {result.page_ms:5.0f} ms CPU  {said}"


def _summed(results: Sequence[Result]) -> str:
    count: Callable[[Callable[[Result], bool]], int] = lambda is_so: sum(map(is_so, results))  # noqa: E731
    right, accepted = count(lambda each: each.text == each.truth), count(lambda each: each.accepted)
    wrong = count(lambda each: each.accepted and each.text != each.truth)
    spent = float(np.median([each.page_ms for each in results]))
    return f"{right:3} of {len(results)} right  {accepted:3} accepted, {wrong} wrong  {spent:5.0f} ms CPU a page"


def _is_near(box: dict[str, float], page: dict[str, Any], near: tuple[float, float]) -> bool:
    x, y = near[0] * page["width"], near[1] * page["height"]
    return bool(box["x"] <= x <= box["x"] + box["width"] and box["y"] <= y <= box["y"] + box["height"])


def _print(page: Pixels, text: str, at: tuple[int, int], scale: float, colour: Sequence[int]) -> None:
    cv2.putText(page, text, at, cv2.FONT_HERSHEY_COMPLEX, scale, colour, 1, cv2.LINE_AA)


if __name__ == "__main__":
    main()
