"""Online ink out of its files."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from model.line.writing import OTHER, SOURCES, InkCollection, load_ink


def test_every_kind_of_ink_is_found(ink: InkCollection) -> None:
    assert {writing.text for writing in ink.numbers} == {"1,204", "77", "3/4", "902"}
    assert all(set(glyphs) == set("0123456789") for glyphs in ink.digits.values())
    assert {writing.text for writing in ink.words} == {OTHER}


def test_ink_is_one_digit_high_and_stands_upright(ink: InkCollection) -> None:
    for glyphs in ink.digits.values():
        for seven in glyphs["7"]:
            assert seven.height == pytest.approx(1, abs=0.01)
            points = np.concatenate(seven.strokes)
            # The bar of a 7 is at its top, y pointing down, whichever way the collection counts.
            assert np.ptp(points[points[:, 1] < 0.3][:, 0]) > np.ptp(points[points[:, 1] > 0.7][:, 0])


def test_open_terms_leave_the_research_ink_out(drawn_data: Path, ink: InkCollection) -> None:
    opened = load_ink(drawn_data, open_terms_only=True)
    assert len(opened.numbers) < len(ink.numbers)
    assert {source.collection for source in SOURCES if not source.open_terms} == {"crohme_ink"}


def test_one_collection_can_be_had_alone(drawn_data: Path, ink: InkCollection) -> None:
    parts = [load_ink(drawn_data, collection=name) for name in ("unipen_ink", "pendigits_ink", "crohme_ink")]
    assert sum(len(part.numbers) for part in parts) == len(ink.numbers)
    assert parts[1].words == ()


def test_test_writers_and_doubtful_records_are_left_out(tmp_path: Path) -> None:
    stroke = [[0, 0], [5, 10]]
    kept = {"label": "77", "writer": "a", "strokes": [stroke]}
    records = [kept, {**kept, "split": "test"}, {**kept, "q": "BAD"}, {**kept, "lines": 2}, {**kept, "strokes": []}]
    for source in SOURCES:
        path = tmp_path / f"{source.path}.jsonl.gz"
        path.parent.mkdir(exist_ok=True)
        chosen = records if source.path == "unipen_ink/numbers" else []
        path.write_bytes(gzip.compress("".join(json.dumps(record) + "\n" for record in chosen).encode()))
    assert len(load_ink(tmp_path).numbers) == 1


@pytest.mark.parametrize(("count", "kept"), [(3, 3), (40, 12)])
def test_drill_strings_do_not_crowd_out_the_rest(count: int, kept: int, tmp_path: Path) -> None:
    record = json.dumps({"label": "1990", "writer": "a", "strokes": [[[0, 0], [5, 10]]]}) + "\n"
    for source in SOURCES:
        path = tmp_path / f"{source.path}.jsonl.gz"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(record.encode() * (count if source.path == "unipen_ink/numbers" else 0)))
    assert len(load_ink(tmp_path).numbers) == kept
