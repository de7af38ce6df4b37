"""Values held against a template's checks."""

from dataclasses import replace
from typing import Any

import pytest

from core.types import Box, FieldReading, ReviewReason
from forms.checks import apply_checks, failed_fields
from forms.templates import Template, parse_template

FIELD = FieldReading("f", "amount", Box(0, 0, 9, 9), text="1", value="1.00", confidence=0.99, accepted=True)
BOX = {"x": 0, "y": 0, "width": 10, "height": 10}


def form(
    *checks: dict[str, Any], optional: tuple[str, ...] = (), kind: object = "digits", **of_field: list[dict[str, Any]]
) -> Template:
    """Return a template with the fields a to d, all of one type."""
    fields = [
        {
            "name": name,
            "type": kind,
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
    checked = form(a=[check], kind="date" if check["kind"] == "window" else "digits")
    assert failed_fields(checked, {"a": value}) == (set() if passes else {"a"})
    assert failed_fields(checked, {"a": None}) == set()


@pytest.mark.parametrize(
    ("kind", "listed", "value", "passes"),
    [
        ("amount", "42020", "42020.00", True),
        ("amount", "42020.0", "42020.00", True),
        ("amount", "42020", "42021.00", False),
        ({"name": "amount", "decimals": 2}, "420.2", "420.20", True),
        ({"name": "integer", "maximum": 999}, "007", "7", True),
        ("digits", "007", "007", True),
        ("digits", "007", "7", False),
    ],
)
def test_numbers_are_listed_as_numbers_and_digits_as_they_are_written(
    kind: object, listed: str, value: str, passes: bool
) -> None:
    check = {"kind": "one_of", "values": [listed, "12"]}
    assert failed_fields(form(a=[check], kind=kind), {"a": value}) == (set() if passes else {"a"})


@pytest.mark.parametrize("text", ["nan", "sNaN", "inf"])
def test_letters_that_spell_no_number_are_compared_as_letters(text: str) -> None:
    lettered = form(EQUAL, kind="letters")
    assert failed_fields(lettered, {"a": text, "b": text}) == set()
    assert failed_fields(lettered, {"a": text, "b": "other"}) == {"a", "b"}


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


ACCOUNT = {"name": "account", "type": "digits", "box": BOX}
BAND = {"name": "band", "type": "digits", "box": BOX, "writing": "micr"}


def banded(*checks: dict[str, Any], required: bool = True) -> Template:
    """Return a template with an account and a band of E-13B."""
    fields = [ACCOUNT, {**BAND, "required": required}]
    page = {"width": 10, "height": 10}
    return parse_template({"name": "cheque", "page": page, "fields": fields, "checks": list(checks)})


def parts(*reasons: ReviewReason, **texts: str) -> list[FieldReading]:
    """Return the readings of a band's parts: those of `texts`, the routing number empty for these reasons."""
    empty = replace(
        FIELD, name="micr_routing", text="", value=None, confidence=0.0, accepted=False, review_reasons=reasons
    )
    return [empty, *(replace(FIELD, name=f"micr_{name}", text=text, value=text) for name, text in texts.items())]


def test_an_empty_band_goes_to_a_person_where_it_is_required() -> None:
    empty = parts(ReviewReason.EMPTY)
    assert apply_checks(banded(), empty) == tuple(empty)
    assert [each.accepted for each in apply_checks(banded(required=False), empty)] == [True]


def test_a_part_that_a_band_lacks_goes_to_a_person_in_any_case() -> None:
    lacking = parts(ReviewReason.EMPTY, account="290062")
    assert apply_checks(banded(required=False), lacking) == tuple(lacking)


def test_a_band_that_may_be_empty_is_not_when_something_stands_there() -> None:
    checked = apply_checks(banded(required=False), parts(ReviewReason.EMPTY, ReviewReason.NOT_DIGITS))
    assert [each.review_reasons for each in checked] == [(ReviewReason.NOT_DIGITS,)]


def test_a_field_named_like_a_part_is_itself_where_there_is_no_band() -> None:
    empty = parts(ReviewReason.EMPTY)[0]
    assert apply_checks(form(), [empty]) == (empty,)


@pytest.mark.parametrize(("account", "failed"), [("290062", False), ("290063", True)])
def test_a_check_looks_at_a_part_of_a_band(account: str, failed: bool) -> None:
    same = banded({"kind": "equal", "fields": ["account", "micr_account"]})
    written = replace(FIELD, name="account", text=account, value=account)
    checked = apply_checks(same, [written, *parts(ReviewReason.EMPTY, account="290062")])
    flagged = {each.name for each in checked if ReviewReason.CHECK_FAILED in each.review_reasons}
    assert flagged == ({"account", "micr_account"} if failed else set())
