"""`compare`: everything side by side on a handful of printed digits, stopped and gone on with."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Tallyscan
from tests.model.drawn import printed_digits

pytest.importorskip("tensorflow", reason="the train extra is not installed")


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "printed.npz"
    learnt, unseen = printed_digits(400, seed=1), printed_digits(100, seed=2)
    np.savez(path, x_train=learnt.images, y_train=learnt.labels, x_test=unseen.images, y_test=unseen.labels)
    return path


@pytest.mark.slow
def test_everything_is_compared_and_a_run_goes_on(tallyscan: Tallyscan, digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "comparison"
    command = ("compare", "--data", digits, "--quick", "--jobs", "1", "--out", out)
    first = tallyscan(*command)
    assert first.exit_code == 0, first.output
    assert "usps-test is not beside the data" in first.stderr
    found = json.loads((out / "comparison.json").read_text("utf-8"))
    by_name = {each["entry"]["name"]: each for each in found["results"]}
    assert len(by_name) >= 29
    assert by_name["linear-svm-hog"]["sets"]["mnist-t10k"]["accuracy"] > 0.9
    assert len(found["voters"]) == 3
    assert not set(found["voters"]) & {"shipped-digits", "vote"}
    page = (out / "report.html").read_text("utf-8")
    assert page.count("data:image/png;base64,") == 5
    assert "http" not in page.replace("http-equiv", "")
    assert tallyscan(*command).exit_code == 2
    (out / "trials" / "bayes-pixels.json").unlink()
    again = tallyscan(*command, "--resume")
    assert again.exit_code == 0, again.output
    repeated = json.loads((out / "comparison.json").read_text("utf-8"))
    assert found["voters"] == repeated["voters"]
    assert tallyscan(*command, "--resume", "--seed", "2").exit_code == 2


def test_other_data_than_digits_is_refused(tallyscan: Tallyscan, tmp_path: Path) -> None:
    images = np.zeros((60, 28, 28), np.uint8)
    np.savez(
        tmp_path / "letters.npz", x=images, y=np.arange(60) % 26, classes=np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    )
    result = tallyscan("compare", "--data", tmp_path / "letters.npz", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "compared on digits" in result.stderr
    assert not (tmp_path / "out").exists()
