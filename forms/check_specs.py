"""Checks as templates state them: of one field's value, and between fields. `forms.checks` evaluates them.

A check looks at values, after reading; what a field may hold at all is its type, which the decoder obeys.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

from forms.values import number_of

_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Asks for so many items of a tuple.

    pydantic's own `min_length` counts the items that passed: where one is wrong it finds too few, a second fault.
    """

    count: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's own
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "minItems": self.count}

    def _check(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(items) < self.count:
            raise ValueError(f"there should be at least {self.count} item{'s' * (self.count > 1)}, not {len(items)}")
        return items


class _Check(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class OneOfCheck(_Check):
    """The value is one of a list: known customers, valid codes."""

    kind: Literal["one_of"]
    values: Annotated[tuple[Annotated[str, Field(max_length=64)], ...], Field(max_length=10_000), AtLeast(1)]

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
    terms: Annotated[tuple[_Name, ...], Field(max_length=100), AtLeast(1)]
    total: _Name
    tolerance: Decimal = Field(Decimal(0), ge=0)

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that it looks at."""
        return (*self.terms, self.total)


class EqualCheck(_Check):
    """All fields have the same value: a number that is written twice."""

    kind: Literal["equal"]
    fields: Annotated[tuple[_Name, ...], Field(max_length=20), AtLeast(2)]

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that it looks at."""
        return self.fields


class OrderCheck(_Check):
    """Days, or numbers, that do not decrease from field to field."""

    kind: Literal["order"]
    fields: Annotated[tuple[_Name, ...], Field(max_length=20), AtLeast(2)]
    strict: bool = Field(default=False, description="Whether two may not be the same.")

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that it looks at."""
        return self.fields


FieldCheck = Annotated[OneOfCheck | RangeCheck | WindowCheck, Field(discriminator="kind")]
"""What one field's value is held against."""

CrossCheck = Annotated[SumCheck | EqualCheck | OrderCheck, Field(discriminator="kind")]
"""What several fields' values are held against."""
