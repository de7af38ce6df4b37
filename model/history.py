"""What repeats a training: the command lines of a run, and of the run whose weights it began with."""

import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from core.codec import from_json
from core.errors import ArtifactError
from core.files import written_at_once
from model.line_artifacts import LINE_MANIFEST, load_line_manifest
from model.run_files import readable

RUN: Final = "run.json"
"""What a finished run was."""

COMMANDS: Final = "commands.txt"
BEGUN: Final = "begun.json"

AND_THEN: Final = " && "
"""Between the command lines of a run that was gone on with."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The weights that a run began with: their file's SHA-256, and the command lines that made them, where known."""

    sha256: str = ""
    command: str = ""


def command_line(arguments: Iterable[object]) -> str:
    """Return the command line of `tallyscan` with these arguments, as a shell takes it."""
    return shlex.join(["tallyscan", *map(str, arguments)])


def forget(folder: Path) -> None:
    """Forget the command lines and weights of a run in `folder` of which nothing is left to go on with."""
    (folder / BEGUN).unlink(missing_ok=True)
    # Emptied, not removed: without it, the command lines of a finished run would count.
    (folder / COMMANDS).write_text("", "utf-8")


def note_command(folder: Path, command: str) -> None:
    """Keep a command line that trained the run in `folder`, unless it is known."""
    known = _noted(folder)
    if command and command not in known:
        with written_at_once(folder / COMMANDS) as partial:
            partial.write_text("".join(f"{each}\n" for each in (*known, command)), "utf-8")


def commands(folder: Path) -> str:
    """Return the command lines that repeat the run in `folder`, from the first network on that had learnt nothing."""
    return AND_THEN.join(each for each in (begun(folder).command, *_noted(folder)) if each)


def note_weights(folder: Path, weights: Path) -> None:
    """Keep with the run in `folder` which weights it begins with."""
    digest = sha256(weights.read_bytes()).hexdigest()
    text = json.dumps({"sha256": digest, "command": _made_by(weights, digest)}, indent=2)
    with written_at_once(folder / BEGUN) as partial:
        partial.write_text(text + "\n", "utf-8")


def begun(folder: Path) -> Begun:
    """Return which weights the run in `folder` began with; nothing where it began anew.

    Raises:
        InvalidRequest: what was noted of them is damaged.
    """
    path = folder / BEGUN
    if not path.exists():
        return Begun()
    with readable(path):
        return from_json(Begun, json.loads(path.read_text("utf-8")))


def _noted(folder: Path) -> list[str]:
    path = folder / COMMANDS
    if path.exists():
        with readable(path):
            return path.read_text("utf-8").splitlines()
    # A run that was finished before command lines were kept one by one.
    return _of_run(folder).split(AND_THEN) if (folder / RUN).exists() else []


def _made_by(weights: Path, digest: str) -> str:
    """Return the command lines that made the weights, as the run or the artifact that they lie in has them."""
    # Named from within its folder, the file has no other parent than ".".
    folder = weights.resolve().parent
    if (folder / LINE_MANIFEST).exists():
        try:
            networks = load_line_manifest(folder.name, root=folder.parent).networks
        except ArtifactError:
            return ""
        return next((each.command for each in networks if each.keras_sha256 == digest), "")
    return _of_run(folder) if (folder / RUN).exists() else ""


def _of_run(folder: Path) -> str:
    with readable(folder / RUN) as path:
        return str(json.loads(path.read_text("utf-8")).get("command", ""))
