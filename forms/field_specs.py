"""Field types with their options, as templates state them: each becomes the `FieldType` that the decoder walks.

```
template's JSON ─ pydantic ─▶ DateSpec(order="dmy", …) ─ field_type() ─▶ FieldType(automaton, normalise, comb_cells)
```

`forms.field_types` lists the types that need no options and have names of their own.
"""

from datetime import date
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from core.errors import InvalidRequest
from core.micr import ABA_WEIGHTS
from forms.algebra import intersection, minimised, of_length, or_nothing
from forms.automaton import DEAD, DIGITS, Automaton, any_digits, string_lengths
from forms.check_digits import IBAN_DIGITS, MOD_11_WEIGHTS, iban, luhn, weighted
from forms.days import FIRST_DAY, LAST_DAY, DateFormat, days
from forms.field_types import FIELD_TYPES, FieldType
from forms.integers import integers
from forms.patterns import compile_pattern
from forms.values import AMOUNT_DIGITS, amount_value, digits_value

MAX_DIGITS: Final = 40
"""Of a field whose length is given; a line reader sees no more on one line."""


Held = Literal["digits", "numbers", "days", "letters", "account numbers"]
"""What values are to checks: digits are listed as they are written, and else are numbers as well."""

NUMBERS: Final[Held] = "numbers"
DAYS: Final[Held] = "days"
LETTERS: Final[Held] = "letters"
NUMERIC: Final[tuple[Held, ...]] = ("digits", NUMBERS)


