"""Numbers within bounds as automata: what `integer` fields and amounts with a highest value may hold."""

from typing import NamedTuple

from forms.automaton import Automaton, finite


class _Number(NamedTuple):
    """What is known of a number that is being read: its digits, those in front that are 0, and how it compares.

    `low` and `high` are -1, 0 or 1: below, equal to or above the bound's first as many digits.
    """

    digits: int
    zeros: int
    low: int
    high: int


def integers(minimum: int, maximum: int, *, leading_zeros: bool = False) -> Automaton:
    """Return the automaton of the whole numbers from `minimum` to `maximum`; not of the empty string.

    Args:
        minimum: at least 0.
        maximum: at least `minimum`.
        leading_zeros: whether zeros may stand in front, up to the length of `maximum`.
    """
    lowest, highest = str(minimum), str(maximum)

    def longer(number: _Number, digit: int) -> _Number | None:
        if number.digits + number.zeros == len(highest) or (number.zeros and not leading_zeros):
            return None
        if digit == 0 and number.digits == 0:
            return number._replace(zeros=number.zeros + 1)
        place = number.digits
        return _Number(
            place + 1,
            number.zeros,
            _compared(number.low, digit, lowest[place : place + 1]),
            _compared(number.high, digit, highest[place : place + 1]),
        )

    def complete(number: _Number) -> bool:
        if number.digits == 0:
            return number.zeros > 0 and minimum == 0
        above = number.digits > len(lowest) or (number.digits == len(lowest) and number.low >= 0)
        below = number.digits < len(highest) or (number.digits == len(highest) and number.high <= 0)
        return above and below

    return finite(_Number(0, 0, 0, 0), longer, complete=complete)


def _compared(before: int, digit: int, bound: str) -> int:
    """Return how the number compares with its bound after one more digit; what is longer is above it."""
    if before or not bound:
        return before or 1
    return (digit > int(bound)) - (digit < int(bound))
