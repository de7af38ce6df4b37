"""Why a person should look at a field beside its confidence: what the ink shows, what the readers are torn between.

```
Decoded ─┬─ cut_is_ambiguous ─▶ ambiguous_cut
InkSigns ┴─ is_void, is_overwritten, holds_no_digit, misses_boxes ─▶ void, overwritten, not_a_digit, comb_misfit
digits ──── widest_gap, stand_in_rows ─▶ several_numbers
no digits ─ is_surely_empty ─▶ low_confidence
```

What the ink shows is measured by the segmentation; here it is weighed against what the line readers say. Strokes that
look alike by themselves, the bar of a 7 and one that strikes a number out, are told apart by how surely something in
the field is no digit.
"""

from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from core.types import Box
from forms.decoder import Decoded
from forms.fusion import Fused
from forms.spacing import gaps_between

CLEAR: Final = 2
FAINT: Final = 1

STRUCK_OTHER: Final = {CLEAR: 0.0002, FAINT: 0.01}
"""From this probability on that something is no digit, a stroke of that clearness through all digits strikes them out.
Of 4,053 otherwise accepted numbers of ORAND's and Meza's training parts, which nobody struck out, 16 have both."""

TANGLED_OTHER: Final = 0.004
"""The same for a digit with more strokes and loops than one sign has: security print encloses paper, too."""

AMENDED_OTHER: Final = 0.0005
"""The same for a comb right above or below which a digit stands by itself: it may replace one that was struck out. Of
264 drawn ones 57 were accepted as they had been, and 6 still are. No such digit is seen at 700 drawn dates as
they are, nor at the first half of IDRBT's, half of which have as much."""

MIN_OTHER: Final = min(*STRUCK_OTHER.values(), TANGLED_OTHER)
"""Below, nothing that the ink shows speaks against the number, so it need not be looked for."""

STRANGER_OTHER: Final = 0.02
STRANGER_GARBAGE: Final = 0.3
"""One sign in a comb is no digit where the line readers give so much to that, and over all signs the glyph network too.
From `policy.MAX_OTHER` on the field as a whole is no number."""

RIVAL_SHARE: Final = 1 / 3
"""Of the best proposal's share, from which on a proposal of another length is a rival."""

BARS_OTHER: Final = 0.0119
"""From here on a number of nothing but 1s may be commas, quotes or the sides of a frame: few real ones reach it."""

UNEVEN_BARS_OTHER: Final = 0.002
UNEVEN: Final = 0.75
"""The same for 1s of which the shortest has less than this share of the longest one's height: real ones match."""

APART: Final = 2.0
APART_OF_OTHERS: Final = 2.5
"""Heights of a digit, and widths of the middle gap between the others, from which a gap parts two numbers. In 1,795
numbers of ORAND, Meza and IDRBT's amounts that were read right and accepted the widest gap has 1.6 heights."""

SAME_ROW: Final = 0.1
"""Of the lower digit's height, neighbours stand beside each other with more than that; in those numbers with 0.47."""

DEGREE: Final = 0.5
RAISED: Final = 0.6
"""Heights of the other digits that a last sign is tall at most, and below their tops ends at the lowest, where it is a
degree sign. Raised cents are two."""

LIKE_G: Final = "89"
LOW: Final = 0.25
HANGING: Final = 0.2
"""Heights of the other digits by which a last digit begins lower than the two before, and hangs below their feet, where
it is a g. Of 3,840 accepted numbers of ORAND's and Meza's training parts five have such an 8 or 9, four such a 0."""

DITTO: Final = 0.36
"""Of the field's height, 1s that are all lower may be ditto marks: six of those numbers."""

MAX_FLAT: Final = 3.0
"""Heights that no sign of a number is wide: a frame or ruling line was taken for a 1."""


@dataclass(frozen=True, slots=True)
class InkSigns:
    """What a field's ink shows beside its digits.

    Attributes:
        strike: 0, or how clearly a stroke goes through all digits: `FAINT` or `CLEAR`.
        tangle: whether a digit has more strokes and loops than one sign can have.
        boxes: number of printed boxes in a field that need not have any; None where none are seen.
        cut_off: whether the number may go on beyond the field's edge.
        unread: whether ink as tall as writing stands in a field in which nothing was read.
        amended: whether a digit stands by itself right above or below a comb.
        inserted: whether a small sign like a digit stands by itself above the number.
        covered: whether a dark patch lies on or beside it.
        ringed: whether a sign stands inside a loop of other ink.
    """

    strike: int = 0
    tangle: bool = False
    boxes: int | None = None
    cut_off: bool = False
    unread: bool = False
    amended: bool = False
    inserted: bool = False
    covered: bool = False
    ringed: bool = False


NOTHING: Final = InkSigns()


