"""A field before the networks see it: its lattice of digits and its line.

```
FieldCrop ─ line (frame found, text band) ─▶ interior of the frame ─ comb or cuts ─▶ Lattice
```
"""

from dataclasses import dataclass, replace

from core.types import Box, FieldCrop, Lattice
from forms.field_types import field_type
from segmentation.comb_lattice import build_comb_lattice
from segmentation.combs import Comb, find_comb
from segmentation.lattice import build_lattice
from segmentation.line import Line, prepare_line


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
    return PreparedField(crop, build_lattice(inner), line if with_line else None)


def part_of(crop: FieldCrop, box: Box) -> FieldCrop:
    """Return the part of the field inside `box`, which is in pixels of the crop."""
    pixels = crop.pixels[box.y : box.y + box.height, box.x : box.x + box.width]
    return replace(crop, box=Box(crop.box.x + box.x, crop.box.y + box.y, box.width, box.height), pixels=pixels)
