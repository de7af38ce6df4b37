"""A run's diary: what each epoch gave, the weights to go on from, the best ones, a table and a plot.

An epoch's files bear its number, and the state, replaced at once, says which epoch counts: wherever a run is killed,
the weights that it goes on from, their average and the best ones belong together.
"""

import csv
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import partial
from math import inf, isfinite
from pathlib import Path
from typing import Any, Final

from core.codec import from_json
from core.errors import InvalidRequest
from core.files import written_at_once
from model.averaging import Averaging
from model.run_files import readable, write_whole
from model.training_extra import load_extra

STATE = "state.json"
BEST = "best.weights.h5"

LAST_OF: Final = "last-{}.weights.h5"
AVERAGE_OF: Final = "average-{}.npz"
BEST_OF: Final = "best-{}.weights.h5"
"""By epoch; the best weights lose the number once the state has them."""

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
    """All epochs so far, and which training they were of: its network, recipe, seed and glyphs."""

    training: str
    rows: tuple[Row, ...] = ()

    @property
    def best(self) -> Row:
        """The epoch with the least loss on the glyphs held out; any number is less than none."""
        return min(self.rows, key=lambda row: row.val_loss if isfinite(row.val_loss) else inf)

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


def read(folder: Path, *, training: str) -> Journal:
    """Return the journal in `folder`; empty when new.

    Raises:
        InvalidRequest: the run there is another training, or its state is damaged.
    """
    if not exists(folder):
        return Journal(training)
    with readable(folder / STATE) as path:
        record = from_json(Journal, json.loads(path.read_text("utf-8")))
    if record.training != training:
        raise InvalidRequest(f"The run in {folder} is another training: {record.training}; not {training}.")
    return record


def restore(folder: Path, record: Journal, network: Any, average: Averaging | None) -> None:  # noqa: ANN401
    """Put the last epoch's weights and optimizer into `network`, and its average into `average`; nothing when new.

    Raises:
        InvalidRequest: they are missing, damaged, or of another network.
    """
    if not record.rows:
        return
    epoch = len(record.rows)
    with readable(folder / LAST_OF.format(epoch)) as path:
        network.optimizer.build(network.trainable_variables)
        network.load_weights(path)
    if average:
        with readable(folder / AVERAGE_OF.format(epoch)) as path:
            average.load(path)


def keep_best(folder: Path, record: Journal, network: Any) -> None:  # noqa: ANN401
    """Keep the network's weights where the last epoch is the best one."""
    if record.best.epoch == len(record.rows):
        network.save_weights(folder / BEST_OF.format(record.best.epoch), overwrite=True)


def write(folder: Path, record: Journal, network: Any, average: Averaging | None) -> None:  # noqa: ANN401
    """Leave all that `restore` needs of the last epoch, then the state, and last what is only looked at."""
    epoch = len(record.rows)
    network.save_weights(folder / LAST_OF.format(epoch), overwrite=True)
    if average:
        average.save(folder / AVERAGE_OF.format(epoch))
    with written_at_once(folder / STATE) as part:
        part.write_text(json.dumps(asdict(record)), "utf-8")
    tidy(folder, record)
    _table(folder / "history.csv", record)
    _plot(folder / "history.png", record)


def tidy(folder: Path, record: Journal) -> None:
    """Give the best weights their name, and remove the files of other epochs than the last: a kill may leave both."""
    best = folder / BEST_OF.format(record.best.epoch if record.rows else 0)
    if best.exists():
        best.replace(folder / BEST)
    kept = {name.format(len(record.rows)) for name in (LAST_OF, AVERAGE_OF)}
    for name in (LAST_OF, AVERAGE_OF, BEST_OF):
        for old in folder.glob(name.format("*")):
            if old.name not in kept:
                old.unlink()


def save_best(folder: Path, network: Any) -> str:  # noqa: ANN401
    """See that the best epoch's network is saved as a whole, and return the file's SHA-256.

    Raises:
        InvalidRequest: its weights are missing or damaged.
    """
    with readable(folder / BEST) as path:
        network.load_weights(path)
    write_whole(folder / NETWORK, partial(network.save, include_optimizer=False))
    return hashlib.sha256((folder / NETWORK).read_bytes()).hexdigest()


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
