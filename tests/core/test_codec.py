"""A reading survives the way to JSON and back."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core.codec import from_json, to_json
from core.types import DocumentReading, PageReading

# JSON has no NaN, and a reading never holds one.
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))


@given(st.builds(DocumentReading))
@settings(max_examples=30)
def test_a_reading_comes_back_as_it_went(reading: DocumentReading) -> None:
    assert from_json(DocumentReading, json.loads(json.dumps(to_json(reading)))) == reading


def test_a_wrong_shape_is_refused() -> None:
    with pytest.raises(ValidationError):
        from_json(PageReading, {"index": "first"})
