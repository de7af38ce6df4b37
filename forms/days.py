"""Days as they are written: the order of day, month and year, two or four digits for the year, and a plausible window.

```
forms.field_specs ─ DateFormat ─▶ automaton of the days that may stand there, and what each string of digits means
```

`forms.values` holds the type `date` as it is without options; a format without a window agrees with it.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from forms.algebra import of_strings, or_nothing
from forms.automaton import Automaton
from forms.values import FIRST_YEAR, LAST_YEAR, PIVOT

FIRST_DAY: Final = date(FIRST_YEAR, 1, 1)
LAST_DAY: Final = date(LAST_YEAR, 12, 31)

_CENTURIES: Final = (1900, 2000)


@dataclass(frozen=True, slots=True)
class DateFormat:
    """How days are written.

    Attributes:
        order: `dmy`, `mdy` or `ymd`.
        year_digits: digits that a year may have: 2, 4, or both.
        earliest: the first day that is plausible.
        latest: the last one.
    """

    order: str = "dmy"
    year_digits: tuple[int, ...] = (4, 2)
    earliest: date = FIRST_DAY
    latest: date = LAST_DAY

    @property
    def lengths(self) -> tuple[int, ...]:
        """Numbers of digits that a day may have."""
        return tuple(4 + digits for digits in self.year_digits)

    def value(self, text: str) -> str | None:
        """Return the day as ISO 8601, or None where the digits are no day within the window."""
        digits = len(text) - 4
        if digits not in self.year_digits:
            return None
        parts = self._parts(text, year_digits=digits)
        for year in self._years(parts["y"]):
            try:
                day = date(year, int(parts["m"]), int(parts["d"]))
            except ValueError:
                continue
            if self.earliest <= day <= self.latest:
                return day.isoformat()
        return None

    def written(self, day: date, *, year_digits: int) -> str:
        """Return the day's digits in this order."""
        year = f"{day.year:04d}"[-year_digits:]
        return "".join({"d": f"{day.day:02d}", "m": f"{day.month:02d}", "y": year}[part] for part in self.order)

    def _parts(self, text: str, *, year_digits: int) -> dict[str, str]:
        parts, at = {}, 0
        for part in self.order:
            length = year_digits if part == "y" else 2
            parts[part] = text[at : at + length]
            at += length
        return parts

    def _years(self, digits: str) -> tuple[int, ...]:
        """Return the years that the digits may stand for, POSIX's pivot first, then the other century."""
        if len(digits) == 4:
            return (int(digits),)
        short = int(digits)
        likely, other = _CENTURIES if short >= PIVOT else reversed(_CENTURIES)
        # The other century only counts where the window says which one is meant.
        return (likely + short, other + short) if self._has_window else (likely + short,)

    @property
    def _has_window(self) -> bool:
        return self.earliest != FIRST_DAY or self.latest != LAST_DAY


@lru_cache(maxsize=64)
def days(written: DateFormat) -> Automaton:
    """Return the automaton of the days within the format's window; or nothing."""
    texts: set[str] = set()
    day = written.earliest
    while day <= written.latest:
        texts.update(written.written(day, year_digits=digits) for digits in written.year_digits)
        day += timedelta(days=1)
    # Two digits may stand for a day of another century that does not exist, as 29 February 1900.
    return or_nothing(of_strings({text for text in texts if written.value(text) is not None}))
