"""What is accepted of numbers that a field's edge cuts through.

    python -m benchmarks.rims [../shared/data] [--sheets FOLDER]

Held-out fields of ORAND, Meza and IDRBT that are read right and accepted are cut: through the first or the last digit,
30 or 60 % of its width away, and through all of them at top or foot, 20 or 40 % of their height away. They are read as
pictures of a field alone, of which nobody knows what was around them. The drawn forms of `benchmarks/forms.py` are
then read with boxes that cut the numbers' first or last digit, or end before it: there the page around the field is
known.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import open_reader
from benchmarks.fields import HELD_OUT, FieldSet, corrected, load_set
from benchmarks.reading import tell
from benchmarks.sheets import outside, write_sheets
from core.types import Box, ReviewReason

if TYPE_CHECKING:
    from core.types import FieldReading
    from worker.form_reading import Form
    from worker.pipeline import Reader

Pixels = NDArray[np.uint8]

ACROSS: Final = (0.3, 0.6)
"""Of the first or last digit's width."""

DOWN: Final = (0.2, 0.4)
"""Of the digits' height."""

DRAWN: Final = ("id", "total", "reading", "fee")
"""Fields of the drawn forms without a comb."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A number of which a part is missing, as read.

    Attributes:
        where: which part.
        truth: what is written.
        reading: what was read of the rest.
        picture: the rest, as a file.
    """

    where: str
    truth: str
    reading: "FieldReading"
    picture: bytes

    @property
    def is_wrong(self) -> bool:
        """Whether it was accepted as something else."""
        return self.reading.accepted and self.reading.text != self.truth

    @property
    def was_wrong(self) -> bool:
        """Whether it would be accepted as something else, were it not for the cut."""
        alone = self.reading.review_reasons == (ReviewReason.CUT_OFF,)
        return self.is_wrong or (alone and self.reading.text != self.truth)


