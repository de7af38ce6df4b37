"""E-13B's fourteen symbols (ISO 1004), how callers may write them, and the routing number's check digit.

The signs are separators: they tell where a field starts and ends, and are no part of what it says.
"""

from typing import Final

TRANSIT: Final = "⑆"
AMOUNT: Final = "⑇"
ON_US: Final = "⑈"
DASH: Final = "⑉"
DIGITS: Final = "0123456789"
SYMBOLS: Final = DIGITS + TRANSIT + AMOUNT + ON_US + DASH

NONE: Final = len(SYMBOLS)
"""Index of the class for what is no symbol, after those of `SYMBOLS`."""

CLASSES: Final = (*SYMBOLS, "none")

SPELLINGS: Final = {"A": TRANSIT, "B": AMOUNT, "C": ON_US, "D": DASH, "T": TRANSIT, "$": AMOUNT, "U": ON_US, "-": DASH}
"""How lines are written where the signs cannot be: as fonts for E-13B lay them on keys, and as readers send them."""

ABA_WEIGHTS: Final = (3, 7, 1, 3, 7, 1, 3, 7, 1)
"""Of the routing transit numbers of United States banks (American Bankers Association)."""


def is_routing_number(text: str) -> bool:
    """Return whether `text` is nine digits whose sum, weighted 3-7-1, is a multiple of ten (American Bankers)."""
    if len(text) != len(ABA_WEIGHTS) or not set(text) <= set(DIGITS):
        return False
    return sum(weight * int(digit) for weight, digit in zip(ABA_WEIGHTS, text, strict=True)) % 10 == 0


def spelled(line: str) -> str:
    """Return a caller's line in the signs of E-13B and single spaces; what is no symbol counts as a space."""
    signs = (SPELLINGS.get(char.upper(), char) for char in line)
    return " ".join("".join(sign if sign in SYMBOLS else " " for sign in signs).split())
