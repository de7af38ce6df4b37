"""A run goes on from one epoch's files, wherever it was killed; or says what is wrong with them."""

import json
import os
from hashlib import sha256
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidRequest
from model import journal
from model.averaging import Averaging
from model.journal import Journal
from model.training_extra import load_keras

pytest.importorskip("tensorflow", reason="the train extra is not installed")

# Keras 3.15 converts TensorFlow's variables in a way that NumPy 2 deprecates; nothing here can help it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

TRAINING = "tiny, seed 1"


def network(weight: float) -> Any:  # noqa: ANN401 - keras.Model is untyped
    keras = load_keras()
    made = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    made.compile(keras.optimizers.Adam(), "mse")
    made.optimizer.build(made.trainable_variables)
    made.set_weights([np.array([[weight]], np.float32)])
    return made


def epoch(folder: Path, record: Journal, weight: float, *, val_loss: float) -> Journal:
    """Write an epoch that ended with that weight, its average the same."""
    trained = network(weight)
    record = record.plus(1.0, 0.5, val_loss, 0.5)
    journal.keep_best(folder, record, trained)
    journal.write(folder, record, trained, Averaging(trained, 0.9))
    return record


def restored(folder: Path) -> tuple[Journal, float, float]:
    """Return the record with the weight and the average that the run goes on from."""
    record = journal.read(folder, training=TRAINING)
    going_on = network(0.0)
    average = Averaging(going_on, 0.9)
    journal.restore(folder, record, going_on, average)
    weight = going_on.get_weights()[0].item()
    with average.in_place():
        return record, weight, going_on.get_weights()[0].item()


def best(folder: Path) -> float:
    kept = network(0.0)
    kept.load_weights(folder / journal.BEST)
    return float(kept.get_weights()[0].item())


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_is_left_of_an_epoch_is_what_the_next_one_needs(tmp_path: Path) -> None:
    record = epoch(tmp_path, Journal(TRAINING), 1.0, val_loss=0.5)
    epoch(tmp_path, record, 2.0, val_loss=0.7)
    assert files(tmp_path) == {
        "average-2.npz", "best.weights.h5", "history.csv", "history.png", "last-2.weights.h5", "state.json"
    }  # fmt: skip
    found, *weights = restored(tmp_path)
    assert (len(found.rows), weights, best(tmp_path)) == (2, [2.0, 2.0], 1.0)


def test_an_epoch_killed_before_its_state_never_was(tmp_path: Path) -> None:
    record = epoch(tmp_path, Journal(TRAINING), 1.0, val_loss=0.5)
    state = (tmp_path / journal.STATE).read_bytes()
    whole = files(tmp_path)
    # A directory in the state's way: all that comes before it is written, as where a run is killed.
    (tmp_path / "state.json.part").mkdir()
    with pytest.raises(IsADirectoryError):
        epoch(tmp_path, record, 2.0, val_loss=0.4)
    (tmp_path / "state.json.part").rmdir()
    assert (tmp_path / journal.STATE).read_bytes() == state
    found, *weights = restored(tmp_path)
    assert (len(found.rows), weights, best(tmp_path)) == (1, [1.0, 1.0], 1.0)
    journal.tidy(tmp_path, found)
    assert files(tmp_path) == whole


def test_an_epoch_killed_right_after_its_state_counts(tmp_path: Path) -> None:
    record = epoch(tmp_path, Journal(TRAINING), 1.0, val_loss=0.5)
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    epoch(tmp_path, record, 2.0, val_loss=0.4)
    (tmp_path / journal.BEST).rename(tmp_path / "best-2.weights.h5")
    for name in before.keys() - {journal.STATE}:
        (tmp_path / name).write_bytes(before[name])
    found, *weights = restored(tmp_path)
    journal.tidy(tmp_path, found)
    assert (len(found.rows), weights, best(tmp_path)) == (2, [2.0, 2.0], 2.0)
    assert {name for name in files(tmp_path) if name[-1] in "5z"} == {
        "average-2.npz", "best.weights.h5", "last-2.weights.h5"
    }  # fmt: skip


def test_another_training_is_told(tmp_path: Path) -> None:
    epoch(tmp_path, Journal(TRAINING), 1.0, val_loss=0.5)
    with pytest.raises(InvalidRequest, match="is another training: tiny, seed 1; not tiny, seed 2"):
        journal.read(tmp_path, training="tiny, seed 2")


@pytest.mark.parametrize(
    "state",
    ["", '{"training": "tiny', json.dumps({"network": "tiny", "rows": []}), json.dumps({"training": 1, "rows": [{}]})],
    ids=["empty", "cut off", "earlier", "other"],
)
def test_a_state_that_says_nothing_is_told(state: str, tmp_path: Path) -> None:
    (tmp_path / journal.STATE).write_text(state)
    with pytest.raises(InvalidRequest, match=r"state\.json is missing, damaged, or of another version"):
        journal.read(tmp_path, training=TRAINING)


@pytest.mark.parametrize("name", ["average-1.npz", "last-1.weights.h5"])
@pytest.mark.parametrize("left", [None, 0, 100], ids=["missing", "empty", "cut off"])
def test_a_file_that_is_no_longer_whole_is_told(name: str, left: int | None, tmp_path: Path) -> None:
    epoch(tmp_path, Journal(TRAINING), 1.0, val_loss=0.5)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    if left is not None:
        (tmp_path / name).write_bytes(content[:left])
    with pytest.raises(InvalidRequest, match=f"{name} is missing, damaged"):
        restored(tmp_path)


def test_any_number_is_better_than_none(tmp_path: Path) -> None:
    record = epoch(tmp_path, Journal(TRAINING), 1.0, val_loss=nan)
    record = epoch(tmp_path, record, 2.0, val_loss=inf)
    record = epoch(tmp_path, record, 3.0, val_loss=0.9)
    record = epoch(tmp_path, record, 4.0, val_loss=nan)
    assert (record.best.epoch, record.epochs_without_gain, best(tmp_path)) == (3, 1, 3.0)
    assert journal.read(tmp_path, training=TRAINING).best.epoch == 3


def test_the_best_network_is_saved_once_and_at_once(tmp_path: Path) -> None:
    epoch(tmp_path, Journal(TRAINING), 1.0, val_loss=0.5)
    path = tmp_path / journal.NETWORK
    load_keras().utils.clear_session()  # a layer's name counts those of its process
    digest = journal.save_best(tmp_path, network(0.0))
    os.utime(path, (1, 1))
    load_keras().utils.clear_session()
    assert journal.save_best(tmp_path, network(0.0)) == digest == sha256(path.read_bytes()).hexdigest()
    assert path.stat().st_mtime == 1, "written again"
    path.write_bytes(path.read_bytes()[:-9])
    journal.save_best(tmp_path, network(0.0))
    assert load_keras().models.load_model(path, compile=False).get_weights()[0].item() == 1.0
    assert not [name for name in files(tmp_path) if "part" in name]
