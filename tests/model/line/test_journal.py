"""A line reader's diary is read as it was written, or its damage is told."""

from pathlib import Path

import pytest

from core.errors import InvalidRequest
from model.line.journal import TABLE, LineEpoch, read_journal, write_journal

pytest.importorskip("matplotlib", reason="the train extra is not installed")

EPOCHS = [LineEpoch(number, 1 / number, 60.5, {"orand": 0.5, "meza": 0.25}) for number in (1, 2, 3)]


def test_epochs_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert read_journal(tmp_path) == []
    write_journal(tmp_path, EPOCHS)
    assert read_journal(tmp_path) == EPOCHS


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: text.rindex(",")],
        lambda text: text.replace("60.5", "sixty", 1),
        lambda text: text.replace("loss", "lost", 1),
        lambda text: text.replace("\n", ",1,1,1,1\n", 2),
        lambda text: "\n".join(line for line in text.splitlines() if not line.startswith("2")),
        lambda text: text.replace("60.5", '"60.5', 1),
    ],
    ids=["cut off", "no number", "another column", "more columns", "an epoch missing", "an open quote"],
)
def test_a_damaged_table_is_told(damage: object, tmp_path: Path) -> None:
    write_journal(tmp_path, EPOCHS)
    text = (tmp_path / TABLE).read_text("utf-8").replace("\r", "")
    (tmp_path / TABLE).write_text(damage(text), "utf-8")  # type: ignore[operator]
    with pytest.raises(InvalidRequest, match=rf"{TABLE} is missing, damaged, or of another version"):
        read_journal(tmp_path)
