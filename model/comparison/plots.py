"""A comparison as pictures: accuracy with its interval, time against accuracy, confusion matrices, mistakes."""

import io
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from model.comparison.material import T10K, TITLES
from model.comparison.running import VOTE, Comparison, Read, Result
from model.material import DIGITS
from model.training_extra import load_extra

WORST: Final = 25
DARK: Final = 0.6
"""Shades of a colour map from here on bear white figures."""

INK, PALE, GRID = "#1d2a38", "#8a97a6", "#dde3ea"

FEATURE_MARKS: Final = {
    "raw pixels": ("#5b7fa6", "s"),
    "HOG": ("#c8553d", "o"),
    "diagonal zones": ("#4f9d69", "D"),
    "structural and statistical": ("#b58a2e", "^"),
}
NETWORK_MARK: Final = ("#6b4c9a", "*")
Spot = tuple[str, float, float]
SPOTS: Final[list[Spot]] = [
    (side, sign * x, y)
    for x, y in ((7, 0), (7, 9), (7, -9), (12, 16), (12, -16), (20, 24), (20, -24), (20, 34), (20, -34))
    for side, sign in (("left", 1), ("right", -1))
]
"""Where a name may stand beside its mark, the nearest first: how it is aligned, and how far away in points."""

NEAR: Final = 9
"""A name higher or lower than that gets a line to its mark."""

MARK: Final = 5
"""Half a mark's width, in pixels of the figure before it is written."""


def figure(width: float, height: float) -> Any:  # noqa: ANN401 - matplotlib's Figure, which is no part of the core
    """Return an empty figure of that size in inches."""
    return load_extra("matplotlib.figure").Figure(figsize=(width, height), layout="constrained")


def as_png(drawn: Any) -> bytes:  # noqa: ANN401
    """Return the figure as a PNG."""
    stream = io.BytesIO()
    drawn.savefig(stream, format="png", dpi=110)
    return stream.getvalue()


def label(result: Result) -> str:
    """Return what a plot calls the classifier."""
    seen = result.entry.features
    return result.entry.title if seen not in FEATURE_MARKS else f"{result.entry.title}, {seen}"


def accuracy_plot(found: Comparison) -> bytes:
    """Draw accuracy and error in t10k as bars, each with its 95 % interval; the error on a scale of powers."""
    results = found.results[::-1]
    drawn = figure(11, 0.27 * len(results) + 1.2)
    left, right = drawn.subplots(1, 2, sharey=True)
    places = np.arange(len(results))
    colours = [_mark(result)[0] for result in results]
    figures = [result.sets[T10K] for result in results]
    accuracy = np.array([each.accuracy for each in figures]) * 100
    reach = np.abs(np.array([[each.low, each.high] for each in figures]).T * 100 - accuracy)
    left.barh(places, accuracy, xerr=reach, color=colours, ecolor=INK, height=0.68, capsize=2)
    right.barh(places, 100 - accuracy, xerr=reach[::-1], color=colours, ecolor=INK, height=0.68, capsize=2)
    low = max(0.0, np.floor(accuracy.min() / 5) * 5 - 2)
    left.set(yticks=places, xlim=(low, 100.4), xlabel=f"read right, %, from {low:g} on", title="Accuracy")
    left.xaxis.set_major_locator(load_extra("matplotlib.ticker").MultipleLocator(5))
    left.set_yticklabels([label(result) for result in results], fontsize=9)
    right.set(xscale="log", xlabel="read wrong, %", title="Error")
    right.xaxis.set_major_formatter(load_extra("matplotlib.ticker").FormatStrFormatter("%g"))
    for place, each in zip(places, figures, strict=True):
        # Behind the whisker, so that neither hides the other.
        far = (100 - 100 * each.low, place)
        right.annotate(f"{each.error:.2%}", far, (5, 0), textcoords="offset points", va="center", fontsize=8)
    left.set_ylim(-0.7, len(results) - 0.3)
    _clean(left, right)
    right.set_xlim(right.get_xlim()[0], right.get_xlim()[1] * 1.5)
    _explain(drawn)
    return as_png(drawn)


