"""The network at work: glyphs in, probabilities out, by LiteRT alone.

A worker process holds one `Recogniser`; the pipeline hands it all glyphs of a document in one call.
"""

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from core.errors import ArtifactMismatch
from core.types import ReaderInfo
from model.artifacts import SHIPPED, Manifest, artifact_folder, load_manifest, read_verified
from model.quiet import native_stderr_silenced
from model.views import VIEWS, seen

MAX_BATCH = 64
"""Glyphs that the network sees at once. Each costs the same in any number, and to change the number takes
microseconds, so nothing is padded; more at once would only take memory."""


class Recogniser:
    """The exported network, ready to classify glyphs. Not for use by two threads at once."""

    def __init__(self, content: bytes, manifest: Manifest) -> None:
        """Prepare the network in `content`, which `manifest` describes."""
        self._interpreter = open_interpreter(content)
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]
        self._shape = manifest.input_shape
        self._inverse_temperature = np.float32(1 / manifest.temperature)
        self._size = 0
        self.view = manifest.view
        self.classes: tuple[str, ...] = manifest.classes
        self.info = ReaderInfo(version=manifest.version, sha256=manifest.sha256)
        with native_stderr_silenced():
            self._resize(1)

    @classmethod
    def load(
        cls,
        name: str = "digits",
        *,
        normalisation_version: str | None = None,
        root: Path = SHIPPED,
    ) -> "Recogniser":
        """Return the recogniser of the artifact `name`.

        Args:
            name: of the artifact.
            normalisation_version: of the function that makes the glyphs; None leaves it unchecked.
            root: folder of artifacts.

        Raises:
            ArtifactMissing: there is no such artifact, or its file is gone.
            ArtifactMismatch: its file was altered, or it was trained on glyphs normalised or shown otherwise.
        """
        manifest = load_manifest(name, root=root)
        if normalisation_version not in (None, manifest.normalisation_version):
            raise ArtifactMismatch(
                f"The network {name!r} was trained on normalisation {manifest.normalisation_version}, "
                f"but glyphs come in normalisation {normalisation_version}."
            )
        if manifest.view not in VIEWS:
            raise ArtifactMismatch(f"The network {name!r} sees glyphs in a way not known here: {manifest.view}.")
        content = read_verified(artifact_folder(name, root=root) / manifest.file, manifest.sha256)
        return cls(content, manifest)

    def classify(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return how probable each class is for each glyph: float32, shape (n, len(classes)), rows sum to 1.

        Args:
            glyphs: uint8, shape (n, 28, 28), as `segmentation.normalise` makes them.

        Raises:
            ValueError: the array has another shape or type.
        """
        if glyphs.dtype != np.uint8 or glyphs.shape[1:] != self._shape:
            raise ValueError(f"Glyphs must be uint8 of shape (n, 28, 28), not {glyphs.dtype} of {glyphs.shape}.")
        logits = np.empty((len(glyphs), len(self.classes)), np.float32)
        for start, size in batches(len(glyphs)):
            logits[start : start + size] = self._run(glyphs[start : start + size])
        return softmax(logits * self._inverse_temperature)

    def _run(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        self._resize(len(glyphs))
        self._interpreter.set_tensor(self._input, seen(glyphs, self.view)[..., None])
        self._interpreter.invoke()
        result: NDArray[np.float32] = self._interpreter.get_tensor(self._output)
        return result

    def _resize(self, size: int) -> None:
        if size != self._size:
            self._interpreter.resize_tensor_input(self._input, (size, *self._shape, 1))
            self._interpreter.allocate_tensors()
            self._size = size


def batches(count: int) -> list[tuple[int, int]]:
    """Return (start, size) of the batches that `count` glyphs are cut into."""
    return [(start, min(MAX_BATCH, count - start)) for start in range(0, count, MAX_BATCH)]


def open_interpreter(content: bytes) -> Any:  # noqa: ANN401 - LiteRT ships no types
    """Return LiteRT's interpreter of a network, on one thread: there is a process a core."""
    return Interpreter(model_content=content, num_threads=1, experimental_op_resolver_type=OpResolverType.AUTO)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rows of `logits` as probabilities."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True)) if len(logits) else logits
    total: NDArray[np.float32] = shifted / shifted.sum(axis=1, keepdims=True)
    return total
