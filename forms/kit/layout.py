"""Where everything stands on a form's pages: fields in rows from left to right, sections below one another.

All lengths are millimetres, from the upper left corner of the page. Boxes are large enough to write in with a thick
pen, and the print around them keeps away from the ink. A row of boxes has one pitch throughout, for so it is found
again (`segmentation.combs`): days, months and years are told apart by ticks and by letters below.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from core.errors import InvalidRequest
from forms.field_specs import DateSpec
from forms.kit.spec import FormField, FormSection, FormSpec
from forms.kit.typeface import Typeface
from forms.templates import Area, CornerMarkers

PAPERS: Final = {"A4": (210.0, 297.0), "Letter": (215.9, 279.4)}

MARKERS: Final = CornerMarkers(side=9.0, margin=9.0, coded=True)
"""Printers leave some 5 mm at the edges white; a marker's squares are 1.5 mm, nine pixels at 150 dpi."""

CODE_SIDE: Final = 24.0
CODE_GAP: Final = 6.0
"""Of the code, and between it and the marker: both want white around them."""

SIDES: Final = 20.0
TOP: Final = 41.0
BOTTOM: Final = 23.0
"""Margins of what is asked: beside the markers, below title and code, above the foot."""

CELL: Final = (7.5, 9.0)
MIN_CELL: Final = 5.8
"""Width and height of a box for one digit; a long row has narrower ones, to some point."""

PLAIN_HEIGHT: Final = 12.0
PLAIN_DIGIT: Final = 7.0
PLAIN_DIGITS: Final = (1, 14)
"""Of a plain box: its height, and the width for each of so many digits."""

AROUND: Final = 1.5
"""Rim with which a field is read: digits stick out, and a page lies half a millimetre beside its place."""

INSIDE: Final = 0.8
NARROW: Final = 2.8
"""A plain box that is not so many heights wide is read without its outline, by so much inside of it: alone, without a
row of writing, an outline passes for a 0 (`segmentation.frames` knows those of wide boxes)."""

GAP: Final = 8.0
ROW_GAP: Final = 5.5

LETTERS: Final = {"d": "D", "m": "M", "y": "Y"}


@dataclass(frozen=True, slots=True)
class Words:
    """A line of print: its left end and baseline, its size in points."""

    text: str
    x: float
    y: float
    size: float
    bold: bool = False
    tinted: bool = False


@dataclass(frozen=True, slots=True)
class Blank:
    """A place to write: a row of boxes, or one plain box.

    Attributes:
        asked: the field.
        box: its outline, from the middle of one line to that of the other.
        cells: number of boxes in a row; None for a plain one.
        groups: after how many boxes a tick parts the row.
    """

    asked: FormField
    box: Area
    cells: int | None
    groups: tuple[int, ...] = ()

    @property
    def read(self) -> Area:
        """The part of the page that is read."""
        narrow = self.cells is None and self.box.width < NARROW * self.box.height
        rim, box = -INSIDE if narrow else AROUND, self.box
        return Area(
            x=round(box.x - rim, 3),
            y=round(box.y - rim, 3),
            width=round(box.width + 2 * rim, 3),
            height=round(box.height + 2 * rim, 3),
        )


