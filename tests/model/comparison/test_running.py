"""A comparison that cannot go on says so, and what was cut off does not count as done."""

import json
import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the train extra is not installed")

from core.errors import InvalidRequest
from model.comparison.running import CompareOptions, _write_json, compare, entries
from model.journal import STATE
from tests.model.drawn import printed_digits


@pytest.fixture
def options(tmp_path: Path) -> CompareOptions:
    """A comparison whose first classifier, the baseline, cannot go on."""
    _digits(tmp_path / "printed.npz", unseen=60)
    run = tmp_path / "out" / "work" / "baseline"
    run.mkdir(parents=True)
    (run / STATE).write_text("{")
    return CompareOptions(out=tmp_path / "out", data=tmp_path / "printed.npz", quick=True, jobs=1)


def _digits(path: Path, *, unseen: int) -> None:
    learnt, test = printed_digits(200, seed=1), printed_digits(unseen, seed=2)
    np.savez(path, x_train=learnt.images, y_train=learnt.labels, x_test=test.images, y_test=test.labels)


def test_a_classifier_that_fails_is_told_before_the_others_are_tried(options: CompareOptions) -> None:
    with pytest.raises(InvalidRequest, match=r"state\.json is missing, damaged"):
        compare(options)
    tried = {path.stem for path in (options.out / "trials").glob("*.json")}
    assert len(tried) < 5 < len(entries())
    # And with other sets than it began with, it is not gone on with.
    assert options.data is not None
    _digits(options.data, unseen=61)
    with pytest.raises(InvalidRequest, match="other sets beside it"):
        compare(replace(options, resume=True))
    (options.out / "plan.json").write_text("{")
    with pytest.raises(InvalidRequest, match="other sets beside it"):
        compare(replace(options, resume=True))


def test_a_file_that_was_cut_off_is_not_there(tmp_path: Path) -> None:
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, kept[1]))
    try:
        with pytest.raises(OSError, match="large"):
            _write_json(tmp_path / "trial.json", list(range(1000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)
    assert not (tmp_path / "trial.json").exists()
    _write_json(tmp_path / "trial.json", [1])
    assert json.loads((tmp_path / "trial.json").read_text("utf-8")) == [1]
