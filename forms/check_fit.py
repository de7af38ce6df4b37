"""Whether a check can say anything: one that never passes, or never fails, by the types that it looks at is a mistake.

```
check, the fields that it looks at ─ own_misfit, cross_misfit ─▶ None, or what is wrong and what fits
```

What fields may hold is taken wider than it may be, never narrower: so no check is refused that can say something.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import combinations, islice, pairwise
from typing import Final

from forms.automaton import extreme_strings
from forms.check_specs import CrossCheck, EqualCheck, FieldCheck, OneOfCheck, OrderCheck, RangeCheck, SumCheck
from forms.field_specs import DAYS, LETTERS, MAX_DIGITS, NUMBERS, NUMERIC, DateSpec, FieldSpec, Held, IbanSpec
from forms.values import day_of, number_of

FITTING: Final[dict[Held, str]] = {"digits": "range or one_of", NUMBERS: "range or one_of", DAYS: "window or one_of"}
"""Checks of one field by what it holds; of all else, one_of."""

_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class CheckedField:
    """A field as checks see it.

    Attributes:
        name: of the field, or of a part of a band.
        type: what it may hold.
        cells: number of printed boxes, each of which takes one digit; None where there are none.
        required: whether it is to be filled in; where it is not and is empty, it counts as 0 in a sum.
    """

    name: str
    type: FieldSpec
    cells: int | None = None
    required: bool = True

    @property
    def holds(self) -> str:
        """What its values are."""
        return f"{self.type.holds} of {self.type.country}" if isinstance(self.type, IbanSpec) else self.type.holds

    @property
    def span(self) -> "Span | None":
        """The smallest and the largest value that it may hold; None where they have no order."""
        return _span(self.type, self.cells)


@dataclass(frozen=True, slots=True)
class Span:
    """Where values lie: numbers, or days by their ordinal numbers.

    Attributes:
        low: the smallest one.
        high: the largest one.
        words: both for a person.
    """

    low: Decimal
    high: Decimal
    words: str


def own_misfit(checks: Sequence[FieldCheck], field: CheckedField) -> str | None:
    """Return what is wrong with the first of a field's own checks that can say nothing of it; None where all can."""
    return next((fault for check in checks if (fault := _own_misfit(check, field)) is not None), None)


def cross_misfit(checks: Sequence[CrossCheck], fields: Mapping[str, CheckedField]) -> str | None:
    """Return what is wrong with the first check between `fields` that can say nothing of them; None where all can."""
    for check in checks:
        looked_at = [fields[name] for name in check.names]
        fault = _of_one(looked_at) or _cross_misfit(check, looked_at)
        if fault is not None:
            return f"the {check.kind} of {', '.join(check.names)} {fault}"
    return None


def _own_misfit(check: FieldCheck, field: CheckedField) -> str | None:
    if isinstance(check, OneOfCheck):
        fault = None if any(_may_be(value, field) for value in check.values) else _unlisted(field)
    elif isinstance(check, RangeCheck):
        fault = _bounds_misfit(field, NUMERIC, check.minimum, check.maximum)
    else:
        fault = _bounds_misfit(field, (DAYS,), _ordinal(check.earliest), _ordinal(check.latest))
    return None if fault is None else f"the {check.kind} of {field.name} {fault}"


def _may_be(listed: str, field: CheckedField) -> bool:
    """Return whether a value on a list may be one of the field's."""
    kind = field.type
    if isinstance(kind, DateSpec):
        day, span = day_of(listed), field.span
        ordinal = None if day is None or day.isoformat() != listed else _ordinal(day)
        return ordinal is not None and span is not None and span.low <= ordinal <= span.high
    holds = kind.field_type(cells=field.cells)
    if kind.holds == NUMBERS:
        number = number_of(listed)
        return number is not None and any(number == number_of(holds.value(text)) for text in _spellings(number))
    text = listed.removeprefix(kind.country) if isinstance(kind, IbanSpec) else listed
    return holds.value(text) == listed


def _spellings(number: Decimal) -> list[str]:
    """Return the digits that may stand for a number: as whole units, or with cents behind them."""
    return [f"{number:.0f}", f"{100 * number:.0f}".zfill(3)] if 0 <= number < 10**MAX_DIGITS else []


def _unlisted(field: CheckedField) -> str:
    holds = field.type.field_type(cells=field.cells)
    # Of the shortest strings the largest one: more like a value of its type than nothing but zeros.
    text = next(islice(extreme_strings(holds.automaton, most=field.cells or MAX_DIGITS), 1, None), "")
    example = "" if field.type.holds == LETTERS else f" such as {holds.value(text)}"
    type_name = field.type.name
    return f"never passes: its type {type_name} holds none of the values; what fits are {field.holds}{example}"


