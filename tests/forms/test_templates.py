"""Templates: what they say, what is refused, where fields come to lie, and the schema that is published."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from core.errors import InvalidRequest, UnknownTemplate
from core.types import Box
from forms.builtins import builtin_template, builtin_templates
from forms.drafts import drafted_template, template_name
from forms.faults import template_faults
from forms.templates import Template, parse_template, template_schema
from tests.forms.forms import template_json


def test_the_published_schema_is_current(project_root: Path) -> None:
    kept = json.loads((project_root / "docs" / "template.schema.json").read_text())
    assert kept == template_schema(), "run: python -m forms.templates docs/template.schema.json"
    Draft202012Validator.check_schema(kept)


@pytest.mark.parametrize("name", sorted(builtin_templates()))
def test_built_in_templates_fit_the_schema(name: str) -> None:
    body = builtin_template(name).as_json()
    Draft202012Validator(template_schema()).validate(body)
    assert body["name"] == name


def test_an_unknown_built_in_template_is_an_error() -> None:
    with pytest.raises(UnknownTemplate):
        builtin_template("none")


def test_what_is_stored_says_the_same_again() -> None:
    template = parse_template(template_json())
    assert parse_template(json.loads(json.dumps(template.as_json()))) == template
    assert parse_template(template.as_json()).as_json() == template.as_json()
    Draft202012Validator(template_schema()).validate(template_json())


def test_a_type_may_be_its_bare_name() -> None:
    template = parse_template(template_json())
    by_name = {field.name: field for field in template.fields}
    assert by_name["cash"].type.name == "amount"
    assert by_name["account"].field_type().comb_cells == (8,)
    assert by_name["account"].field_type().name == "luhn"


def _field(**changes: object) -> dict[str, Any]:
    return {"name": "one", "type": "digits", "box": {"x": 0, "y": 0, "width": 10, "height": 10}, **changes}


def _band(**changes: object) -> dict[str, Any]:
    return _field(name="band", writing="micr", **changes)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"fields": []}, "fields: there should be at least 1 item"),
        ({"fields": [_field(), _field()]}, "fields.1.name: two fields are called one"),
        ({"fields": [_field(name="One")]}, "fields.0.name"),
        ({"fields": [_field(box={"x": 395, "y": 0, "width": 10, "height": 10})]}, "fields.0.box: .* beyond the page"),
        ({"fields": [_field(box={"x": 0, "y": 0, "width": 0, "height": 10})]}, "fields.0.box.width"),
        ({"fields": [_field(cells=1)]}, "fields.0.cells"),
        ({"fields": [_field(cells=5, type={"name": "digits", "length": 8})]}, "5 boxes are too few for one.* 8 digits"),
        ({"fields": [_field(cells=5, type="date")]}, "6 digits or more"),
        ({"fields": [_field(cells=6, type={"name": "date", "year_digits": 4})]}, "8 digits or more"),
        ({"fields": [_field(cells=2, type={"name": "amount", "decimals": 2})]}, "3 digits or more"),
        ({"fields": [_field(cells=9, type={"name": "pattern", "pattern": "[0-9]{41}"})]}, "41 digits or more"),
        ({"fields": [_field(), _band(checks=[{"kind": "range", "minimum": 5}])]}, "fields.1.*micr_routing"),
        ({"fields": [_field(), _band()], "checks": [{"kind": "equal", "fields": ["one", "band"]}]}, "micr_account"),
        ({"fields": [_field()], "checks": [{"kind": "equal", "fields": ["one", "micr_account"]}]}, "there are not"),
        ({"fields": [_band(), _field(name="micr_account")]}, "micr_account cannot be a field's name beside the band"),
        ({"fields": [_field(name="micr_account", writing="micr")]}, "micr_account cannot be a field's name"),
        ({"fields": [_band(), {**_band(), "name": "other"}]}, "band and other are bands of one page"),
        (
            {
                "fields": [_band(), _field(page=2)],
                "pages": 2,
                "checks": [{"kind": "equal", "fields": ["one", "micr_account"]}],
            },
            "fields of several pages: one, micr_account",
        ),
        ({"fields": [_field(type={"name": "pattern", "pattern": "1{"})]}, "number is missing"),
        ({"fields": [_field(type="roman")]}, "roman"),
        ({"fields": [_field(checks=[{"kind": "range"}])]}, "minimum or a maximum"),
        ({"fields": [_field(writing="typed")]}, "fields.0.writing"),
        ({"fields": [_field(target_error=0.7)]}, "target_error"),
        ({"fields": [_field()], "checks": [{"kind": "equal", "fields": ["one", "two"]}]}, "two"),
        ({"page": {"width": 0, "height": 1}}, "page.width"),
        ({"page": {"width": float("nan"), "height": 1}}, "page.width"),
        ({"page": {"width": 20000, "height": 20000}}, "pixels are too many"),
        ({"page": {"width": 20000, "height": 20, "unit": "mm"}}, "pixels are too many"),
        ({"page": {"width": 420, "height": 297, "unit": "mm", "dpi": 1200}}, "pixels are too many"),
        ({"registration": {"method": "markers"}}, "that needs them"),
        ({"registration": {"method": "none", "markers": {"side": 5, "margin": 5}}}, "belong to"),
        ({"registration": {"method": "features", "reference": "abc"}}, "registration.reference"),
        ({"name": "auto"}, "choosing among"),
        ({"name": "../up"}, "name"),
        ({"feilds": []}, "nothing of that name"),
    ],
)
def test_a_fault_is_named_with_its_place(change: dict[str, Any], fault: str) -> None:
    body = template_json(**change)
    if "fields" in change and "checks" not in change:
        body["checks"] = []
    with pytest.raises(InvalidRequest, match=fault):
        parse_template(body)


@pytest.mark.parametrize(
    "fields",
    [
        [_field(name="micr_account")],
        [_band(), _field(name="micr_branch")],
        [_band(), {**_band(page=2), "name": "other"}],
        [_field(type="digit", cells=4)],
    ],
    ids=["no band", "no part's name", "bands of two pages", "more boxes than digits"],
)
def test_what_does_not_collide_is_a_template(fields: list[dict[str, Any]]) -> None:
    pages = max(field.get("page", 1) for field in fields)
    assert len(parse_template(template_json(fields=fields, pages=pages, checks=[])).fields) == len(fields)


def test_a_check_may_name_a_part_on_the_page_of_its_band() -> None:
    check = {"kind": "equal", "fields": ["one", "micr_account"]}
    for fields in ([_field(), _band()], [_band(), {**_band(page=2), "name": "other"}, _field(page=2)]):
        pages = max(field.get("page", 1) for field in fields)
        assert parse_template(template_json(fields=fields, pages=pages, checks=[check])).checks


def test_one_wrong_number_in_the_only_field_is_one_fault() -> None:
    wrong = _field(box={"x": "?", "y": 0, "width": 10, "height": 10})
    with pytest.raises(ValidationError) as caught:
        Template.model_validate(template_json(fields=[wrong], checks=[]), context={"kept": False})
    assert [place for place, _ in template_faults(caught.value)] == ["fields.0.box.x"]
    misnamed = {"kind": "equal", "fields": ["one", "Two"]}
    with pytest.raises(ValidationError) as caught:
        Template.model_validate(template_json(fields=[_field()], checks=[misnamed]), context={"kept": False})
    assert [place for place, _ in template_faults(caught.value)] == ["checks.0.equal.fields.1"]


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_template(template_json(page={"width": -1, "height": 1}, description=3))
    assert "page.width" in str(caught.value)
    assert "description" in str(caught.value)


@pytest.mark.parametrize("body", [None, 3, "card", [], {}])
def test_anything_else_is_no_template(body: object) -> None:
    with pytest.raises(InvalidRequest, match="not valid"):
        parse_template(body)


def test_a_name_is_taken_from_where_it_is_stored() -> None:
    nameless = {key: value for key, value in template_json().items() if key != "name"}
    assert parse_template(nameless, name="other").name == "other"
    with pytest.raises(InvalidRequest, match="'card' inside"):
        parse_template(template_json(), name="other")


def test_boxes_in_millimetres_come_to_lie_on_any_scan() -> None:
    body = template_json(page={"width": 400, "height": 240, "unit": "mm", "dpi": 254})
    template = parse_template(body)
    assert template.page.pixels == (4000, 2400)
    account = template.fields[0]
    assert template.place(account, width=4000, height=2400) == Box(200, 200, 1600, 300)
    assert template.place(account, width=400, height=480) == Box(20, 40, 160, 60)


@given(width=st.integers(1, 5000), height=st.integers(1, 5000))
def test_a_box_is_on_the_page_and_never_empty(width: int, height: int) -> None:
    template = parse_template(template_json())
    for field in template.fields:
        box = template.place(field, width=width, height=height)
        assert 0 <= box.x < box.right <= width
        assert 0 <= box.y < box.bottom <= height


def test_a_draft_has_a_field_for_each_blank() -> None:
    drafted = drafted_template([(Box(1, 2, 30, 40), 8), (Box(1, 60, 30, 9), None)], width=100, height=90, name="A b!")
    assert parse_template(drafted.as_json()) == drafted
    assert [(field.name, field.cells) for field in drafted.fields] == [("field_1", 8), ("field_2", None)]
    assert drafted.place(drafted.fields[0], width=100, height=90) == Box(1, 2, 30, 40)
    with pytest.raises(InvalidRequest, match="No boxes"):
        drafted_template([], width=100, height=90, name="a")


@pytest.mark.parametrize(("name", "plain"), [("Meter Card.v2", "meter-card-v2"), ("auto", "form"), ("表", "form")])
def test_a_file_s_name_becomes_a_template_s(name: str, plain: str) -> None:
    assert template_name(name) == plain


def test_a_template_that_was_stored_under_fewer_rules_is_still_one() -> None:
    account = template_json()["fields"][0]
    old = template_json(fields=[{**account, "checks": [{"kind": "range", "minimum": 0}]}], checks=[])
    with pytest.raises(InvalidRequest):
        parse_template(old)
    assert parse_template(old, kept=True).fields[0].checks
    with pytest.raises(InvalidRequest, match="unit"):
        parse_template({**old, "page": {**old["page"], "unit": "parsec"}}, kept=True)
