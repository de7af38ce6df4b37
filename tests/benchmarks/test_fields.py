"""The sets that the benchmarks read, and where their digits stand."""

from pathlib import Path

import pytest

from benchmarks.fields import FOLDS, HELD_OUT, Field, FieldSet, LabelledDigit, corrected, load_set, without_doubtful
from benchmarks.reading import box_figures, lattice_figures
from core.types import Box, DigitReading, FieldReading

WHERE = Box(0, 0, 100, 40)


def read(*digits: tuple[str, Box]) -> FieldReading:
    text = "".join(char for char, _ in digits)
    found = tuple(DigitReading(char, 0.9, box) for char, box in digits)
    return FieldReading("digits", "digits", WHERE, text, text, 0.9, accepted=False, digits=found)


def labelled(*digits: tuple[str, Box]) -> Field:
    return Field("a.png", "".join(char for char, _ in digits), b"", tuple(LabelledDigit(*digit) for digit in digits))


def test_a_digit_counts_where_it_stands_and_once_only() -> None:
    left, right = Box(0, 0, 20, 30), Box(30, 0, 20, 30)
    field = labelled(("1", left), ("2", right))
    figures = box_figures([field], [read(("1", left), ("3", right))])
    assert (figures["n"], figures["read_there"], figures["found_there"], figures["whole_fields"]) == (2, 0.5, 1.0, 0.0)
    twice = labelled(("1", left), ("1", Box(2, 0, 20, 30)))
    assert box_figures([twice], [read(("1", left))])["read_there"] == 0.5
    assert box_figures([field], [read(("1", Box(12, 0, 20, 30)), ("2", right))])["read_there"] == 0.5


def test_corrections_count_where_the_label_is_still_the_one_corrected(tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    path.write_text("collection,file,label,corrected,why\norand,a,1,7,a hook\norand,b,2,,blurred\norand,c,9,4,old\n")
    fields = FieldSet(
        "orand",
        "ORAND",
        "digits",
        True,
        tuple(Field(name, text, b"") for name, text in [("a", "1"), ("b", "2"), ("c", "3")]),
    )
    assert [(field.file, field.truth) for field in corrected(fields, path=path).fields] == [("a", "7"), ("c", "3")]


def test_a_corrected_label_corrects_the_digits_in_their_places(tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    path.write_text("collection,file,label,corrected,why\norand,a,11,17,a hook\norand,b,11,1,one stroke\n")
    digits = tuple(LabelledDigit("1", Box(x, 0, 5, 20)) for x in (0, 10))
    fields = FieldSet("orand", "ORAND", "digits", True, tuple(Field(name, "11", b"", digits) for name in "ab"))
    relabelled = corrected(fields, path=path).fields
    assert [[digit.char for digit in field.digits] for field in relabelled] == [["1", "7"], ["1", "1"]]
    assert [digit.box for digit in relabelled[0].digits] == [digit.box for digit in digits]


def test_sets_are_read_from_the_collections(shared_data: Path) -> None:
    orand, dates = load_set("orand-training", shared_data, limit=10), load_set("idrbt-dates", shared_data)
    assert all(field.digits and field.data.startswith(b"\xff\xd8") for field in orand.fields)
    figures = lattice_figures(orand.fields)
    assert figures["n"] == 10
    assert 0.9 <= figures["fields"] <= figures["digits"] <= 1
    assert (dates.type_name, len(dates.fields)) == ("date", 20)
    assert all(len(field.truth) == 8 and field.data.startswith(b"\x89PNG") for field in dates.fields)
    assert 14 <= len(without_doubtful(dates).fields) <= 20


@pytest.mark.parametrize("name", HELD_OUT)
def test_no_field_is_in_two_folds(name: str, shared_data: Path) -> None:
    folds = [{field.file for field in load_set(name, shared_data, fold=fold).fields} for fold in range(1, FOLDS + 1)]
    assert len(set.union(*folds)) == sum(map(len, folds)) > len(load_set(name, shared_data).fields)


def test_every_sixtieth_training_image_of_mnist_is_read(shared_data: Path) -> None:
    fields = load_set("mnist", shared_data).fields
    assert len(fields) == 1000
    assert {field.truth for field in fields} == set("0123456789")
