"""How a command ends when it cannot go on: one line on stderr and an exit code."""

from typing import IO, Any

import click

from cli.terminal import visible

FAILED = 1
USAGE = 2
UNREACHABLE = 3
STOPPED = 130
"""What a shell makes of Ctrl-C."""


class Stop(click.ClickException):
    """Ends the command with `error: sentence (code)` on stderr."""

    exit_code = FAILED

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.code = code

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the line."""
        click.echo(visible(f"error: {self.message} ({self.code})"), file=file, err=file is None)


class WrongUsage(Stop):
    """The command line asks for what cannot be had."""

    exit_code = USAGE


class Unreachable(Stop):
    """No service answers."""

    exit_code = UNREACHABLE


class Stopped(Stop):
    """A person, or the system, asked the command to end."""

    exit_code = STOPPED


def stop_for(error: Exception) -> Stop:
    """Return the end that `error` asks for."""
    from core.errors import InvalidRequest, ServiceUnreachable, TallyscanError

    if isinstance(error, OSError) and error.strerror:
        return Stop(f"{error.filename or 'Input or output'}: {error.strerror}.", code="os_error")
    if not isinstance(error, TallyscanError):
        sentence = f"Something went wrong inside Tallyscan ({type(error).__name__}); 'tallyscan --debug …' shows it."
        return Stop(sentence, code="internal_error")
    kinds: dict[type[TallyscanError], type[Stop]] = {ServiceUnreachable: Unreachable, InvalidRequest: WrongUsage}
    kind = next((stop for parent, stop in kinds.items() if isinstance(error, parent)), Stop)
    return kind(str(error), code=error.code)
