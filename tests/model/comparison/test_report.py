"""A report holds every figure, as a page and as tables in Markdown."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="the train extra is not installed")

from model.comparison.figures import figures_of
from model.comparison.markdown import tables
from model.comparison.plots import _feature_seconds
from model.comparison.report import write_report
from model.comparison.running import Comparison, Entry, Read, Result

LABELS = np.arange(100) % 10


def result(title: str, features: str, wrong: int, seconds: float | None) -> Result:
    read = LABELS.copy()
    read[:wrong] = (read[:wrong] + 1) % 10
    figures = figures_of(read, LABELS)
    entry = Entry(f"{title.replace(' ', '-')}-{features}", title, features, "as <set>")
    return Result(entry, 0.9, seconds, 0.0125, 46_822, {"mnist-t10k": figures, "usps-test": figures})


@pytest.fixture
def found() -> Comparison:
    return Comparison(
        results=(result("shipped CNN", "glyph", 1, None), result("linear SVM", "HOG", 4, 15.3)),
        feature_seconds={"pixels": 0.008, "hog": 0.6},
        voters=(),
        glyphs={"learnt from": 900, "mnist-t10k": 100},
        missing=("semeion",),
        quick=False,
        seed=1,
        wall_seconds=90.0,
        core_seconds=150.0,
    )


def test_tables_hold_a_row_a_classifier(found: Comparison) -> None:
    first, second, third = tables(found).split("\n\n")
    row = "| linear SVM | HOG | 96.00% | 90.16–98.43 | 4.00% | 0.9600 | 0.9956 | 0.9609 | 15.3 | 0.013 | 46.8 kB |"
    assert first.splitlines()[3] == row
    assert "| – |" in first.splitlines()[2]
    assert second.splitlines()[0] == "| method | sees | MNIST t10k | USPS |"
    assert third.splitlines()[-1] == "| HOG | 0.600 |"
    for table in (first, second, third):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_a_report_says_what_it_took_and_escapes_what_it_shows(found: Comparison, tmp_path: Path) -> None:
    read = Read(np.zeros((100, 28, 28), np.uint8), LABELS, {each.entry.name: LABELS for each in found.results})
    page = write_report(found, read, tmp_path, command="tallyscan compare --data <mnist>").read_text("utf-8")
    assert "1.5 minutes by the clock, 2.5 minutes of one core" in page
    assert "left out: semeion" in page
    assert "&lt;mnist&gt;" in page
    assert "<set>" not in page
    assert page.count("data:image/png;base64,") == 5
    assert json.loads((tmp_path / "comparison.json").read_text("utf-8"))["core_seconds"] == 150.0
    assert (tmp_path / "tables.md").read_text("utf-8").startswith("| method |")


def test_a_vote_costs_the_figures_of_all_its_voters_once(found: Comparison) -> None:
    hog = replace(found.results[1], entry=Entry("linear-svm-hog", "linear SVM", "HOG", ""))
    vote = replace(found.results[1], entry=Entry("vote", "vote of the best three", "as each of them", ""))
    found = replace(found, voters=("linear-svm-hog", "forest-pixels", "bayes-hog", "baseline"))
    assert _feature_seconds(found, hog) == 0.6
    assert _feature_seconds(found, vote) == pytest.approx(0.608)


def test_a_run_that_was_gone_on_with_says_no_time(found: Comparison, tmp_path: Path) -> None:
    again = replace(found, wall_seconds=None, core_seconds=None)
    read = Read(np.zeros((100, 28, 28), np.uint8), LABELS, {each.entry.name: LABELS for each in found.results})
    assert "by the clock" not in write_report(again, read, tmp_path, command="x").read_text("utf-8")
