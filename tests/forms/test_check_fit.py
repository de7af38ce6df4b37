"""Checks that can say nothing by the types of their fields are refused, and no others."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import InvalidRequest
from forms.check_fit import CheckedField
from forms.checks import failed_fields
from forms.field_specs import AmountSpec, DigitsSpec, IntegerSpec
from forms.templates import Template, parse_template

BOX = {"x": 0, "y": 0, "width": 10, "height": 10}
SMALL = {"name": "integer", "maximum": 100}
LARGE = {"name": "integer", "minimum": 200, "maximum": 300}
DAYS = {"name": "date", "earliest": "2020-01-01", "latest": "2020-12-31"}
LATER = {"name": "date", "earliest": "2021-01-01"}
GERMAN = {"name": "iban", "country": "DE"}
NORWEGIAN = {"name": "iban", "country": "NO"}


def own(kind: object, check: dict[str, Any], **options: object) -> Template:
    """Return a template with the field `one`, which has the check."""
    field = {"name": "one", "type": kind, "box": BOX, "checks": [check], **options}
    return parse_template({"name": "form", "page": {"width": 10, "height": 10}, "fields": [field]})


def between(check: dict[str, Any], *kinds: object, optional: str = "") -> Template:
    """Return a template with the fields a, b, … of these types, and the check."""
    fields = [
        {"name": name, "type": kind, "box": BOX, "required": name != optional}
        for name, kind in zip("abc", kinds, strict=False)
    ]
    page = {"width": 10, "height": 10}
    return parse_template({"name": "form", "page": page, "fields": fields, "checks": [check]})


def one_of(*values: str) -> dict[str, Any]:
    return {"kind": "one_of", "values": list(values)}


@pytest.mark.parametrize(
    ("kind", "check", "words"),
    [
        ("date", {"kind": "range", "minimum": 5}, "the range of one never fails.*date holds days.*window or one_of"),
        ("letters", {"kind": "range", "minimum": 5}, "never fails.*letters; what fits is one_of"),
        (GERMAN, {"kind": "range", "minimum": 5}, "never fails.*account numbers of DE"),
        ("amount", {"kind": "window", "earliest": "2020-01-01"}, "the window of one never fails.*range or one_of"),
        (SMALL, {"kind": "range", "minimum": 101}, "never passes.*0 to 100"),
        (SMALL, {"kind": "range", "maximum": 100}, "never fails.*0 to 100"),
        ("amount", {"kind": "range", "minimum": 0}, "never fails.*0.00 to 9999999999999.00"),
        (DAYS, {"kind": "window", "earliest": "2021-01-01"}, "never passes.*2020-01-01 to 2020-12-31"),
        (DAYS, {"kind": "window", "latest": "2021-01-01"}, "never fails"),
        ({"name": "digits", "length": 3}, one_of("12", "1234"), "the one_of of one never passes.*digits such as 999"),
        (SMALL, one_of("101", "-1", "0.5", "x"), "never passes.*numbers such as 9"),
        ({"name": "amount", "maximum": 500}, one_of("500.50", "501"), "never passes.*such as 9.00"),
        ("date", one_of("03.01.2016", "20160103", "2016-02-30"), "never passes.*days such as 1999-12-31"),
        (DAYS, one_of("2021-01-01"), "never passes"),
        (GERMAN, one_of("NO9386011117947"), "never passes.*account numbers of DE such as DE"),
        ("letters", one_of("A1"), "never passes.*what fits are letters[.;]"),
    ],
)
def test_a_check_that_can_say_nothing_of_its_field_is_refused(kind: object, check: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        own(kind, check)


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        ("digits", {"kind": "range", "minimum": 5}),
        ("amount", {"kind": "range", "minimum": 0, "maximum": 5000}),
        (SMALL, {"kind": "range", "minimum": 1}),
        ({"name": "pattern", "pattern": "(19|20)[0-9]{2}"}, {"kind": "range", "minimum": 1950}),
        (DAYS, {"kind": "window", "earliest": "2020-06-01"}),
        ("date", {"kind": "window", "earliest": "2020-06-01"}),
        ("date", one_of("2016-01-03")),
        (SMALL, one_of("007")),
        ("amount", one_of("0.50")),
        ("amount", one_of("42020", "what nobody reads")),
        ({"name": "amount", "decimals": 2}, one_of("420.2")),
        (GERMAN, one_of("DE89370400440532013000")),
        ("letters", one_of("YES")),
        ("digits", one_of("0042")),
    ],
)
def test_a_check_that_can_say_something_is_none_of_these(kind: object, check: dict[str, Any]) -> None:
    assert own(kind, check).fields[0].checks


def test_printed_boxes_bound_what_a_field_holds() -> None:
    check = {"kind": "range", "maximum": 500}
    assert own("amount", check, cells=3).fields
    with pytest.raises(InvalidRequest, match=r"never fails.*0.00 to 99.00"):
        own("amount", check, cells=2)


SUM = {"kind": "sum", "terms": ["a", "b"], "total": "c"}
EQUAL = {"kind": "equal", "fields": ["a", "b"]}
ORDER = {"kind": "order", "fields": ["a", "b"]}
STRICT = {**ORDER, "strict": True}


@pytest.mark.parametrize(
    ("check", "kinds", "words"),
    [
        (SUM, ("amount", "date", "amount"), "the sum of a, b, c never fails: b is of type date, which holds days"),
        (SUM, (SMALL, SMALL, LARGE | {"minimum": 201}), "never passes: the terms add up to 0 to 200"),
        ({**SUM, "tolerance": 500}, (SMALL, SMALL, LARGE), "never fails"),
        (EQUAL, ("amount", "date"), "the equal of a, b never passes.*a is of type amount.*b is of type date"),
        (EQUAL, (GERMAN, NORWEGIAN), "never passes.*account numbers of DE.*of NO"),
        (EQUAL, ("letters", "digits"), "never passes"),
        (EQUAL, (SMALL, LARGE), "never passes: a holds 0 to 100, b holds 200 to 300"),
        ({**EQUAL, "fields": ["a", "a"]}, ("digits",), "looks at one field alone"),
        (ORDER, ("amount", "date"), "compares what has no order.*numbers alone, or days alone"),
        (ORDER, ("letters", "letters"), "compares what has no order"),
        (ORDER, (LARGE, SMALL), "never passes: a holds 200 to 300, b holds 0 to 100"),
        (ORDER, (SMALL, LARGE), "never fails: a holds 0 to 100, b holds 200 to 300"),
        (ORDER, (DAYS, LATER), "never fails"),
        (STRICT, (LARGE, {"name": "integer", "maximum": 200}), "never passes"),
    ],
)
def test_a_check_between_fields_that_can_say_nothing_is_refused(
    check: dict[str, Any], kinds: tuple[object, ...], words: str
) -> None:
    with pytest.raises(InvalidRequest, match=words):
        between(check, *kinds)


@pytest.mark.parametrize(
    ("check", "kinds"),
    [
        (SUM, ("amount", SMALL, "digits")),
        (SUM, (SMALL, SMALL, LARGE)),
        ({**SUM, "tolerance": 1}, (SMALL, SMALL, LARGE | {"minimum": 201})),
        (EQUAL, ("amount", "digits")),
        (EQUAL, (GERMAN, GERMAN)),
        (EQUAL, ("letters", "letters")),
        (EQUAL, (SMALL, {"name": "integer", "minimum": 100, "maximum": 300})),
        (ORDER, ("date", DAYS)),
        (ORDER, ("digits", "amount")),
        (ORDER, (LARGE, {"name": "integer", "maximum": 200})),
        (STRICT, ({"name": "integer", "maximum": 200}, LARGE)),
    ],
)
def test_a_check_between_fields_that_can_say_something_is_none_of_these(
    check: dict[str, Any], kinds: tuple[object, ...]
) -> None:
    assert between(check, *kinds).checks


def test_a_term_that_may_be_empty_may_count_as_nothing() -> None:
    with pytest.raises(InvalidRequest, match="never passes"):
        between(SUM, SMALL, LARGE, SMALL)
    assert between(SUM, SMALL, LARGE, SMALL, optional="b").checks


@given(low=st.integers(0, 40), size=st.integers(0, 20), minimum=st.integers(0, 50), width=st.integers(0, 30))
def test_a_range_is_refused_exactly_when_all_values_pass_or_none(low: int, size: int, minimum: int, width: int) -> None:
    kind = {"name": "integer", "minimum": low, "maximum": low + size}
    check = {"kind": "range", "minimum": minimum, "maximum": minimum + width}
    passing = {minimum <= value <= minimum + width for value in range(low, low + size + 1)}
    if len(passing) == 1:
        with pytest.raises(InvalidRequest, match="never fails" if passing == {True} else "never passes"):
            own(kind, check)
    else:
        template = own(kind, check)
        failed = {bool(failed_fields(template, {"one": str(value)})) for value in range(low, low + size + 1)}
        assert failed == {True, False}


@given(
    kind=st.one_of(
        st.builds(AmountSpec, decimals=st.sampled_from([None, 0, 2]), maximum=st.none() | st.integers(1, 9999)),
        st.builds(
            IntegerSpec, minimum=st.integers(0, 500), maximum=st.integers(500, 2000), leading_zeros=st.booleans()
        ),
        st.builds(DigitsSpec, min_length=st.integers(1, 3), max_length=st.integers(3, 5)),
    ),
    text=st.from_regex(r"[0-9]{1,6}", fullmatch=True),
)
def test_every_value_lies_within_what_its_type_is_said_to_hold(
    kind: AmountSpec | IntegerSpec | DigitsSpec, text: str
) -> None:
    value, span = kind.field_type().value(text), CheckedField("one", kind).span
    assume(value is not None)
    assert span is not None
    assert float(span.low) <= float(value or "") <= float(span.high)