def domain_plot(found: Comparison) -> bytes:
    """Draw the accuracy of each method's best in every test set as a table of shades."""
    best = best_of_each(found.results)
    sets = list(best[0].sets)
    values = np.array([[result.sets[name].accuracy for name in sets] for result in best]) * 100
    drawn = figure(7.6, 0.36 * len(best) + 1.0)
    axes = drawn.subplots()
    shades = axes.imshow(values, cmap="Blues", aspect="auto", vmin=min(60, values.min()), vmax=104)
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if shades.norm(value) > DARK else INK
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=9)
    axes.set(xticks=range(len(sets)), yticks=range(len(best)))
    axes.set_xticklabels([TITLES.get(name, name) for name in sets])
    axes.set_yticklabels([label(result) for result in best], fontsize=9)
    axes.tick_params(length=0)
    axes.xaxis.tick_top()
    for side in axes.spines.values():
        side.set_visible(False)
    return as_png(drawn)


def time_plot(found: Comparison) -> bytes:
    """Draw what training and testing cost against the error, one mark a classifier."""
    drawn = figure(11, 5.6)
    left, right = drawn.subplots(1, 2, sharey=True)
    for result in found.results:
        error = max(result.sets[T10K].error * 100, 0.01)
        colour, mark = _mark(result)
        how = {"color": colour, "marker": mark, "s": 55, "edgecolors": "white", "linewidths": 0.6, "zorder": 3}
        if result.training_seconds is not None:
            left.scatter(max(result.training_seconds, 0.01), error, **how)
        right.scatter(result.testing_seconds + _feature_seconds(found, result), error, **how)
    left.set(xscale="log", yscale="log", xlabel="seconds to train", ylabel="read wrong in t10k, %", title="Training")
    right.set(xscale="log", xlabel="seconds for 1,000 glyphs, their figures taken", title="Testing")
    for axis in (left.yaxis, left.xaxis, right.xaxis):
        axis.set_major_formatter(load_extra("matplotlib.ticker").FormatStrFormatter("%g"))
    _explain(drawn)
    _clean(left, right)
    best = best_of_each(found.results)
    trained = [result for result in best if result.training_seconds is not None]
    _name_marks(left, trained, [max(result.training_seconds or 0, 0.01) for result in trained])
    _name_marks(right, best, [result.testing_seconds + _feature_seconds(found, result) for result in best])
    return as_png(drawn)


def _name_marks(axes: Any, results: Sequence[Result], seconds: Sequence[float]) -> None:  # noqa: ANN401
    """Write each one's name beside its mark, where it hides least of the names and marks that are there."""
    axes.figure.draw_without_rendering()
    frame, box = axes.get_window_extent(), load_extra("matplotlib.transforms").Bbox
    marks = axes.transData.transform(np.concatenate([each.get_offsets() for each in axes.collections]))
    taken = [box.from_extents(x - MARK, y - MARK, x + MARK, y + MARK) for x, y in marks]
    for result, spent in zip(results, seconds, strict=True):
        place = (spent, max(result.sets[T10K].error * 100, 0.01))
        how: dict[str, Any] = {"textcoords": "offset points", "va": "center", "in_layout": False}
        name = axes.annotate(result.entry.title, place, (0, 0), fontsize=7.5, color=INK, **how)

        def hidden(spot: Spot, name: Any = name) -> int:  # noqa: ANN401
            _move(name, spot)
            words = name.get_window_extent()
            outside = words.x0 < frame.x0 or words.x1 > frame.x1 or words.y0 < frame.y0 or words.y1 > frame.y1
            return 9 * int(outside) + int(words.count_overlaps(taken))

        best = min(SPOTS, key=hidden)
        _move(name, best)
        taken.append(name.get_window_extent())
        if abs(best[2]) > NEAR:
            line = {"arrowstyle": "-", "color": PALE, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3}
            axes.annotate("", place, best[1:], arrowprops=line, **how)


