"""What a run comes to, in one line for people: files, and how many of their fields are left to key."""

from dataclasses import dataclass

from cli.outcome import Outcome
from cli.output import counted


@dataclass(slots=True)
class Tally:
    """Counts what a run has read."""

    files: int = 0
    failed: int = 0
    fields: int = 0
    accepted: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count a file and its fields."""
        found = [field for page in outcome.pages for field in page.fields]
        self.files += 1
        self.failed += outcome.failed
        self.fields += len(found)
        self.accepted += sum(field.accepted for field in found)

    def __str__(self) -> str:
        """Return the line."""
        files = f"{counted(self.files, 'file')}: {self.files - self.failed} read, {self.failed} failed"
        left = self.fields - self.accepted
        return f"{files}; {counted(self.fields, 'field')}: {self.accepted} accepted, {left} to review"
