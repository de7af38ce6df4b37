"""Which of several numbers the commas between its digits speak for.

```
Weighed ─ its likeliest numbers, each laid back ─ commas in the ink beside its digits ─▶ Weighed, other shares
```
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from core.types import Box
from forms.confidence import Calibration
from forms.decoder import Decoded
from forms.fusion import laid_out
from forms.grouping import grouping_log_weight
from forms.joint import LineView, Weighed, judged
from worker.number_ink import NumberInk
from worker.preparing import PreparedField

RIVALS: Final = 6
WORTH_ASKING: Final = 0.003
"""Share from which a proposal is laid back, too; so many have it at most."""


def regrouped(
    weighed: Weighed,
    line: LineView,
    field: PreparedField,
    *,
    lay: Callable[[Weighed], Decoded],
    calibration: Calibration,
) -> Weighed:
    """Return the proposals of a number, weighed by where the commas between their digits stand, too.

    Args:
        weighed: what lattice and line readers together hold for likeliest.
        line: what the line readers say.
        field: of any type; only what is counted with is grouped by commas.
        lay: lays the best proposal back onto the ink.
        calibration: turns the evidence into a probability.
    """
    fused = weighed.fused
    if fused is None or not field.kind.is_counted_with:
        return weighed
    rivals = [each for each in fused.proposals if each.allowed and each.text and each.share > WORTH_ASKING][:RIVALS]
    if len(rivals) < 2:
        return weighed
    layouts: dict[str, float] = {}
    ink: NumberInk | None = None
    for rival in rivals:
        others = (each for each in fused.proposals if each is not rival)
        laid = lay(replace(weighed, fused=replace(fused, proposals=(rival, *others))))
        boxes: list[Box] = [digit.box for digit in laid.digits]
        # Around the digits of the likeliest one, which all others share nearly all of.
        ink = ink or NumberInk(boxes, field.crop)
        layouts[rival.text] = grouping_log_weight(rival.text, boxes, ink.likely_commas(boxes), field.kind)
    return judged(weighed.edges, laid_out(fused, layouts), line, calibration)
