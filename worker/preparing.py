"""A field before the networks see it: its lattice of digits and its line.

```
FieldCrop ─ line (frame found, text band) ─▶ interior of the frame ─ comb or cuts ─▶ candidates
```
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.types import Box, FieldCrop, Lattice
from forms.field_types import FieldType, field_type
from segmentation.comb_lattice import build_comb_lattice
from segmentation.combs import Comb, find_comb
from segmentation.lattice import Cutting, cut_field
from segmentation.line import Line, prepare_line
from segmentation.normalise import SIDE
from segmentation.prepare import widened
from segmentation.surroundings import Surroundings

LOST_BELOW: Final = 0.25
"""Writing less tall than this share of its field would be a few pixels of the line."""

AROUND_COMB: Final = 0.15
"""Heights of a comb's boxes that its line shows around them: writing sticks out."""

MARGIN: Final = 0.35
"""Paper left around such writing, as a share of its height: about what fields are cut with."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A lattice whose glyphs are made already: a comb's boxes are few."""

    whole: Lattice

    @property
    def count(self) -> int:
        """Number of candidates."""
        return len(self.whole.candidates)

    @property
    def is_blank(self) -> bool:
        """Whether there are no candidates."""
        return not self.count

    @property
    def single(self) -> NDArray[np.bool_]:
        """Which candidates are single pieces: shape (count,)."""
        return np.array([each.end == each.start + 1 for each in self.whole.candidates], np.bool_)

    def glyphs(self, chosen: Sequence[int]) -> NDArray[np.uint8]:
        """Return the glyphs of the `chosen` candidates: uint8, shape (len(chosen), 28, 28)."""
        glyphs = [self.whole.candidates[each].glyph for each in chosen]
        return np.array(glyphs, np.uint8).reshape(-1, SIDE, SIDE)

    def lattice(self, chosen: Sequence[int], glyphs: NDArray[np.uint8]) -> Lattice:  # noqa: ARG002 - as Cutting has it
        """Return the lattice, whatever is chosen."""
        return self.whole


@dataclass(frozen=True, slots=True)
class PreparedField:
    """A field, ready for the networks.

    Attributes:
        crop: the field.
        kind: what it may hold.
        candidates: its candidates for digits.
        line: it as a line, in pixels of the crop; None where no line reader is asked.
        comb: the row of printed boxes that it was written into, where there is one.
        around: gives it on its page, where that tells whether its edge cuts writing off, or a comb was amended.
    """

    crop: FieldCrop
    kind: FieldType
    candidates: Cutting | Drawn
    line: Line | None = None
    comb: Comb | None = None
    around: Callable[[], Surroundings] | None = None

    @property
    def frame(self) -> Box | None:
        """The interior of the frame printed around the writing, in pixels of the crop, where there is one."""
        return None if self.line is None else self.line.frame


def prepare_field(
    crop: FieldCrop,
    *,
    with_line: bool,
    kind: FieldType | None = None,
    as_it_came: FieldCrop | None = None,
    around: Callable[[], Surroundings] | None = None,
) -> PreparedField:
    """Return the field's candidates for digits and, if asked for, its line.

    Args:
        crop: the field.
        with_line: whether line readers will see it.
        kind: what it may hold; None takes the type of the crop's name for it.
        as_it_came: the same field with its print, where that was taken out of `crop`: a comb is sought there.
        around: gives the field on its page, where nothing was taken out of it, or a comb is sought.
    """
    kind = kind or field_type(crop.type)
    cells = kind.comb_cells
    comb = find_comb((as_it_came or crop).pixels, cells=cells) if cells else None
    if comb is not None:
        row = _line_of(crop, comb) if with_line else None
        return PreparedField(crop, kind, Drawn(build_comb_lattice(crop, comb)), row, comb, around)
    if as_it_came is not None:
        # Beside the comb that is not there, what the page shows is not what the crop does.
        around = None
    line = prepare_line(crop.pixels) if with_line or cells else None
    inner = crop if line is None or line.frame is None else part_of(crop, line.frame)
    cutting = cut_field(inner)
    if line is None or not with_line:
        return PreparedField(crop, kind, cutting)
    return PreparedField(crop, kind, cutting, _closer(inner, cutting.around, line), around=around)


def _line_of(crop: FieldCrop, comb: Comb) -> Line:
    """Return the line of the comb alone: print above and below it would be taken for writing."""
    x, y = min(cell.x for cell in comb.cells), min(cell.y for cell in comb.cells)
    right = max(cell.right for cell in comb.cells)
    bottom = max(cell.bottom for cell in comb.cells)
    return _part_line(crop, _with_margin(Box(x, y, right - x, bottom - y), round(AROUND_COMB * (bottom - y)), crop))


def _part_line(crop: FieldCrop, part: Box) -> Line:
    """Return the line of a part of the field, in pixels of the field."""
    line = prepare_line(part_of(crop, part).pixels)
    return Line(line.pixels, replace(line.box, x=line.box.x + part.x, y=line.box.y + part.y))


def _closer(inner: FieldCrop, ink: Box | None, line: Line) -> Line:
    """Return the line, taken from around the ink where the writing is lost on a large sheet."""
    if line.frame is not None or ink is None:
        return line
    if ink.height >= LOST_BELOW * inner.box.height:
        return line
    margin = max(4, round(MARGIN * ink.height))
    own = replace(ink, x=ink.x - inner.box.x, y=ink.y - inner.box.y)
    return _part_line(inner, _with_margin(own, margin, inner))


def _with_margin(part: Box, margin: int, crop: FieldCrop) -> Box:
    return widened(part, across=margin, down=margin, width=crop.box.width, height=crop.box.height)


def part_of(crop: FieldCrop, box: Box) -> FieldCrop:
    """Return the part of the field inside `box`, which is in pixels of the crop."""
    pixels = crop.pixels[box.slices]
    return replace(crop, box=Box(crop.box.x + box.x, crop.box.y + box.y, box.width, box.height), pixels=pixels)
