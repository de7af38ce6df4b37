"""What ships of the line reader: `line.json` beside the glyph network's manifest, and the check of its files.

`model.line.export` writes it, `model.line_recogniser` reads it. Nothing here loads a network.
"""

import json
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from core.codec import from_json
from core.errors import ArtifactMismatch, ArtifactMissing
from model.artifacts import SHIPPED, DataSource, artifact_folder

LINE_MANIFEST = "line.json"


@dataclass(frozen=True, slots=True)
class LineNetwork:
    """One network of the line reader, and how it came about.

    Attributes:
        file: the LiteRT network, beside the manifest.
        sha256: of that file.
        seed: of the training.
        command: that trained it; several, joined by `&&`, where it began with what others had taught it.
        epochs: of the last training.
        metrics: figures of this network alone.
        keras_file: the weights of the Keras original, beside the manifest; empty when they do not ship.
        keras_sha256: of that file.
        begun_with: SHA-256 of the weights that the last training began with; empty where it began anew.
    """

    file: str
    sha256: str
    seed: int
    command: str
    epochs: int
    metrics: dict[str, float] = field(default_factory=dict)
    keras_file: str = ""
    keras_sha256: str = ""
    begun_with: str = ""


@dataclass(frozen=True, slots=True)
class LineManifest:
    """What a line reader is: one or more networks that read the same lines.

    Attributes:
        name: the artifact's name, which is also its folder's.
        version: what a reading names: "line" and the start of a SHA-256 over all its files' digests.
        networks: at least one.
        line_version: of the function that made its training lines.
        line_height: rows of a line.
        frame_columns: columns of a line that one output stands for.
        classes: what the outputs mean, "0" to "9" first, CTC's blank last.
        parameters: number of weights of each network.
        data: what they learnt from.
    """

    name: str
    version: str
    networks: tuple[LineNetwork, ...]
    line_version: str
    line_height: int
    frame_columns: int
    classes: tuple[str, ...]
    parameters: int
    data: tuple[DataSource, ...] = ()


def line_version_of(digests: list[str]) -> str:
    """Return the name of a line reader whose files have these SHA-256s."""
    return f"line-{sha256(' '.join(digests).encode()).hexdigest()[:12]}"


def load_line_manifest(name: str, *, root: Path = SHIPPED) -> LineManifest:
    """Return the manifest of the line reader in the artifact `name`.

    Raises:
        ArtifactMissing: there is no such artifact, or it has no line reader.
        ArtifactMismatch: its manifest is damaged, or names no network.
    """
    path = artifact_folder(name, root=root) / LINE_MANIFEST
    try:
        manifest = from_json(LineManifest, json.loads(path.read_text("utf-8")))
    except FileNotFoundError as error:
        raise ArtifactMissing(f"The network {name!r} has no line reader.") from error
    except (ValueError, ValidationError) as error:
        raise ArtifactMismatch(f"The line reader's manifest of the network {name!r} is damaged.") from error
    if not manifest.networks:
        raise ArtifactMismatch(f"The line reader's manifest of the network {name!r} names no network.")
    return manifest


def save_line_manifest(manifest: LineManifest, folder: Path) -> None:
    """Write `manifest` into `folder`."""
    text = json.dumps(asdict(manifest), indent=2, ensure_ascii=False)
    (folder / LINE_MANIFEST).write_text(text + "\n", "utf-8")
