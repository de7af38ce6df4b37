"""A calibration says for which networks it was made, and others are told."""

import json
import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.settings import Settings
from model.artifacts import SHIPPED
from model.corpora import LAST_FOLD
from storage.models import ModelShelf
from worker.current import CurrentReader
from worker.networks import CALIBRATION, load_networks, save_calibration


@pytest.fixture
def replaced(tmp_path: Path) -> Path:
    """A model with the calibration of other networks."""
    folder = Path(shutil.copytree(SHIPPED / "digits-open", tmp_path / "made" / "digits-open"))
    shutil.copyfile(SHIPPED / "digits" / CALIBRATION, folder / CALIBRATION)
    return folder


@pytest.mark.parametrize("name", ["digits", "digits-held-out", "digits-open"])
def test_the_calibrations_that_ship_were_made_for_their_networks(name: str) -> None:
    networks = load_networks(name)
    assert networks.are_calibrated
    assert networks.digest in networks.calibrated


def test_two_models_that_learnt_the_same_way_share_a_calibration() -> None:
    one, other = load_networks("digits"), load_networks("digits-held-out")
    assert one.digest != other.digest
    assert set(one.calibrated) == set(other.calibrated) >= {one.digest, other.digest}


@pytest.mark.parametrize("fold", range(1, LAST_FOLD))
def test_the_calibration_was_made_for_networks_of_the_other_folds_too(fold: int, project_root: Path) -> None:
    others = load_networks(f"digits-fold-{fold}", root=project_root / "benchmarks" / "networks")
    shipped = load_networks("digits-held-out")
    assert others.digest != shipped.digest
    assert others.digest in shipped.calibrated
    assert others.calibration == shipped.calibration


def test_a_calibration_is_written_with_its_networks(tmp_path: Path) -> None:
    networks, path = load_networks("digits-open"), tmp_path / CALIBRATION
    assert networks.calibration is not None
    save_calibration(path, networks.calibration, networks=[networks.digest])
    assert json.loads(path.read_text())["networks"] == [networks.digest]
    assert load_networks("digits-open", calibration=path).calibration == networks.calibration


def test_networks_that_were_replaced_are_told(replaced: Path) -> None:
    assert not load_networks(replaced.name, root=replaced.parent).are_calibrated


def test_a_calibration_that_does_not_say_is_taken(replaced: Path) -> None:
    record = json.loads((replaced / CALIBRATION).read_text("utf-8"))
    del record["networks"]
    (replaced / CALIBRATION).write_text(json.dumps(record), "utf-8")
    assert load_networks(replaced.name, root=replaced.parent).are_calibrated


def test_a_worker_reads_on_and_its_log_says_so(replaced: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    shelf = ModelShelf.of(settings)
    shelf.promote(shelf.add(replaced))
    with capture_logs() as lines:
        CurrentReader(settings)()
    assert [line["event"] for line in lines if line["log_level"] == "warning"] == [
        "calibration was made for other networks: confidences mean little"
    ]
