"""Readings out: a table for people, JSON, JSON lines and CSV for programs. Progress and notes go to stderr.

CSV and JSON lines are written as each file is done, so that a long run can be followed or cut short.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.outcome import Outcome
from cli.terminal import visible
from core.errors import InvalidRequest
from core.rows import COLUMNS, csv_lines

PLAIN_WIDTH = 240
"""Columns of a table that no terminal shows: wide enough to cut nothing short."""

USUAL_WIDTH = 80
"""Columns of a terminal from which on no cell is broken before its twelfth sign: what was read stays in one piece."""

LEAST_CELL = 12

Sink = Callable[[Outcome], None]


@contextmanager
def result_sink(format_name: str, out: Path | None) -> Iterator[Sink]:
    """Yield a function that takes each outcome; the output is complete when the block ends.

    Args:
        format_name: one of `cli.options.FORMATS`.
        out: file to write, or None for stdout.
    """
    with _opened(out) as stream, _SINKS[format_name](stream) as sink:
        yield sink


def outcome_table(outcomes: Iterable[Outcome]) -> None:
    """Print readings as a table on stdout."""
    with _table_sink(sys.stdout) as sink:
        for outcome in outcomes:
            sink(outcome)


def failure_lines(outcome: Outcome) -> Iterator[str]:
    """Return a line for a file that failed, or for each page of it that did, is missing or comes twice."""
    return map(visible, _failure_lines(outcome))


def counted(number: int, noun: str) -> str:
    """Return `1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def print_json(value: object) -> None:
    """Print `value` as JSON on stdout."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table on stdout."""
    console = _console(sys.stdout)
    console.print(_table(columns, rows))


def _failure_lines(outcome: Outcome) -> Iterator[str]:
    if outcome.failure:
        yield f"{outcome.file}: {outcome.failure.message} ({outcome.failure.code})"
        return
    if outcome.failed:
        yield f"{outcome.file}: {outcome.status}"
    for page in outcome.pages:
        if page.failure:
            yield f"{outcome.file} page {page.index + 1}: {page.failure.message} ({page.failure.code})"
    for note in outcome.notes:
        yield f"{outcome.file}: {note.message} ({note.code})"


def refuse_unwritable(out: Path) -> None:
    """Find out now whether `out` can be written, before hours of work whose readings go there; it stays as it is.

    Raises:
        InvalidRequest: it cannot.
    """
    existed = out.exists()
    if existed and not out.is_file():  # opening a pipe would wait for its reader
        return
    try:
        if existed:
            out.open("ab").close()
        else:
            made = Path(os.path.realpath(out))  # a link that leads nowhere yet is the person's, and stays
            made.open("xb").close()
            made.unlink()
    except OSError as error:
        raise InvalidRequest(f"Cannot write {out}: {error.strerror}.") from error


@contextmanager
def _opened(out: Path | None) -> Iterator[IO[str]]:
    if out is None:
        yield sys.stdout
        return
    try:
        stream = out.open("w", encoding="utf-8", errors="backslashreplace", newline="")
    except OSError as error:
        raise InvalidRequest(f"Cannot write {out}: {error.strerror}.") from error
    with stream:
        yield stream


@contextmanager
def _csv_sink(stream: IO[str]) -> Iterator[Sink]:
    def write(lines: Iterable[str]) -> None:
        stream.writelines(lines)
        stream.flush()

    write(csv_lines([COLUMNS]))
    yield lambda outcome: write(csv_lines(outcome.rows()))


@contextmanager
def _jsonl_sink(stream: IO[str]) -> Iterator[Sink]:
    def write(outcome: Outcome) -> None:
        stream.write(json.dumps(outcome.as_json(), ensure_ascii=False) + "\n")
        stream.flush()

    yield write


@contextmanager
def _json_sink(stream: IO[str]) -> Iterator[Sink]:
    records: list[dict[str, Any]] = []
    yield lambda outcome: records.append(outcome.as_json())
    json.dump(records, stream, indent=2, ensure_ascii=False)
    stream.write("\n")


@contextmanager
def _table_sink(stream: IO[str]) -> Iterator[Sink]:
    outcomes: list[Outcome] = []
    try:
        yield outcomes.append
    finally:  # of a run that was stopped, too, people see what it has read
        if outcomes:
            _print_readings(outcomes, stream)


_SINKS: dict[str, Callable[[IO[str]], AbstractContextManager[Sink]]] = {
    "csv": _csv_sink,
    "jsonl": _jsonl_sink,
    "json": _json_sink,
    "table": _table_sink,
}


def _print_readings(outcomes: Iterable[Outcome], stream: IO[str]) -> None:
    """Print what was read; a terminal has no room for the same long name beside every field."""
    parts = [list(_display_rows(outcome)) for outcome in outcomes]
    console = _console(stream)
    if stream.isatty():
        folder = _folder_of_all([row for part in parts for row in part])
        if folder:
            console.print(Text(visible(f"in {folder}")), soft_wrap=True)
        parts = [list(_without_repeats(part, folder=folder)) for part in parts]
    rows = [row for part in parts for row in part]
    table = _table(("file", "page", "field", "text", "confidence", "review"), rows)
    if console.width >= USUAL_WIDTH:
        for column, cells in zip(table.columns, zip(*rows, strict=True), strict=False):
            column.min_width = min(LEAST_CELL, max(map(len, cells)))
    console.print(table)


def _folder_of_all(rows: Sequence[tuple[str, ...]]) -> str:
    """Return the folder that all files lie in, or nothing where there is one file, or none that all share."""
    files = {Path(row[0]) for row in rows}
    if len(files) < 2 or len({file.is_absolute() for file in files}) > 1:
        return ""
    folder = os.path.commonpath([file.parent for file in files])
    return "" if folder == "." else folder


def _without_repeats(rows: Iterable[tuple[str, ...]], *, folder: str) -> Iterator[tuple[str, ...]]:
    """Yield the rows of one outcome, with its name and its pages' numbers only where they begin."""
    before: str | None = None
    for file, page, *rest in rows:
        name = os.path.relpath(file, folder) if folder else file
        yield (name if before is None else "", "" if page == before else page, *rest)
        before = page


def _display_rows(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    for row in outcome.rows():
        file, page, field, _type, text, _value, confidence, accepted, reasons = row
        percent = f"{float(confidence):.1%}" if confidence else ""
        review = "accepted" if accepted == "true" else reasons.replace("_", " ").replace(";", ", ")
        yield file, page, field, text, percent, review


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", justify="right" if column == "confidence" else "left")
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    return table


def _console(stream: IO[str]) -> Console:
    return Console(file=stream, width=None if stream.isatty() else PLAIN_WIDTH, highlight=False)
