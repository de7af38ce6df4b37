"""The registry of models: folders named by what is in them, and one pointer to the model that reads.

```
models/<id>/files.json     names every file with its SHA-256; `id` is the SHA-256 of this list
models/<id>/card.json …    what the model is, its networks and its calibration
models/active.json         the pointer, replaced at once, with what was active before
```

Nothing of a model is ever changed: another file is another id. Several machines share the registry by sharing its
folder. Nothing here loads a network.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from core.codec import from_json
from core.errors import ArtifactMismatch, ArtifactMissing, InvalidRequest
from core.settings import SHIPPED_MODEL, Settings
from storage.clock import utc_now

FILES: Final = "files.json"
CARD: Final = "card.json"
POINTER: Final = "active.json"
LOCK: Final = "active.lock"

SHORT_ID: Final = 12
"""Digits of an id that people are shown; fewer will do where only one model begins with them."""

INPUT_VERSIONS: Final = {"manifest.json": "normalisation_version", "line.json": "line_version"}
"""Files of an artifact, and where in each the version of the pictures stands that its networks learnt from."""

_ID = re.compile(r"[0-9a-f]{64}")
MODEL_ID: Final = re.compile(r"[0-9a-f]{6,64}")
"""What may stand for a model: its id, or enough of its beginning."""

_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Move:
    """One change of the pointer: which model became active, when, and by which command."""

    model: str
    at: str
    action: str


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which model reads.

    Attributes:
        active: a model's id, or the name of a shipped one.
        before: what was active before, oldest first: where a rollback leads.
        moves: every change, oldest first.
    """

    active: str = SHIPPED_MODEL
    before: tuple[str, ...] = ()
    moves: tuple[Move, ...] = field(default=())


