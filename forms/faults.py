"""What is wrong in a template, or in the page that describes a form, in words for the people who write them."""

from collections.abc import Callable
from typing import Any, Final

from pydantic import ValidationError

_Context = dict[str, Any]


def template_faults(error: ValidationError) -> list[tuple[str, str]]:
    """Return each fault's place, such as `fields.0.box.width`, and what is wrong there."""
    return [
        (".".join(map(str, fault["loc"])) or "template", _told(fault["type"], fault["msg"], fault.get("ctx", {})))
        for fault in error.errors(include_url=False, include_input=False)
    ]


def _told(kind: str, message: str, context: _Context) -> str:
    tell = _WORDS.get(kind)
    # What the library says of sizes and kinds is plain: `Input should be greater than 0`.
    return tell(context) if tell else message.removeprefix("Value error, ").removeprefix("Input ")


def _no_name(context: _Context) -> str:
    pattern = str(context["pattern"])
    if not pattern.startswith("^[a-z"):
        return f"should match the pattern {pattern}"
    if "." in pattern:
        return "should be small letters, digits, '_', '.' and '-', beginning with a letter or digit, and not too long"
    return "should be small letters, digits and '_', beginning with a letter, and not too long"


_WORDS: Final[dict[str, Callable[[_Context], str]]] = {
    "extra_forbidden": lambda _: "there is nothing of that name",
    "missing": lambda _: "is missing",
    "union_tag_invalid": lambda context: f"there is no {context['tag']!r}; there are {context['expected_tags']}",
    "union_tag_not_found": lambda context: f"{context['discriminator']} is missing",
    "string_pattern_mismatch": _no_name,
}
