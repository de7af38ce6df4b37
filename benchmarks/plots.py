"""Reliability diagram and risk–coverage curve of sets of readings, as one picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.figures import Reading, calibration_error, reliability, risks
from model.training_extra import load_extra
from worker.finetuning_report import DOT

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
    bins.plot([0, 1], [0, 1], color="0.8", zorder=0)
    for title, readings in sets.items():
        rows = reliability(readings)
        sizes = [DOT * count**0.5 for count, _, _ in rows]
        said = f"{title}: {len(readings)} fields, ECE {calibration_error(readings):.1%}"
        dots = bins.scatter([sure for _, sure, _ in rows], [right for *_, right in rows], sizes, alpha=0.6, label=said)
        shares, errors = zip(*risks(readings), strict=True)
        risk.plot(shares, errors, color=dots.get_facecolor()[0], alpha=1.0, label=title)
    bins.set(
        title="reliability", xlabel="confidence", ylabel="share read right", xlim=(-0.03, 1.05), ylim=(-0.04, 1.06)
    )
    risk.axhline(0.01, color="0.8", linewidth=0.8, zorder=0)
    risk.set(
        title="risk and coverage", xlabel="share of fields, the surest first", ylabel="share of those that is wrong"
    )
    risk.set(xlim=(0, 1), ylim=(0, MOST_RISK))
    for axes in (bins, risk):
        legend = axes.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.14), frameon=False)
        for handle in legend.legend_handles if axes is bins else ():
            handle.set_sizes([36])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)
