"""What of the collections is missing is named, and where it is to lie."""

from pathlib import Path

import pytest

from core.errors import InvalidRequest
from model.corpora import (
    CHEQUE_FIELDS,
    LAST_FOLD,
    ChequeField,
    LabelledString,
    cheque_fields,
    cut_out,
    orand_strings,
    picture_of,
)


def test_a_missing_table_is_named_and_its_place(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as told:
        orand_strings(tmp_path, training=True)
    assert str(told.value) == (
        f"{tmp_path}/orand_car_a/boxes.csv is missing: {tmp_path} is to be the folder of collections, "
        "with all of orand_car_a/ in it."
    )
    with pytest.raises(InvalidRequest, match=r"idrbt_cheques/field_boxes\.csv is missing"):
        cheque_fields(tmp_path, type_name="amount", training=False)


def test_every_cheque_is_held_out_of_one_fold(shared_data: Path) -> None:
    for type_name in CHEQUE_FIELDS:
        folds = [
            {field.path.name for field in cheque_fields(shared_data, type_name=type_name, training=False, fold=fold)}
            for fold in range(1, LAST_FOLD + 1)
        ]
        assert sum(map(len, folds)) == len(set.union(*folds)) > 30
        for fold, held_out in enumerate(folds, start=1):
            learnt = cheque_fields(shared_data, type_name=type_name, training=True, fold=fold)
            assert {field.path.name for field in learnt} == set.union(*folds) - held_out


def test_a_missing_picture_is_named_and_its_place(tmp_path: Path) -> None:
    place = rf"1\.png is missing or no picture: {tmp_path} is to be the folder of collections, with all of"
    cheque = ChequeField(tmp_path / "idrbt_cheques" / "images" / "1.png", (0, 0, 9, 9), "12", doubtful=False)
    with pytest.raises(InvalidRequest, match=f"{place} idrbt_cheques/"):
        cut_out(cheque)
    with pytest.raises(InvalidRequest, match=f"{place} meza_cells/"):
        picture_of(LabelledString(tmp_path / "meza_cells" / "images" / "1.png", "12"))
