"""Labels of the collections that a person found wrong, when reader and label disagreed and the picture was looked at.

The list is `docs/label-corrections.csv`: collection, file, label, corrected (empty: nobody can tell), why.
"""

import csv
from pathlib import Path
from typing import Final

CORRECTIONS: Final = Path(__file__).resolve().parent.parent / "docs" / "label-corrections.csv"


class Corrections:
    """What a label should have been; a correction counts where the file still has the label that was corrected."""

    def __init__(self, path: Path = CORRECTIONS) -> None:
        """Read the list; an installation without the project's `docs/` has none."""
        rows: list[dict[str, str]] = []
        if path.exists():
            with path.open(newline="", encoding="utf-8") as lines:
                rows = list(csv.DictReader(lines))
        self._known = {(row["collection"], row["file"], row["label"]): row["corrected"] for row in rows}

    def of(self, collection: str, file: str, label: str) -> str:
        """Return the right label: the same where nothing is wrong with it, empty where nobody can tell."""
        return self._known.get((collection, file, label), label)
