"""What `train` and `export-model` do where the network is the line reader."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.progress import Bar, Display, progress_display
from cli.terminal import say

if TYPE_CHECKING:
    from model.line.journal import LineEpoch

ARCH = "line"


def train_line(  # noqa: PLR0913 - one parameter an option
    data: Path | None,
    out: Path,
    *,
    recipe: str,
    seed: int,
    epochs: int | None,
    batch_size: int | None,
    limit: int | None,
    until: int | None,
    rate: float | None,
    begin: Path | None,
    resume: bool,
    command: str,
) -> None:
    """Train a line reader, and say what came of it."""
    from model.line.training import EPOCHS, PEAK_RATE, LineOptions, train_line_reader

    wanted = {"epochs": epochs, "batch_size": batch_size, "fresh": limit}
    with progress_display() as display:
        bar = display.bar("training", total=epochs or EPOCHS)
        rows = train_line_reader(
            LineOptions(
                data=data,
                out=out,
                recipe=recipe,
                seed=seed,
                until=until,
                begin=begin,
                rate=PEAK_RATE if rate is None else rate,
                resume=resume,
                command=command,
                on_epoch=partial(_show, display, bar),
                **{name: value for name, value in wanted.items() if value is not None},
            )
        )
    shares = ", ".join(f"{name} {share:.2%}" for name, share in rows[-1].read.items())
    say(f"{out}: {len(rows)} epochs, held-out lines read whole: {shares}")


def refuse_for_lines(options: dict[str, object]) -> None:
    """Refuse options that were given and mean nothing to the line reader.

    Raises:
        click.UsageError: one was.
    """
    given = [f"--{name}" for name, value in options.items() if value is not None]
    if given:
        raise click.UsageError(f"--arch {ARCH} takes no {' and no '.join(given)}.")


def are_line_runs(runs: tuple[Path, ...]) -> bool:
    """Return whether the folders hold runs of the line reader.

    Raises:
        click.UsageError: only some do, or there are several runs of the other kind.
    """
    from model.line.training import WEIGHTS

    lines = [run for run in runs if (run / WEIGHTS).exists()]
    if len(runs) > 1 and len(lines) < len(runs):
        raise click.UsageError("Several runs go together only where each is a finished one of the line reader.")
    return bool(lines)


def export_line_runs(
    runs: tuple[Path, ...], *, name: str, root: Path | None, data: Path | None, original: bool
) -> None:
    """Export line readers into one artifact, and say what came of it."""
    from model.artifacts import SHIPPED
    from model.line.export import LineExportOptions, export_lines

    result = export_lines(LineExportOptions(runs, data, name=name, root=root or SHIPPED, original=original))
    count = len(result.manifest.networks)
    say(
        f"{result.folder}: {result.manifest.version}, {count} network{'' if count == 1 else 's'}, "
        f"the least agreement with an original {result.agreement:.2%} of the lines"
    )


def _show(display: Display, bar: Bar, row: "LineEpoch") -> None:
    title = "  ".join(
        [f"epoch {row.epoch}  loss {row.loss:.4f}", *(f"{name} {each:.4f}" for name, each in row.read.items())]
    )
    bar.at(row.epoch, title=title)
    if not display.drawn:
        display.note(f"{title}  {row.seconds:.0f} s")
