"""What was read beside what was written: matches fields by where they lie, and prints the table of the demo."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cli.replies import Document
from core.status import Status
from core.types import Box, Failure, FieldReading, PageReading


@dataclass(frozen=True, slots=True)
class Written:
    """One row of `truth.csv`."""

    file: str
    page: int
    field: str
    type: str
    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field: what is written there, what was read there, or why the document failed."""

    file: str
    page: int
    written: str | None
    reading: FieldReading | None
    failure: Failure | None = None

    @property
    def right(self) -> bool:
        """Whether what was read is what is written."""
        return self.reading is not None and self.reading.text == self.written


def read_truth(path: Path) -> list[Written]:
    """Return the rows of a `truth.csv` that `examples.draw` wrote."""
    with path.open(newline="", encoding="utf-8") as stream:
        return [_written(row) for row in csv.DictReader(stream)]


def _written(row: dict[str, str]) -> Written:
    box = Box(x=int(row["x"]), y=int(row["y"]), width=int(row["width"]), height=int(row["height"]))
    return Written(row["file"], int(row["page"]), row["field"], row["type"], row["text"], box)


def compare(written: list[Written], documents: Mapping[str, Document]) -> list[Comparison]:
    """Return a row for everything written, and one for everything read where nothing is written."""
    pages: dict[tuple[str, int], list[Written]] = {}
    for row in written:
        pages.setdefault((row.file, row.page), []).append(row)
    return [line for (file, page), rows in pages.items() for line in _page(rows, documents[file], page)]


def _page(rows: list[Written], document: Document, index: int) -> Iterator[Comparison]:
    page = next((page for page in document.pages if page.index == index), None)
    failure = _failure(document, page)
    left = list(page.fields) if page is not None else []
    for row in rows:
        best = max(left, key=lambda field: _overlap(field.box, row.box), default=None)
        if best is not None and _overlap(best.box, row.box) > 0:
            left.remove(best)
        else:
            best = None
        yield Comparison(row.file, index, row.text, best, failure)
    for field in left:
        yield Comparison(rows[0].file, index, None, field, failure)


def _failure(document: Document, page: PageReading | None) -> Failure | None:
    return document.failure if document.status is not Status.DONE or page is None else page.failure


def _overlap(a: Box, b: Box) -> int:
    width = min(a.right, b.right) - max(a.x, b.x)
    height = min(a.bottom, b.bottom) - max(a.y, b.y)
    return max(0, width) * max(0, height)


def show(rows: list[Comparison], documents: Mapping[str, Document], *, console: Console) -> None:
    """Print the table and what it comes to."""
    table = Table(title="What was read beside what is written", title_justify="left")
    table.add_column("File", no_wrap=True)
    table.add_column("Page", justify="right")
    for heading in ("Written", "Read"):
        table.add_column(heading, justify="right")
    table.add_column("", justify="center")
    table.add_column("Confidence", justify="right")
    table.add_column("For use")
    for row in rows:
        table.add_row(*_cells(row))
    console.print(table)
    asked = [row for row in rows if row.written is not None]
    used = [row for row in rows if row.reading is not None and row.reading.accepted]
    console.print(
        f"\n{sum(row.right for row in asked)} of {len(asked)} numbers read right in {len(documents)} files; "
        f"{len(used)} accepted without a person's look, {sum(not row.right for row in used)} of them wrong.",
        soft_wrap=True,
    )


def _cells(row: Comparison) -> tuple[str, ...]:
    place = (row.file, str(row.page + 1), row.written or "[dim]nothing[/]")
    if row.failure is not None:
        return (*place, f"[red]{row.failure.code}[/]", "[red]✗[/]", "", "")
    if row.reading is None:
        return (*place, "[dim]not found[/]", "[red]✗[/]", "", "")
    mark = "[green]✓[/]" if row.right else "[red]✗[/]"
    use = "[green]accepted[/]" if row.reading.accepted else "[yellow]review[/]"
    return (*place, row.reading.text or "[dim]empty[/]", mark, f"{row.reading.confidence:.3f}", use)
