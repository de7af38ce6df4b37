"""Checks as templates state them: of one field's value, and between fields. `forms.checks` evaluates them.

A check looks at values, after reading; what a field may hold at all is its type, which the decoder obeys.
"""

from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from forms.values import number_of

_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class _Check(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class OneOfCheck(_Check):
    """The value is one of a list: known customers, valid codes."""

    kind: Literal["one_of"]
    values: tuple[Annotated[str, Field(max_length=64)], ...] = Field(min_length=1, max_length=10_000)

    def lists(self, value: str, *, as_number: bool) -> bool:
        """Return whether the value is on the list; as a number, 42020 stands for 42020.00."""
        return value in self.values or (as_number and number_of(value) in self._numbers)

    @cached_property
    def _numbers(self) -> frozenset[Decimal]:
        numbers = (number_of(value) for value in self.values)
        return frozenset(number for number in numbers if number is not None)


class RangeCheck(_Check):
    """The value, a number, lies within bounds."""

    kind: Literal["range"]
    minimum: Decimal | None = None
    maximum: Decimal | None = None

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if self.minimum is None and self.maximum is None:
            raise ValueError("a range needs a minimum or a maximum")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum is above maximum")
        return self


class WindowCheck(_Check):
    """The value, a day, lies within a window: a date outside it was read rightly, and is still to be looked at."""

    kind: Literal["window"]
    earliest: date | None = None
    latest: date | None = None

    @model_validator(mode="after")
    def _check_window(self) -> Self:
        if self.earliest is None and self.latest is None:
            raise ValueError("a window needs an earliest or a latest day")
        return self


class SumCheck(_Check):
    """The terms add up to the total; an empty term that is not required counts as 0."""

    kind: Literal["sum"]
    terms: tuple[_Name, ...] = Field(min_length=1, max_length=100)
    total: _Name
    tolerance: Decimal = Field(Decimal(0), ge=0)

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that it looks at."""
        return (*self.terms, self.total)


class EqualCheck(_Check):
    """All fields have the same value: a number that is written twice."""

    kind: Literal["equal"]
    fields: tuple[_Name, ...] = Field(min_length=2, max_length=20)

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that it looks at."""
        return self.fields


class OrderCheck(_Check):
    """Days, or numbers, that do not decrease from field to field."""

    kind: Literal["order"]
    fields: tuple[_Name, ...] = Field(min_length=2, max_length=20)
    strict: bool = Field(default=False, description="Whether two may not be the same.")

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that it looks at."""
        return self.fields


FieldCheck = Annotated[OneOfCheck | RangeCheck | WindowCheck, Field(discriminator="kind")]
"""What one field's value is held against."""

CrossCheck = Annotated[SumCheck | EqualCheck | OrderCheck, Field(discriminator="kind")]
"""What several fields' values are held against."""
