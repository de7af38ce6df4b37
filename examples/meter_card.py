"""`python -m examples.meter_card FOLDER`: draw an empty meter card and two filled ones, to write a template for.

What is written on the filled ones stands in `truth.csv` beside them.
"""

import csv
from pathlib import Path
from typing import Final

import click
import numpy as np

from core.types import Box
from examples.drawing import files, paper
from examples.drawing.hand import draw_hand, write

SIZE: Final = (1240, 900)
FIELDS: Final = (
    ("customer", Box(420, 200, 640, 80), 8),
    ("reading", Box(420, 400, 420, 90), None),
    ("read_on", Box(420, 600, 480, 80), 6),
)
"""Name, box, and how many boxes its comb has."""

NUMBERS: Final = (
    {"customer": "40217735", "reading": "90325", "read_on": "030625"},
    {"customer": "11508246", "reading": "4711", "read_on": "170225"},
)


def draw_card(numbers: dict[str, str], *, seed: int) -> bytes:
    """Return a card as PNG; empty without numbers."""
    rng = np.random.default_rng([seed, 9])
    page = paper.blank(*SIZE, rng=rng, colour=paper.PAPERS[0])
    paper.label(page, "Meter card", x=80, y=60, size=48)
    hand = draw_hand(rng)
    for name, box, cells in FIELDS:
        paper.label(page, name.replace("_", " ").capitalize(), x=80, y=box.y + 24, size=30)
        if cells is None:
            paper.frame(page, box)
        else:
            paper.comb(page, box, cells=cells, colour=paper.PRINT)
        if name in numbers:
            height, pitch = 0.62 * box.height, None if cells is None else box.width / cells
            writing = write(numbers[name], height=height, hand=hand, rng=rng, pitch=pitch)
            left = box.x - round(0.4 * height) + (0 if cells else 30)
            paper.lay(page, writing, x=left, y=box.y + (box.height - writing.ink.shape[0]) // 2, colour=hand.colour)
    skew = float(rng.uniform(-0.8, 0.8)) if numbers else 0.0
    return files.encode(files.as_image(paper.scanned(page, rng=rng, skew_degrees=skew)), "PNG")


def write_cards(folder: Path) -> list[Path]:
    """Draw the cards and their truth into `folder`, and return the pictures' paths."""
    folder.mkdir(parents=True, exist_ok=True)
    cards = {"blank.png": draw_card({}, seed=1)}
    cards |= {f"filled-{place}.png": draw_card(each, seed=place + 4) for place, each in enumerate(NUMBERS, start=1)}
    for name, data in cards.items():
        (folder / name).write_bytes(data)
    with (folder / "truth.csv").open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(("file", "field", "text"))
        for place, numbers in enumerate(NUMBERS, start=1):
            rows.writerows((f"filled-{place}.png", name, text) for name, text in numbers.items())
    return [folder / name for name in cards]


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Draw, and say what was written."""
    for path in write_cards(folder):
        click.echo(path)


if __name__ == "__main__":
    main()
