"""What a field's ink shows beside its digits, once they are read: strokes through them, printed boxes around them.

```
PreparedField, Decoded ─ inspect_ink ─▶ InkSigns ─ judge
```
"""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Final

from core.types import Box
from forms.decoder import Decoded
from forms.reasons import AMENDED_OTHER, MIN_OTHER, TANGLED_OTHER, InkSigns
from segmentation.amending import is_amended
from segmentation.combs import ANY_CELLS, find_comb
from segmentation.crossing import crosses_side
from segmentation.intruders import has_inserted, is_covered, is_ringed
from segmentation.lattice import cut_field
from segmentation.rims import SIDES, WRITING, is_cut_off
from segmentation.strikes import find_strike
from segmentation.surroundings import Surroundings
from segmentation.tangles import has_tangle
from segmentation.unread import holds_writing
from worker.preparing import Drawn, PreparedField

OPEN: Final = 1 / 32
"""Of the field's height between a frame's interior and the field's edge, two pixels at least: it has no side there."""

FEW_DIGITS: Final = 2
SMALL: Final = 0.32
"""Of the field's height: so low are the letters that are printed in a comb's boxes, and few numbers. Only among these
a comb is looked for that nobody stated, since that takes longer than all the rest."""


def inspect_ink(field: PreparedField, decoded: Decoded, *, found: bool = False) -> InkSigns:
    """Return what the ink of a field shows beside the digits that were read in it.

    Args:
        field: as it was prepared.
        decoded: what was read in it.
        found: whether the field was found on a page, by where its writing ends.
    """
    cut_off = field.line is not None and not found and _is_cut_off(field, decoded)
    if not decoded.text:
        return InkSigns(cut_off=cut_off, unread=_is_written(field))
    if field.line is None or decoded.fused is None:
        return InkSigns(cut_off=cut_off)
    boxes = _boxes_around(field, decoded)
    certain = InkSigns(boxes=boxes, cut_off=cut_off, **_intruders(field, decoded))
    if decoded.other < MIN_OTHER:
        return certain
    if field.comb is not None:
        # Its printed lines run through everything, and enclose paper.
        return InkSigns(amended=decoded.other >= AMENDED_OTHER and is_amended(_around(field), field.comb))
    digits = _boxes_in(field.crop.box, decoded)
    tangle = decoded.other >= TANGLED_OTHER and has_tangle(field.line, digits)
    return replace(certain, strike=int(find_strike(field.line, digits)), tangle=tangle)


def _around(field: PreparedField) -> Surroundings:
    """Return the field on its page, or its picture alone where nobody knows the page."""
    return Surroundings(field.crop.pixels, _at_origin(field.crop.box)) if field.around is None else field.around()


def _intruders(field: PreparedField, decoded: Decoded) -> dict[str, bool]:
    """Return what changes the number without being one of its digits, by its name among `InkSigns`."""
    cutting = field.candidates
    if isinstance(cutting, Drawn):
        return {}
    digits = [box.scaled(cutting.scale) for box in _boxes_in(cutting.field, decoded)]
    height = median(digit.height for digit in digits)
    return {
        "ringed": is_ringed(cutting.components.ink, height),
        "inserted": has_inserted(cutting.components, digits),
        "covered": is_covered(field.crop.pixels, _boxes_in(field.crop.box, decoded)),
    }


def _is_written(field: PreparedField) -> bool:
    """Return whether something is written in the field, or in its comb once the printed lines are gone."""
    cutting = cut_field(field.crop) if isinstance(field.candidates, Drawn) else field.candidates
    return holds_writing(cutting.components)


def _is_cut_off(field: PreparedField, decoded: Decoded) -> bool:
    cutting = field.candidates
    if isinstance(cutting, Drawn):
        return False
    around = None
    if field.around is not None:
        # The interior of a frame, where there is one.
        around = replace(field.around(), field=cutting.field)
        if field.frame is not None and _crosses_frame(around, decoded):
            return True
    digits = _boxes_in(cutting.field, decoded)
    return is_cut_off(
        cutting.components, cutting.strength, cutting.scale, digits, sides=_open_sides(field), around=around
    )


def _crosses_frame(around: Surroundings, decoded: Decoded) -> bool:
    """Return whether writing leads over a side of the printed frame, whose interior is the field."""
    if decoded.digits:
        # Tails and caps that stick out above and below leave enough of a digit to know it.
        return crosses_side(around, around.field, median(digit.box.height for digit in decoded.digits), sides="lr")
    return crosses_side(around, around.field, WRITING * around.field.height, sides=SIDES)


def _open_sides(field: PreparedField) -> str:
    """Return the sides at which the writing may be cut: those where the field ends without a printed frame.

    Where the page tells, the frame's own sides are asked, too: who runs out of room writes on behind them.
    """
    frame, box = field.frame, field.crop.box
    if frame is None:
        return SIDES
    if field.around is not None:
        return "lr"
    ends = {"l": frame.x, "r": box.width - frame.right}
    return "".join(side for side, gap in ends.items() if gap <= max(2, OPEN * box.height))


def _at_origin(box: Box) -> Box:
    return replace(box, x=0, y=0)


def _boxes_in(area: Box, decoded: Decoded) -> Sequence[Box]:
    """Return the digits' boxes in pixels of an area of the page."""
    return [replace(digit.box, x=digit.box.x - area.x, y=digit.box.y - area.y) for digit in decoded.digits]


def _boxes_around(field: PreparedField, decoded: Decoded) -> int | None:
    """Return the number of boxes of a comb around a few small signs, in a field that need not have one."""
    height = median(digit.box.height for digit in decoded.digits)
    if field.kind.comb_cells or len(decoded.text) > FEW_DIGITS or height > SMALL * field.crop.box.height:
        return None
    comb = find_comb(field.crop.pixels, cells=ANY_CELLS)
    return None if comb is None else len(comb.cells)
