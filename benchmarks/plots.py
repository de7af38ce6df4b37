"""Reliability diagram and risk–coverage curve of sets of readings, as one picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.figures import Reading, bins_of, calibration_error, risks
from model.training_extra import load_extra
from worker.reliability import draw_reliability, legend_below

MOST_RISK = 0.06
"""Error up to which risk is drawn: what is of interest lies at the low end."""


def draw_honesty(path: Path, sets: Mapping[str, Sequence[Reading]]) -> None:
    """Draw what each set's confidences are worth, and the error among so many of the surest; the folder is made.

    Args:
        path: of the PNG.
        sets: readings by title.

    Raises:
        ExtraMissing: matplotlib is not installed.
    """
    figure = load_extra("matplotlib.figure").Figure(figsize=(11, 5.0), layout="constrained")
    bins, risk = figure.subplots(1, 2)
    names = {
        title: f"{title}: {len(readings)} fields, ECE {calibration_error(readings):.1%}"
        for title, readings in sets.items()
    }
    colours = draw_reliability(bins, {names[title]: bins_of(readings) for title, readings in sets.items()})
    bins.set(title="reliability")
    for title, readings in sets.items():
        shares, errors = zip(*risks(readings), strict=True)
        risk.plot(shares, errors, color=colours[names[title]], alpha=1.0, label=title)
    risk.axhline(0.01, color="0.8", linewidth=0.8, zorder=0)
    risk.set(
        title="risk and coverage", xlabel="share of fields, the surest first", ylabel="share of those that is wrong"
    )
    risk.set(xlim=(0, 1), ylim=(0, MOST_RISK))
    legend_below(risk)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)
