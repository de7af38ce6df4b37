"""Faults of templates and forms, in words for the people who write them."""

import pytest

from core.errors import InvalidRequest
from forms.kit.spec_file import parse_spec

PAGE = """
form: {form}
title: Meters
fields:
  - name: {name}
    type: {type}
    {key}: {value}
"""
GOOD = {"form": "meters", "name": "reading", "type": "digits", "key": "label", "value": "Reading"}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"form": "Meter card"}, "form: should be small letters, digits, '_', '.' and '-', beginning with a letter"),
        ({"name": "1st"}, "fields.0.name (field 1st): should be small letters, digits and '_'"),
        ({"type": "number"}, "fields.0.type (field reading): there is no 'number'; there are 'digits', 'digit', "),
        ({"key": "labl"}, "fields.0.labl (field reading): there is nothing of that name"),
        ({"key": "label", "value": "[]"}, "should be a valid string"),
    ],
)
def test_faults_are_told_without_a_librarys_words(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_spec(PAGE.format(**{**GOOD, **wrong}).encode(), source="card.yaml")
    assert told in str(caught.value)
    assert "Input" not in str(caught.value)
    assert "should match" not in str(caught.value)
