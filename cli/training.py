"""`train`, `evaluate`, `predict`, `export-model`: thin doors to `model`; TensorFlow is imported behind them."""

import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import SEED, Finite, answer_format, examples
from cli.output import print_json, print_table
from cli.progress import Bar, Display, progress_display
from cli.terminal import say

if TYPE_CHECKING:
    from model.train import Progress

FOLDER = click.Path(file_okay=False, path_type=Path)
DATA = click.Path(exists=True, path_type=Path)
COUNT = click.IntRange(min=1)

models_option = click.option("--models", "root", type=FOLDER, help="Folder of networks [default: the shipped ones].")
model_option = click.option(
    "--model",
    "models",
    multiple=True,
    default=("digits",),
    show_default=True,
    help="Name of the network; given more than once, the networks are one: the mean of their probabilities counts.",
)


@click.command(
    epilog=examples(
        "tallyscan train --out runs/first",
        "tallyscan train train-images-idx3-ubyte.gz --arch baseline --out runs/baseline",
        "tallyscan train --out runs/first --resume --epochs 40",
        "tallyscan train data/ --arch line --recipe digits --out runs/line-1",
        "tallyscan train --arch line --recipe printed --out runs/printed",
        "tallyscan train --arch micr --recipe micr --out runs/micr",
    )
)
@click.argument("data", required=False, type=DATA)
@click.option("--out", "-o", type=FOLDER, required=True, help="Folder of the run: network, history, plot.")
@click.option(
    "--arch",
    default="small",
    show_default=True,
    help="Architecture: small, baseline, record, record-3, record-7, micr or line.",
)
@click.option(
    "--recipe",
    default="plain",
    show_default=True,
    help="How the data is mixed: plain, mnist, digits, digits-easy, digits-open, micr; "
    "for --arch line one of digits, digits-open, strings, digits-all, printed.",
)
@click.option("--view", help="How the network sees glyphs: plain, upright, narrow or wide [default: plain].")
@click.option("--seed", type=SEED, default=1, show_default=True, help="Of everything that is left to chance.")
@click.option("--epochs", type=COUNT, help="At most so many [default: the architecture's].")
@click.option("--batch-size", type=COUNT, help="Glyphs a step [default: the architecture's].")
@click.option("--patience", type=COUNT, help="Epochs without gain before it stops [default: the architecture's].")
@click.option("--limit", type=COUNT, help="At most so many glyphs of a source, or lines an epoch.")
@click.option("--teacher", type=DATA, help="Folder of a network that finds digits where only the text is known.")
@click.option("--until", type=COUNT, help="Stop after this epoch, to go on another time; for --arch line.")
@click.option(
    "--begin",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Weights to begin with (line.weights.h5 of a run, line-1.weights.h5 of an artifact); for --arch line.",
)
@click.option(
    "--rate",
    type=Finite(min=0, min_open=True),
    help="Highest learning rate [default: that for new networks]; for --arch line.",
)
@click.option("--resume", is_flag=True, help="Go on with the run in --out.")
def train(  # noqa: PLR0913, PLR0917 - one parameter an option
    data: Path | None,
    out: Path,
    arch: str,
    recipe: str,
    view: str | None,
    seed: int,
    epochs: int | None,
    batch_size: int | None,
    patience: int | None,
    limit: int | None,
    teacher: Path | None,
    until: int | None,
    begin: Path | None,
    rate: float | None,
    resume: bool,
) -> None:
    """Train a network on DATA; on MNIST when none is given.

    DATA is IDX (gz or not, EMNIST's too), npz, a CSV of label and pixels, or a folder of pictures a class. With --arch
    line, the line reader on DATA, a folder of collections; print needs none. Needs the train extra.
    """
    from cli import line_training
    from model.history import command_line
    from model.views import PLAIN

    shared: dict[str, Any] = {
        "recipe": recipe,
        "seed": seed,
        "epochs": epochs,
        "batch_size": batch_size,
        "limit": limit,
        "resume": resume,
        "command": command_line(sys.argv[1:]),
    }
    if arch == line_training.ARCH:
        line_training.refuse_for_lines({"view": view, "patience": patience, "teacher": teacher})
        line_training.train_line(data, out, until=until, begin=begin, rate=rate, **shared)
        return
    for_lines = {"--until": until, "--begin": begin, "--rate": rate}
    if given := [name for name, value in for_lines.items() if value is not None]:
        raise click.UsageError(f"{given[0]} is for --arch {line_training.ARCH}.")

    train_glyphs(out=out, arch=arch, view=view or PLAIN, data=data, patience=patience, teacher=teacher, **shared)


def train_glyphs(**options: Any) -> None:  # noqa: ANN401 - TrainOptions says what they are
    """Train a glyph network with the options of `model.train`, and say what came of it."""
    from model.train import TrainOptions
    from model.train import train as run

    with progress_display() as display:
        bar = display.bar("training", total=0)
        result = run(TrainOptions(on_progress=partial(_show, display, bar), **options))
    say(
        f"{result.out}: {result.parameters:,} parameters, best epoch {result.best_epoch} of {result.epochs}, "
        f"{result.best_accuracy:.2%} right on what was held out"
    )


