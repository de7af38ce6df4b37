"""A run's diary: what each epoch gave, as a table to go on from and a plot to look at."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

from core.files import written_at_once
from model.run_files import readable
from model.training_extra import load_extra

TABLE = "epochs.csv"
PLOT = "epochs.png"
OWN = ("epoch", "loss", "seconds")
"""Columns of the table; those behind are collections."""


@dataclass(frozen=True, slots=True)
class LineEpoch:
    """One epoch: its number from 1, mean loss, seconds, and by collection the share of held-out lines read whole."""

    epoch: int
    loss: float
    seconds: float
    read: dict[str, float] = field(default_factory=dict)

    def as_row(self) -> dict[str, float]:
        """Return the epoch as a row of the table."""
        return {**dict(zip(OWN, (self.epoch, self.loss, self.seconds), strict=True)), **self.read}


def read_journal(folder: Path) -> list[LineEpoch]:
    """Return the epochs of the run in `folder`; none when it is new.

    Raises:
        InvalidRequest: the table is damaged.
    """
    path = folder / TABLE
    if not path.exists():
        return []
    with readable(path), path.open(newline="", encoding="utf-8") as lines:
        rows = [_epoch(row) for row in csv.DictReader(lines, strict=True)]
        if [row.epoch for row in rows] != list(range(1, len(rows) + 1)):
            raise ValueError("epochs are missing")
    return rows


def _epoch(row: dict[str, str]) -> LineEpoch:
    """Return the epoch of a row; one that is cut short lacks numbers."""
    read = {name: float(share) for name, share in row.items() if name not in OWN}
    return LineEpoch(int(row["epoch"]), float(row["loss"]), float(row["seconds"]), read)


def write_journal(folder: Path, rows: list[LineEpoch]) -> None:
    """Write the table, replaced at once, and the plot."""
    with written_at_once(folder / TABLE) as partial, partial.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, fieldnames=list(rows[0].as_row()))
        writer.writeheader()
        writer.writerows(row.as_row() for row in rows)
    _plot(folder / PLOT, rows)


def _plot(path: Path, rows: list[LineEpoch]) -> None:
    figure = load_extra("matplotlib.figure").Figure(figsize=(9, 3.6), layout="constrained")
    epochs = [row.epoch for row in rows]
    losses, shares = figure.subplots(1, 2)
    losses.plot(epochs, [row.loss for row in rows], marker=".")
    losses.set(xlabel="epoch", title="loss", yscale="log")
    for name in rows[0].read:
        shares.plot(epochs, [row.read[name] for row in rows], marker=".", label=name)
    shares.set(xlabel="epoch", title="held-out strings read whole")
    shares.legend()
    figure.savefig(path, dpi=100)
