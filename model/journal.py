"""A run's diary: what each epoch gave, the weights to go on from, the best ones, a table and a plot."""

import csv
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core.codec import from_json
from core.errors import InvalidRequest
from model.training_extra import load_extra

STATE = "state.json"
LAST = "last.weights.h5"
BEST = "best.weights.h5"
NETWORK = "model.keras"


@dataclass(frozen=True, slots=True)
class Row:
    """What one epoch gave; `val_…` on the glyphs held out."""

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float


@dataclass(frozen=True, slots=True)
class Journal:
    """All epochs so far, and which training they were of: its network, recipe, seed and number of glyphs."""

    training: str
    rows: tuple[Row, ...] = ()

    @property
    def best(self) -> Row:
        """The epoch with the least loss on the glyphs held out."""
        return min(self.rows, key=lambda row: row.val_loss)

    @property
    def epochs_without_gain(self) -> int:
        """Epochs since the best one."""
        return len(self.rows) - self.best.epoch if self.rows else 0

    def plus(self, loss: float, accuracy: float, val_loss: float, val_accuracy: float) -> "Journal":
        """Return the journal with one epoch more."""
        return replace(self, rows=(*self.rows, Row(len(self.rows) + 1, loss, accuracy, val_loss, val_accuracy)))


def exists(folder: Path) -> bool:
    """Return whether a run was begun in `folder`."""
    return (folder / STATE).exists()


def resume(folder: Path, network: Any, *, training: str) -> Journal:  # noqa: ANN401 - keras.Model is untyped
    """Return the journal in `folder`, with the last epoch's weights and optimizer put into `network`; empty when new.

    Raises:
        InvalidRequest: the run there is another training.
    """
    if not exists(folder):
        return Journal(training)
    record = from_json(Journal, json.loads((folder / STATE).read_text("utf-8")))
    if record.training != training:
        raise InvalidRequest(f"The run in {folder} is another training: {record.training}; not {training}.")
    network.optimizer.build(network.trainable_variables)
    network.load_weights(folder / LAST)
    return record


def keep_best(folder: Path, record: Journal, network: Any) -> None:  # noqa: ANN401
    """Keep the network's weights where the last epoch is the best one."""
    if record.best.epoch == len(record.rows):
        _save_weights(folder / BEST, network)


def write(folder: Path, record: Journal, network: Any) -> None:  # noqa: ANN401
    """Leave all that `resume` needs, each file replaced at once, the state last."""
    _save_weights(folder / LAST, network)
    _table(folder / "history.csv", record)
    _plot(folder / "history.png", record)
    partial = folder / f"{STATE}.part"
    partial.write_text(json.dumps(asdict(record)), "utf-8")
    partial.replace(folder / STATE)


def save_best(folder: Path, network: Any) -> str:  # noqa: ANN401
    """Save the best epoch's network as a whole and return the file's SHA-256."""
    network.load_weights(folder / BEST)
    network.save(folder / NETWORK, include_optimizer=False)
    return hashlib.sha256((folder / NETWORK).read_bytes()).hexdigest()


def _save_weights(path: Path, network: Any) -> None:  # noqa: ANN401
    # Keras insists on the ending.
    partial = path.with_name(f"part-{path.name}")
    network.save_weights(partial, overwrite=True)
    partial.replace(path)


def _table(path: Path, record: Journal) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(asdict(record.rows[0])))
        writer.writeheader()
        writer.writerows(asdict(row) for row in record.rows)


def _plot(path: Path, record: Journal) -> None:
    """Draw loss and accuracy by epoch; a dashed line marks the epoch that is kept."""
    figure = load_extra("matplotlib.figure").Figure(figsize=(9, 3.6), layout="constrained")
    epochs = [row.epoch for row in record.rows]
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        axes.plot(epochs, [getattr(row, name) for row in record.rows], marker=".", label="training")
        axes.plot(epochs, [getattr(row, f"val_{name}") for row in record.rows], marker=".", label="held out")
        axes.axvline(record.best.epoch, color="0.6", linestyle="--", linewidth=1, label="kept", zorder=0)
        axes.set(xlabel="epoch", title=name)
        axes.xaxis.set_major_locator(load_extra("matplotlib.ticker").MaxNLocator(integer=True))
        axes.grid(color="0.92")
        axes.legend()
    figure.savefig(path, dpi=100)
