"""A field before the networks see it: its lattice of digits and its line.

```
FieldCrop ─ line (frame found, text band) ─▶ interior of the frame ─ comb or cuts ─▶ Lattice
```
"""

from dataclasses import dataclass, replace
from typing import Final

from core.types import Box, FieldCrop, Lattice
from forms.field_types import field_type
from segmentation.comb_lattice import build_comb_lattice
from segmentation.combs import Comb, find_comb
from segmentation.lattice import build_lattice
from segmentation.line import Line, prepare_line

LOST_BELOW: Final = 0.25
"""Writing less tall than this share of its field would be a few pixels of the line."""

MARGIN: Final = 0.35
"""Paper left around such writing, as a share of its height: about what fields are cut with."""


@dataclass(frozen=True, slots=True)
class PreparedField:
    """A field, ready for the networks.

    Attributes:
        crop: the field.
        lattice: its candidates for digits, in pixels of the page.
        line: it as a line, in pixels of the crop; None where no line reader is asked.
        comb: the row of printed boxes that it was written into, where there is one.
    """

    crop: FieldCrop
    lattice: Lattice
    line: Line | None = None
    comb: Comb | None = None


def prepare_field(crop: FieldCrop, *, with_line: bool) -> PreparedField:
    """Return the field's lattice and, if asked for, its line."""
    cells = field_type(crop.type).comb_cells
    line = prepare_line(crop.pixels) if with_line or cells else None
    comb = find_comb(crop.pixels, cells=cells) if cells else None
    if comb is not None:
        return PreparedField(crop, build_comb_lattice(crop, comb), line if with_line else None, comb)
    inner = crop if line is None or line.frame is None else part_of(crop, line.frame)
    lattice = build_lattice(inner)
    if line is None or not with_line:
        return PreparedField(crop, lattice)
    return PreparedField(crop, lattice, _closer(inner, lattice, line))


def _closer(inner: FieldCrop, lattice: Lattice, line: Line) -> Line:
    """Return the line, taken from around the lattice's ink where the writing is lost on a large sheet."""
    boxes = [candidate.box for candidate in lattice.candidates]
    if line.frame is not None or not boxes:
        return line
    x, y = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.x + box.width for box in boxes), max(box.y + box.height for box in boxes)
    if bottom - y >= LOST_BELOW * inner.box.height:
        return line
    margin = max(4, round(MARGIN * (bottom - y)))
    left, top = max(0, x - inner.box.x - margin), max(0, y - inner.box.y - margin)
    around = Box(
        x=left,
        y=top,
        width=min(inner.box.width, right - inner.box.x + margin) - left,
        height=min(inner.box.height, bottom - inner.box.y + margin) - top,
    )
    near = prepare_line(part_of(inner, around).pixels)
    box = replace(near.box, x=near.box.x + around.x, y=near.box.y + around.y)
    return Line(near.pixels, box)


def part_of(crop: FieldCrop, box: Box) -> FieldCrop:
    """Return the part of the field inside `box`, which is in pixels of the crop."""
    pixels = crop.pixels[box.y : box.y + box.height, box.x : box.x + box.width]
    return replace(crop, box=Box(crop.box.x + box.x, crop.box.y + box.y, box.width, box.height), pixels=pixels)