def cut_fields(reader: "Reader", fields: FieldSet) -> Iterator[Cut]:
    """Yield the fields of a set that are read right and accepted, as they are and with each part missing."""
    from worker.pipeline import ReadRequest

    request = ReadRequest(fields.type_name)
    for field in fields.fields:
        whole = reader.read(field.data, request=request).pages[0].fields[0]
        yield Cut("nothing", field.truth, whole, field.data)
        if whole.accepted and whole.text == field.truth:
            pixels = np.asarray(cv2.imdecode(np.frombuffer(field.data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
            for where, rest in rests(pixels, [digit.box for digit in whole.digits]):
                data = cv2.imencode(".png", rest)[1].tobytes()
                yield Cut(where, field.truth, reader.read(data, request=request).pages[0].fields[0], data)


def rests(pixels: Pixels, digits: Sequence[Box]) -> Iterator[tuple[str, Pixels]]:
    """Yield which side of a field was cut off, and what is left of it, unless that is smaller than any sign."""
    first, last = digits[0], digits[-1]
    top, foot = min(box.y for box in digits), max(box.bottom for box in digits)
    cuts: list[tuple[str, tuple[slice, slice]]] = [
        (f"left, {share:.0%}", np.s_[:, round(first.x + share * first.width) :]) for share in ACROSS
    ]
    cuts += [(f"right, {share:.0%}", np.s_[:, : round(last.x + (1 - share) * last.width)]) for share in ACROSS]
    cuts += [(f"top, {share:.0%}", np.s_[round(top + share * (foot - top)) :, :]) for share in DOWN]
    cuts += [(f"foot, {share:.0%}", np.s_[: round(foot - share * (foot - top)), :]) for share in DOWN]
    for where, part in cuts:
        rest = np.ascontiguousarray(pixels[part])
        if min(rest.shape[:2]) >= 6:
            yield where, rest


def cut_on_pages(reader: "Reader", work: Path) -> Iterator[Cut]:
    """Yield numbers of the drawn forms, whose print is not known, by whole boxes and by such as cut a digit."""
    from benchmarks.forms import GREY, drawn_form, drawn_pages
    from worker.pipeline import ReadRequest

    form = drawn_form(GREY, work, filled=True)
    known = drawn_form(GREY, work)
    for data, truths in drawn_pages(GREY):
        laid = form.lay(reader.decode_page(data, 0)).page
        read = {field.name: field for field in reader.read_pixels(laid, request=ReadRequest(form=known)).fields}
        right = {name: read[name] for name in DRAWN if read[name].text == truths[name]}
        for where, ends in _ends(right):
            for field in reader.read_pixels(laid, request=ReadRequest(form=_moved(form, ends))).fields:
                box = field.box
                part = laid.pixels[box.slices]
                yield Cut(where, truths[field.name], field, cv2.imencode(".png", part)[1].tobytes())


def _ends(read: "dict[str, FieldReading]") -> Iterator[tuple[str, dict[str, tuple[int | None, int | None]]]]:
    """Yield from which column to which each field is cut out; None where its box ends as it does."""
    yield "nothing", dict.fromkeys(read, (None, None))
    for share in ACROSS:
        first = {name: field.digits[0].box for name, field in read.items()}
        yield f"left, {share:.0%}", {n: (round(box.x + share * box.width), None) for n, box in first.items()}
    for share in ACROSS:
        last = {name: field.digits[-1].box for name, field in read.items()}
        yield f"right, {share:.0%}", {n: (None, round(box.x + (1 - share) * box.width)) for n, box in last.items()}
    boxes = {name: [digit.box for digit in field.digits] for name, field in read.items()}
    yield "left, the whole digit", {name: (_between(own[0], own[1]), None) for name, own in boxes.items()}
    yield "right, the whole digit", {name: (None, _between(own[-2], own[-1])) for name, own in boxes.items()}


def _between(left: Box, right: Box) -> int:
    return round((left.right + right.x) / 2)


def _moved(form: "Form", ends: dict[str, tuple[int | None, int | None]]) -> "Form":
    from forms.templates import parse_template

    body = form.template.model_dump(mode="json", exclude_none=True)
    fields = []
    for field in body["fields"]:
        if field["name"] in ends:
            left, right = ends[field["name"]]
            x, width = field["box"]["x"], field["box"]["width"]
            start = x if left is None else left
            stop = x + width if right is None else right
            fields.append({**field, "box": {**field["box"], "x": start, "width": stop - start}})
    return replace(form, template=parse_template({**body, "fields": fields}))


def print_table(title: str, cuts: Sequence[Cut]) -> None:
    """Print a line for each part that is missing."""
    print(f"{title:<34}{'n':>6}{'cut_off':>9}{'accepted':>10}{'wrong':>7}{'wrong without it':>18}")
    for where in dict.fromkeys(cut.where for cut in cuts):
        own = [cut for cut in cuts if cut.where == where]
        accepted, wrong = sum(cut.reading.accepted for cut in own), sum(cut.is_wrong for cut in own)
        said = sum(ReviewReason.CUT_OFF in cut.reading.review_reasons for cut in own)
        without = sum(cut.was_wrong for cut in own)
        print(f"  {where:<32}{len(own):6}{said:9}{accepted:10}{wrong:7}{without:18}")


def main() -> None:
    """Read, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/data"), help="collections")
    parser.add_argument("--sheets", type=Path, help="folder for contact sheets of what is wrongly accepted")
    options = parser.parse_args()
    if not (options.folder / "orand_car_a").is_dir():
        sys.exit(f"{options.folder} does not hold the collections")
    reader = open_reader(None)
    tables = []
    for name in HELD_OUT:
        fields = corrected(load_set(name, options.folder))
        tell(fields.title)
        tables.append((fields.title, list(cut_fields(reader, fields))))
    with tempfile.TemporaryDirectory() as scratch:
        tables.append(("drawn forms, print not known", list(cut_on_pages(reader, Path(scratch)))))
    for title, cuts in tables:
        print_table(title, cuts)
        if options.sheets:
            wrong = [(cut.picture, f"{cut.truth} {cut.reading.text} {cut.where}") for cut in cuts if cut.is_wrong]
            write_sheets(outside(options.sheets), title.replace(" ", "-").replace(",", ""), wrong[:70])


if __name__ == "__main__":
    main()
