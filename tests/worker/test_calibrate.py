"""The command that makes the shipped calibration: the fields it takes, and the tables it leaves."""

import argparse
import csv
from pathlib import Path

import pytest

from model.corpora import LAST_FOLD
from tests.worker.test_calibrating import evidence
from worker.calibrate import _fold, _write_tables, held_out_fields


@pytest.mark.parametrize("given", ["0=x", f"{LAST_FOLD}=x", "1=", "1", "one=x", "=x"])
def test_a_fold_names_its_number_and_folder(given: str, tmp_path: Path) -> None:
    assert _fold(f"1={tmp_path}") == (1, tmp_path)
    with pytest.raises(argparse.ArgumentTypeError, match="1=runs/models/fold-1"):
        _fold(given)


def test_no_group_of_fields_is_in_two_folds(shared_data: Path) -> None:
    groups = [{field.group for field in held_out_fields(shared_data, fold=fold)} for fold in range(1, LAST_FOLD + 1)]
    assert len(set.union(*groups)) == sum(map(len, groups))


def test_tables_hold_every_field_and_what_was_read_of_it(tmp_path: Path) -> None:
    found = evidence(4, seed=1, lattice=2.0, lines=2.0)
    fields = [each.field for each in found]
    judged = [(each.field.text, 0.5) for each in found[1:]]
    _write_tables(tmp_path / "tables", fields, found[1:], judged)
    read, labels = (
        list(csv.reader((tmp_path / "tables" / name).read_text("utf-8").splitlines()))
        for name in ("drawn.csv", "drawn.labels.csv")
    )
    assert read == [["file", "text", "confidence"], *([field.name, field.text, "0.5"] for field in fields[1:])]
    assert labels == [["file", "label"], *([field.name, field.text] for field in fields)]
