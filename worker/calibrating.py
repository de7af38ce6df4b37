"""Labelled fields to a calibration: how much each reader's word counts, and what a confidence is worth.

The readers' weights make the true strings likely among the proposals; the logistic model is fitted to what was read
right. Both are fitted on folds, and so is what moves a calibration to other fields, so that every confidence that a
threshold is taken from belongs to a field that had no part in it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from forms.confidence import Calibration, as_confidence, bent, features, stored_confidence
from forms.fusion import Fused, FusionWeights, Proposal, fused_scores, fused_shares, ranked
from worker.pipeline import Reader, ReadRequest

FOLDS: Final = 5
RIDGE: Final = 0.5
"""Weight of the coefficients' squares: few fields must not make them extreme."""

ENOUGH: Final = 12
"""A type with fewer labelled fields is weighed as all together are."""

PLENTY: Final = 200
ANCHOR: Final = 4.0
"""Pulls the weights of a type with fewer fields towards everybody's: twenty amounts alone would make it too sure."""

FLATTEST: Final = 0.05
"""Log odds that were straightened rise by no less than this for each one of before: no order is turned."""

SEARCHED: Final = ("lattice", "lines", "lattice_floor", "lines_floor", "digit")


@dataclass(frozen=True, slots=True)
class LabelledField:
    """A picture of a field with its truth.

    Attributes:
        name: for people.
        data: the file's bytes.
        text: its digits; empty where it holds no number.
        type_name: how to read it.
        group: fields of one group, a writer or a part of a collection, stay in one fold.
        collection: each collection counts alike, however many fields it has.
    """

    name: str
    data: bytes
    text: str
    type_name: str
    group: str
    collection: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the readers said of a labelled field."""

    field: LabelledField
    fused: Fused
    other: float


def collect(
    reader: Reader, fields: Iterable[LabelledField], *, on_field: Callable[[], None] | None = None
) -> list[Evidence]:
    """Return what the readers say of each field; one that cannot be decoded, or holds no ink, says nothing."""
    found: list[Evidence] = []
    for field in fields:
        try:
            page = reader.decode_page(field.data, 0)
        except InputError:
            continue
        _, decoded, _ = reader.decode_fields(page, request=ReadRequest(field.type_name, thorough=True))
        found += [Evidence(field, each.fused, each.other) for each in decoded if each.fused and each.fused.proposals]
        if on_field:
            on_field()
    return found


def calibrate(evidence: Sequence[Evidence]) -> tuple[Calibration, list[tuple[str, float]]]:
    """Return the calibration of all evidence, and each field's text and confidence by the folds it was not in."""
    folds = _folds(evidence)
    weights = _balance(evidence)
    judged: list[tuple[str, float]] = [("", 0.0)] * len(evidence)
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if not len(outside) or not len(inside):
            continue
        fitted = _fit([evidence[index] for index in inside.tolist()], weights[inside])
        for index in outside.tolist():
            again = refused(evidence[index].fused, fitted.weights(evidence[index].field.type_name))
            confidence = fitted.confidence(features(again, other=evidence[index].other))
            judged[index] = (again.proposals[0].text, confidence)
    # The threshold is for numbers: how many words there are among the fields says nothing of a caller's, and a field
    # that is read as empty is not accepted by it.
    numbers = [
        (confidence, text == one.field.text)
        for (text, confidence), one in zip(judged, evidence, strict=True)
        if one.field.text and text
    ]
    return _shown_by(_fit(evidence, weights), numbers, evidence), judged


def recalibrate(
    evidence: Sequence[Evidence], known: Calibration, *, keep: bool = False
) -> tuple[Calibration, list[tuple[str, float]]]:
    """Return `known` shifted and stretched to other fields, and each one's text and confidence by folds it was not in.

    Args:
        evidence: what the readers say of the other fields; a few hundred are enough.
        known: the calibration to move.
        keep: whether thresholds come from the fields of `known`, moved likewise, and the other ones together, rather
            than from the others alone.
    """
    fused = [refused(each.fused, known.weights(each.field.type_name)) for each in evidence]
    odds = np.array([known.logit(features(each, other=one.other)) for each, one in zip(fused, evidence, strict=True)])
    right = np.array([each.proposals[0].text == one.field.text for each, one in zip(fused, evidence, strict=True)])
    folds = _folds(evidence)
    confidences = np.zeros(len(evidence))
    for fold in range(FOLDS):
        outside = folds == fold
        shift, stretch = _move(odds[~outside], right[~outside])
        confidences[outside] = [as_confidence(each) for each in (shift + stretch * odds[outside]).tolist()]
    moved = known.moved(*_move(odds, right))
    rows = list(zip(confidences.tolist(), right.tolist(), strict=True))
    kept = [(sure, bool(is_right)) for sure, is_right in zip(moved.confidences, moved.right, strict=True)]
    # What is read as empty is not accepted by a threshold.
    numbers = [row for each, row in zip(fused, rows, strict=True) if each.proposals[0].text]
    shown = _shown_by(moved, [*numbers, *kept] if keep else numbers, evidence)
    if keep:
        shown = replace(shown, data=tuple(sorted({*known.data, *shown.data})))
    return shown, [(each.proposals[0].text, sure) for each, (sure, _) in zip(fused, rows, strict=True)]


