"""A probability that means what it says, and from where on a reading is accepted.

A logistic model turns what the readers say of a string into the log odds that it is right as a whole. It is fitted to
fields without a number, too, so that these get low ones, and leaves numbers too sure or not sure enough: a bent line,
fitted to numbers alone, straightens that and leaves their order as it is. The
threshold for a target error comes from labelled fields that nothing was learnt from: the lowest one above which the
error, by the exact binomial test (Clopper and Pearson 1934), stays below the target, for selection with guaranteed
risk (Geifman and El-Yaniv 2017), searched by fixed sequence testing (Angelopoulos et al. 2021).
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Final

from forms.fusion import Fused, FusionWeights

FEATURES: Final = ("share", "valid", "lines", "lattice", "agree", "other", "length", "short")
"""What the model weighs, see `features`."""

PROBABILITIES: Final = frozenset({"valid", "lines", "lattice"})
"""Those of them that are logarithms of probabilities."""

LOGLOG_FLOOR: Final = 0.01
"""Added to minus the logarithm of a probability before its logarithm is taken: what is surer than that is all one."""

UNSEEN_LATTICE: Final = -0.3
"""Log probability by the lattice that is assumed where only line readers were asked. Of fields that leave these no
doubt three in four have more."""

MAX_LOGIT: Final = 9.0
BEND: Final = 2.0
"""Log odds of the logistic model at which its straightening bends."""

TOP: Final = 4.0
FLATTER: Final = 0.2
"""Beyond these log odds it is so much flatter: labelled fields show no difference there, and the order stays."""

DOUBT: Final = 0.05
"""The bound holds with at least this probability short of one."""

BINS: Final = 15
"""Of the calibration error."""

NOTHING_ACCEPTED: Final = 1.01
"""Threshold above every confidence."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How evidence becomes a probability, and the labelled fields that show what a probability is worth.

    Attributes:
        fusion: weights of the readers.
        by_type: others for fields of a type, whose lattices deserve more trust or less.
        intercept: of the logistic model.
        coefficients: of `FEATURES`.
        straightening: what is added to its log odds, what they are multiplied with, and how much more from `BEND` on;
            empty where they stay as they are.
        loglog: whether the model weighs probabilities p as -log(-log p) rather than as log p: what is nearly sure is
            told apart, and very improbable readings are all much alike. Files of earlier versions do not.
        confidences: of the labelled fields, highest first, cut to five decimals.
        right: 1 for each that was read right, in the same order.
        data: what they were, for people.
    """

    fusion: FusionWeights
    intercept: float
    coefficients: tuple[float, ...]
    by_type: dict[str, FusionWeights] = field(default_factory=dict)
    straightening: tuple[float, ...] = ()
    loglog: bool = False
    confidences: tuple[float, ...] = ()
    right: tuple[int, ...] = ()
    data: tuple[str, ...] = ()

    def weights(self, type_name: str) -> FusionWeights:
        """Return the readers' weights for fields of that type."""
        return self.by_type.get(type_name, self.fusion)

    def confidence(self, values: Sequence[float]) -> float:
        """Return the probability in 0..1 that a reading with these features is right as a whole."""
        return as_confidence(self.logit(values))

    def logit(self, values: Sequence[float]) -> float:
        """Return the log odds, without bounds, that a reading with these features is right as a whole."""
        odds = self.intercept + sum(a * b for a, b in zip(self.coefficients, self.weighed(values), strict=True))
        if not self.straightening:
            return odds
        shift, *slopes = self.straightening
        return shift + sum(a * b for a, b in zip(slopes, bent(odds), strict=True))

    def weighed(self, values: Sequence[float]) -> tuple[float, ...]:
        """Return the features as the coefficients weigh them."""
        if not self.loglog:
            return tuple(values)
        return tuple(
            -math.log(LOGLOG_FLOOR - value) if name in PROBABILITIES else value
            for name, value in zip(FEATURES, values, strict=True)
        )

    def moved(self, shift: float, stretch: float) -> "Calibration":
        """Return the same with log odds that are stretched by so much, then shifted; so are those of its fields."""
        stored = tuple(stored_confidence(as_confidence(shift + stretch * _log_odds(each))) for each in self.confidences)
        if self.straightening:
            first, *slopes = self.straightening
            straightening = (shift + stretch * first, *(stretch * slope for slope in slopes))
            return replace(self, straightening=straightening, confidences=stored)
        coefficients = tuple(stretch * value for value in self.coefficients)
        intercept = shift + stretch * self.intercept
        return replace(self, intercept=intercept, coefficients=coefficients, confidences=stored)

    def threshold(self, target_error: float) -> float:
        """Return the confidence from which readings are accepted, so that at most `target_error` of them are wrong.

        Above every confidence where the labelled fields cannot show it. So many of the surest fields are accepted as
        pass a test, one more each time, from as many on as it takes to pass without an error: as long as each one is
        tested only where the one before passed, all together fail no more often than one (fixed sequence testing). A
        sequence begins again at twice as many fields, lest one error among the surest ends it; they share the doubt.
        Fields that are equally sure are accepted together or not at all, since no threshold tells them apart.
        """
        count = len(self.confidences)
        needed = fields_needed(target_error)
        if count < needed:
            return NOTHING_ACCEPTED
        doubt = DOUBT / (1 + int(math.log2(count / needed)))
        wrong = list(accumulate((1 - each for each in self.right), initial=0))
        ends = [end for end in range(1, count) if self.confidences[end] < self.confidences[end - 1]] + [count]
        best, start = 0, fields_needed(target_error, doubt=doubt)
        while start <= count:
            for accepted in ends[bisect_left(ends, max(start, best)) :]:
                if _at_most(wrong[accepted], accepted, target_error) > doubt:
                    break
                best = accepted
            start *= 2
        return self.confidences[best - 1] if best else NOTHING_ACCEPTED


