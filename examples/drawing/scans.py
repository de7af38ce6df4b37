"""The example scans: which drawings go into which files, and the truth about each.

Kept small: photographs of paper as JPEG, bilevel pages as CCITT G4, and only fields as PNG.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.types import Box
from examples.drawing import files
from examples.drawing.scenes import Background, DrawnField, DrawnPage, draw_cheque, draw_field, draw_form, draw_ledger

JPEG_QUALITY = 72
PDF_QUALITY = 55


@dataclass(frozen=True, slots=True)
class Truth:
    """What is written at one place of the scans: `type` is what to submit the file with, empty for none."""

    file: str
    page: int
    field: str
    type: str
    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class Scan:
    """One file and what it says."""

    name: str
    data: bytes
    truth: tuple[Truth, ...]


FIELDS: tuple[tuple[str, str, Background], ...] = (
    ("field-plain.png", "42020", Background.PLAIN),
    ("field-ruled.png", "1174", Background.RULED),
    ("field-boxed.png", "350864", Background.BOXED),
    ("field-comb.jpg", "90217", Background.COMB),
    ("field-security.jpg", "68350", Background.SECURITY),
    ("field-long.webp", "0123456789", Background.PLAIN),
)


def draw_scans(seed: int) -> Iterator[Scan]:
    """Yield the example scans, always the same for a seed."""
    for place, (name, text, background) in enumerate(FIELDS):
        yield _field(name, draw_field(text, seed=seed + place, background=background))
    form = ("4711", "90325", "128", "7042216", "3", "18650")
    yield _pages("form.jpg", [draw_form(form, seed=seed)])
    yield _pages("form-clinic.png", [draw_form(("60233", "5418"), seed=seed + 1, title="Clinic logbook")])
    yield _pages("cheque.jpg", [draw_cheque("42020", seed=seed)])
    yield _pages("cheques.pdf", [draw_cheque(amount, seed=seed + i) for i, amount in enumerate(("1750", "93600"), 1)])
    ledgers = (("1203", "99481", "640"), ("57702", "3318", "20"), ("8046", "715", "26439"))
    yield _pages("ledger.tiff", [draw_ledger(rows, seed=seed + i) for i, rows in enumerate(ledgers)])
    yield _pages("ledger.bmp", [draw_ledger(("5290", "8631"), seed=seed + 3)])


def _field(name: str, field: DrawnField) -> Scan:
    height, width = field.image.shape[:2]
    truth = Truth(name, 0, "field", "digits", field.text, Box(x=0, y=0, width=width, height=height))
    return Scan(name, _encode(name, [field]), (truth,))


def _pages(name: str, pages: list[DrawnPage]) -> Scan:
    truth = tuple(
        Truth(name, number, field.name, "", field.text, field.box)
        for number, page in enumerate(pages)
        for field in page.fields
    )
    return Scan(name, _encode(name, pages), truth)


def _encode(name: str, drawings: Sequence[DrawnField | DrawnPage]) -> bytes:
    """Return the drawings as the kind of file that the name's ending says."""
    pixels = [drawing.image for drawing in drawings]
    kind = name.rsplit(".", maxsplit=1)[-1]
    if kind == "tiff":
        return files.tiff([files.black_and_white(page) for page in pixels])
    if kind == "pdf":
        return files.pdf([files.as_image(page) for page in pixels], quality=PDF_QUALITY)
    if kind == "jpg":
        return files.encode(files.as_image(pixels[0]), "JPEG", quality=JPEG_QUALITY)
    if kind == "webp":
        return files.encode(files.as_image(pixels[0]), "WEBP", quality=JPEG_QUALITY)
    bilevel = isinstance(drawings[0], DrawnPage)
    picture = files.black_and_white(pixels[0]) if bilevel else files.as_image(pixels[0]).quantize(16)
    return files.encode(picture, kind.upper())
