"""Options that several commands share, and the settings they lead to."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from core.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("table", "json", "jsonl", "csv")

SEED = click.IntRange(0, 2**32 - 1)
"""Seeds that every library behind a training takes."""


def examples(*lines: str) -> str:
    """Return the end of a command's help: its examples, one a line."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


class FieldTypeName(click.ParamType[str]):
    """The name of a field type; which there are is asked of `forms` when the option is used."""

    name = "type"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name, when there is such a type."""
        from core.errors import InvalidRequest
        from forms.field_types import field_type

        try:
            return field_type(value).name
        except InvalidRequest as error:
            self.fail(str(error), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """Return the types whose name begins like that."""
        from forms.field_types import FIELD_TYPES

        return [CompletionItem(name) for name in FIELD_TYPES if name.startswith(incomplete)]

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - click's own
        """Return the types as help lists choices."""
        from forms.field_types import FIELD_TYPES

        return f"[{'|'.join(FIELD_TYPES)}]"


class Finite(click.FloatRange):
    """A number within bounds; `nan` is within any for click, and `inf` where no upper one is set."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401 - click's own
        """Return the number, when it is one."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number to reckon with.", param, ctx)
        return number


class TargetError(Finite):
    """A share of fields that may be wrong; the service has the same bounds."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True, max=0.5)


def type_option(command: F) -> F:
    """Add `--type`."""
    return click.option(
        "--type",
        "type_name",
        type=FieldTypeName(),
        help="Read each page as one field of this type [default: find the numbers on the page].",
    )(command)


def target_error_option(command: F) -> F:
    """Add `--target-error`."""
    return click.option(
        "--target-error",
        type=TargetError(),
        metavar="SHARE",
        help="Share of accepted fields that may be wrong [default: the TALLYSCAN_TARGET_ERROR of the reader, or 0.01].",
    )(command)


def home_option(command: F) -> F:
    """Add `--home`."""
    return click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder of the embedded service [default: TALLYSCAN_HOME, or the user's data folder].",
    )(command)


def service_options(command: F) -> F:
    """Add `--url`, `--key` and `--home`: which service to talk to."""
    command = home_option(command)
    command = click.option(
        "--key",
        envvar="TALLYSCAN_KEY",
        help="API key [default: TALLYSCAN_KEY, or the key file of the service on this machine].",
    )(command)
    return click.option(
        "--url",
        envvar="TALLYSCAN_URL",
        help="Where the service listens [default: TALLYSCAN_URL, or the service on this machine].",
    )(command)


def result_options(command: F) -> F:
    """Add `--format` and `--out`: how readings leave."""
    command = click.option(
        "--out",
        "-o",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write the readings to this file instead of the terminal.",
    )(command)
    return click.option(
        "--format",
        "-f",
        "format_name",
        type=click.Choice(FORMATS),
        help="Form of the readings [default: by the ending of --out, else table].",
    )(command)


def answer_format(command: F) -> F:
    """Add `--format table|json` for commands that answer with a list or a record."""
    return click.option(
        "--format",
        "-f",
        "format_name",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        help="A table for people, JSON for programs.",
    )(command)


def load_settings(home: Path | None = None, **overrides: object) -> "Settings":
    """Return the settings of the environment, with what the command line says on top.

    Raises:
        InvalidRequest: a `TALLYSCAN_…` variable or an option has no valid value.
    """
    from pydantic import ValidationError

    from core.errors import InvalidRequest
    from core.settings import Settings

    given = {name: value for name, value in {"home": home, **overrides}.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic checks each value
    except ValidationError as error:
        faults = [
            f"TALLYSCAN_{'_'.join(map(str, item['loc'])).upper()}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors()
        ]
        raise InvalidRequest(f"Settings are not valid: {'; '.join(faults)}.") from error


def chosen_format(format_name: str | None, out: Path | None) -> str:
    """Return the format asked for, else what the ending of `out` says, else a table (CSV in a file)."""
    if format_name:
        return format_name
    if out is None:
        return "table"
    ending = out.suffix.lower().lstrip(".")
    return ending if ending in FORMATS else "csv"
