"""The MICR benchmark counts what it says it counts."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.cheques import Cheque, cheques
from benchmarks.micr import Measured, accepted, coverage, exact
from core.types import Box, FieldReading, Page
from model.corpora import cheque_fields

NAME = "micr_account"


def measured(read: str, truth: str, confidence: float, *, taken: bool = True) -> Measured:
    reading = FieldReading(NAME, "micr", Box(0, 0, 1, 1), read, read, confidence, taken)
    page = Page(0, np.zeros((1, 1), np.uint8))
    return Measured(Cheque(Path("a.jpg"), "first", {NAME: truth}), page, (reading,), 1.0, 1.0)


def test_a_field_is_exact_or_it_is_not() -> None:
    results = [measured("12", "12", 0.9), measured("12", "13", 0.8), measured("", "", 0.0)]
    assert exact(results, NAME) == pytest.approx(2 / 3)


def test_coverage_ends_where_errors_start_and_leaves_abstentions_out() -> None:
    results = [measured("1", "1", 0.9), measured("2", "2", 0.8), measured("3", "4", 0.7), measured("", "", 0.95)]
    assert coverage(results, NAME) == 0.5
    assert coverage(results, NAME, target=0.5) == 0.75
    tied = [measured("1", "1", 0.9), measured("3", "4", 0.9)]
    assert coverage(tied, NAME) == 0.0


def test_what_the_reader_accepts_wrongly_is_counted() -> None:
    results = [measured("1", "1", 0.9), measured("3", "4", 0.99), measured("5", "5", 0.4, taken=False)]
    assert accepted(results, NAME) == (pytest.approx(2 / 3), 1)


def test_halves_are_those_that_nothing_may_be_tuned_on(shared_data: Path) -> None:
    halves = {
        half: {cheque.path for cheque in cheques(shared_data) if cheque.half == half} for half in ("first", "second")
    }
    assert {len(paths) for paths in halves.values()} == {20}
    for half, training in (("first", True), ("second", False)):
        amounts = cheque_fields(shared_data, type_name="amount", training=training)
        assert {field.path for field in amounts} <= halves[half]
