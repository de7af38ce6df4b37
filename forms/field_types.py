"""The kinds of fields there are, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from core.errors import InvalidRequest
from forms.automaton import Automaton, any_digits, at_most
from forms.values import amount_value, amounts, date_value, dates, digits_value


@dataclass(frozen=True, slots=True)
class FieldType:
    """A kind of field.

    Attributes:
        name: what callers call it.
        description: one sentence for a person.
        automaton: which strings compete. All accept the empty string: a field may hold no writing.
        normalise: the value of a string that the automaton accepts.
        comb_cells: how many boxes a printed comb for it may have, the likeliest first; empty where none is expected.
        letters: whether it holds letters, which no rule binds and only a network that learnt them reads.
    """

    name: str
    description: str
    automaton: Automaton
    normalise: Callable[[str], str | None] = digits_value
    comb_cells: tuple[int, ...] = ()
    letters: bool = False

    @property
    def is_counted_with(self) -> bool:
        """Whether its values are quantities, so that a point, a sign or a digit too few makes another number."""
        return self.name in {"integer", "amount"}

    @property
    def has_cents(self) -> bool:
        """Whether the last two digits of such an amount are decimals, whatever they are."""
        return self.name == "amount" and self.normalise("12345") == "123.45"

    def value(self, text: str) -> str | None:
        """Return what `text` means in a form for programs, or None where it is empty or no string of this type."""
        if self.letters:
            return text if text.isalpha() else None
        return self.normalise(text) if text and self.automaton.accepts(text) else None


FIELD_TYPES: Final[dict[str, FieldType]] = {
    field_type.name: field_type
    for field_type in (
        FieldType("digits", "Any number of digits.", any_digits()),
        FieldType("digit", "Exactly one digit.", at_most(1)),
        FieldType("amount", "An amount of money, up to 13 digits.", amounts(), amount_value),
        FieldType("date", "A day as DDMMYYYY or DDMMYY.", dates(), date_value, comb_cells=(8, 6)),
        FieldType("letters", "Letters apart or in boxes, by a network that knows them.", any_digits(), letters=True),
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
