"""Values held against a template's checks."""

from dataclasses import replace
from typing import Any

import pytest

from core.types import Box, FieldReading, ReviewReason
from forms.checks import apply_checks, failed_fields
from forms.templates import Template, parse_template

FIELD = FieldReading("f", "amount", Box(0, 0, 9, 9), text="1", value="1.00", confidence=0.99, accepted=True)
BOX = {"x": 0, "y": 0, "width": 10, "height": 10}


def form(*checks: dict[str, Any], optional: tuple[str, ...] = (), **of_field: list[dict[str, Any]]) -> Template:
    """Return a template with the fields a to d."""
    fields = [
        {
            "name": name,
            "type": "digits",
            "box": BOX,
            "required": name not in optional,
            "checks": of_field.get(name, []),
        }
        for name in "abcd"
    ]
    return parse_template(
        {"name": "form", "page": {"width": 10, "height": 10}, "fields": fields, "checks": list(checks)}
    )


SUM = {"kind": "sum", "terms": ["a", "b"], "total": "c"}
ORDER = {"kind": "order", "fields": ["a", "b", "c"]}
EQUAL = {"kind": "equal", "fields": ["a", "b"]}


@pytest.mark.parametrize(
    ("check", "values", "failed"),
    [
        (SUM, {"a": "1.00", "b": "2.50", "c": "3.50"}, ""),
        (SUM, {"a": "1.00", "b": "2.50", "c": "3.00"}, "abc"),
        (SUM, {"a": "0.10", "b": "0.20", "c": "0.30"}, ""),
        (SUM, {"a": "1.00", "b": None, "c": "9.00"}, ""),
        (SUM, {"a": "1.00", "b": "2.00", "c": None}, ""),
        ({**SUM, "tolerance": "0.5"}, {"a": "1", "b": "2", "c": "3.5"}, ""),
        ({**SUM, "tolerance": "0.5"}, {"a": "1", "b": "2", "c": "3.51"}, "abc"),
        (EQUAL, {"a": "0042", "b": "42"}, ""),
        (EQUAL, {"a": "42", "b": "43"}, "ab"),
        (EQUAL, {"a": "42", "b": None}, ""),
        (EQUAL, {"a": "2020-01-02", "b": "2020-01-03"}, "ab"),
        (ORDER, {"a": "2020-01-02", "b": "2020-01-02", "c": "2021-01-01"}, ""),
        (ORDER, {"a": "2020-01-02", "b": None, "c": "2019-01-01"}, "ac"),
        (ORDER, {"a": "9", "b": "10", "c": "100"}, ""),
        (ORDER, {"a": "9", "b": "8", "c": "100"}, "abc"),
        ({**ORDER, "strict": True}, {"a": "9", "b": "9", "c": "10"}, "abc"),
        (ORDER, {"a": "9", "b": "2020-01-01", "c": "10"}, ""),
        (ORDER, {}, ""),
    ],
)
def test_fields_that_contradict_each_other_fail(
    check: dict[str, Any], values: dict[str, str | None], failed: str
) -> None:
    assert failed_fields(form(check), values) == set(failed)


def test_an_empty_term_that_is_not_required_counts_as_nothing() -> None:
    values = {"a": "5.00", "b": None, "c": "6.00"}
    assert failed_fields(form(SUM), values) == set()
    assert failed_fields(form(SUM, optional=("b",)), values, empty={"b"}) == {"a", "c"}
    assert failed_fields(form(SUM, optional=("b",)), {**values, "c": "5.00"}, empty={"b"}) == set()


def test_a_term_that_was_written_but_has_no_value_counts_as_unknown() -> None:
    values = {"a": "5.00", "b": None, "c": "6.00"}
    assert failed_fields(form(SUM, optional=("b",)), values) == set()


@pytest.mark.parametrize(
    ("check", "value", "passes"),
    [
        ({"kind": "one_of", "values": ["17", "23"]}, "17", True),
        ({"kind": "one_of", "values": ["17", "23"]}, "18", False),
        ({"kind": "range", "minimum": "0.5", "maximum": 10}, "0.50", True),
        ({"kind": "range", "minimum": "0.5", "maximum": 10}, "10.01", False),
        ({"kind": "range", "minimum": 5}, "4", False),
        ({"kind": "range", "minimum": 5}, "DE4", True),
        ({"kind": "window", "earliest": "2020-01-01"}, "2019-12-31", False),
        ({"kind": "window", "latest": "2020-01-01"}, "2020-01-01", True),
        ({"kind": "window", "latest": "2020-01-01"}, "2020-01-02", False),
    ],
)
def test_a_field_s_own_checks(check: dict[str, Any], value: str, passes: bool) -> None:
    assert failed_fields(form(a=[check]), {"a": value}) == (set() if passes else {"a"})
    assert failed_fields(form(a=[check]), {"a": None}) == set()


def test_a_failed_check_is_a_reason_for_review() -> None:
    readings = [
        replace(FIELD, name=name, value=value) for name, value in (("a", "1"), ("b", "2"), ("c", "4"), ("d", "4"))
    ]
    readings[0] = replace(readings[0], accepted=False, review_reasons=(ReviewReason.LOW_CONFIDENCE,))
    checked = apply_checks(form(SUM), readings)
    assert [reading.review_reasons for reading in checked] == [
        (ReviewReason.LOW_CONFIDENCE, ReviewReason.CHECK_FAILED),
        (ReviewReason.CHECK_FAILED,),
        (ReviewReason.CHECK_FAILED,),
        (),
    ]
    assert [reading.accepted for reading in checked] == [False, False, False, True]
    assert [reading.value for reading in checked] == ["1", "2", "4", "4"]


def test_a_field_that_is_not_required_may_be_empty() -> None:
    empty = replace(FIELD, text="", value=None, accepted=False, confidence=0.0, review_reasons=(ReviewReason.EMPTY,))
    blotted = replace(empty, review_reasons=(ReviewReason.EMPTY, ReviewReason.RULE_CONFLICT))
    readings = [replace(empty, name="a"), replace(empty, name="b"), replace(blotted, name="c")]
    checked = apply_checks(form(optional=("b", "c")), readings)
    assert [(each.accepted, each.review_reasons) for each in checked] == [
        (False, (ReviewReason.EMPTY,)),
        (True, ()),
        (False, (ReviewReason.RULE_CONFLICT,)),
    ]


def test_fields_of_no_template_stay_as_they_are() -> None:
    other = replace(FIELD, name="number_1")
    assert apply_checks(form(SUM), [other]) == (other,)
