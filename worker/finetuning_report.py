"""What a fine-tuning changed, before and after: figures, the verdict, and a report for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from forms.confidence import Calibration, calibration_error, exceeds, features
from model.training_extra import load_extra
from worker.calibrating import Evidence, LabelledField, refused
from worker.reliability import Bin, draw_reliability, reliability

MOST_LOST: Final = 0.002
"""Share of a frozen set's fields that may be read worse."""

LEAST_ACCEPTED: Final = 0.5
"""Of the user's own fields that were accepted before, so many must be after: else the gain is people's work."""

NO_ROOM: Final = "their text has no room on their line, as where a picture stands on its side"
"""Why a corrected field is not learnt from."""

REPORT: Final = "report.md"
PLOT: Final = "calibration.png"


@dataclass(frozen=True, slots=True)
class Figures:
    """What was read of one collection.

    Attributes:
        fields: how many there were.
        right: how many were read right as a whole.
        accepted: how many would have gone unseen by a person, at the installation's target error.
        wrong: of these, how many were wrong.
        calibration_error: expected, of the confidences.
        curve: what the confidences are worth, bin by bin.
    """

    fields: int
    right: int
    accepted: int
    wrong: int
    calibration_error: float
    curve: tuple[Bin, ...] = ()

    @property
    def share(self) -> float:
        """Share read right."""
        return self.right / max(1, self.fields)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the model may be promoted, and why not."""

    promotes: bool
    reasons: tuple[str, ...]


def measured(
    evidence: Sequence[Evidence],
    calibration: Calibration,
    fields: Sequence[LabelledField],
    *,
    target_error: float,
    judged: Mapping[str, tuple[str, float]] | None = None,
) -> dict[str, Figures]:
    """Return each collection's figures.

    Args:
        evidence: what the readers said.
        calibration: weighs it.
        fields: all that were read, those without a word of the readers among them.
        target_error: share of accepted fields that may be wrong.
        judged: text and confidence of fields whose own evidence must not weigh, by name.
    """
    threshold = calibration.threshold(target_error)
    rows: dict[str, list[tuple[bool, float]]] = {each.collection: [] for each in fields}
    spoken = set()
    for each in evidence:
        text, confidence = (judged or {}).get(each.field.name) or _weighed(each, calibration)
        rows[each.field.collection].append((text == each.field.text, confidence))
        spoken.add((each.field.collection, each.field.name))
    for field in fields:
        if (field.collection, field.name) not in spoken:
            rows[field.collection].append((not field.text, 0.0))
    return {name: _figures(found, threshold) for name, found in rows.items()}


def judge(before: Mapping[str, Figures], after: Mapping[str, Figures], *, own: str, target_error: float) -> Verdict:
    """Return whether no frozen collection loses more than `MOST_LOST` and the user's own, named `own`, gains.

    Of the user's own, at least half as many as before must still be accepted without a person: a model that reads more
    of them, but of which too few fields show that it does, would send them all to review. And of no collection may more
    accepted fields be wrong than before and than chance allows at `target_error`.
    """
    reasons = [
        f"{name}: {before[name].share:.2%} before, {after[name].share:.2%} after"
        for name in before
        if name != own and before[name].right - after[name].right > MOST_LOST * before[name].fields + 1e-9
    ]
    if after[own].right <= before[own].right:
        reasons.append(f"{own}: {before[own].right} of {before[own].fields} right before, {after[own].right} after")
    if after[own].accepted < LEAST_ACCEPTED * before[own].accepted:
        reasons.append(
            f"{own}: {before[own].accepted} of {before[own].fields} accepted before, {after[own].accepted} after"
        )
    reasons += [
        f"{name}: {before[name].wrong} of {before[name].accepted} accepted wrong before, "
        f"{each.wrong} of {each.accepted} after"
        for name, each in after.items()
        if each.wrong > before[name].wrong and exceeds(target_error, wrong=each.wrong, count=each.accepted)
    ]
    return Verdict(not reasons, tuple(reasons))


def write_report(
    folder: Path, card: Mapping[str, Any], before: Mapping[str, Figures], after: Mapping[str, Figures]
) -> None:
    """Write the report and its picture into the model's folder."""
    said = card["corrections"]
    verdict = card["verdict"]
    lines = [
        "# Fine-tuned model",
        "",
        f"Made from `{card['base']['version']}` by `{card['command'] or 'tallyscan finetune'}`, seed {card['seed']}.",
        f"Learnt from {said['learnt']} corrected fields in {said['documents_learnt']} documents.",
        *([f"Left out were {said['left_out']} others: {NO_ROOM}."] if said["left_out"] else []),
        f"Held out were {said['held_out']} in {said['documents_held_out']} other documents.",
        "",
        "| collection | fields | right before | right after | accepted before | accepted after | of those wrong |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_row(name, before[name], after[name]) for name in before),
        "",
        "May be promoted." if verdict["promotes"] else "Is not promoted: " + "; ".join(verdict["reasons"]) + ".",
        "",
        f"![Confidence against the share read right]({PLOT})",
    ]
    (folder / REPORT).write_text("\n".join(lines) + "\n", "utf-8")
    _plot(folder / PLOT, before, after)


def _row(name: str, before: Figures, after: Figures) -> str:
    accepted = [f"{each.accepted / max(1, each.fields):.1%}" for each in (before, after)]
    return (
        f"| {name} | {after.fields} | {before.share:.2%} | {after.share:.2%} | {accepted[0]} | {accepted[1]} | "
        f"{before.wrong} → {after.wrong} |"
    )


def _weighed(each: Evidence, calibration: Calibration) -> tuple[str, float]:
    again = refused(each.fused, calibration.weights(each.field.type_name))
    return again.proposals[0].text, calibration.confidence(features(again, other=each.other))


def _figures(rows: Sequence[tuple[bool, float]], threshold: float) -> Figures:
    accepted = [right for right, confidence in rows if confidence >= threshold]
    error = calibration_error([confidence for _, confidence in rows], [right for right, _ in rows])
    return Figures(
        fields=len(rows),
        right=sum(right for right, _ in rows),
        accepted=len(accepted),
        wrong=accepted.count(False),
        calibration_error=round(error, 4),
        curve=reliability([confidence for _, confidence in rows], [right for right, _ in rows]),
    )


def _plot(path: Path, before: Mapping[str, Figures], after: Mapping[str, Figures]) -> None:
    """Draw confidence against the share read right, before and after."""
    figure = load_extra("matplotlib.figure").Figure(figsize=(11, 5.2), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, title, figures in zip(panels, ("before", "after"), (before, after), strict=True):
        curves = {
            f"{name}: {each.fields} fields, ECE {each.calibration_error:.1%}": each.curve
            for name, each in figures.items()
        }
        draw_reliability(axes, curves)
        axes.set(title=title)
    panels[1].set_ylabel("")
    figure.savefig(path, dpi=90)
