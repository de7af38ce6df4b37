"""A line reader trained for some seconds, and on from where a training was stopped."""

import json
import multiprocessing
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidRequest, WorkerLost
from model.corpora import LabelledString, meza_strings, orand_strings
from model.line import training
from model.line.batching import batches, greedy_texts, stacked
from model.line.journal import read_journal
from model.line.material import Sample
from model.line.network import BLANK, LINE_CLASSES, build_line_reader
from model.line.training import (
    WEIGHTS,
    LineEpoch,
    LineOptions,
    load_line_run,
    train_line_reader,
)
from model.training_extra import load_keras

pytest.importorskip("tensorflow", reason="the train extra is not installed")

# Keras 3.15 converts TensorFlow's variables in a way that NumPy 2 deprecates; nothing here can help it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def line(width: int, text: str = "1") -> Sample:
    return Sample(np.full((32, width), width, np.uint8), text)


@pytest.fixture(scope="module", autouse=True)
def _soon_warm() -> Iterator[None]:
    """Six steps are all there are: the rate is at its highest after two of them, not after hundreds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "WARM_UP_STEPS", 2)
        yield


@pytest.fixture(scope="module")
def options(drawn_data: Path, tmp_path_factory: pytest.TempPathFactory) -> LineOptions:
    out = tmp_path_factory.mktemp("runs") / "whole"
    return LineOptions(
        drawn_data, out, recipe="digits-open", seed=4, epochs=2, fresh=48, batch_size=16, command="train"
    )


@pytest.fixture(scope="module")
def trained(options: LineOptions) -> list[LineEpoch]:
    return train_line_reader(options)


def test_a_training_writes_down_what_it_did(trained: list[LineEpoch], options: LineOptions) -> None:
    assert [row.epoch for row in trained] == [1, 2]
    assert trained[1].loss < trained[0].loss
    assert (options.out / "epochs.png").read_bytes().startswith(b"\x89PNG")
    assert len((options.out / "epochs.csv").read_text("utf-8").splitlines()) == 3
    run = load_line_run(options.out)
    assert (run.seed, run.command, run.recipe, run.epochs) == (4, "train", "digits-open", 2)
    assert [source.name for source in run.data] == ["unipen_ink", "pendigits_ink"]


def test_a_stopped_training_goes_on_as_if_nothing_had_happened(
    trained: list[LineEpoch], options: LineOptions, tmp_path: Path
) -> None:
    part = replace(options, out=tmp_path / "part")
    train_line_reader(replace(part, until=1, command="train --until 1"))
    assert not (part.out / WEIGHTS).exists()
    seen: list[LineEpoch] = []
    rows = train_line_reader(replace(part, resume=True, on_epoch=seen.append))
    assert [row.epoch for row in seen] == [2]
    assert load_line_run(part.out).command == "train --until 1 && train"
    assert [row.loss for row in rows] == pytest.approx([row.loss for row in trained], rel=1e-3)
    networks = [build_line_reader(), build_line_reader()]
    for network, folder in zip(networks, (options.out, part.out), strict=True):
        network.load_weights(folder / WEIGHTS)
    for one, other in zip(*(network.get_weights() for network in networks), strict=True):
        assert np.allclose(one, other, rtol=1e-2, atol=1e-3)


def test_a_training_may_begin_with_learnt_weights(
    trained: list[LineEpoch], options: LineOptions, tmp_path: Path
) -> None:
    weights = options.out / WEIGHTS
    on = replace(options, out=tmp_path / "on", epochs=1, begin=weights, rate=1e-6, command="train --begin")
    rows = train_line_reader(on)
    assert rows[0].loss < trained[0].loss
    run = load_line_run(on.out)
    assert run.begun_with == sha256(weights.read_bytes()).hexdigest()
    assert run.command == "train && train --begin"
    with pytest.raises(InvalidRequest, match="no weights of a line reader"):
        train_line_reader(replace(options, out=tmp_path / "none", begin=options.out / "epochs.png"))


def test_a_damaged_picture_is_told_and_a_run_begun_anew_forgets_the_one_before(
    trained: list[LineEpoch], options: LineOptions, tmp_path: Path
) -> None:
    picture = _learnt_from(_copied(options, tmp_path))[-1].path
    content = picture.read_bytes()
    picture.write_bytes(content[:20])
    first = replace(options, data=tmp_path / "data", out=tmp_path / "run", recipe="strings", fresh=16, epochs=1)
    with pytest.raises(InvalidRequest, match=f"{picture.name} is missing or no picture"):
        train_line_reader(replace(first, begin=options.out / WEIGHTS, command="train --begin"))
    assert (first.out / "begun.json").exists()
    picture.write_bytes(content)
    train_line_reader(first)
    run = load_line_run(first.out)
    assert (run.begun_with, run.command) == ("", "train")


def test_a_held_out_picture_that_is_missing_is_told(options: LineOptions, tmp_path: Path) -> None:
    data = _copied(options, tmp_path)
    (data / "orand_car_a" / "boxes.csv").unlink()
    with pytest.raises(InvalidRequest, match=r"boxes\.csv is missing: .*orand_car_a/"):
        train_line_reader(replace(options, data=data, out=tmp_path / "run"))


def test_a_killed_drawer_is_told(options: LineOptions, tmp_path: Path) -> None:
    def kill(_: LineEpoch) -> None:
        for child in multiprocessing.active_children():
            child.kill()

    killed = replace(options, out=tmp_path / "run", fresh=16, epochs=4, on_epoch=kill)
    with pytest.raises(WorkerLost, match="go on with --resume"):
        train_line_reader(killed)
    assert 1 <= len(read_journal(killed.out)) < 4


@pytest.mark.parametrize("name", ["state-2.index", "state-2.data-00000-of-00001"])
@pytest.mark.parametrize("left", [None, 0, 100], ids=["missing", "empty", "cut off"])
def test_a_damaged_state_is_told(
    name: str, left: int | None, trained: list[LineEpoch], options: LineOptions, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(options.out, tmp_path / "run"))
    content = (run / name).read_bytes()
    (run / name).unlink()
    if left is not None:
        (run / name).write_bytes(content[:left])
    with pytest.raises(InvalidRequest, match="state-2 is missing, damaged"):
        train_line_reader(replace(options, out=run, resume=True))


def test_a_finished_run_is_not_written_again(trained: list[LineEpoch], options: LineOptions, tmp_path: Path) -> None:
    run = Path(shutil.copytree(options.out, tmp_path / "run"))

    def gone_on() -> float:
        load_keras().utils.clear_session()  # a layer's name counts those of its process
        train_line_reader(replace(options, out=run, resume=True))
        return (run / WEIGHTS).stat().st_mtime

    gone_on()
    content = (run / WEIGHTS).read_bytes()
    os.utime(run / WEIGHTS, (1, 1))
    assert gone_on() == 1
    (run / WEIGHTS).write_bytes(content[:99])
    assert gone_on() != 1
    assert (run / WEIGHTS).read_bytes() == content


def _copied(options: LineOptions, folder: Path) -> Path:
    assert options.data is not None
    return Path(shutil.copytree(options.data, folder / "data"))


def _learnt_from(data: Path) -> list[LabelledString]:
    return [*meza_strings(data, training=True), *orand_strings(data, training=True)]


def test_a_run_is_not_written_over(trained: list[LineEpoch], options: LineOptions) -> None:
    with pytest.raises(InvalidRequest, match="resume"):
        train_line_reader(options)


def test_a_folder_without_a_run_is_none(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no finished training"):
        load_line_run(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"seed": 1}), "utf-8")
    with pytest.raises(InvalidRequest, match="no finished training"):
        load_line_run(tmp_path)


@pytest.mark.parametrize("width", [16, 112, 384])
def test_a_frame_is_two_columns(width: int) -> None:
    network = build_line_reader()
    logits = np.asarray(network(np.zeros((2, 32, width, 1), np.float32), training=False))
    assert logits.shape == (2, width // 2, len(LINE_CLASSES))
    assert network.count_params() <= 1_500_000


def test_batches_hold_every_sample_once_and_like_widths_together() -> None:
    samples = [line(16 + index) for index in range(100)]
    found = list(batches(samples, 8, np.random.default_rng(1)))
    assert sorted(sample.pixels.shape[1] for batch in found for sample in batch) == list(range(16, 116))
    assert max(np.ptp([sample.pixels.shape[1] for sample in batch]) for batch in found) < 32


def test_stacked_lines_are_padded_with_paper() -> None:
    lines, frames = stacked([line(20), line(33)])
    assert lines.shape == (2, 32, 48, 1)
    assert frames.tolist() == [10, 17]
    assert lines[0, :, :20].min() == 20
    assert lines[0, :, 20:].max() == 0


def test_greedy_texts_drop_repeats_then_blanks_and_stop_at_the_lines_end() -> None:
    frames = [1, 1, BLANK, 1, 10, 10, BLANK, 5]
    logits = np.eye(len(LINE_CLASSES), dtype=np.float32)[[frames]]
    assert greedy_texts(logits, np.array([8], np.int32)) == ["11?5"]
    assert greedy_texts(logits, np.array([4], np.int32)) == ["11"]
