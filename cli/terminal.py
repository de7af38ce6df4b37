"""Text for people on a terminal, which must not obey what stands in a file's name or comes from a service.

JSON and CSV are for programs, and go out exactly as they are.
"""

import re

import click

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves the cursor, colours, titles, rings, breaks a line, or turns the order of what is written.

Bytes of a name that are no text are escaped here, too: when a stream does it, a table was measured for less before.
"""


def visible(text: str) -> str:
    r"""Return a text of one line with its control characters as escapes: `\x1b`, `\n`, `\u202e`."""
    return _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


def say(text: str, *, err: bool = False) -> None:
    """Print a line for people, on stdout or stderr, its control characters as escapes."""
    click.echo(visible(text), err=err)
