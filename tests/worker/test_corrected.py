"""The table of corrected fields: damage is named by its line, and a table is written whole or not at all."""

from pathlib import Path

import pytest

from core.errors import InvalidRequest
from core.types import Truth
from worker.corrected import CorrectedField, load_labels, write_labels

HEAD = "file,text,document,truth,type"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a.png,1,d,text,digits,more", "line 2: the row has more cells"),
        ("a.png,1,d,text,digits\na.png,1,d", "line 3: the row has fewer cells"),
        ("a.png," + "9" * 140_000 + ",d,text,digits", "after line 1: field larger than"),
        ('a.png,1,"d,text,digits\na.png,2,e,text,digits\n', "unexpected end of data"),
        ("a.png,1,né,text,digits", "no text in UTF-8"),
        ("a" * 1000 + ".png,1,d,text,digits", "line 2: there is no file"),
        ("a.png,,d,text,digits", "line 2: the truth is 'text', and the text ''"),
        ("a.png,12,d,empty,digits", "line 2: the truth is 'empty', and the text '12'"),
    ],
)
def test_damage_is_told_in_a_sentence(tmp_path: Path, rows: str, said: str) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "labels.csv").write_text(f"{HEAD}\n{rows}", "cp1252")
    with pytest.raises(InvalidRequest, match=said):
        load_labels(tmp_path)


def test_a_row_without_a_truth_has_its_texts(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "labels.csv").write_text("file,text,document\na.png,12,d\n\na.png, ,d\n", "utf-8-sig")
    assert [row.truth for row in load_labels(tmp_path)] == [Truth.TEXT, Truth.EMPTY]


def test_a_table_that_cannot_be_finished_is_none(tmp_path: Path) -> None:
    (tmp_path / "labels.csv.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_labels(tmp_path, [CorrectedField("a.png", "12")])
    assert not (tmp_path / "labels.csv").exists()