class ModelShelf:
    """The registry in one folder."""

    def __init__(self, folder: Path, *, home: Path | None = None) -> None:
        """Use `folder`, which need not be there yet; nor need the `home` around it, which is its owner's alone."""
        self.folder = folder
        self._home = home
        self._sound: dict[str, tuple[tuple[str, int, int], ...]] = {}

    @classmethod
    def of(cls, settings: Settings) -> "ModelShelf":
        """Return the registry of an installation."""
        return cls(settings.models_folder, home=settings.home if settings.models is None else None)

    def add(self, source: Path) -> str:
        """Copy the files in `source` into the registry and return the model's id; one that is there stays.

        Raises:
            InvalidRequest: there is nothing in it, or something that is no plain file.
        """
        contents = {path.name: path for path in sorted(source.iterdir()) if path.name != FILES}
        if not contents or not all(path.is_file() and _FILE.fullmatch(name) for name, path in contents.items()):
            raise InvalidRequest(f"{source} holds no model: only plain files may be in it.")
        digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in contents.items()}
        listing = json.dumps({"files": digests}, indent=1, sort_keys=True) + "\n"
        model_id = hashlib.sha256(listing.encode()).hexdigest()
        if not (self.folder / model_id).exists():
            self._place(model_id, contents, listing)
        return model_id

    def ids(self) -> list[str]:
        """Return the models' ids, the oldest first."""
        if not self.folder.is_dir():
            return []
        found = [path for path in self.folder.iterdir() if _ID.fullmatch(path.name) and (path / FILES).is_file()]
        return [path.name for path in sorted(found, key=lambda path: ((path / FILES).stat().st_mtime_ns, path.name))]

    def find(self, prefix: str) -> str:
        """Return the id that begins with `prefix`.

        Raises:
            ArtifactMissing: no model's id does, or several do.
        """
        found = [each for each in self.ids() if each.startswith(prefix)] if MODEL_ID.fullmatch(prefix) else []
        if len(found) != 1:
            count = "several models begin" if found else "no model begins"
            raise ArtifactMissing(f"In the registry {self.folder}, {count} with {prefix!r}.")
        return found[0]

    def verify(self, model_id: str) -> None:
        """Return when every file of the model is the one that its id stands for.

        Raises:
            ArtifactMissing: the model or a file of it is not there.
            ArtifactMismatch: a file was altered or added.
        """
        folder = self.folder / model_id
        try:
            listing = (folder / FILES).read_bytes()
            if hashlib.sha256(listing).hexdigest() != model_id:
                raise ArtifactMismatch(f"The list of files of the model {model_id[:SHORT_ID]} was altered.")
            digests: dict[str, str] = json.loads(listing)["files"]
            for name, digest in digests.items():
                if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
                    raise ArtifactMismatch(f"The file {name} of the model {model_id[:SHORT_ID]} was altered.")
            strange = {path.name for path in folder.iterdir()} - {*digests, FILES}
        except OSError as error:
            raise ArtifactMissing(f"The model {model_id[:SHORT_ID]} is not all there: {error.strerror}.") from error
        if strange:
            raise ArtifactMismatch(f"The model {model_id[:SHORT_ID]} holds what does not belong to it: {min(strange)}.")

    def check(self, model_id: str) -> None:
        """Return when the model is sound; the files are read again only when one has changed since.

        Raises:
            ArtifactMissing: the model or a file of it is not there.
            ArtifactMismatch: a file was altered or added.
        """
        seen = self._seen(model_id)
        if not seen or self._sound.get(model_id) != seen:
            self.verify(model_id)
            self._sound[model_id] = seen

    def card(self, model_id: str) -> dict[str, Any]:
        """Return what the model says of itself.

        Raises:
            ArtifactMissing: it has no card.
            ArtifactMismatch: the card is damaged.
        """
        try:
            card: dict[str, Any] = json.loads((self.folder / model_id / CARD).read_text("utf-8"))
        except OSError as error:
            raise ArtifactMissing(f"The model {model_id[:SHORT_ID]} has no card.") from error
        except ValueError as error:
            raise ArtifactMismatch(f"The card of the model {model_id[:SHORT_ID]} is damaged.") from error
        return card

    def stamp(self) -> Stamp | None:
        """Return what changes whenever the pointer does; None while there is none. Costs one look at the disk."""
        try:
            seen = (self.folder / POINTER).stat()
        except OSError:
            return None
        return seen.st_ino, seen.st_mtime_ns, seen.st_size

    def pointer(self) -> Pointer:
        """Return which model reads; the shipped default where none was ever promoted.

        Raises:
            ArtifactMismatch: the pointer is damaged.
        """
        try:
            return from_json(Pointer, json.loads((self.folder / POINTER).read_text("utf-8")))
        except FileNotFoundError:
            return Pointer()
        except (OSError, ValueError, ValidationError) as error:
            raise ArtifactMismatch(f"The pointer {self.folder / POINTER} to the active model is damaged.") from error

    def promote(self, model: str, *, instead_of: str | None = None) -> Pointer:
        """Let `model`, an id or a shipped one's name, read from now on; return the new pointer.

        Args:
            model: what is to read.
            instead_of: what must be reading until then; None takes whatever does.

        Raises:
            InvalidRequest: another model than `instead_of` reads.
        """
        with self._locked():
            known = self.pointer()
            if instead_of not in (None, known.active, model):
                raise InvalidRequest(
                    f"{model[:SHORT_ID]} was never compared with {known.active[:SHORT_ID]}, which was promoted "
                    f"meanwhile. Look at both; then: tallyscan models promote {model[:SHORT_ID]}"
                )
            if known.active == model:
                return known
            return self._point(known, model, before=(*known.before, known.active), action="promote")

    def rollback(self) -> Pointer:
        """Let the model read again that did before the active one; return the new pointer.

        Raises:
            InvalidRequest: none did.
        """
        with self._locked():
            known = self.pointer()
            if not known.before:
                raise InvalidRequest("There is nothing to go back to: no model was active before this one.")
            return self._point(known, known.before[-1], before=known.before[:-1], action="rollback")

    def _point(self, known: Pointer, model: str, *, before: tuple[str, ...], action: str) -> Pointer:
        move = Move(model, utc_now().isoformat(timespec="seconds"), action)
        pointer = replace(known, active=model, before=before, moves=(*known.moves, move))
        with tempfile.NamedTemporaryFile("w", dir=self.folder, prefix=".active-", delete=False) as draft:
            json.dump(asdict(pointer), draft, indent=1)
            draft.flush()
            os.fsync(draft.fileno())
        Path(draft.name).chmod(0o644)
        Path(draft.name).replace(self.folder / POINTER)
        return pointer

    def _place(self, model_id: str, contents: dict[str, Path], listing: str) -> None:
        """Put the files under their id: complete or not there."""
        self._make_folder()
        draft = Path(tempfile.mkdtemp(dir=self.folder, prefix=".draft-"))
        try:
            for name, path in contents.items():
                shutil.copyfile(path, draft / name)
            (draft / FILES).write_text(listing, "utf-8")
            draft.chmod(0o755)
            draft.rename(self.folder / model_id)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            if not (self.folder / model_id / FILES).exists():  # or another process was faster
                raise

    def _make_folder(self) -> None:
        if self._home is not None:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.mkdir(parents=True, exist_ok=True)

    def _seen(self, model_id: str) -> tuple[tuple[str, int, int], ...]:
        try:
            paths = sorted((self.folder / model_id).iterdir())
            return tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in paths)
        except OSError:
            return ()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._make_folder()
        with (self.folder / LOCK).open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def input_versions(folder: Path) -> dict[str, str]:
    """Return the versions of the pictures that an artifact's networks learnt from, by the file that says so.

    Raises:
        ArtifactMismatch: a file that should say it is damaged.
    """
    found = {}
    for file, name in INPUT_VERSIONS.items():
        try:
            found[file] = str(json.loads((folder / file).read_text("utf-8"))[name])
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtifactMismatch(f"{file} of the model {folder.name[:SHORT_ID]} is damaged.") from error
    return found
