"""The kinds of fields there are, by name."""

from dataclasses import dataclass
from typing import Final

from core.errors import InvalidRequest
from forms.automaton import Automaton, any_digits, at_most


@dataclass(frozen=True, slots=True)
class FieldType:
    """A kind of field.

    Attributes:
        name: what callers call it.
        description: one sentence for a person.
        automaton: which strings compete. All accept the empty string: a field may hold no writing.
    """

    name: str
    description: str
    automaton: Automaton


FIELD_TYPES: Final[dict[str, FieldType]] = {
    field_type.name: field_type
    for field_type in (
        FieldType("digits", "Any number of digits.", any_digits()),
        FieldType("digit", "Exactly one digit.", at_most(1)),
    )
}


def field_type(name: str) -> FieldType:
    """Return the field type of that name.

    Raises:
        InvalidRequest: there is none.
    """
    try:
        return FIELD_TYPES[name]
    except KeyError:
        known = ", ".join(sorted(FIELD_TYPES))
        raise InvalidRequest(f"There is no field type {name!r}; known are: {known}.") from None
