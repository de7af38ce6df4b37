"""The `tallyscan` command: the table of its commands, and how an error reaches the person at the terminal.

Exit codes: 0 all well, 1 some documents failed, 2 wrong usage, 3 service unreachable, 130 stopped.
Only click is imported here, so that `tallyscan --help` answers at once.
"""

import os
import signal
import sys

import click

from cli.lazy import Entry, LazyGroup
from cli.stop import Stopped, stop_for
from cli.terminal import visible

STANDARD_OUTPUT, STANDARD_ERROR = 1, 2

READ, SERVE, TRAIN, ABOUT = "Read scans", "Run the service", "Train the network", "About"

ENTRIES: dict[str, Entry] = {
    "read": Entry("cli.read:read", READ, "Read files here and now, without a service."),
    "submit": Entry("cli.submit:submit", READ, "Send files or a watched folder to a running service."),
    "status": Entry("cli.status:status", READ, "Show how far a document or batch is."),
    "results": Entry("cli.results:results", READ, "Fetch the readings of a batch."),
    "corrections": Entry("cli.corrections:corrections", READ, "List and export what people said that fields read."),
    "templates": Entry("cli.templates:templates", READ, "Say which fields a form has, and where."),
    "forms": Entry("cli.forms:forms", READ, "Make a form that can be printed, filled in and read."),
    "up": Entry("cli.up:up", SERVE, "Start the whole service on this machine."),
    "keys": Entry("cli.keys:keys", SERVE, "Create, list and revoke API keys."),
    "db": Entry("cli.db:db", SERVE, "Bring the database's schema up to date."),
    "doctor": Entry("cli.doctor:doctor", SERVE, "Say what is missing, and how to mend it."),
    "train": Entry("cli.training:train", TRAIN, "Train a network on images of digits."),
    "evaluate": Entry("cli.training:evaluate", TRAIN, "Measure a network on labelled digits."),
    "compare": Entry("cli.comparing:compare", TRAIN, "Compare classical methods and networks side by side."),
    "calibrate": Entry("cli.calibrating:calibrate", TRAIN, "Measure what a confidence is worth on your own fields."),
    "finetune": Entry("cli.finetuning:finetune", TRAIN, "Let the active model learn from corrected fields."),
    "models": Entry("cli.models:models", TRAIN, "List, show and promote models, and go back."),
    "predict": Entry("cli.training:predict", TRAIN, "Label a CSV of digits, as Kaggle asks for it."),
    "export-model": Entry("cli.training:export_model", TRAIN, "Turn a trained network into what the workers run."),
    "version": Entry("cli.about:version", ABOUT, "Show the versions of program, network and schema."),
    "completion": Entry("cli.about:completion", ABOUT, "Print the completion script for bash, zsh or fish."),
}

EXAMPLES = """\
tallyscan read cheque.png --type digits
tallyscan read scans/ --format csv --out readings.csv
tallyscan up
tallyscan submit scans/ --batch monday --out readings.csv
tallyscan submit --watch inbox/ --out readings.csv
tallyscan doctor"""


class TallyscanGroup(LazyGroup):
    """The lazy group that turns every error into one clear line."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; any error leaves as a `Stop`, or as it is under `--debug`."""
        try:
            if ctx.params.get("version"):
                return ctx.invoke(ENTRIES["version"].load(), format_name="table")
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort) as error:
            raise Stopped("Stopped.", code="stopped") from error
        except click.exceptions.NoArgsIsHelpError:
            raise  # its message is a page of help
        except click.ClickException as error:
            # It repeats arguments, which may be names of files. Final or not, what it shows is made of this alone.
            error.message = visible(error.message)  # type: ignore[misc]
            raise
        except (click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            raise stop_for(error) from error


@click.group(
    cls=TallyscanGroup,
    entries=ENTRIES,
    examples=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option("--version", is_flag=True, help="Show what 'tallyscan version' shows.")
def cli(debug: bool, version: bool) -> None:
    """Tallyscan reads handwritten digits from scanned forms and cheques, and says when it is not sure."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    _reopen_closed_streams()
    # A scan's name may hold bytes that are no text; printing it must not stop the run.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends a command as Ctrl-C does
    cli(prog_name="tallyscan")


def _reopen_closed_streams() -> None:
    """Let a standard stream that the caller closed lead nowhere.

    Else the next file that is opened, a database say, would take its number, and what is printed would go into it.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= STANDARD_ERROR:
        pass
    os.close(number)
    sys.stdout = sys.stdout or os.fdopen(STANDARD_OUTPUT, "w")
    sys.stderr = sys.stderr or os.fdopen(STANDARD_ERROR, "w")
