"""`tallyscan version` and `tallyscan completion`."""

import platform
from importlib import metadata

import click
from click.shell_completion import get_completion_class

from cli.options import answer_format, examples, load_settings
from cli.output import print_json, print_table

PROGRAM = "tallyscan"


@click.command(epilog=examples("tallyscan version --format json"))
@answer_format
def version(format_name: str) -> None:
    """Show the versions of the program, its network and its database schema."""
    facts = {
        "tallyscan": program_version(),
        "network": _network_version(),
        "schema": _schema_version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    if format_name == "json":
        print_json(facts)
    else:
        print_table(("part", "version"), facts.items())


@click.command(
    epilog=examples(
        "tallyscan completion bash >> ~/.bashrc",
        "tallyscan completion zsh > ~/.zfunc/_tallyscan",
        "tallyscan completion fish > ~/.config/fish/completions/tallyscan.fish",
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands, options and field types in your shell."""
    script = get_completion_class(shell)
    if script is None:  # pragma: no cover - click knows all three
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(script(ctx.find_root().command, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE").source())


def program_version() -> str:
    """Return the installed version, or a word for a checkout that is not installed."""
    try:
        return metadata.version(PROGRAM)
    except metadata.PackageNotFoundError:
        return "not installed"


def _network_version() -> str:
    from core.errors import ArtifactError
    from worker.networks import open_model

    try:
        return open_model(load_settings()).info.version
    except ArtifactError as error:
        return f"{error} ({error.code})"


def _schema_version() -> str:
    from storage.migrate import head

    return head()