def _bounds_misfit(
    field: CheckedField, wanted: Sequence[Held], lowest: Decimal | None, highest: Decimal | None
) -> str | None:
    if field.type.holds not in wanted:
        fits = FITTING.get(field.type.holds, "one_of")
        return f"never fails: its type {field.type.name} holds {field.holds}; what fits is {fits}"
    span = field.span
    if span is None:
        return None
    low, high = (span.low if lowest is None else lowest), (span.high if highest is None else highest)
    if low > span.high or high < span.low:
        return f"never passes: its type {field.type.name} holds {span.words} alone; what fits are bounds within these"
    if low <= span.low and high >= span.high:
        return f"never fails: its type {field.type.name} holds {span.words} alone; what fits are closer bounds"
    return None


def _of_one(fields: Sequence[CheckedField]) -> str | None:
    return "looks at one field alone; what fits are several" if len({field.name for field in fields}) == 1 else None


def _cross_misfit(check: CrossCheck, fields: Sequence[CheckedField]) -> str | None:
    if isinstance(check, SumCheck):
        return _sum_misfit(fields[:-1], fields[-1], tolerance=check.tolerance)
    if isinstance(check, EqualCheck):
        return _equal_misfit(fields)
    return _order_misfit(check, fields)


def _sum_misfit(terms: Sequence[CheckedField], total: CheckedField, *, tolerance: Decimal) -> str | None:
    if wrong := next((field for field in (*terms, total) if field.type.holds not in NUMERIC), None):
        return f"never fails: {_described(wrong)}; what fits are numbers, such as amounts"
    spans, whole = [field.span for field in terms], total.span
    known = [span for span in spans if span is not None]
    if whole is None or len(known) < len(spans):
        return None
    # An empty term counts as 0 where it is not required.
    low = sum(
        (span.low if field.required else min(span.low, _ZERO) for field, span in zip(terms, known, strict=True)), _ZERO
    )
    high = sum((span.high for span in known), _ZERO)
    if low - whole.high > tolerance or whole.low - high > tolerance:
        return f"never passes: the terms add up to {low} to {high}, and {total.name} holds {whole.words}"
    if max(high - whole.low, whole.high - low) <= tolerance:
        return f"never fails: nothing that they hold differs by more than the tolerance, {tolerance}"
    return None


def _equal_misfit(fields: Sequence[CheckedField]) -> str | None:
    first = fields[0]
    if other := next((field for field in fields[1:] if _compared_as(field) != _compared_as(first)), None):
        return f"never passes: {_described(first)}, {_described(other)}; what fits are fields that hold the same"
    for one, another in combinations(fields, 2):
        if _is_below(one.span, another.span) or _is_below(another.span, one.span):
            return f"never passes: {_spanned(one)}, {_spanned(another)}; what fits are fields that may hold the same"
    return None


def _order_misfit(check: OrderCheck, fields: Sequence[CheckedField]) -> str | None:
    kinds = {_compared_as(field) for field in fields}
    if kinds not in ({NUMBERS}, {DAYS}):
        which = ", ".join(_described(field) for field in fields)
        return f"compares what has no order: {which}; what fits are numbers alone, or days alone"
    for earlier, later in combinations(fields, 2):
        if _is_below(later.span, earlier.span, or_same=check.strict):
            return f"never passes: {_spanned(earlier)}, {_spanned(later)}"
    if all(_is_below(earlier.span, later.span, or_same=not check.strict) for earlier, later in pairwise(fields)):
        return f"never fails: {', '.join(_spanned(field) for field in fields)}"
    return None


def _compared_as(field: CheckedField) -> str:
    """Return what the field's values are compared as: all that is numeric as numbers."""
    return NUMBERS if field.type.holds in NUMERIC else field.holds


def _is_below(one: Span | None, other: Span | None, *, or_same: bool = False) -> bool:
    """Return whether all values of one lie below all of the other, or are its smallest at most."""
    if one is None or other is None:
        return False
    return one.high < other.low or (or_same and one.high == other.low)


def _described(field: CheckedField) -> str:
    return f"{field.name} is of type {field.type.name}, which holds {field.holds}"


def _spanned(field: CheckedField) -> str:
    return _described(field) if field.span is None else f"{field.name} holds {field.span.words}"


@lru_cache(maxsize=256)
def _span(kind: FieldSpec, cells: int | None) -> Span | None:
    if isinstance(kind, DateSpec):
        first, last = kind.written.earliest, kind.written.latest
        return Span(Decimal(first.toordinal()), Decimal(last.toordinal()), f"{first} to {last}")
    if kind.holds not in NUMERIC:
        return None
    texts = extreme_strings(kind.field_type(cells=cells).automaton, most=cells or MAX_DIGITS)
    values = {text: number_of(kind.value(text)) for text in texts}
    numbers = [number for number in values.values() if number is not None]
    return Span(min(numbers), max(numbers), f"{min(numbers)} to {max(numbers)}") if numbers else None


def _ordinal(day: date | None) -> Decimal | None:
    return None if day is None else Decimal(day.toordinal())
