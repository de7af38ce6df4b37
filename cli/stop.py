"""How a command ends when it cannot go on: one line on stderr and an exit code."""

from typing import IO, Any

import click

FAILED = 1
USAGE = 2
UNREACHABLE = 3


class Stop(click.ClickException):
    """Ends the command with `error: sentence (code)` on stderr."""

    def __init__(self, sentence: str, *, code: str, exit_code: int = FAILED) -> None:
        super().__init__(sentence)
        self.code = code
        self.exit_code = exit_code

    @classmethod
    def because(cls, error: Exception) -> "Stop":
        """Return the end that `error` asks for."""
        from core.errors import InvalidRequest, ServiceUnreachable, TallyscanError

        if isinstance(error, OSError) and error.strerror:
            return cls(f"{error.filename or 'Input or output'}: {error.strerror}.", code="os_error")
        if not isinstance(error, TallyscanError):
            sentence = (
                f"Something went wrong inside Tallyscan ({type(error).__name__}); 'tallyscan --debug …' shows it."
            )
            return cls(sentence, code="internal_error")
        exit_code = FAILED
        if isinstance(error, ServiceUnreachable):
            exit_code = UNREACHABLE
        elif isinstance(error, InvalidRequest):
            exit_code = USAGE
        return cls(str(error), code=error.code, exit_code=exit_code)

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the line."""
        click.echo(f"error: {self.message} ({self.code})", file=file, err=file is None)
