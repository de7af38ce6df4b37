"""The page of YAML: what it says, what is refused and on which line, and the schema that is published."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from core.errors import InvalidRequest
from forms.field_specs import DateSpec
from forms.kit.spec import FormField, FormSpec, spec_schema
from forms.kit.spec_file import load_spec, parse_spec
from tests.forms.kit.kit import SPECS, example_path


def spec(text: str) -> FormSpec:
    return parse_spec(text.encode(), source="form.yaml")


def one_field(line: str) -> FormField:
    return spec(f"form: card\ntitle: Card\nfields:\n  - {line}").fields[0]


def test_the_published_schema_is_current(project_root: Path) -> None:
    kept = json.loads((project_root / "docs" / "form-spec.schema.json").read_text())
    assert kept == spec_schema(), "run: python -m forms.kit.spec docs/form-spec.schema.json"
    Draft202012Validator.check_schema(kept)


@pytest.mark.parametrize("name", SPECS)
def test_the_examples_fit_the_schema(name: str) -> None:
    body = load_spec(example_path(name)).model_dump(mode="json", exclude_unset=True)
    Draft202012Validator(spec_schema()).validate(body)


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("{name: a, type: {name: digits, length: 6}}", 6),
        ("{name: a, type: {name: digits, length: 6}, cells: 0}", None),
        ("{name: a, type: {name: digits, max_length: 6}}", None),
        ("{name: a, type: {name: digits, max_length: 6}, cells: 6}", 6),
        ("{name: a, type: digit}", None),
        ("{name: a, type: amount}", None),
        ("{name: a, type: date}", 8),
        ("{name: a, type: {name: date, year_digits: 2}}", 6),
        ("{name: a, type: date, cells: 6}", 6),
        ("{name: a, type: {name: luhn, length: 16}}", 16),
        ("{name: a, type: aba_routing}", 9),
        ("{name: a, type: {name: mod11, variant: nhs}}", 10),
        ("{name: a, type: {name: iban, country: DE}}", 20),
        (r"{name: a, type: {name: pattern, pattern: '(19|20)\d\d[1-4]'}}", 5),
        ("{name: a, type: {name: integer, minimum: 100, maximum: 999}}", 3),
        ("{name: a, type: {name: integer, maximum: 999}}", None),
    ],
)
def test_a_type_of_one_length_gets_a_box_for_each_digit(line: str, cells: int | None) -> None:
    assert one_field(line).comb_cells == cells


def test_days_are_asked_for_with_years_of_four_digits() -> None:
    kind = one_field("{name: a, type: date}").written_type
    assert isinstance(kind, DateSpec)
    assert kind.year_digits == 4
    kind = one_field("{name: a, type: date, cells: 6}").written_type
    assert isinstance(kind, DateSpec)
    assert kind.year_digits == 2


def test_a_field_without_a_label_is_called_by_its_name() -> None:
    assert one_field("{name: meter_reading, type: digit}").caption == "Meter reading"


def test_norway_is_a_country_and_zeros_in_front_stay() -> None:
    assert one_field("{name: a, type: {name: iban, country: NO}}").comb_cells == 13
    checked = one_field("{name: a, type: digits, checks: [{kind: one_of, values: [007]}]}").checks[0]
    assert checked.values == ("007",)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("form: card\ntitle: Card\nfields:\n  - {name: A, type: digit}", ["line 4", "fields.0.name", "field A"]),
        (
            "form: card\ntitle: Card\nfields:\n  - name: a\n    type:\n      name: date\n      ordre: dmy",
            ["line 7", "ordre", "field a"],
        ),
        (
            "form: card\ntitle: Card\nfields:\n  - {name: a, type: digit}\n  - {name: a, type: digit}",
            ["two fields", "a"],
        ),
        ("form: card\ntitle: Card\ntitel: Card\nfields:\n  - {name: a, type: digit}", ["line 3", "titel"]),
        ("form: card\ntitle: Card\ntitle: Cart\nfields: []", ["line 3", "stated twice"]),
        ("form: card\ntitle: Card", ["either fields or sections"]),
        ("form: auto\ntitle: Card\nfields:\n  - {name: a, type: digit}", ["line 1", "auto"]),
        ("form: card\ntitle: [", ["no YAML", "line 2"]),
        ("- 1", ["does not describe a form"]),
        ("", ["does not describe a form"]),
        ("form: card\ntitle: Card\npage_words: '{oops}'\nfields:\n  - {name: a, type: digit}", ["line 3", "{page}"]),
        (
            "form: card\ntitle: Card\nfields:\n  - {name: a, type: {name: digits, length: 6}, cells: 4}",
            ["line 4", "too few", "6 digits"],
        ),
        (
            "form: card\ntitle: Card\nfields:\n  - {name: a, type: {name: pattern, pattern: '[1-9][0-9]{45}'}}",
            ["line 4", "40 digits or fewer"],
        ),
        (
            "form: card\ntitle: Card\nfields:\n  - {name: a, type: digit}\nchecks:\n  - {kind: equal, fields: [a, b]}",
            ["there are not: b"],
        ),
        ("form: card\ntitle: \x00", ["no YAML"]),
        ("!!python/object/apply:os.getcwd []", ["no YAML"]),
    ],
)
def test_a_fault_is_named_with_its_line(text: str, words: list[str]) -> None:
    with pytest.raises(InvalidRequest) as raised:
        spec(text)
    assert all(word in str(raised.value) for word in ("form.yaml", *words)), str(raised.value)


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="Cannot read"):
        load_spec(tmp_path / "none.yaml")
    big = tmp_path / "big.yaml"
    big.write_bytes(b"#" * (2**18 + 1))
    with pytest.raises(InvalidRequest, match="too large"):
        load_spec(big)
