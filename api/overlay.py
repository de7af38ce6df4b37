"""What was found on a page, drawn as SVG from the stored reading: text only, no pixels, nothing from outside.

Colours and widths are attributes, not styles, since the content security policy allows no inline style. The page's
picture may lie below as an image under a relative address of the same service.
"""

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from core.types import Box, DigitReading, FieldReading, PageReading

MEDIA_TYPE = "image/svg+xml"

ACCEPTED_COLOUR = "#1a7f37"
REVIEW_COLOUR = "#b35900"
DIGIT_COLOUR = "#0969da"

LABEL_SHARE = 0.5
"""Height of a label as a share of its field's height."""

MIN_LABEL_SHARE = 1 / 60
"""Height of a label as a share of the page's shorter side, at least: readable when the page is shown whole."""


def draw_overlay(page: PageReading, *, scan_url: str | None = None) -> str:
    """Return an SVG document of the page's size in pixels, with a box around each field and digit.

    Args:
        page: the reading.
        scan_url: relative address of the page's picture, to lie below; None for the boxes alone.
    """
    width, height = max(1, page.width), max(1, page.height)
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title description">',
        f'<title id="title">Page {page.index + 1}: what was read</title>',
        f'<desc id="description">{escape(_description(page))}</desc>',
        *_scan(scan_url, width, height),
        *(line for field in page.fields for line in _field(field, min(width, height) * MIN_LABEL_SHARE)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _description(page: PageReading) -> str:
    if page.failure is not None:
        return page.failure.message
    return " ".join(f"{_sentence(field)}." for field in page.fields) or "No numbers were found."


def _sentence(field: FieldReading) -> str:
    reading = _legal(field.text) or "empty"
    doubt = "" if field.accepted else f", to be looked at: {', '.join(field.review_reasons) or 'not accepted'}"
    return f"{_legal(field.name)}: {reading}, confidence {field.confidence:.1%}{doubt}"


def _scan(url: str | None, width: int, height: int) -> Iterator[str]:
    if url is not None:
        yield f'<image href={quoteattr(url)} width="{width}" height="{height}" preserveAspectRatio="none"/>'


def _field(field: FieldReading, min_label: float) -> Iterator[str]:
    colour = ACCEPTED_COLOUR if field.accepted else REVIEW_COLOUR
    label = max(min_label, field.box.height * LABEL_SHARE)
    yield f"<g><title>{escape(_sentence(field))}</title>"
    yield _rectangle(field.box, colour, width=3)
    for digit in field.digits:
        yield from _digit(digit)
    if field.text:
        # Above the field, or inside where the field touches the page's upper edge.
        y = field.box.y - label * 0.2 if field.box.y > label * 1.2 else field.box.y + label
        yield (
            f'<text x="{field.box.x}" y="{y:.1f}" font-family="monospace" font-weight="bold" font-size="{label:.1f}" '
            f'fill="{colour}" stroke="#ffffff" stroke-width="{label / 8:.1f}" paint-order="stroke">'
            f"{escape(_legal(field.text))}</text>"
        )
    yield "</g>"


def _digit(digit: DigitReading) -> Iterator[str]:
    yield f"<g><title>{escape(_legal(digit.char))}, confidence {digit.confidence:.1%}</title>"
    yield _rectangle(digit.box, DIGIT_COLOUR, width=1)
    yield "</g>"


def _rectangle(box: Box, colour: str, *, width: int) -> str:
    return (
        f'<rect x="{box.x}" y="{box.y}" width="{max(0, box.width)}" height="{max(0, box.height)}" '
        f'fill="{colour}" fill-opacity="0.05" stroke="{colour}" stroke-width="{width}" '
        'vector-effect="non-scaling-stroke"/>'
    )


def _legal(text: str) -> str:
    """Return `text` without the control characters that XML forbids."""
    return "".join(char for char in text if char in "\t\n\r" or char >= " ")
