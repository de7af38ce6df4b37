"""A comparison as one HTML file with everything in it, and as JSON for programs."""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from model.comparison import plots
from model.comparison.features import FEATURES
from model.comparison.markdown import FIGURES_OF_T10K, t10k_row, tables
from model.comparison.material import T10K, TITLES
from model.comparison.running import Comparison, Read, Result
from model.material import DIGITS

REPORT, FIGURES, TABLES = "report.html", "comparison.json", "tables.md"
PAGE: Final = Template((Path(__file__).parent / "report.html").read_text("utf-8"))


def write_report(found: Comparison, read: Read, out: Path, *, command: str) -> Path:
    """Write the report, the figures and their tables in Markdown into `out` and return the report's path."""
    (out / FIGURES).write_text(json.dumps({"command": command, **asdict(found)}, indent=1) + "\n", "utf-8")
    (out / TABLES).write_text(tables(found) + "\n", "utf-8")
    pictures = {
        "accuracy_picture": plots.accuracy_plot(found),
        "domain_picture": plots.domain_plot(found),
        "time_picture": plots.time_plot(found),
        "confusion_picture": plots.confusion_plot(found),
        "mistakes_picture": plots.mistakes_plot(read),
    }
    for name, png in pictures.items():
        (out / f"{name.removesuffix('_picture')}.png").write_bytes(png)
    page = PAGE.substitute(
        summary=_summary(found),
        command=escape(command),
        main_table=_main_table(found),
        domain_table=_domain_table(found),
        feature_table=_feature_table(found),
        class_tables="".join(_class_table(result) for result in found.results),
        **{name: f"data:image/png;base64,{base64.b64encode(png).decode()}" for name, png in pictures.items()},
    )
    (out / REPORT).write_text(page, "utf-8")
    return out / REPORT


def _summary(found: Comparison) -> str:
    """Return the first paragraph: who is best, and what everybody learnt from and read."""
    best = found.results[0]
    counted = ", ".join(f"{TITLES.get(name, name)} {count:,}" for name, count in found.glyphs.items())
    missing = f" Not beside the data, and left out: {', '.join(found.missing)}." if found.missing else ""
    spent = f" Made in {_minutes(found.wall_seconds)} by the clock, {_minutes(found.core_seconds)} of one core."
    made = spent if found.core_seconds is not None else ""
    quick = " <strong>A quick run on a subset: its figures are no results.</strong>" if found.quick else ""
    return (
        f"{len(found.results)} classifiers. Best on MNIST’s test images: <strong>{escape(plots.label(best))}</strong>, "
        f"{best.sets[T10K].accuracy:.2%} right. Glyphs: {escape(counted)}.{escape(missing)}{made}{quick}"
    )


def _minutes(seconds: float | None) -> str:
    return f"{(seconds or 0) / 60:,.1f} minutes"


def _main_table(found: Comparison) -> str:
    return _table(FIGURES_OF_T10K, (_main_row(result) for result in found.results), words=2)


def _main_row(result: Result) -> list[str]:
    title, features, accuracy, *others = map(escape, t10k_row(result))
    settings = escape(result.entry.settings)
    return [f'<span title="{settings}">{title}</span>', features, f"<b>{accuracy}</b>", *others]


def _domain_table(found: Comparison) -> str:
    sets = list(found.results[0].sets)
    head = ("method", "sees", *(f"{TITLES.get(name, name)}<br><small>sens. · spec. · PPV</small>" for name in sets))
    return _table(head, (_domain_row(result, sets) for result in found.results), words=2)


def _domain_row(result: Result, sets: Sequence[str]) -> list[str]:
    cells = [escape(result.entry.title), escape(result.entry.features)]
    for name in sets:
        each = result.sets[name]
        cells.append(f"<b>{each.accuracy:.2%}</b><br>{each.sensitivity:.3f} · {each.specificity:.3f} · {each.ppv:.3f}")
    return cells


def _feature_table(found: Comparison) -> str:
    rows = ([escape(FEATURES[name].title), f"{spent:.3f}"] for name, spent in found.feature_seconds.items())
    return _table(("features", "1,000 glyphs, s"), rows, words=1)


def _class_table(result: Result) -> str:
    """Return each class's figures in every set, folded away."""
    head = ("set", "figure", *DIGITS)
    rows = []
    for name, figures in result.sets.items():
        for title, field in (("sensitivity", "sensitivity"), ("specificity", "specificity"), ("PPV", "ppv")):
            values = [f"{getattr(each, field):.4f}" for each in figures.score.classes]
            rows.append([TITLES.get(name, name), title, *values])
    accuracy = f"{result.sets[T10K].accuracy:.2%}"
    return (
        f"<details><summary>{escape(plots.label(result))} <small>{accuracy}; {escape(result.entry.settings)}</small>"
        f"</summary>{_table(head, rows, words=2)}</details>"
    )


def _table(head: Iterable[str], rows: Iterable[Sequence[str]], *, words: int) -> str:
    """Return a table whose first `words` columns hold words and whose others hold figures, as HTML already."""
    heads = "".join(f'<th class="{"w" if place < words else "n"}">{cell}</th>' for place, cell in enumerate(head))
    body = "".join(
        "<tr>"
        + "".join(f'<td class="{"w" if place < words else "n"}">{cell}</td>' for place, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