def as_confidence(odds: float) -> float:
    """Return the probability that log odds stand for; beyond `MAX_LOGIT` nothing is surer."""
    return 1.0 / (1.0 + math.exp(-max(-MAX_LOGIT, min(MAX_LOGIT, odds))))


def stored_confidence(confidence: float) -> float:
    """Return a labelled field's confidence as a file holds it: never above what a reading like it has."""
    return math.floor(confidence * 1e5) / 1e5


def _log_odds(confidence: float) -> float:
    bounded = min(max(confidence, as_confidence(-MAX_LOGIT)), as_confidence(MAX_LOGIT))
    return math.log(bounded) - math.log1p(-bounded)


def bent(odds: float) -> tuple[float, float]:
    """Return log odds, flatter beyond `TOP`, and how far they are beyond `BEND`."""
    flattened = min(odds, TOP + FLATTER * (odds - TOP))
    return flattened, max(flattened - BEND, 0.0)


def features(fused: Fused, *, other: float) -> tuple[float, ...]:
    """Return what the model weighs of the best proposal, in the order of `FEATURES`.

    Args:
        fused: at least one proposal.
        other: how surely something in the field is no digit, in 0..1.

    The readers' probabilities count as they are once it is known how each proposal's digits would stand.
    """
    best = fused.proposals[0]
    valid = max(fused.valid_share, 1e-9)
    share = min(max(best.share / valid, 1e-9), 1.0)
    return (
        min(MAX_LOGIT, math.log(share) - math.log(max(1.0 - share, math.exp(-MAX_LOGIT)))),
        max(-MAX_LOGIT, math.log(valid)),
        max(-MAX_LOGIT, _as_laid_out(fused, [each.lines for each in fused.proposals])),
        max(-MAX_LOGIT, _as_laid_out(fused, [each.lattice for each in fused.proposals])),
        1.0 if fused.agree else 0.0,
        other,
        float(len(best.text)),
        1.0 if len(best.text) == 1 else 0.0,
    )


def _as_laid_out(fused: Fused, log_probabilities: Sequence[float]) -> float:
    """Return a reader's log probability of the best proposal, once it knows how each proposal's digits would stand.

    What it holds for likely besides all proposals stays as it is.
    """
    if not any(each.layout for each in fused.proposals):
        return log_probabilities[0]
    told = [math.exp(log + each.layout) for log, each in zip(log_probabilities, fused.proposals, strict=True)]
    rest = max(0.0, 1.0 - sum(map(math.exp, log_probabilities)))
    return math.log(max(told[0], math.exp(-MAX_LOGIT)) / max(sum(told) + rest, math.exp(-MAX_LOGIT)))


def features_at_a_glance(log_probability: float, *, other: float, length: int) -> tuple[float, ...]:
    """Return `FEATURES` of a string that line readers alone were asked for: theirs is the share, and nobody agrees.

    Of the lattice, which was not asked, no more is assumed than it mostly says of such fields.

    Args:
        log_probability: of the string.
        other: how surely something in the field is no digit, in 0..1.
        length: of the string.
    """
    share = log_probability - math.log(max(-math.expm1(log_probability), math.exp(-MAX_LOGIT)))
    return min(MAX_LOGIT, share), 0.0, log_probability, UNSEEN_LATTICE, 0.0, other, float(length), float(length == 1)


def bin_of(confidence: float) -> int:
    """Return which of `BINS` bins of equal width a confidence falls into."""
    return min(int(confidence * BINS), BINS - 1)


def calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Return the expected calibration error: confidence against accuracy over bins, weighed by their sizes."""
    gaps = [0.0] * BINS
    for confidence, is_right in zip(confidences, right, strict=True):
        gaps[bin_of(confidence)] += is_right - confidence
    return sum(map(abs, gaps)) / max(len(right), 1)


def upper_bound(wrong: int, count: int, *, doubt: float = DOUBT) -> float:
    """Return the largest error rate under which `wrong` or fewer of `count` happen with probability `doubt`.

    The upper bound of Clopper and Pearson (1934), one-sided.
    """
    if wrong >= count:
        return 1.0
    low, high = wrong / count, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(wrong, count, middle) > doubt else (low, middle)
    return high


def exceeds(rate: float, *, wrong: int, count: int, doubt: float = DOUBT) -> bool:
    """Return whether at an error of `rate` so many wrong ones of `count` have less than that probability."""
    return wrong > 0 and 1.0 - _at_most(wrong - 1, count, rate) < doubt


def fields_needed(target_error: float, *, doubt: float = DOUBT) -> int:
    """Return how many accepted fields, all of them right, it takes to show `target_error`."""
    return math.ceil(math.log(doubt) / math.log1p(-target_error))


def _at_most(wrong: int, count: int, rate: float) -> float:
    """Return the probability that at most `wrong` of `count` happen at `rate` each."""
    if rate >= 1.0:
        return 0.0
    if rate <= 0.0:
        return 1.0
    logs = [
        math.lgamma(count + 1)
        - math.lgamma(each + 1)
        - math.lgamma(count - each + 1)
        + each * math.log(rate)
        + (count - each) * math.log1p(-rate)
        for each in range(wrong + 1)
    ]
    highest = max(logs)
    return math.exp(highest) * sum(math.exp(each - highest) for each in logs)
