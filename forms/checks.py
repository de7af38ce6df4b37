"""The last word on a page: values held against the template's checks, after every field was read and judged.

```
FieldReadings of a page ─ apply_checks ─▶ the same, with `check_failed` where values contradict each other
```

A sum that fails says that one of its fields is wrong, not which: all of them go to a person.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

from core.types import FieldReading, ReviewReason
from forms.check_specs import CrossCheck, EqualCheck, FieldCheck, OneOfCheck, OrderCheck, RangeCheck, SumCheck
from forms.field_specs import NUMBERS, FieldSpec
from forms.micr import PART_NAMES
from forms.templates import Template
from forms.values import day_of, number_of

Values = Mapping[str, str | None]
"""By field's name its value; None where it has none."""


def apply_checks(template: Template, readings: Sequence[FieldReading]) -> tuple[FieldReading, ...]:
    """Return the readings of one page, judged by the template as well.

    A field that is not required may be empty: then nothing speaks against it. What a check needs and nobody could
    read is no contradiction; the field that could not be read says so itself.

    Args:
        template: whose fields they are.
        readings: of its fields, by their names; of others, they stay as they are.
    """
    optional = {field.name for field in template.fields if not field.required} | _optional_parts(template, readings)
    judged = [_without_empty(reading) if reading.name in optional else reading for reading in readings]
    values = {reading.name: reading.value for reading in judged}
    empty = {reading.name for reading in judged if not reading.text and reading.accepted}
    failed = failed_fields(template, values, empty=empty)
    return tuple(_flagged(reading) if reading.name in failed else reading for reading in judged)


def failed_fields(template: Template, values: Values, *, empty: Collection[str] = ()) -> frozenset[str]:
    """Return the names of the fields that some check speaks against; those in `empty` may be, and are, empty."""
    failed: set[str] = set()
    for field in template.fields:
        value = values.get(field.name)
        if value is not None and not all(_passes(check, value, field.type) for check in field.checks):
            failed.add(field.name)
    for check in template.checks:
        if not _holds(check, values, empty=empty):
            failed.update(name for name in check.names if values.get(name) is not None)
    return frozenset(failed)


def _optional_parts(template: Template, readings: Sequence[FieldReading]) -> frozenset[str]:
    """Return the parts of a band that may be empty: all or none, for a band that says anything should say all."""
    bands = [field for field in template.fields if field.is_band]
    # Which page it is nobody says here, so of bands on several pages none may be empty if one may not.
    may_be_empty = bands and not any(band.required for band in bands)
    says_something = any(reading.text for reading in readings if reading.name in PART_NAMES)
    return frozenset(PART_NAMES) if may_be_empty and not says_something else frozenset()


def _passes(check: FieldCheck, value: str, kind: FieldSpec) -> bool:
    if isinstance(check, OneOfCheck):
        return check.lists(value, as_number=kind.holds == NUMBERS)
    if isinstance(check, RangeCheck):
        number = number_of(value)
        return number is None or (
            (check.minimum is None or number >= check.minimum) and (check.maximum is None or number <= check.maximum)
        )
    day = day_of(value)
    return day is None or (
        (check.earliest is None or day >= check.earliest) and (check.latest is None or day <= check.latest)
    )


def _holds(check: CrossCheck, values: Values, *, empty: Collection[str]) -> bool:
    """Return whether the values do not contradict the check; where one is missing, nothing can."""
    if isinstance(check, SumCheck):
        return _adds_up(check, values, empty=empty)
    known = [value for name in check.fields if (value := values.get(name)) is not None]
    if isinstance(check, EqualCheck):
        return len({_comparable(value) for value in known}) <= 1
    return _in_order(check, known)


def _adds_up(check: SumCheck, values: Values, *, empty: Collection[str]) -> bool:
    terms = [number_of("0" if name in empty else values.get(name)) for name in check.terms]
    total = number_of(values.get(check.total))
    known = [term for term in terms if term is not None]
    if total is None or len(known) < len(terms):
        return True
    return abs(sum(known, Decimal(0)) - total) <= check.tolerance


def _in_order(check: OrderCheck, known: Sequence[str]) -> bool:
    ordered = [_comparable(value) for value in known]
    if len({type(each) for each in ordered}) > 1:
        return True  # a day and a number cannot be compared
    if check.strict:
        return all(before < after for before, after in pairwise(ordered))  # type: ignore[operator]  # of one type
    return all(before <= after for before, after in pairwise(ordered))  # type: ignore[operator]  # of one type


def _comparable(value: str) -> date | Decimal | str:
    """Return the value as what it can be compared as: 7 is the same as 007 and 7.00."""
    day = day_of(value)
    if day is not None:
        return day
    number = number_of(value)
    return value if number is None else number


def _without_empty(reading: FieldReading) -> FieldReading:
    reasons = tuple(reason for reason in reading.review_reasons if reason is not ReviewReason.EMPTY)
    return replace(reading, review_reasons=reasons, accepted=not reasons)


def _flagged(reading: FieldReading) -> FieldReading:
    reasons = dict.fromkeys((*reading.review_reasons, ReviewReason.CHECK_FAILED))
    return replace(reading, review_reasons=tuple(reasons), accepted=False)
