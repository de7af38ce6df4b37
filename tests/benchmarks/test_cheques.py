"""The benchmark of whole cheques."""

from pathlib import Path

from benchmarks.cheques import COLUMNS, cheques, measure, of_field, open_reader, truth_of


def test_doubtful_and_missing_labels_are_left_out() -> None:
    row = dict.fromkeys(COLUMNS.values(), "1") | {"micr_account": "", "overwritten": "0"}
    sure = row | {"date_uncertain": "0", "amount_uncertain": "1"}
    assert truth_of(sure).keys() == COLUMNS.keys() - {"amount", "micr_account"}
    overwritten = row | {"overwritten": "1", "date_uncertain": "0", "amount_uncertain": "0"}
    assert truth_of(overwritten).keys() == COLUMNS.keys() - {"date", "amount", "micr_account"}


def test_a_cheque_is_measured_field_by_field(shared_data: Path) -> None:
    every = cheques(shared_data)
    assert {each.half for each in every} == {"first", "second"}
    reader, form = open_reader("cheque-cts2010")
    measured = measure(reader, form, every[0])
    assert measured.readings.keys() == every[0].truth.keys()
    assert of_field([measured], "micr_routing")[0].right
    assert 0 < measured.decoding_ms < measured.all_ms
