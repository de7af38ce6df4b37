"""What labels count: the ten digits, or the characters that a collection names."""

from pathlib import Path
from string import ascii_uppercase
from typing import Final

from core.errors import InvalidRequest

DIGIT_CLASSES: Final[tuple[str, ...]] = tuple("0123456789")

EMNIST: Final = "emnist-"
"""How the names of EMNIST's files begin (Cohen et al. 2017)."""

_BY_KIND: Final[dict[str, dict[int, str]]] = {
    "digits": dict(enumerate(DIGIT_CLASSES)),
    "mnist": dict(enumerate(DIGIT_CLASSES)),
    # Capital and small letters together, counted from one.
    "letters": dict(enumerate(ascii_uppercase, start=1)),
}


def emnist_classes(path: Path) -> dict[int, str]:
    """Return what each number in EMNIST's labels stands for, in the order of the numbers.

    The mapping that is published with the files tells, where it lies beside them.

    Args:
        path: one of its files, named `emnist-KIND-…`.

    Raises:
        InvalidRequest: the mapping is needed and not there.
        ValueError: it is damaged.
    """
    kind = path.name.removeprefix(EMNIST).partition("-")[0]
    mapping = path.with_name(f"{EMNIST}{kind}-mapping.txt")
    if mapping.exists():
        rows = [line.split() for line in mapping.read_text("utf-8").splitlines() if line.strip()]
        return {int(row[0]): chr(int(row[1])) for row in sorted(rows, key=lambda row: int(row[0]))}
    if kind not in _BY_KIND:
        raise InvalidRequest(f"{path.name} needs {mapping.name} beside it, which says what its labels stand for.")
    return _BY_KIND[kind]


def listed(classes: tuple[str, ...]) -> str:
    """Return the classes for a person: `0 to 9` or all of them."""
    return "0 to 9" if classes == DIGIT_CLASSES else ", ".join(classes)