def _move(odds: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[float, float]:
    """Return by how much to shift and stretch log odds; by nothing where nothing is known."""
    # Near (0, 1) where little is known: the ridge pulls towards the confidence as it is.
    shift, stretch = logistic(odds[:, None], right, np.ones(len(right)), prior=np.array([0.0, 1.0])).tolist()
    return shift, stretch


def _shown_by(
    calibration: Calibration, judged: Iterable[tuple[float, bool]], evidence: Sequence[Evidence]
) -> Calibration:
    """Return the calibration with the fields that its thresholds come from: confidence, and whether it was right."""
    surest_first = sorted(judged, key=lambda row: -row[0])
    return replace(
        calibration,
        confidences=tuple(stored_confidence(confidence) for confidence, _ in surest_first),
        right=tuple(int(right) for _, right in surest_first),
        data=tuple(sorted({each.field.collection for each in evidence})),
    )


def refused(fused: Fused, weights: FusionWeights) -> Fused:
    """Return the same proposals weighed otherwise."""
    lattice, lines, lengths, layout = (
        np.array(column)
        for column in zip(
            *((each.lattice, each.lines, len(each.text), each.layout) for each in fused.proposals), strict=True
        )
    )
    shares = fused_shares(lattice, lines, lengths, weights, layout)
    again = (replace(each, share=share) for each, share in zip(fused.proposals, shares.tolist(), strict=True))
    return replace(fused, proposals=ranked(again))


def _fit(evidence: Sequence[Evidence], weights: NDArray[np.float64]) -> Calibration:
    fusion = _search(evidence, weights, FusionWeights())
    by_type = {}
    for name in sorted({each.field.type_name for each in evidence}):
        rows = [row for row, each in enumerate(evidence) if each.field.type_name == name and each.field.text]
        if len(rows) >= ENOUGH and len(rows) < len(evidence):
            by_type[name] = _search([evidence[row] for row in rows], weights[rows], fusion)
    known = Calibration(fusion, 0.0, (), by_type, loglog=True)
    again = [refused(each.fused, known.weights(each.field.type_name)) for each in evidence]
    values = [features(fused, other=each.other) for fused, each in zip(again, evidence, strict=True)]
    table = np.array([known.weighed(row) for row in values])
    right = np.array([f.proposals[0].text == each.field.text for f, each in zip(again, evidence, strict=True)])
    intercept, *coefficients = logistic(table, right, weights).tolist()
    fitted = replace(known, intercept=intercept, coefficients=tuple(coefficients))
    numbers = np.array([bool(each.field.text and f.proposals[0].text) for f, each in zip(again, evidence, strict=True)])
    odds = np.array([fitted.logit(row) for row in values])
    return replace(fitted, straightening=_straightening(odds[numbers], right[numbers]))


def _straightening(odds: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[float, ...]:
    """Return the bent line under which log odds of numbers mean what they say; empty if it would turn their order."""
    table = np.array([bent(each) for each in odds.tolist()]).reshape(len(odds), 2)
    # Where little is known, the ridge pulls towards the odds as they are.
    shift, slope, more = logistic(table, right, np.ones(len(right)), prior=np.array([0.0, 1.0, 0.0])).tolist()
    return (shift, slope, more) if min(slope, slope + more) > FLATTEST else ()


def _search(evidence: Sequence[Evidence], weights: NDArray[np.float64], start: FusionWeights) -> FusionWeights:
    """Return the weights under which the true strings are likeliest, by steps along one weight at a time."""
    table = _table(evidence, weights)
    if table is None:
        return start
    count = len(table.weights)
    anchor = ANCHOR / count if count < PLENTY else 0.0

    def cost(trial: FusionWeights) -> float:
        moved = [
            (getattr(trial, name) - getattr(start, name)) / max(abs(getattr(start, name)), 0.2) for name in SEARCHED
        ]
        return _loss(table, trial) + anchor * float(np.square(moved).sum())

    best, lowest = start, cost(start)
    for step in (0.5, 0.25, 0.1, 0.05, 0.02):
        improved = True
        while improved:
            improved = False
            for name in SEARCHED:
                for direction in (-1, 1):
                    value = getattr(best, name)
                    moved = value + direction * step * max(abs(value), 0.2)
                    trial = replace(best, **{name: moved})
                    loss = cost(trial)
                    if min(trial.lattice, trial.lines) > 0 and loss < lowest - 1e-5:
                        best, lowest, improved = trial, loss, True
    return best


@dataclass(frozen=True, slots=True)
class _Table:
    """All proposals side by side, the true one first: shape (fields, most proposals); missing ones weigh nothing."""

    lattice: NDArray[np.float64]
    lines: NDArray[np.float64]
    lengths: NDArray[np.float64]
    missing: NDArray[np.float64]
    weights: NDArray[np.float64]


def _table(evidence: Sequence[Evidence], weights: NDArray[np.float64]) -> _Table | None:
    """Return the allowed proposals of all fields whose truth is among several of them."""
    rows: list[list[Proposal]] = []
    chosen: list[float] = []
    for each, weight in zip(evidence, weights.tolist(), strict=True):
        allowed = [proposal for proposal in each.fused.proposals if proposal.allowed]
        allowed.sort(key=lambda proposal: proposal.text != each.field.text)
        if len(allowed) > 1 and allowed[0].text == each.field.text:
            rows.append(allowed)
            chosen.append(weight)
    if not rows:
        return None
    shape = (len(rows), max(map(len, rows)))
    columns = np.zeros((4, *shape))
    columns[3] = -np.inf
    for place, row in enumerate(rows):
        for rank, proposal in enumerate(row):
            columns[:, place, rank] = proposal.lattice, proposal.lines, len(proposal.text), 0.0
    lattice, lines, lengths, missing = columns
    return _Table(lattice, lines, lengths, missing, np.array(chosen))


def _loss(table: _Table, weights: FusionWeights) -> float:
    """Return the mean of minus the logarithm of the truth's share."""
    scores = fused_scores(table.lattice, table.lines, table.lengths, weights) + table.missing
    losses = np.log(np.exp(scores - scores.max(axis=1, keepdims=True)).sum(axis=1)) + scores.max(axis=1) - scores[:, 0]
    return float((losses * table.weights).sum() / table.weights.sum())


def logistic(
    table: NDArray[np.float64],
    right: NDArray[np.bool_],
    weights: NDArray[np.float64],
    *,
    prior: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return intercept and coefficients of a ridge logistic regression, by Newton's method."""
    columns = np.concatenate([np.ones((len(table), 1)), table], axis=1)
    prior = np.zeros(columns.shape[1]) if prior is None else prior
    penalty = np.diag([1e-3, *[RIDGE] * table.shape[1]])
    signs = np.where(right, 1.0, -1.0)

    def loss(candidate: NDArray[np.float64]) -> float:
        misfit = np.logaddexp(0.0, -signs * (columns @ candidate))
        return float((weights * misfit).sum() + (candidate - prior) @ penalty @ (candidate - prior) / 2)

    found = prior.copy()
    for _ in range(60):
        chances = 1 / (1 + np.exp(-np.clip(columns @ found, -30, 30)))
        slope = columns.T @ (weights * (right - chances)) - penalty @ (found - prior)
        bend = (columns * (weights * chances * (1 - chances))[:, None]).T @ columns + penalty
        step = np.linalg.solve(bend, slope)
        # A full step may overshoot where nearly everything is right.
        while loss(found + step) > loss(found) and float(np.abs(step).max()) > 1e-7:
            step /= 2
        found = found + step
        if float(np.abs(step).max()) < 1e-6:
            break
    return np.asarray(found)


def _folds(evidence: Sequence[Evidence]) -> NDArray[np.int64]:
    """Return each field's fold: groups stay together, in their order."""
    groups = {name: place for place, name in enumerate(dict.fromkeys(each.field.group for each in evidence))}
    return np.array([groups[each.field.group] % FOLDS for each in evidence])


def _balance(evidence: Sequence[Evidence]) -> NDArray[np.float64]:
    """Return weights under which a collection counts by the root of its size, one a field on average."""
    names = [each.field.collection for each in evidence]
    sizes = {name: names.count(name) for name in set(names)}
    weights = np.array([1 / np.sqrt(sizes[name]) for name in names])
    return np.asarray(weights / weights.mean())
