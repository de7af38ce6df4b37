"""`python -m examples.draw`: draw the example scans and their truth into a folder."""

import csv
from pathlib import Path

import click

from examples.drawing.scans import Truth, draw_scans

TRUTH = "truth.csv"
COLUMNS = ("file", "page", "field", "type", "text", "x", "y", "width", "height")


def write_scans(folder: Path, *, seed: int) -> list[Path]:
    """Draw the scans and `truth.csv` into `folder`, and return the scans' paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    rows: list[tuple[str | int, ...]] = []
    for scan in draw_scans(seed):
        path = folder / scan.name
        path.write_bytes(scan.data)
        paths.append(path)
        rows.extend(_row(truth) for truth in scan.truth)
    with (folder / TRUTH).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return paths


def _row(truth: Truth) -> tuple[str | int, ...]:
    box = truth.box
    return (truth.file, truth.page, truth.field, truth.type, truth.text, box.x, box.y, box.width, box.height)


@click.command(help=__doc__)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("examples/scans"))
@click.option("--seed", type=int, default=7, show_default=True)
def main(out: Path, seed: int) -> None:
    """Draw, and say what was written."""
    for path in write_scans(out, seed=seed):
        click.echo(f"{path}  {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
