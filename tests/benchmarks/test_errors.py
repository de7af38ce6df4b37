"""Misreadings are sorted by what went wrong."""

from pathlib import Path

import pytest

from benchmarks.errors import cause_of, sorted_errors, write_tables
from benchmarks.fields import Field
from benchmarks.figures import Reading
from benchmarks.sheets import ROOT, outside


@pytest.mark.parametrize(
    ("truth", "text", "cause"),
    [
        ("42", "", ("nothing read", "")),
        ("4200", "42000", ("run miscounted", "+1")),
        ("1234", "134", ("digits missing", "-2")),
        ("123", "1235", ("digits too many", "+5")),
        ("1234", "179", ("short and confused", "")),
        ("179", "1234", ("long and confused", "")),
        ("1234", "1734", ("one digit confused", "2>7")),
        ("1234", "1754", ("several digits confused", "2>7 3>5")),
        ("12345", "23451", ("shifted", "")),
    ],
)
def test_causes(truth: str, text: str, cause: tuple[str, str]) -> None:
    assert cause_of(truth, text) == cause


def test_the_commonest_cause_comes_first_and_in_it_the_surest(tmp_path: Path) -> None:
    texts = [("12", "12", 0.9), ("12", "1", 0.3), ("12", "13", 0.5), ("12", "14", 0.97)]
    fields = [Field(f"{place}.png", truth, b"") for place, (truth, _, _) in enumerate(texts)]
    readings = [
        Reading(truth, text, sure, sure > 0.9, field.file)
        for (truth, text, sure), field in zip(texts, fields, strict=True)
    ]
    errors = sorted_errors("drawn", fields, readings)
    assert [error.reading.text for error in errors] == ["14", "13", "1"]
    write_tables(tmp_path, errors, {"drawn": 4})
    assert (tmp_path / "causes.csv").read_text().splitlines()[1:] == [
        "drawn,one digit confused,2,50.00",
        "drawn,digits missing,1,25.00",
    ]
    first = (tmp_path / "errors.csv").read_text().splitlines()[1]
    assert first == "drawn,one digit confused,2>4,3.png,12,14,0.9700,accepted,look"


def test_real_fields_stay_out_of_the_project(tmp_path: Path) -> None:
    assert outside(tmp_path / "sheets").is_dir()
    with pytest.raises(SystemExit, match="outside"):
        outside(ROOT / "sheets")
