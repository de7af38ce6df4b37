"""What a field's rule did to its reading: the best string that it allows, the best without it, and what lies between.

```
Fused, or a lattice's edges ─ contrast ─▶ RuleContrast ─ policy ─▶ `rule_conflict` where strong ink was overruled
```

A check digit finds most misread digits. It also turns a number that was written wrongly into a wrong number that
passes, so whoever trusts the rule against clear ink is told.
"""

import math
from dataclasses import dataclass
from typing import Final

from forms.automaton import Automaton
from forms.beam_search import best_strings
from forms.fusion import ANYTHING, Fused
from forms.paths import NEVER, Edges, posteriors, string_log_weight
from forms.prefix_search import valid_weight

STRONG_MARGIN: Final = 2.0
"""Nats: ink that is seven times as likely as what the rule made of it is strong."""

CLEAR_SHARE: Final = 0.5
"""Of all there is to read: what is likelier than everything else together is no mere guess."""


@dataclass(frozen=True, slots=True)
class RuleContrast:
    """A reading under its rule, and without.

    Attributes:
        text: the best string that the rule allows; None where the evidence has none.
        share: its probability in 0..1 among all that the rule allows.
        free_text: the best string of all; `text` where nothing was overruled.
        free_share: its probability in 0..1 among all strings.
        margin: nats by which the evidence is for `free_text` rather than `text`; 0 where they are the same, infinite
            where no string is allowed.
    """

    text: str | None
    share: float
    free_text: str
    free_share: float
    margin: float

    @property
    def conflict(self) -> bool:
        """Whether strong ink was overruled."""
        return self.margin >= STRONG_MARGIN and self.free_share >= CLEAR_SHARE and self.free_text != ""


def contrast(fused: Fused) -> RuleContrast | None:
    """Return what the rule did to a field that lattice and line readers read together; None where nothing was read."""
    if not fused.proposals:
        return None
    free = max(fused.proposals, key=lambda each: each.share)
    best = next((each for each in fused.proposals if each.allowed), None)
    if best is None:
        return RuleContrast(None, 0.0, free.text, free.share, math.inf)
    margin = _log(free.share) - _log(best.share)
    return RuleContrast(best.text, best.share / max(fused.valid_share, 1e-300), free.text, free.share, margin)


def contrast_in_lattice(
    edges: Edges, automaton: Automaton, *, text: str | None, valid_share: float | None = None
) -> RuleContrast:
    """Return what the rule did to a lattice's reading.

    Args:
        edges: the lattice with its scores.
        automaton: of the strings that the field may hold.
        text: the likeliest of them; None where the lattice has none.
        valid_share: probability in 0..1 of all of them together, where it is known already.
    """
    total = edges.flow.log_total
    own = NEVER if text is None or total == NEVER else string_log_weight(edges, text) - total
    weight = math.exp(min(0.0, own))
    if automaton == ANYTHING:
        return RuleContrast(text, weight, text or "", weight, 0.0)
    valid = valid_weight(edges, automaton) if valid_share is None else valid_share
    share = weight / max(valid, weight, 1e-300)
    if text is not None and weight > CLEAR_SHARE:
        # Likelier than all others together: nothing was overruled.
        return RuleContrast(text, share, text, weight, 0.0)
    freely = best_strings(edges, ANYTHING, posteriors(edges, ANYTHING)) if total > NEVER else []
    if not freely or freely[0] == text:
        return RuleContrast(text, share, text or "", weight, 0.0)
    free = string_log_weight(edges, freely[0]) - total
    return RuleContrast(text, share, freely[0], math.exp(min(0.0, free)), max(0.0, free - own))


def _log(share: float) -> float:
    return math.log(share) if share > 0.0 else -math.inf