@click.command(
    epilog=examples(
        "tallyscan evaluate t10k-images-idx3-ubyte.gz",
        "tallyscan evaluate data/ --set mnist-t10k --set usps-test --out runs/evaluation",
        "tallyscan evaluate data/ --set mnist-t10k --model mnist --model mnist-upright --model mnist-wide",
    )
)
@click.argument("data", required=False, type=DATA)
@model_option
@models_option
@click.option("--run", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Measure this training run.")
@click.option("--set", "sets", multiple=True, help="Test set in a folder of collections; may be given more than once.")
@click.option("--out", "-o", type=FOLDER, help="Folder for evaluation.json and a picture of each confusion matrix.")
@answer_format
def evaluate(
    data: Path | None,
    models: tuple[str, ...],
    root: Path | None,
    run: Path | None,
    sets: tuple[str, ...],
    out: Path | None,
    format_name: str,
) -> None:
    """Measure a network on DATA: labelled glyphs, or a folder of collections; MNIST when none is given."""
    from model.artifacts import SHIPPED
    from model.evaluate import EvaluateOptions
    from model.evaluate import evaluate as measure

    found = measure(EvaluateOptions(data=data, models=models, root=root or SHIPPED, run=run, sets=sets, out=out))
    if format_name == "json":
        print_json(asdict(found))
        return
    for name, figures in found.sets.items():
        say(f"{name}: {figures.accuracy:.2%} of {figures.glyphs} right ({found.network})")
        print_table(
            ("class", "glyphs", "accuracy", "sensitivity", "specificity", "positive predictive value"),
            (
                (
                    each.label,
                    str(each.glyphs),
                    f"{each.accuracy:.4f}",
                    f"{each.sensitivity:.4f}",
                    f"{each.specificity:.4f}",
                    f"{each.ppv:.4f}",
                )
                for each in figures.classes
            ),
        )


@click.command(
    epilog=examples(
        "tallyscan predict test.csv --out submission.csv",
        "tallyscan predict glyphs/ --out read.csv --format csv",
    )
)
@click.argument("data", type=DATA)
@click.option(
    "--out",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The table to write.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["kaggle", "csv"]),
    default="kaggle",
    show_default=True,
    help="Kaggle's ImageId,Label, or a CSV with files, confidences and, where it is known, the truth.",
)
@model_option
@models_option
def predict(data: Path, out: Path, format_name: str, models: tuple[str, ...], root: Path | None) -> None:
    """Label every glyph in DATA: a CSV of pixels as Kaggle gives it out, an IDX file, an npz, or a folder of pictures.

    Pictures may lie in the folder itself, or in one for each class, which is then their truth.
    """
    from model.artifacts import SHIPPED
    from model.predict import PredictOptions
    from model.predict import predict as label

    count = label(PredictOptions(data=data, out=out, format=format_name, models=models, root=root or SHIPPED))
    say(f"{out}: {count} glyphs labelled", err=True)


@click.command(
    "export-model",
    epilog=examples(
        "tallyscan export-model runs/first --name digits --models networks/",
        "tallyscan export-model runs/line-1 runs/line-2 --name digits --data data/",
    ),
)
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--name", required=True, help="Name of the network; what lies under it is written over.")
@models_option
@click.option("--data", type=DATA, help="Folder of collections to measure on for the manifest; written lines need it.")
@click.option(
    "--without-original", is_flag=True, help="Leave out the Keras original, which only further training needs."
)
def export_model(
    runs: tuple[Path, ...], name: str, root: Path | None, data: Path | None, without_original: bool
) -> None:
    """Turn the training in the folder RUNS into what the workers run: LiteRT with a manifest.

    Several runs of the line reader become one, whose networks read each line together. Needs the train extra.
    """
    from cli import line_training

    if line_training.are_line_runs(runs):
        line_training.export_line_runs(runs, name=name, root=root, data=data, original=not without_original)
        return

    from model.artifacts import SHIPPED
    from model.export import ExportOptions, export

    result = export(
        ExportOptions(run=runs[0], name=name, root=root or SHIPPED, data=data, original=not without_original)
    )
    say(f"{result.folder}: {result.manifest.version}, agrees with its original on {result.agreement:.2%} of the glyphs")


def _show(display: Display, bar: Bar, progress: "Progress") -> None:
    measured = "  ".join(f"{name} {value:.4f}" for name, value in progress.metrics.items())
    title = f"epoch {progress.epoch} of {progress.epochs}  {measured}"
    done = (progress.epoch - 1) * progress.steps + progress.step
    bar.at(done, total=progress.epochs * progress.steps, title=title)
    if progress.step >= progress.steps and not display.drawn:
        display.note(title)
