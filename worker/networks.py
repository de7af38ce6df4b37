"""What a reader reads with: the glyph network, the line readers, and the calibration, out of one artifact."""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from core.codec import from_json
from core.errors import ArtifactMismatch
from core.types import ReaderInfo
from forms.confidence import Calibration
from model.artifacts import SHIPPED, artifact_folder
from model.line_artifacts import LINE_MANIFEST
from model.line_recogniser import LineRecogniser
from model.recogniser import Recogniser
from segmentation.line import LINE_VERSION
from segmentation.normalise import NORMALISATION_VERSION

CALIBRATION: Final = "calibration.json"


@dataclass(frozen=True, slots=True)
class Networks:
    """One artifact, loaded.

    Attributes:
        glyphs: says what digit a glyph is.
        lines: says what a line holds; None where the artifact has no line readers.
        calibration: weighs the two; None with it.
    """

    glyphs: Recogniser
    lines: LineRecogniser | None = None
    calibration: Calibration | None = None

    @property
    def info(self) -> ReaderInfo:
        """Which networks read: versions, and one SHA-256 over all of them."""
        if self.lines is None:
            return self.glyphs.info
        glyphs = self.glyphs.info
        digest = hashlib.sha256(f"{glyphs.sha256} {self.lines.version}".encode()).hexdigest()
        return ReaderInfo(version=f"{glyphs.version}+{self.lines.version}", sha256=digest)


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
    return replace(
        networks, calibration=load_calibration(calibration or artifact_folder(name, root=root) / CALIBRATION)
    )


def load_uncalibrated(name: str, *, root: Path = SHIPPED) -> Networks:
    """Return the artifact's networks without their calibration.

    Raises:
        ArtifactMissing: a network is not there.
        ArtifactMismatch: a file was altered or damaged, or a network learnt from pictures that were made otherwise.
    """
    glyphs = Recogniser.load(name, normalisation_version=NORMALISATION_VERSION, root=root)
    if not (artifact_folder(name, root=root) / LINE_MANIFEST).exists():
        return Networks(glyphs)
    return Networks(glyphs, LineRecogniser.load(name, line_version=LINE_VERSION, root=root))


def load_calibration(path: Path) -> Calibration:
    """Return the calibration in the file.

    Raises:
        ArtifactMismatch: it is missing or damaged.
    """
    try:
        return from_json(Calibration, json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise ArtifactMismatch(f"The calibration {path.name} is missing or damaged.") from error
