"""The letters that forms are printed with: Bitstream Vera, which comes with ReportLab, or a TrueType font by name."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from core.errors import InvalidRequest

MM_IN_POINT: Final = 25.4 / 72

_OWN: Final = ("Vera.ttf", "VeraBd.ttf")


@dataclass(frozen=True, slots=True)
class Typeface:
    """Two fonts by the names under which ReportLab knows them; both are embedded in the PDF."""

    regular: str
    bold: str

    def name(self, *, bold: bool) -> str:
        """Return the font's name."""
        return self.bold if bold else self.regular

    def width_mm(self, text: str, *, size: float, bold: bool = False) -> float:
        """Return how long a line of text of `size` points is, in millimetres."""
        return float(pdfmetrics.stringWidth(text, self.name(bold=bold), size)) * MM_IN_POINT

    def missing(self, text: str) -> str:
        """Return the characters that the fonts cannot print, each once."""
        known = [pdfmetrics.getFont(name).face.charToGlyph for name in (self.regular, self.bold)]
        return "".join(dict.fromkeys(char for char in text if any(ord(char) not in glyphs for glyphs in known)))

    def wrapped(self, text: str, *, size: float, width_mm: float, bold: bool = False) -> tuple[str, ...]:
        """Return the text in lines no longer than `width_mm`; a word that is longer has a line of its own."""
        lines: list[str] = []
        for word in text.split():
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and self.width_mm(longer, size=size, bold=bold) <= width_mm:
                lines[-1] = longer
            else:
                lines.append(word)
        return tuple(lines)


def open_typeface(font: Path | None = None) -> Typeface:
    """Return the typeface in a TrueType file; None for the one that comes along.

    Raises:
        InvalidRequest: it cannot be read, or is no TrueType font.
    """
    if font is None:
        return Typeface(*(_registered(each) for each in _OWN))
    try:
        name = _registered(str(font))
    except (TTFError, OSError) as error:
        raise InvalidRequest(f"Cannot use {font} as a font: {error}.") from error
    return Typeface(name, name)


@cache
def _registered(file: str) -> str:
    name = f"kit-{Path(file).stem}"
    pdfmetrics.registerFont(TTFont(name, file))
    return name