def _move(name: Any, spot: Spot) -> None:  # noqa: ANN401
    name.set(ha=spot[0])
    name.xyann = spot[1:]


def _explain(drawn: Any) -> None:  # noqa: ANN401
    """Say below the figure which colour and mark stands for what."""
    lines = load_extra("matplotlib.lines")
    handles = [
        lines.Line2D([], [], linestyle="", color=colour, marker=mark, markersize=8, label=name)
        for name, (colour, mark) in {**FEATURE_MARKS, "networks and vote": NETWORK_MARK}.items()
    ]
    drawn.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=9)


def confusion_plot(found: Comparison) -> bytes:
    """Draw the confusion matrix of each method's best: shades for shares, counts of the mistakes."""
    best = best_of_each(found.results)
    columns = 3
    rows = -(-len(best) // columns)
    drawn = figure(12, 4.1 * rows)
    panels = drawn.subplots(rows, columns, squeeze=False).ravel()
    for axes, result in zip(panels, best, strict=False):
        _matrix(axes, result)
    for axes in panels[len(best) :]:
        axes.set_axis_off()
    return as_png(drawn)


def _matrix(axes: Any, result: Result) -> None:  # noqa: ANN401
    counts = np.array(result.sets[T10K].score.confusion)
    wrong = counts - np.diag(np.diag(counts))
    shades = axes.imshow(wrong / max(1, wrong.max()), cmap="Oranges", vmin=0, vmax=1.15)
    for row, column in np.argwhere(counts):
        mistake = "white" if shades.norm(wrong[row, column] / max(1, wrong.max())) > DARK else INK
        axes.text(
            column, row, str(counts[row, column]), ha="center", va="center", fontsize=7,
            color=PALE if row == column else mistake,
        )  # fmt: skip
    ticks = range(len(DIGITS))
    axes.set(xticks=ticks, yticks=ticks, xlabel="read", ylabel="true")
    axes.set_title(f"{label(result)}: {wrong.sum()} wrong", fontsize=10)
    axes.tick_params(labelsize=8, length=0)


def mistakes_plot(read: Read) -> bytes:
    """Draw the test images that most classifiers misread, with the truth and what most of them took it for."""
    stacked = np.stack(list(read.by_entry.values()))
    wrong = (stacked != read.labels).sum(axis=0)
    worst = np.argsort(-wrong, kind="stable")[:WORST]
    drawn = figure(8.4, 9.2)
    for axes, place in zip(drawn.subplots(5, 5).ravel(), worst, strict=False):
        missed = stacked[stacked[:, place] != read.labels[place], place]
        axes.set_axis_off()
        if len(missed):
            taken = np.bincount(missed).argmax()
            axes.imshow(255 - read.images[place], cmap="gray", vmin=0, vmax=255)
            axes.set_title(f"{read.labels[place]} read as {taken}\nby {wrong[place]} of {len(stacked)}", fontsize=9)
    return as_png(drawn)


def best_of_each(results: Sequence[Result]) -> list[Result]:
    """Return the best of each method, in the order of `results`, which come best first."""
    found: dict[str, Result] = {}
    for result in results:
        found.setdefault(result.entry.title, result)
    return list(found.values())


def _mark(result: Result) -> tuple[str, str]:
    return FEATURE_MARKS.get(result.entry.features, NETWORK_MARK)


def _feature_seconds(found: Comparison, result: Result) -> float:
    """Return the seconds for all figures that the classifier sees; its voters' for the vote, what two see but once."""
    names = found.voters if result.entry.name == VOTE else (result.entry.name,)
    return sum(found.feature_seconds.get(features, 0.0) for features in {name.rpartition("-")[2] for name in names})


def _clean(*panels: Any) -> None:  # noqa: ANN401
    for axes in panels:
        axes.grid(axis="both", color=GRID, linewidth=0.8, zorder=0)
        axes.set_axisbelow(True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