class _Spec(BaseModel):
    """A type with its options; an option that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    holds: ClassVar[Held] = "digits"

    name: str

    def field_type(self, *, cells: int | None = None) -> FieldType:
        """Return the type as the decoder takes it.

        Args:
            cells: number of printed boxes, each of which takes one digit; None where there are none.
        """
        return _field_type(self, cells)

    def automaton(self) -> Automaton:
        """Return the strings that the field may hold, the empty one left aside."""
        raise NotImplementedError

    def lengths(self) -> tuple[int, ...]:
        """Return how many digits a string may have, ascending; none where that is more than `MAX_DIGITS`."""
        return string_lengths(self.field_type().automaton, most=MAX_DIGITS)

    def value(self, text: str) -> str | None:
        """Return what a string that the automaton accepts means, in a form for programs."""
        return digits_value(text)

    def likely_cells(self) -> tuple[int, ...]:
        """Return how many boxes a comb for it may have where the template does not say."""
        return ()


class _Lengths(_Spec):
    """A type of a certain number of digits."""

    length: int | None = Field(None, ge=1, le=MAX_DIGITS, description="Exactly so many digits.")
    min_length: int | None = Field(None, ge=1, le=MAX_DIGITS, description="At least so many digits.")
    max_length: int | None = Field(None, ge=1, le=MAX_DIGITS, description="At most so many digits.")

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if self.length is not None and (self.min_length is not None or self.max_length is not None):
            raise ValueError("length excludes min_length and max_length")
        if self.min_length is not None and self.max_length is not None and self.min_length > self.max_length:
            raise ValueError("min_length is above max_length")
        return self

    def bounds(self, *, least: int, most: int) -> tuple[int, int]:
        """Return the smallest and the largest number of digits; `least` and `most` where nothing is said."""
        lowest = self.length or self.min_length or min(least, self.max_length or least)
        return lowest, self.length or self.max_length or max(most, lowest)


class DigitsSpec(_Lengths):
    """Any digits, as many as is said."""

    name: Literal["digits"] = "digits"

    def automaton(self) -> Automaton:
        """Return all strings of such lengths."""
        if self.length is None and self.max_length is None and self.min_length is None:
            return any_digits()
        return of_length(*self.bounds(least=1, most=MAX_DIGITS))


class DigitSpec(_Spec):
    """Exactly one digit."""

    name: Literal["digit"] = "digit"

    def automaton(self) -> Automaton:
        """Return the ten digits."""
        return of_length(1, 1)


class IntegerSpec(_Spec):
    """A whole number within bounds."""

    holds: ClassVar[Held] = NUMBERS

    name: Literal["integer"] = "integer"
    minimum: int = Field(0, ge=0, lt=10**18)
    maximum: int = Field(ge=0, lt=10**18)
    leading_zeros: bool = Field(
        default=False, description="Whether zeros may stand in front, up to the length of the maximum."
    )

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if self.minimum > self.maximum:
            raise ValueError("minimum is above maximum")
        return self

    def automaton(self) -> Automaton:
        """Return the numbers within the bounds."""
        return integers(self.minimum, self.maximum, leading_zeros=self.leading_zeros)

    def value(self, text: str) -> str | None:
        """Return the number without zeros in front."""
        return str(int(text))


class AmountSpec(_Spec):
    """An amount of money: as `forms.values` has it, or with so many decimals written, or up to a highest one."""

    holds: ClassVar[Held] = NUMBERS

    name: Literal["amount"] = "amount"
    decimals: Literal[0, 2] | None = Field(
        None,
        description="0: whole units are written; 2: the last two digits are decimals. Without it, all are whole "
        "units, unless a 0 in front shows decimals.",
    )
    maximum: int | None = Field(None, ge=1, lt=10**AMOUNT_DIGITS, description="Highest amount, in whole units.")

    def automaton(self) -> Automaton:
        """Return the amounts that may be written."""
        if self.decimals is None and self.maximum is None:
            return FIELD_TYPES["amount"].automaton
        highest = self.maximum if self.maximum is not None else 10**AMOUNT_DIGITS - 1
        if self.decimals == 2:
            return _with_decimals(highest)
        whole = integers(0, highest)
        return whole if self.decimals == 0 else _with_cents_below_one(whole)

    def value(self, text: str) -> str | None:
        """Return the amount with two decimals."""
        if self.decimals == 2:
            return f"{text[:-2]}.{text[-2:]}"
        return amount_value(text) if self.decimals is None else f"{text}.00"


class DateSpec(_Spec):
    """A day that exists."""

    holds: ClassVar[Held] = DAYS

    name: Literal["date"] = "date"
    order: Literal["dmy", "mdy", "ymd"] = Field("dmy", description="How day, month and year follow one another.")
    year_digits: Literal[2, 4] | None = Field(None, description="Digits of a year; either where nothing is said.")
    earliest: date | None = Field(None, ge=FIRST_DAY, le=LAST_DAY, description="First plausible day.")
    latest: date | None = Field(None, ge=FIRST_DAY, le=LAST_DAY, description="Last plausible day.")

    @model_validator(mode="after")
    def _check_window(self) -> Self:
        if self.written.earliest > self.written.latest:
            raise ValueError("earliest is after latest")
        return self

    @property
    def written(self) -> DateFormat:
        """How days are written here."""
        return DateFormat(
            order=self.order,
            year_digits=(4, 2) if self.year_digits is None else (self.year_digits,),
            earliest=self.earliest or FIRST_DAY,
            latest=self.latest or LAST_DAY,
        )

    def automaton(self) -> Automaton:
        """Return the days within the window."""
        return FIELD_TYPES["date"].automaton if self.written == DateFormat() else days(self.written)

    def lengths(self) -> tuple[int, ...]:
        """Return those of its years; all days of two centuries take a second to be listed."""
        return tuple(sorted(self.written.lengths))

    def value(self, text: str) -> str | None:
        """Return the day as ISO 8601."""
        return self.written.value(text)

    def likely_cells(self) -> tuple[int, ...]:
        """Return a box for each digit."""
        return self.written.lengths


class LuhnSpec(_Lengths):
    """A number whose last digit is Luhn's check digit: payment cards, many account and customer numbers."""

    name: Literal["luhn"] = "luhn"

    def automaton(self) -> Automaton:
        """Return the numbers whose check digit is right."""
        return luhn(*self.bounds(least=2, most=19))


class AbaRoutingSpec(_Spec):
    """The nine digits of a United States bank's routing transit number, weighed 3, 7, 1 modulo 10."""

    name: Literal["aba_routing"] = "aba_routing"

    def automaton(self) -> Automaton:
        """Return the numbers whose check digit is right."""
        return weighted(ABA_WEIGHTS, modulus=10)


class Mod11Spec(_Spec):
    """A number whose weighted digits add up to a multiple of eleven."""

    name: Literal["mod11"] = "mod11"
    variant: Literal["isbn10", "nhs", "bsn", "orgnr"] | None = Field(None, description="A standard's weights.")
    weights: tuple[Annotated[int, Field(ge=-10, le=10)], ...] | None = Field(
        None, min_length=2, max_length=MAX_DIGITS, description="A weight for each digit, the check digit's last."
    )

    @model_validator(mode="after")
    def _check_weights(self) -> Self:
        if (self.variant is None) == (self.weights is None):
            raise ValueError("exactly one of variant and weights is needed")
        if self.weights is not None and self.weights[-1] == 0:
            raise ValueError("the check digit, which is the last one, needs a weight other than 0")
        return self

    def automaton(self) -> Automaton:
        """Return the numbers whose sum divides by eleven."""
        return weighted(self.weights or MOD_11_WEIGHTS[self.variant or "isbn10"], modulus=11)


