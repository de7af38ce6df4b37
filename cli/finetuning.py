"""`finetune`: the active model goes on learning from corrected fields, and is promoted if it reads better."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import SEED, examples, home_option, load_settings
from cli.output import print_table
from cli.progress import progress_display
from cli.stop import FAILED
from cli.terminal import say

if TYPE_CHECKING:
    from worker.finetuning import Finetuned

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
SHOWN = 12


@click.command(
    epilog=examples(
        "tallyscan finetune --corrections corrected/",
        "tallyscan finetune --corrections corrected/ --data data/ --no-promote",
    )
)
@click.option("--corrections", type=FOLDER, required=True, help="Folder that `tallyscan corrections export` wrote.")
@click.option("--data", type=FOLDER, help="Folder of the collections that the model learnt from, to be reminded by.")
@click.option("--seed", type=SEED, default=1, show_default=True, help="Of everything that is left to chance.")
@click.option("--epochs", type=click.IntRange(min=1), help="So many epochs [default: 8].")
@click.option("--lines", type=click.IntRange(min=32), help="Lines an epoch [default: 1280].")
@click.option("--promote/--no-promote", default=True, help="Let it read from now on if it may [default: promote].")
@home_option
@click.pass_context
def finetune(
    ctx: click.Context,
    corrections: Path,
    data: Path | None,
    seed: int,
    epochs: int | None,
    lines: int | None,
    promote: bool,
    home: Path | None,
) -> None:
    """Let the active model go on learning from corrected fields, measure it before and after, and promote it.

    A part of the corrections, whole documents, is only measured on. The model is promoted when no collection that
    nothing learnt from loses more than 0.2 points, the held-out corrections gain and not far fewer of them are
    accepted; else it stays in the registry, unused, and the exit code is 1. Needs the train extra.
    """
    from cli.models import warn_of_pin
    from core.settings import ACTIVE_MODEL
    from model.history import command_line
    from model.line.finetuning import TuningOptions
    from storage.models import ModelShelf
    from worker.finetuning import FinetuneOptions
    from worker.finetuning import finetune as run

    tuning = TuningOptions(seed=seed)
    tuning = replace(tuning, epochs=epochs or tuning.epochs, lines=lines or tuning.lines)
    settings = load_settings(home)
    with progress_display() as display:
        found = run(
            FinetuneOptions(
                corrections,
                settings,
                data=data,
                tuning=tuning,
                command=command_line(sys.argv[1:]),
                tell=display.note,
            )
        )
    _show(found)
    if not found.verdict.promotes:
        say(f"{found.model_id[:SHOWN]} is not promoted: {'; '.join(found.verdict.reasons)}", err=True)
        ctx.exit(FAILED)
    if promote:
        base = found.card["base"]["model"] if settings.model == ACTIVE_MODEL else None
        ModelShelf.of(settings).promote(found.model_id, instead_of=base)
        say(f"{found.model_id[:SHOWN]} reads from now on; back again with: tallyscan models rollback", err=True)
        warn_of_pin(settings)


def _show(found: "Finetuned") -> None:
    say(found.model_id)
    columns = ("collection", "fields", "right before", "right after", "accepted before", "accepted after")
    rows = []
    for name, before in found.before.items():
        after = found.after[name]
        shares = [before.share, after.share, *(each.accepted / max(1, each.fields) for each in (before, after))]
        rows.append((name, str(before.fields), *(f"{share:.1%}" for share in shares)))
    print_table(columns, rows)
