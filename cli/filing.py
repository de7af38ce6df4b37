"""What a watched folder does with a finished file: append its rows, move it aside, say why it failed."""

import json
import sys
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path

from cli.options import chosen_format
from cli.outcome import Outcome
from cli.output import failure_lines
from core.errors import InvalidRequest
from core.rows import COLUMNS, csv_lines

REASON_SUFFIX = ".reason.txt"


@dataclass(frozen=True, slots=True)
class Appender:
    """Adds rows to a file that may be there already, or to stdout."""

    out: Path | None
    format_name: str

    @classmethod
    def open(cls, out: Path | None, format_name: str | None) -> "Appender":
        """Return an appender; a file is made, with its header, when there is none.

        Raises:
            InvalidRequest: the format cannot grow, or the file cannot be written.
        """
        chosen = chosen_format(format_name, out)
        if chosen == "table" and format_name is None:
            chosen = "csv"
        if chosen not in {"csv", "jsonl"}:
            raise InvalidRequest(f"--watch writes csv or jsonl, not {chosen}: the other forms cannot grow.")
        appender = cls(out, chosen)
        try:
            if chosen == "csv" and not (out and out.exists() and out.stat().st_size):
                appender._write("".join(csv_lines([COLUMNS])))
        except OSError as error:
            raise InvalidRequest(f"Cannot write {out}: {error.strerror}.") from error
        return appender

    def append(self, outcome: Outcome, *, unless_last: bool = False) -> None:
        """Add the rows of a file; with `unless_last`, only when the file does not end with just these."""
        text = self._text(outcome)
        if unless_last and self.out and self.out.is_file() and self.out.read_bytes().endswith(_encoded(text)):
            return
        self._write(text)

    def _text(self, outcome: Outcome) -> str:
        if self.format_name == "csv":
            return "".join(csv_lines(outcome.rows()))
        return json.dumps(outcome.as_json(), ensure_ascii=False) + "\n"

    def _write(self, text: str) -> None:
        if self.out is None:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        with self.out.open("ab", buffering=0) as stream:
            end = stream.tell() if stream.seekable() else None
            try:
                _write_all(stream, _encoded(text))
            except OSError:
                # Half a row would spoil the next one, too.
                if end is not None:
                    stream.truncate(end)
                raise


def move_aside(path: Path, *, top: Path, subfolder: str, outcome: Outcome) -> Path:
    """Move a file into a subfolder of the watched folder and return its new path; nothing there is overwritten.

    Beside a file that failed, a note says why.
    """
    target = _free(top / subfolder / path.relative_to(top))
    target.parent.mkdir(parents=True, exist_ok=True)
    if reasons := "".join(f"{line}\n" for line in failure_lines(outcome)):
        note = target.with_name(target.name + REASON_SUFFIX)
        note.unlink(missing_ok=True)  # others may have put a pipe or a link there, which is not to be written into
        with note.open("x", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(reasons)
    return path.rename(target)


def _free(target: Path) -> Path:
    number = 2
    free = target
    while free.is_symlink() or free.exists():
        free = target.with_name(f"{target.stem}-{number}{target.suffix}")
        number += 1
    return free


def _write_all(stream: RawIOBase, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[stream.write(rest) or 0 :]


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
