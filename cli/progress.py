"""Progress on stderr: bars with rate and time left on a terminal, plain lines where no person looks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from cli.terminal import visible


class RateColumn(ProgressColumn):
    """Files a second."""

    def render(self, task: Task) -> Text:
        """Return the rate, once there is one."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f}/s" if speed else "", style="progress.data.speed")


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of the display."""

    _progress: Progress
    _task: TaskID

    def at(self, completed: int, *, total: int | None = None, title: str | None = None) -> None:
        """Show `completed`, and another total or title where one is given."""
        self._progress.update(self._task, completed=completed, total=total, description=title)

    def step(self) -> None:
        """Show one more as done."""
        self._progress.advance(self._task)


@dataclass(frozen=True, slots=True)
class Display:
    """The display as a whole."""

    _progress: Progress

    def bar(self, title: str, *, total: int) -> Bar:
        """Return a new line of the display."""
        return Bar(self._progress, self._progress.add_task(title, total=total))

    def note(self, line: str) -> None:
        """Say something above the bars."""
        self._progress.console.print(Text(visible(line)), soft_wrap=True)

    @property
    def drawn(self) -> bool:
        """Whether a person sees the bars."""
        return not self._progress.disable


@contextmanager
def progress_display() -> Iterator[Display]:
    """Yield a display on stderr; its bars are drawn only on a terminal, its notes always."""
    console = Console(stderr=True, highlight=False)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with progress:
        yield Display(progress)
