"""Check digits as automata: weighted sums of the digits, modulo a number.

```
forms.field_specs ─ length, weights ─▶ automaton of exactly the numbers whose check digits are right
```

A weighted sum needs one state for each place and each remainder, so a number of 20 digits modulo 97 has some 2,000.
"""

from collections.abc import Sequence
from typing import Final

from forms.algebra import intersection, minimised, of_length
from forms.automaton import DEAD, DIGITS, Automaton

MOD_11_WEIGHTS: Final[dict[str, tuple[int, ...]]] = {
    "isbn10": (10, 9, 8, 7, 6, 5, 4, 3, 2, 1),
    "nhs": (10, 9, 8, 7, 6, 5, 4, 3, 2, 1),
    "bsn": (9, 8, 7, 6, 5, 4, 3, 2, -1),
    "orgnr": (3, 2, 7, 6, 5, 4, 3, 2, 1),
}
"""Of numbers that divide by 11: ISBN-10 (ISO 2108), the NHS number of England, the Dutch citizen service number, the
Norwegian organisation number. Those whose check digit would be ten (the X of an ISBN) are no strings of digits."""

IBAN_DIGITS: Final[dict[str, int]] = {
    "AE": 19,
    "AT": 16,
    "BA": 16,
    "BE": 12,
    "CZ": 20,
    "DE": 18,
    "DK": 14,
    "EE": 16,
    "ES": 20,
    "FI": 14,
    "FO": 14,
    "GL": 14,
    "HR": 17,
    "HU": 24,
    "IL": 19,
    "IS": 22,
    "LT": 16,
    "ME": 18,
    "NO": 11,
    "PL": 24,
    "PT": 21,
    "RS": 18,
    "SE": 20,
    "SI": 15,
    "SK": 20,
    "TN": 20,
    "XK": 16,
}
"""By country whose account numbers hold no letters: the digits behind its two check digits (ISO 13616 registry)."""


def weighted(weights: Sequence[int], *, modulus: int, remainder: int = 0) -> Automaton:
    """Return the automaton of as many digits as there are weights, whose weighted sum leaves the remainder."""
    return placewise([[weight * digit for digit in range(len(DIGITS))] for weight in weights], modulus, remainder)


def placewise(worth: Sequence[Sequence[int]], modulus: int, remainder: int = 0) -> Automaton:
    """Return the automaton of numbers whose digits' worths add up to `remainder`, modulo `modulus`.

    Args:
        worth: by place from the left, what each of the ten digits is worth there.
        modulus: at least 2.
        remainder: of the sum.
    """
    places = len(worth)
    steps = [
        tuple((place + 1) * modulus + (known + each) % modulus for each in worth[place])
        for place in range(places)
        for known in range(modulus)
    ]
    steps += [(DEAD,) * len(DIGITS)] * modulus
    return minimised(Automaton(tuple(steps), frozenset({places * modulus + remainder % modulus})))


def luhn(minimum: int, maximum: int) -> Automaton:
    """Return the automaton of `minimum` to `maximum` digits with Luhn's check digit (ISO/IEC 7812-1).

    Every other digit from the right is doubled, and which these are is only known at the end, so a state holds both
    sums: of the digits as they would count if the last one were doubled, and if it were not.
    """
    doubled = [sum(divmod(2 * digit, 10)) for digit in range(len(DIGITS))]
    steps = tuple(
        tuple((with_last + digit) % 10 * 10 + (plain + doubled[digit]) % 10 for digit in range(len(DIGITS)))
        for plain in range(10)
        for with_last in range(10)
    )
    return intersection(Automaton(steps, frozenset(range(10))), of_length(minimum, maximum))


def iban(country: str) -> Automaton:
    """Return the automaton of an IBAN's digits behind the country's letters (ISO 13616, ISO 7064 modulo 97-10).

    The letters and the two check digits count as if they stood behind the rest; the check digits are 02 to 98.

    Raises:
        KeyError: the country's account numbers hold letters, or it has no IBAN.
    """
    digits = IBAN_DIGITS[country]
    letters = int("".join(str(ord(letter) - ord("A") + 10) for letter in country)) * 100
    weights = [10, 1, *(pow(10, place, 97) for place in range(digits + 5, 5, -1))]
    valid = weighted(weights, modulus=97, remainder=1 - letters)
    return intersection(valid, _starts_between(2, 98, digits + 2))


def _starts_between(lowest: int, highest: int, length: int) -> Automaton:
    """Return the automaton of `length` digits whose first two are a number in these bounds."""
    allowed = [[1 if lowest <= 10 * first + second <= highest else DEAD for second in range(10)] for first in range(10)]
    onward = [(state + 1,) * len(DIGITS) for state in range(11, 9 + length)]
    steps = [tuple(range(1, 11)), *(tuple(11 if each != DEAD else DEAD for each in row) for row in allowed)]
    return minimised(Automaton((*steps, *onward, (DEAD,) * len(DIGITS)), frozenset({9 + length})))
