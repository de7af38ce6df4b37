"""`compare`: a thin door to `model.comparison`; TensorFlow and scikit-learn are imported behind it."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import SEED, examples
from cli.output import print_table
from cli.progress import progress_display
from cli.terminal import say

if TYPE_CHECKING:
    from model.comparison.running import Comparison


@click.command(
    epilog=examples(
        "tallyscan compare --data data/mnist --quick",
        "tallyscan compare --data data/mnist --out runs/comparison",
        "tallyscan compare --data data/mnist --out runs/comparison --resume",
    )
)
@click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    help="Folder of MNIST; USPS, Semeion and optdigits are taken from beside it [default: MNIST by Keras].",
)
@click.option(
    "--out",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs/comparison"),
    show_default=True,
    help="Folder for report.html, comparison.json, and all that a run needs to go on.",
)
@click.option(
    "--quick",
    is_flag=True,
    help="A tenth of what is learnt from, 2,000 glyphs of each test set: a look in two minutes.",
)
@click.option("--seed", type=SEED, default=1, show_default=True, help="Of everything that is left to chance.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="Classifiers at a time, a core each [default: as many as there are cores].",
)
@click.option("--resume", is_flag=True, help="Go on with the run in --out.")
def compare(data: Path | None, out: Path, quick: bool, seed: int, jobs: int | None, resume: bool) -> None:
    """Train and test classical methods and networks side by side, and write a report.

    Everybody learns from the same training images and reads the same test sets. Needs the train extra.
    """
    from model.training_extra import require

    require("sklearn", "skimage", "matplotlib", "tensorflow")
    from model.comparison.report import write_report
    from model.comparison.running import CompareOptions
    from model.comparison.running import compare as run
    from model.history import command_line

    with progress_display() as display:
        bar = display.bar("comparing", total=0)

        def show(done: int, total: int, name: str) -> None:
            bar.at(done, total=total, title=name)
            if not display.drawn:
                display.note(f"{done} of {total}  {name}")

        found, read = run(
            CompareOptions(
                out=out,
                data=data,
                quick=quick,
                seed=seed,
                jobs=jobs or os.cpu_count() or 1,
                resume=resume,
                on_progress=show,
            )
        )
    for name in found.missing:
        say(f"{name} is not beside the data and was left out", err=True)
    report = write_report(found, read, out, command=command_line(sys.argv[1:]))
    _print(found)
    say(f"{report}")


def _print(found: "Comparison") -> None:
    """Print the short table: accuracy in each set."""
    sets = list(found.results[0].sets)
    print_table(
        ("method", "sees", *sets),
        (
            (
                result.entry.title,
                result.entry.features,
                *(f"{result.sets[name].accuracy:.2%}" for name in sets),
            )
            for result in found.results
        ),
    )