class IbanSpec(_Spec):
    """The digits of an IBAN of one country, behind its two letters: they are printed, or known."""

    holds: ClassVar[Held] = "account numbers"

    name: Literal["iban"] = "iban"
    country: Annotated[str, Field(pattern="^[A-Z]{2}$", json_schema_extra={"enum": sorted(IBAN_DIGITS)})]

    @model_validator(mode="after")
    def _check_country(self) -> Self:
        if self.country not in IBAN_DIGITS:
            raise ValueError(f"account numbers are digits alone in: {', '.join(sorted(IBAN_DIGITS))}")
        return self

    def automaton(self) -> Automaton:
        """Return the numbers whose check digits are right."""
        return iban(self.country)

    def value(self, text: str) -> str | None:
        """Return the IBAN with its letters."""
        return f"{self.country}{text}"


def _check_pattern(pattern: str) -> str:
    try:
        automaton = compile_pattern(pattern)
    except InvalidRequest as error:
        raise ValueError(str(error)) from error
    if set(automaton.steps[0]) == {DEAD}:
        raise ValueError(f"The pattern {pattern!r} describes no digit at all.")
    return pattern


class PatternSpec(_Spec):
    """Digits that follow a pattern, see `forms.patterns`."""

    name: Literal["pattern"] = "pattern"
    pattern: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_check_pattern)]

    def automaton(self) -> Automaton:
        """Return the strings that the pattern describes."""
        return compile_pattern(self.pattern)


class LettersSpec(_Spec):
    """Letters, apart or in printed boxes; a network that knows letters reads them."""

    holds: ClassVar[Held] = LETTERS

    name: Literal["letters"] = "letters"

    def automaton(self) -> Automaton:
        """Return an automaton that forbids nothing: no rule binds letters, and it is not asked."""
        return any_digits()


_AnySpec = Annotated[
    DigitsSpec
    | DigitSpec
    | IntegerSpec
    | AmountSpec
    | DateSpec
    | LuhnSpec
    | AbaRoutingSpec
    | Mod11Spec
    | IbanSpec
    | PatternSpec
    | LettersSpec,
    Field(discriminator="name"),
]


def _named(value: Any) -> Any:  # noqa: ANN401 - what came in, before it is checked
    return {"name": value} if isinstance(value, str) else value


FieldSpec = Annotated[
    _AnySpec, BeforeValidator(_named, json_schema_input_type=_AnySpec | Annotated[str, Field(max_length=64)])
]
"""Any field type with its options; a bare name stands for the type without options."""


@lru_cache(maxsize=256)
def _field_type(spec: _Spec, cells: int | None) -> FieldType:
    automaton = or_nothing(spec.automaton())
    if cells is not None:
        automaton = intersection(automaton, of_length(0, cells))
    described = (type(spec).__doc__ or "").strip().splitlines()[0]
    return FieldType(
        name=spec.name,
        description=described,
        automaton=automaton,
        normalise=spec.value,
        comb_cells=spec.likely_cells() if cells is None else (cells,),
        letters=isinstance(spec, LettersSpec),
    )


def _with_decimals(highest: int) -> Automaton:
    """Return the amounts of at least three digits, the last two of which are decimals; no 0 in front but in `0dd`."""
    in_hundredths = integers(0, 100 * highest, leading_zeros=True)
    shape = compile_pattern(r"(0|[1-9]\d*)\d\d")
    return intersection(in_hundredths, shape)


def _with_cents_below_one(whole: Automaton) -> Automaton:
    """Return the whole amounts, and `0dd` for those below one."""
    # States of their own for what begins with 0: the smallest automaton shares its last one with other amounts.
    zero = whole.states
    start = (zero, *whole.steps[0][1:])
    below = ((zero + 1,) * len(DIGITS), (zero + 2,) * len(DIGITS), (DEAD,) * len(DIGITS))
    return minimised(Automaton((start, *whole.steps[1:], *below), whole.accepting | {zero, zero + 2}))
