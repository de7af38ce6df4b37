"""What a reader reads with: the glyph network, the line readers, and the calibration, out of one artifact.

An artifact ships with the program, or is a model in the registry of `storage.models`.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from core.codec import from_json
from core.errors import ArtifactMismatch
from core.files import written_at_once
from core.settings import ACTIVE_MODEL, Settings
from core.types import ReaderInfo
from forms.confidence import Calibration
from model.artifacts import MANIFEST, SHIPPED, artifact_folder
from model.line_artifacts import LINE_MANIFEST
from model.line_recogniser import LineRecogniser
from model.recogniser import Recogniser
from segmentation.line import LINE_VERSION
from segmentation.normalise import NORMALISATION_VERSION
from storage.models import MODEL_ID, SHORT_ID, ModelShelf

CALIBRATION: Final = "calibration.json"


@dataclass(frozen=True, slots=True)
class _MadeFor:
    """What a calibration's file says beyond the calibration."""

    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Networks:
    """One artifact, loaded.

    Attributes:
        glyphs: says what digit a glyph is.
        lines: says what a line holds; None where the artifact has no line readers.
        calibration: weighs the two; None with it.
        name: of the shipped artifact, or the model's id in the registry.
        calibrated: digests of the networks that the calibration was made for; empty where it does not say.
    """

    glyphs: Recogniser
    lines: LineRecogniser | None = None
    calibration: Calibration | None = None
    name: str = ""
    model_id: str | None = None
    calibrated: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over all networks, whatever they are called."""
        if self.lines is None:
            return self.glyphs.info.sha256
        return hashlib.sha256(f"{self.glyphs.info.sha256} {self.lines.version}".encode()).hexdigest()

    @property
    def are_calibrated(self) -> bool:
        """Whether the calibration was made for these networks, or does not say for which."""
        return not self.calibrated or self.digest in self.calibrated

    @property
    def info(self) -> ReaderInfo:
        """Which networks read: versions, and a SHA-256 over all of them; of a model in the registry its id."""
        glyphs, lines = self.glyphs.info, self.lines
        version = glyphs.version if lines is None else f"{glyphs.version}+{lines.version}"
        if self.model_id is not None:
            return ReaderInfo(version=f"{version}@{self.model_id[:SHORT_ID]}", sha256=self.model_id)
        return ReaderInfo(version=version, sha256=self.digest)


def open_model(settings: Settings, *, root: Path = SHIPPED) -> Networks:
    """Return the networks that the settings name: the active ones, a model of the registry, or shipped ones.

    Raises:
        ArtifactMissing: a network is not there.
        ArtifactMismatch: a file was altered or damaged, or a network learnt from pictures that were made otherwise.
    """
    return open_named(active_model(settings), settings, root=root)


def active_model(settings: Settings) -> str:
    """Return the id or the shipped name that the settings' model stands for now.

    Raises:
        ArtifactMismatch: the pointer to the active model is damaged.
    """
    return ModelShelf.of(settings).pointer().active if settings.model == ACTIVE_MODEL else settings.model


def open_named(name: str, settings: Settings, *, root: Path = SHIPPED) -> Networks:
    """Return the networks of the shipped artifact of that name, else of the model whose id begins like that.

    Raises:
        ArtifactMissing: a network is not there.
        ArtifactMismatch: a file was altered or damaged, or a network learnt from pictures that were made otherwise.
    """
    shelf = ModelShelf.of(settings)
    if is_shipped(name, root=root) or not MODEL_ID.fullmatch(name):
        return load_networks(name, root=root, calibration=settings.calibration)
    model_id = shelf.find(name)
    shelf.verify(model_id)
    networks = load_networks(model_id, root=shelf.folder, calibration=settings.calibration)
    return replace(networks, model_id=model_id)


def is_shipped(name: str, *, root: Path = SHIPPED) -> bool:
    """Return whether an artifact of that name comes with the program."""
    return (artifact_folder(name, root=root) / MANIFEST).is_file()


def load_networks(name: str, *, root: Path = SHIPPED, calibration: Path | None = None) -> Networks:
    """Return the artifact's networks.

    Args:
        name: of the artifact.
        root: folder of artifacts.
        calibration: file to use instead of the artifact's own.

    Raises:
        ArtifactMissing: a network is not there.
        ArtifactMismatch: a file was altered or damaged, or a network learnt from pictures that were made otherwise.
    """
    networks = load_uncalibrated(name, root=root)
    if networks.lines is None:
        return networks
    path = calibration or artifact_folder(name, root=root) / CALIBRATION
    made, calibrated = read_calibration(path)
    return replace(networks, calibration=made, calibrated=calibrated)


def load_uncalibrated(name: str, *, root: Path = SHIPPED) -> Networks:
    """Return the artifact's networks without their calibration.

    Raises:
        ArtifactMissing: a network is not there.
        ArtifactMismatch: a file was altered or damaged, or a network learnt from pictures that were made otherwise.
    """
    glyphs = Recogniser.load(name, normalisation_version=NORMALISATION_VERSION, root=root)
    if not (artifact_folder(name, root=root) / LINE_MANIFEST).exists():
        return Networks(glyphs, name=name)
    return Networks(glyphs, LineRecogniser.load(name, line_version=LINE_VERSION, root=root), name=name)


def read_calibration(path: Path) -> tuple[Calibration, tuple[str, ...]]:
    """Return a calibration, and the digests of the networks that it was made for: none in earlier files.

    Raises:
        ArtifactMismatch: it is missing or damaged.
    """
    try:
        said = json.loads(path.read_text("utf-8"))
        return from_json(Calibration, said), from_json(_MadeFor, said).networks
    except (OSError, ValueError, ValidationError) as error:
        raise ArtifactMismatch(f"The calibration {path.name} is missing or damaged.") from error


def save_calibration(path: Path, calibration: Calibration, *, networks: Sequence[str]) -> None:
    """Write the calibration, replaced at once, with the digests of the networks that it is made for."""
    with written_at_once(path) as partial:
        partial.write_text(json.dumps({**asdict(calibration), "networks": list(networks)}) + "\n", "utf-8")
