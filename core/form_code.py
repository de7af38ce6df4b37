"""What the QR code of a printed form says: which template, which version of it, and which page."""

import re
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "tallyscan"

NAME: Final = r"[a-z0-9][a-z0-9_.-]{0,127}"
"""Of a template. Whoever makes a scan decides what its code says, so that nothing else gets through here."""

_TEXT: Final = re.compile(rf"{PREFIX}:(?P<name>{NAME}):(?P<version>[0-9]{{1,9}}):(?P<page>[0-9]{{1,9}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class FormCode:
    """What a form's code says.

    Attributes:
        name: the template's.
        version: the template's; 0 on a form that was drawn before its template was stored anywhere.
        page: of the form, as it is printed in the code; from 1.
    """

    name: str
    version: int
    page: int

    @property
    def text(self) -> str:
        """What is encoded: `tallyscan:NAME:VERSION:PAGE`."""
        return f"{PREFIX}:{self.name}:{self.version}:{self.page}"


def parse_code(text: str) -> FormCode | None:
    """Return what a code's text says, or None where it is not a form's."""
    said = _TEXT.fullmatch(text)
    if said is None:
        return None
    return FormCode(name=said["name"], version=int(said["version"]), page=int(said["page"]))
