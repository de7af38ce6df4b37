"""`tallyscan models`: what is listed, what is promoted, what is refused, and the way back."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from model.artifacts import SHIPPED
from storage.models import ModelShelf
from tests.cli.conftest import Tallyscan


def model(home: Path, folder: Path, **card: Any) -> str:  # noqa: ANN401 - JSON
    """Put a model with that card into the registry: the networks of the shipped open one."""
    shutil.copytree(SHIPPED / "digits-open", folder)
    (folder / "card.json").write_text(json.dumps(card))
    return ModelShelf(home / "models").add(folder)


@pytest.fixture
def good(home: Path, tmp_path: Path) -> str:
    figures = {
        "corrections": {"before": {"right": 5, "fields": 10}, "after": {"right": 9, "fields": 10, "curve": [[1]]}}
    }
    card = {"base": {"model": "digits"}, "figures": figures, "verdict": {"promotes": True, "reasons": []}}
    return model(home, tmp_path / "good", **card)


@pytest.fixture
def bad(home: Path, tmp_path: Path) -> str:
    return model(home, tmp_path / "bad", verdict={"promotes": False, "reasons": ["orand: 93 % before, 91 % after"]})


def active(tallyscan: Tallyscan) -> str:
    rows = json.loads(tallyscan("models", "list", "--format", "json").stdout)
    (found,) = [row["model"] for row in rows if row["active"]]
    return str(found)


def test_the_shipped_default_reads_until_another_is_promoted(tallyscan: Tallyscan, good: str) -> None:
    assert active(tallyscan) == "digits"
    done = tallyscan("models", "promote", good[:8])
    assert done.exit_code == 0, done.stderr
    assert active(tallyscan) == good
    assert good[:12] in tallyscan("version").stdout
    assert tallyscan("models", "rollback").exit_code == 0
    assert active(tallyscan) == "digits"
    assert tallyscan("models", "rollback").exit_code == 2


def test_a_shipped_one_may_be_promoted_too(tallyscan: Tallyscan) -> None:
    assert tallyscan("models", "promote", "digits-open").exit_code == 0
    assert active(tallyscan) == "digits-open"


def test_one_that_reads_worse_is_refused_unless_told_otherwise(tallyscan: Tallyscan, bad: str) -> None:
    done = tallyscan("models", "promote", bad)
    assert done.exit_code == 1
    assert "orand: 93 % before, 91 % after" in done.stderr
    assert done.stderr.endswith("(model_refused)\n")
    assert active(tallyscan) == "digits"
    assert tallyscan("models", "promote", bad, "--anyway").exit_code == 0
    assert active(tallyscan) == bad


def test_one_that_does_not_load_is_never_promoted(tallyscan: Tallyscan, home: Path, good: str) -> None:
    network = home / "models" / good / "model.tflite"
    network.write_bytes(network.read_bytes()[:-1])
    done = tallyscan("models", "promote", good, "--anyway")
    assert done.exit_code == 1
    assert done.stderr.endswith("(artifact_mismatch)\n")
    assert tallyscan("models", "promote", "0123456789").stderr.endswith("(artifact_missing)\n")
    assert active(tallyscan) == "digits"


def test_a_card_is_shown(tallyscan: Tallyscan, good: str) -> None:
    card = json.loads(tallyscan("models", "show", good[:6], "--format", "json").stdout)
    assert (card["model"], card["base"]["model"], card["active"]) == (good, "digits", False)
    text = tallyscan("models", "show", good).stdout
    assert "figures.corrections.after.right" in text
    assert "curve" not in text
    assert json.loads(tallyscan("models", "show", "digits", "--format", "json").stdout)["lines"]["networks"]
    listed = tallyscan("models", "list").stdout
    assert "50.0%" in listed
    assert "digits-held-out" in listed, "names are not cut off"


def test_the_list_says_of_a_card_without_a_verdict_what_promoting_does(
    tallyscan: Tallyscan, home: Path, bad: str, tmp_path: Path
) -> None:
    silent = model(home, tmp_path / "silent", base={"model": "digits"})
    rows = json.loads(tallyscan("models", "list", "--format", "json").stdout)
    assert {row["model"]: row["promotes"] for row in rows if "promotes" in row} == {silent: True, bad: False}
    lines = tallyscan("models", "list").stdout.splitlines()
    said = {line.split()[0]: line.split()[-1] for line in lines if "fine-tuned" in line}
    assert said == {silent[:12]: "yes", bad[:12]: "no"}
    assert tallyscan("models", "promote", silent).exit_code == 0


def test_networks_that_read_no_fields_by_themselves_have_a_card(tallyscan: Tallyscan) -> None:
    parts = {
        name: json.loads(tallyscan("models", "show", name, "--format", "json").stdout) for name in ("micr", "printed")
    }
    assert parts["micr"]["glyphs"]["architecture"] == "micr"
    assert "lines" not in parts["micr"]
    assert parts["printed"]["lines"]["networks"]
    for name in ("micr", "printed", "mnist-2"):
        refused = tallyscan("models", "promote", name)
        assert refused.exit_code == 2
        assert "reads no fields by itself" in refused.stderr


def test_a_card_says_whether_the_calibration_was_made_for_the_networks(
    tallyscan: Tallyscan, home: Path, tmp_path: Path
) -> None:
    def said(name: str) -> str:
        return str(json.loads(tallyscan("models", "show", name, "--format", "json").stdout).get("calibration"))

    folder = tmp_path / "other"
    shutil.copytree(SHIPPED / "digits-open", folder)
    shutil.copyfile(SHIPPED / "digits" / "calibration.json", folder / "calibration.json")
    (folder / "card.json").write_text("{}")
    assert said(ModelShelf(home / "models").add(folder)).startswith("MADE FOR OTHER NETWORKS")
    assert [said(name) for name in ("digits", "digits-held-out")] == ["made for these networks"] * 2
    assert said("micr") == "None"


def test_a_pinned_model_is_pointed_out(tallyscan: Tallyscan, good: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSCAN_MODEL", "digits")
    assert "TALLYSCAN_MODEL=digits is set" in tallyscan("models", "promote", good).stderr
    monkeypatch.setenv("TALLYSCAN_CALIBRATION", str(SHIPPED / "digits" / "calibration.json"))
    assert "TALLYSCAN_CALIBRATION is set" in tallyscan("models", "promote", good).stderr
