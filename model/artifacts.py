"""What ships: each artifact's folder, its manifest, and the check that its files are the ones the manifest names.

The export writes manifests, the recogniser reads them. Nothing here loads a network.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import ValidationError

from core.codec import from_json
from core.errors import ArtifactMismatch, ArtifactMissing
from model.views import PLAIN

SHIPPED = Path(__file__).parent / "artifacts"
MANIFEST = "manifest.json"

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class DataSource:
    """One collection that a network learnt from: how many samples, and the terms it came under."""

    name: str
    samples: int
    terms: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an artifact is, and how to make it again.

    Attributes:
        name: the artifact's name, which is also its folder's.
        version: what a reading names: architecture and the start of the file's SHA-256.
        file: the LiteRT network, beside the manifest.
        sha256: of that file.
        classes: what the outputs mean: "0" to "9" first, or letters.
        input_shape: of one glyph.
        normalisation_version: of the function that made its training glyphs.
        architecture: a name that `model.architectures` knows.
        parameters: number of weights.
        temperature: the outputs are divided by it before the softmax.
        seed: of the training.
        command: that trained it.
        data: what it learnt from.
        metrics: figures by name of test set, and figures of the export.
        keras_file: the Keras original, beside the manifest; empty when it does not ship.
        keras_sha256: of that file.
        view: how it sees glyphs, a name that `model.views` knows.
    """

    name: str
    version: str
    file: str
    sha256: str
    classes: tuple[str, ...]
    input_shape: tuple[int, int]
    normalisation_version: str
    architecture: str
    parameters: int
    temperature: float
    seed: int
    command: str
    data: tuple[DataSource, ...] = ()
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    keras_file: str = ""
    keras_sha256: str = ""
    view: str = PLAIN


def artifact_folder(name: str, *, root: Path = SHIPPED) -> Path:
    """Return where the artifact `name` lives.

    Raises:
        ArtifactMissing: `name` is no name of an artifact; a path is none.
    """
    if not _NAME.fullmatch(name):
        raise ArtifactMissing(f"{name!r} is no name of a network.")
    return root / name


def load_manifest(name: str, *, root: Path = SHIPPED) -> Manifest:
    """Return the manifest of the artifact `name`.

    Raises:
        ArtifactMissing: there is no such artifact.
        ArtifactMismatch: its manifest is damaged.
    """
    path = artifact_folder(name, root=root) / MANIFEST
    try:
        return from_json(Manifest, json.loads(path.read_text("utf-8")))
    except FileNotFoundError as error:
        raise ArtifactMissing(f"There is no network named {name!r}.") from error
    except (ValueError, ValidationError) as error:
        raise ArtifactMismatch(f"The manifest of the network {name!r} is damaged.") from error


def save_manifest(manifest: Manifest, folder: Path) -> None:
    """Write `manifest` into `folder`."""
    text = json.dumps(asdict(manifest), indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", "utf-8")


def read_verified(path: Path, sha256: str) -> bytes:
    """Return the file's bytes once their SHA-256 is known to be `sha256`.

    Raises:
        ArtifactMissing: there is no such file.
        ArtifactMismatch: its bytes are not the ones that were exported.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactMissing(f"The network's file {path.name} is missing.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ArtifactMismatch(f"The network's file {path.name} does not match its manifest.")
    return content