def is_void(decoded: Decoded, signs: InkSigns) -> bool:
    """Return whether the number was struck out."""
    return signs.strike > 0 and decoded.other >= STRUCK_OTHER[signs.strike]


def is_overwritten(decoded: Decoded, signs: InkSigns) -> bool:
    """Return whether a digit was written over or beside another one, or covered, in a number not struck out."""
    if signs.inserted or signs.covered:
        return True
    if signs.amended and decoded.other >= AMENDED_OTHER:
        return True
    return signs.tangle and decoded.other >= TANGLED_OTHER and not is_void(decoded, signs)


def cut_is_ambiguous(fused: Fused | None) -> bool:
    """Return whether a string of another length is nearly as likely as the best: there are two ways to part the ink."""
    if fused is None or not fused.proposals or not fused.proposals[0].allowed:
        return False
    best = fused.proposals[0]
    return any(
        each.allowed and each.text and len(each.text) != len(best.text) and each.share >= RIVAL_SHARE * best.share
        for each in fused.proposals[1:]
    )


def is_surely_empty(fused: Fused | None, *, least: float) -> bool:
    """Return whether the readers, where they were asked, hold a field in which nothing was read for empty.

    Args:
        fused: what they propose; None, or without proposals, where there was nothing to ask them about.
        least: the share of all proposals from which on they are sure.
    """
    if fused is None or not fused.proposals:
        return True
    return sum(each.share for each in fused.proposals if not each.text) >= least


def holds_no_digit(decoded: Decoded, *, in_boxes: bool = False) -> bool:
    """Return whether one of the signs is none: a letter, a mark like a 1, a line wider than any digit, a unit."""
    # In a comb each box is looked at by itself; elsewhere what was cut wrongly looks like no digit, too.
    garbage = (1.0 - decoded.digit_share) * len(decoded.text)
    if in_boxes and decoded.other >= STRANGER_OTHER and garbage >= STRANGER_GARBAGE:
        return True
    if any(digit.box.width > MAX_FLAT * digit.box.height for digit in decoded.digits):
        return True
    return _may_be_marks(decoded) or (not in_boxes and ends_with_unit(decoded))


def ends_with_unit(decoded: Decoded) -> bool:
    """Return whether the last digit stands like a degree sign, small and raised by itself, or like a g, hanging."""
    boxes = [digit.box for digit in decoded.digits]
    if len(boxes) < 2:
        return False
    *others, last = boxes
    height, top = median(box.height for box in others), median(box.y for box in others)
    small = [box.height <= DEGREE * height for box in boxes[-2:]]
    if small == [False, True] and last.bottom - top <= RAISED * height:
        return True
    before = others[-2:]
    drop, hangs = last.y - median(box.y for box in before), last.bottom - median(box.bottom for box in before)
    return decoded.text[-1] in LIKE_G and drop >= LOW * height and hangs >= HANGING * height


def are_ditto(decoded: Decoded, field: Box) -> bool:
    """Return whether nothing but 1s stand in a field, all so low that they may say "the same as above"."""
    return (
        len(decoded.text) > 1
        and set(decoded.text) == {"1"}
        and max(digit.box.height for digit in decoded.digits) < DITTO * field.height
    )


def widest_gap(decoded: Decoded) -> int | None:
    """Return before which digit the number is parted by a gap that is far wider than all others; None without one."""
    boxes = [digit.box for digit in decoded.digits]
    # Zeros behind a comma are often half as tall as what is before it.
    height = max(median(box.height for box in boxes), max(box.height for box in boxes) / 2)
    gaps = gaps_between(boxes)
    if not gaps or max(gaps) < APART * height:
        return None
    place = gaps.index(max(gaps))
    others = gaps[:place] + gaps[place + 1 :]
    return place + 1 if not others or gaps[place] >= APART_OF_OTHERS * median(others) else None


def stand_in_rows(decoded: Decoded) -> bool:
    """Return whether neighbouring digits stand one below the other."""
    return any(_shared_rows(before.box, after.box) <= SAME_ROW for before, after in pairwise(decoded.digits))


def _shared_rows(one: Box, other: Box) -> float:
    """Return which share of the lower digit's rows both have."""
    rows = min(one.bottom, other.bottom) - max(one.y, other.y)
    return rows / max(1, min(one.height, other.height))


def _may_be_marks(decoded: Decoded) -> bool:
    """Return whether strokes side by side, each like a 1, are no number by what the line readers make of them."""
    if len(decoded.text) < 2 or set(decoded.text) != {"1"}:
        return False
    heights = [digit.box.height for digit in decoded.digits]
    uneven = min(heights) <= UNEVEN * max(heights)
    return decoded.other >= (UNEVEN_BARS_OTHER if uneven else BARS_OTHER)
