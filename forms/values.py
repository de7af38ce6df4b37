"""Amounts and dates: which strings of digits they may be, for the decoder, and what those mean, for the caller.

Separators are not read: `42020` is all that is known of `42,020` and of `420.20`.
"""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from forms.automaton import Automaton, finite

CENTS: Final = 2
"""Digits of an amount behind its point."""

THOUSANDS: Final = 3
"""Digits behind the last comma of whole units."""

AMOUNT_DIGITS: Final = 13
"""Of the longest amount: more than a cheque is drawn for."""

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2099

PIVOT: Final = 69
"""Years of two digits are of the 1900s from here on, and of the 2000s before, as in POSIX."""

_DAY_AND_MONTH: Final = 4
_SHORT_DATE: Final = 6
_LONG_DATE: Final = 8


def digits_value(text: str) -> str:
    """Return the digits as they are."""
    return text


def amount_value(text: str) -> str:
    """Return the amount with two decimals: `42020.00` for `42020`, `0.50` for `050`.

    Nothing tells whether the last two digits are decimals, so all are whole units, unless they begin with 0.
    """
    return f"0.{text[1:]}" if len(text) > 1 and text.startswith("0") else f"{text}.00"


def date_value(text: str) -> str | None:
    """Return the day of DDMMYYYY or DDMMYY as ISO 8601: `2016-01-03`; None where there is none such."""
    if len(text) not in (_SHORT_DATE, _LONG_DATE):
        return None
    year = int(text[_DAY_AND_MONTH:])
    if len(text) == _SHORT_DATE:
        year += 1900 if year >= PIVOT else 2000
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        return date(year, int(text[2:4]), int(text[:2])).isoformat()
    except ValueError:
        return None


def number_of(value: str | None) -> Decimal | None:
    """Return the value as a number: 7 is the same as 007 and 7.00; None where it is none."""
    try:
        number = None if value is None else Decimal(value)
    except InvalidOperation:
        return None
    # Letters may spell "nan" or "inf".
    return number if number is not None and number.is_finite() else None


def day_of(value: str) -> date | None:
    """Return the value as a day; values of dates are ISO 8601 with dashes, which no number has."""
    try:
        return date.fromisoformat(value) if "-" in value else None
    except ValueError:
        return None


def amounts() -> Automaton:
    """Return the automaton of amounts: no 0 in front but in `0` and `0dd`; or nothing."""
    return finite("", _longer_amount, complete=lambda text: len(text) != 2 or text[0] != "0")


def dates() -> Automaton:
    """Return the automaton of days that exist, as DDMMYYYY or DDMMYY; or nothing."""
    return finite("", _longer_date, complete=lambda text: text == "" or date_value(text) is not None)


def _longer_amount(text: str, digit: int) -> str | None:
    if len(text) == (3 if text.startswith("0") else AMOUNT_DIGITS):
        return None
    # Which digits there were does not matter, but for a 0 in front.
    return text + "9" if text else ("9" if digit else "0")


def _longer_date(text: str, digit: int) -> str | None:
    text = f"{text}{digit}"
    if len(text) < _DAY_AND_MONTH:
        return text if len(text) != 2 or "01" <= text <= "31" else None
    if len(text) == _DAY_AND_MONTH:
        # Of the days that every year has, any stands for all.
        in_any_year = date_value(f"{text}2001") is not None
        return "0101" if in_any_year else (text if date_value(f"{text}2000") is not None else None)
    if len(text) > _SHORT_DATE and not FIRST_YEAR <= int(text[4:].ljust(4, "0")) <= LAST_YEAR:
        return None
    return text if len(text) <= _LONG_DATE else None
