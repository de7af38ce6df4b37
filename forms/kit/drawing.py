"""A laid out form as PDF: markers in its corners, a code for template and page, boxes in a light tint, labels.

The same form gives the same bytes: no date and no random name is in them.
"""

import io
from collections.abc import Sequence
from typing import Final

import segno
from reportlab.lib.colors import Color, HexColor, black
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from core.form_code import FormCode
from forms.kit.layout import CODE_GAP, CODE_SIDE, MARKERS, Blank, LaidPage, Layout, Words
from forms.kit.typeface import Typeface

MARKER_BITS: Final = (0xB532, 0x0F9A, 0x332D, 0x9946)
"""The white squares inside markers 0 to 3 of OpenCV's DICT_4X4_50, row by row from the upper left, first bit first."""

MARKER_SQUARES: Final = 6
"""A marker is so many squares wide: four that tell its number, and a black rim."""

LINE_POINTS: Final = 0.9
TICK_POINTS: Final = 1.6
TICK_MM: Final = 1.6

CORRECTION: Final = "q"
"""A quarter of the code may be unreadable: a stroke through one of the level L makes it that already."""


def draw_form(layout: Layout, typeface: Typeface, *, version: int) -> bytes:
    """Return the form as PDF.

    Args:
        layout: where everything stands.
        typeface: what it is printed with.
        version: of the template, as the code says it; 0 where it is stored nowhere yet.
    """
    stream = io.BytesIO()
    size = (layout.width * mm, layout.height * mm)
    canvas = Canvas(stream, pagesize=size, invariant=1, pageCompression=1, lang="en")
    canvas.setTitle(layout.spec.title)
    canvas.setSubject(f"{layout.spec.form}, version {version}")
    canvas.setCreator("Tallyscan")
    pen = _Pen(canvas, layout, typeface)
    for number, page in enumerate(layout.pages, start=1):
        pen.draw(page, FormCode(layout.spec.form, version, number))
    canvas.save()
    return stream.getvalue()


class _Pen:
    """Draws on one canvas in millimetres from the upper left corner."""

    def __init__(self, canvas: Canvas, layout: Layout, typeface: Typeface) -> None:
        self._canvas = canvas
        self._width, self._height = layout.width, layout.height
        self._tint = HexColor(layout.spec.tint)
        self._typeface = typeface

    def draw(self, page: LaidPage, code: FormCode) -> None:
        """Draw one page."""
        self._markers()
        self._code(code)
        for blank in page.blanks:
            self._blank(blank)
        for words in page.words:
            self._words(words)
        small = f"{code.name} · {code.version}" if code.version else code.name
        right = self._width - MARKERS.margin - MARKERS.side - CODE_GAP
        width = self._typeface.width_mm(small, size=6)
        self._words(Words(small, right - width, MARKERS.margin + CODE_SIDE + 3.2, 6))
        self._canvas.showPage()

    def _markers(self) -> None:
        far_x = self._width - MARKERS.margin - MARKERS.side
        far_y = self._height - MARKERS.margin - MARKERS.side
        near = MARKERS.margin
        corners = ((near, near), (far_x, near), (far_x, far_y), (near, far_y))
        for (x, y), bits in zip(corners, MARKER_BITS, strict=True):
            self._squares(marker_squares(bits), x=x, y=y, side=MARKERS.side)

    def _code(self, code: FormCode) -> None:
        made = segno.make(code.text, error=CORRECTION, micro=False, boost_error=False)
        rows = [[bool(square) for square in row] for row in made.matrix]
        x = self._width - MARKERS.margin - MARKERS.side - CODE_GAP - CODE_SIDE
        self._squares(rows, x=x, y=MARKERS.margin, side=CODE_SIDE)

    def _squares(self, rows: Sequence[Sequence[bool]], *, x: float, y: float, side: float) -> None:
        """Fill the black squares of a pattern, as one shape: no seams show between them."""
        step = side / len(rows)
        path = self._canvas.beginPath()
        for down, row in enumerate(rows):
            for across, filled in enumerate(row):
                if filled:
                    path.rect((x + across * step) * mm, self._up(y + (down + 1) * step), step * mm, step * mm)
        self._canvas.setFillColor(black)
        self._canvas.drawPath(path, stroke=0, fill=1)

    def _blank(self, blank: Blank) -> None:
        box, canvas = blank.box, self._canvas
        top, bottom = self._up(box.y), self._up(box.bottom)
        canvas.setStrokeColor(self._tint)
        canvas.setLineWidth(LINE_POINTS)
        canvas.rect(box.x * mm, bottom, box.width * mm, top - bottom, stroke=1, fill=0)
        for place in range(1, blank.cells or 1):
            x = (box.x + place * box.width / (blank.cells or 1)) * mm
            canvas.line(x, top, x, bottom)
        canvas.setLineWidth(TICK_POINTS)
        for place in blank.groups:
            x = (box.x + place * box.width / (blank.cells or 1)) * mm
            canvas.line(x, bottom, x, bottom - TICK_MM * mm)

    def _words(self, words: Words) -> None:
        colour: Color = self._tint if words.tinted else black
        self._canvas.setFillColor(colour)
        self._canvas.setFont(self._typeface.name(bold=words.bold), words.size)
        self._canvas.drawString(words.x * mm, self._up(words.y), words.text)

    def _up(self, y: float) -> float:
        """Return how far, in points, a place lies above the page's lower edge, as PDF counts."""
        return float((self._height - y) * mm)


def marker_squares(bits: int) -> list[list[bool]]:
    """Return which squares of a marker are black, row by row, its rim included."""
    inner = MARKER_SQUARES - 2
    squares = [[True] * MARKER_SQUARES for _ in range(MARKER_SQUARES)]
    for place in range(inner * inner):
        white = bits >> (inner * inner - 1 - place) & 1
        squares[1 + place // inner][1 + place % inner] = not white
    return squares
