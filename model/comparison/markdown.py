"""A comparison as tables in Markdown, for a page of documentation."""

from collections.abc import Iterable, Sequence

from model.comparison.features import FEATURES
from model.comparison.material import T10K, TITLES
from model.comparison.running import Comparison, Result

FIGURES_OF_T10K = (
    "method", "sees", "accuracy", "95 % interval", "error", "sensitivity", "specificity", "PPV", "to train, s",
    "to test 1,000, s", "size",
)  # fmt: skip


def tables(found: Comparison) -> str:
    """Return three tables: MNIST's test images, all test sets, and what taking the features costs."""
    sets = list(found.results[0].sets)
    across = ("method", "sees", *(TITLES.get(name, name) for name in sets))
    features = ([FEATURES[name].title, f"{spent:.3f}"] for name, spent in found.feature_seconds.items())
    return "\n\n".join([
        _table(FIGURES_OF_T10K, (t10k_row(result) for result in found.results), words=2),
        _table(across, (_across_row(result, sets) for result in found.results), words=2),
        _table(("features", "1,000 glyphs, s"), features, words=1),
    ])  # fmt: skip


def t10k_row(result: Result) -> list[str]:
    """Return a classifier's figures on MNIST's test images, in the order of `FIGURES_OF_T10K`."""
    figures = result.sets[T10K]
    return [
        result.entry.title,
        result.entry.features,
        f"{figures.accuracy:.2%}",
        f"{figures.low * 100:.2f}–{figures.high * 100:.2f}",
        f"{figures.error:.2%}",
        f"{figures.sensitivity:.4f}",
        f"{figures.specificity:.4f}",
        f"{figures.ppv:.4f}",
        "–" if result.training_seconds is None else f"{result.training_seconds:,.1f}",
        f"{result.testing_seconds:.3f}",
        _size(result.size_bytes),
    ]


def _across_row(result: Result, sets: Sequence[str]) -> list[str]:
    return [result.entry.title, result.entry.features, *(f"{result.sets[name].accuracy:.2%}" for name in sets)]


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count / 1e3:,.1f} kB"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, words: int) -> str:
    """Return a table whose first `words` columns hold words; the others, figures, end flush."""
    rule = ["---"] * words + ["--:"] * (len(head) - words)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))