@dataclass(frozen=True, slots=True)
class LaidPage:
    """One page: its print and its places to write."""

    words: tuple[Words, ...]
    blanks: tuple[Blank, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """All pages of a form."""

    spec: FormSpec
    width: float
    height: float
    pages: tuple[LaidPage, ...]


@dataclass(frozen=True, slots=True)
class _Block:
    """A field with its print, its upper left corner at 0, 0; `head` is how far its blank lies below that."""

    words: tuple[Words, ...]
    blank: Blank
    width: float
    head: float
    height: float


@dataclass(slots=True)
class _Sheet:
    """A page as it fills up; `y` is where the next row begins."""

    y: float
    words: list[Words] = field(default_factory=list)
    blanks: list[Blank] = field(default_factory=list)


def lay_out(spec: FormSpec, typeface: Typeface) -> Layout:
    """Return where everything stands; what does not fit on one page goes on on the next.

    Raises:
        InvalidRequest: a field is wider than the page, or the fonts lack a letter.
    """
    if missing := typeface.missing("".join(_texts(spec))):
        raise InvalidRequest(f"The font cannot print {missing!r}: name one that can, a TrueType file, with --font.")
    width, height = PAPERS[spec.paper]
    sheets: list[_Sheet] = []
    for part in spec.parts():
        _lay_part(part, sheets, typeface, width=width, bottom=height - BOTTOM)
    pages = [
        LaidPage((*_frame_words(spec, typeface, number, len(sheets)), *sheet.words), tuple(sheet.blanks))
        for number, sheet in enumerate(sheets, start=1)
    ]
    return Layout(spec, width, height, tuple(pages))


def _texts(spec: FormSpec) -> Iterator[str]:
    yield from (spec.title, spec.help, spec.page_words, "0123456789DMY")
    for part in spec.parts():
        yield from (part.title, part.help)
        for asked in part.fields:
            yield from (asked.caption, asked.help, asked.unit)


def _frame_words(spec: FormSpec, typeface: Typeface, number: int, pages: int) -> Iterator[Words]:
    """Yield the title and help at a page's head, between marker and code, and its foot."""
    width, height = PAPERS[spec.paper]
    left = MARKERS.margin + MARKERS.side + 6
    room = width - 2 * left - CODE_GAP - CODE_SIDE
    y = MARKERS.margin + 5.5
    for line in typeface.wrapped(spec.title, size=15, width_mm=room, bold=True)[:2]:
        yield Words(line, left, y, 15, bold=True)
        y += 6.2
    for line in typeface.wrapped(spec.help, size=8.5, width_mm=room)[:4]:
        yield Words(line, left, y, 8.5)
        y += 3.8
    foot = spec.page_words.format(page=number, pages=pages)
    middle = (width - typeface.width_mm(foot, size=8)) / 2
    yield Words(foot, middle, height - MARKERS.margin - 2.5, 8)


def _lay_part(part: FormSection, sheets: list[_Sheet], typeface: Typeface, *, width: float, bottom: float) -> None:
    room = width - 2 * SIDES
    heading = _heading(part, typeface, room)
    rows = list(_rows([_block(asked, typeface, room) for asked in part.fields], room))
    for place, row in enumerate(rows):
        before = heading if place == 0 else ()
        head = _below(before)
        height = head + max(block.head for block in row) + max(block.height - block.head for block in row)
        begins = part.new_page and place == 0 and bool(sheets and sheets[-1].blanks)
        if not sheets or begins or sheets[-1].y + height > bottom:
            sheets.append(_Sheet(TOP))
        sheet = sheets[-1]
        sheet.words += [_moved(words, SIDES, sheet.y) for words in before]
        _lay_row(row, sheet, top=sheet.y + head)
        sheet.y += height + ROW_GAP


def _below(heading: Sequence[Words]) -> float:
    return heading[-1].y + 3.5 if heading else 0.0


def _heading(part: FormSection, typeface: Typeface, room: float) -> tuple[Words, ...]:
    words, y = [], 0.0
    for line in typeface.wrapped(part.title, size=11.5, width_mm=room, bold=True):
        y += 5.0
        words.append(Words(line, 0.0, y, 11.5, bold=True))
    for line in typeface.wrapped(part.help, size=8, width_mm=room):
        y += 3.8
        words.append(Words(line, 0.0, y, 8))
    return tuple(words)


def _rows(blocks: Sequence[_Block], room: float) -> Iterator[list[_Block]]:
    """Yield the fields that stand side by side."""
    row: list[_Block] = []
    for block in blocks:
        if row and sum(each.width + GAP for each in row) + block.width > room:
            yield row
            row = []
        row.append(block)
    yield row


def _lay_row(row: Sequence[_Block], sheet: _Sheet, *, top: float) -> None:
    """Put fields side by side, their blanks level."""
    head, x = max(block.head for block in row), SIDES
    for block in row:
        y = top + head - block.head
        sheet.words += [_moved(words, x, y) for words in block.words]
        box = block.blank.box
        placed = Area(x=x + box.x, y=y + box.y, width=box.width, height=box.height)
        sheet.blanks.append(replace(block.blank, box=placed))
        x += block.width + GAP


def _moved(words: Words, x: float, y: float) -> Words:
    return replace(words, x=words.x + x, y=words.y + y)


def _block(asked: FormField, typeface: Typeface, room: float) -> _Block:
    width, height = _blank_size(asked, room)
    wrap = min(room, max(width, 52.0))
    words, y = [], 0.0
    for line in typeface.wrapped(asked.caption, size=9.5, width_mm=wrap, bold=True):
        y += 4.0
        words.append(Words(line, 0.0, y, 9.5, bold=True))
    for line in typeface.wrapped(asked.help, size=7.5, width_mm=wrap):
        y += 3.3
        words.append(Words(line, 0.0, y, 7.5))
    head = y + 2.8
    blank = Blank(asked, Area(x=0, y=head, width=width, height=height), asked.comb_cells, _groups(asked))
    words += _unit(asked, width, head + height / 2)
    below = list(_letters(asked, blank, typeface))
    return _Block(
        words=(*words, *below),
        blank=blank,
        width=max([width, *(each.x + typeface.width_mm(each.text, size=each.size, bold=each.bold) for each in words)]),
        head=head,
        height=head + height + (4.5 if below else 0.0),
    )


def _blank_size(asked: FormField, room: float) -> tuple[float, float]:
    cells = asked.comb_cells
    if cells is None:
        least, most = PLAIN_DIGITS
        width = asked.width or PLAIN_DIGIT * (min(max(asked.most_digits, least), most) + 1)
        return width, PLAIN_HEIGHT
    pitch = min(CELL[0], room / cells)
    if pitch < MIN_CELL:
        raise InvalidRequest(
            f"{asked.name}: {cells} boxes do not fit on one line. Ask for fewer digits, or for a plain box: cells: 0."
        )
    return pitch * cells, CELL[1]


def _unit(asked: FormField, width: float, middle: float) -> Iterator[Words]:
    if asked.unit:
        yield Words(asked.unit, width + 2.5, middle + 1.4, 9.5)


def _groups(asked: FormField) -> tuple[int, ...]:
    """Return after how many boxes day, month and year end."""
    letters = _date_letters(asked)
    return tuple(place for place in range(1, len(letters)) if letters[place] != letters[place - 1])


def _date_letters(asked: FormField) -> str:
    kind = asked.written_type
    if not isinstance(kind, DateSpec) or asked.comb_cells is None:
        return ""
    letters = "".join(part * (kind.year_digits or 4 if part == "y" else 2) for part in kind.order)
    return letters if len(letters) == asked.comb_cells else ""


def _letters(asked: FormField, blank: Blank, typeface: Typeface) -> Iterator[Words]:
    """Yield the letters below a date's boxes."""
    letters = _date_letters(asked)
    for place, letter in enumerate(letters):
        text, pitch = LETTERS[letter], blank.box.width / len(letters)
        x = blank.box.x + (place + 0.5) * pitch - typeface.width_mm(text, size=6.5) / 2
        yield Words(text, x, blank.box.bottom + 4.2, 6.5, tinted=True)
