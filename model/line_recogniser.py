"""The line reader at work: lines in, CTC log-probabilities out, by LiteRT alone.

A worker process holds one `LineRecogniser`; the pipeline hands it the lines of a document in one call, and `forms`
reads texts out of what comes back.
"""

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import ArtifactMismatch
from core.types import ReaderInfo
from model.artifacts import SHIPPED, artifact_folder, read_verified
from model.line_artifacts import LineManifest, load_line_manifest
from model.quiet import native_stderr_silenced
from model.recogniser import open_interpreter

PAD_COLUMNS = 16
"""Lines are padded with paper to a multiple of so many columns, here and in training."""

MAX_WIDTHS = 10
"""Widths whose interpreters are kept, for each network: fields of one kind have some eight."""


class LineRecogniser:
    """The exported networks, ready to read lines. Not for use by two threads at once."""

    def __init__(self, contents: Sequence[bytes], manifest: LineManifest) -> None:
        """Prepare the networks in `contents`, which `manifest` describes."""
        self.version: str = manifest.version
        digests = " ".join(network.sha256 for network in manifest.networks)
        self.info = ReaderInfo(version=manifest.version, sha256=sha256(digests.encode()).hexdigest())
        self.classes: tuple[str, ...] = manifest.classes
        self._height = manifest.line_height
        self.frame_columns: int = manifest.frame_columns
        with native_stderr_silenced():
            self._networks = [_Network(content, manifest.line_height) for content in contents]

    @classmethod
    def load(cls, name: str = "digits", *, line_version: str | None = None, root: Path = SHIPPED) -> "LineRecogniser":
        """Return the line reader of the artifact `name`.

        Args:
            name: of the artifact.
            line_version: of the function that makes the lines; None leaves it unchecked.
            root: folder of artifacts.

        Raises:
            ArtifactMissing: there is no such artifact, it has no line reader, or a file is gone.
            ArtifactMismatch: a file was altered, or the networks were trained on lines made otherwise.
        """
        manifest = load_line_manifest(name, root=root)
        if line_version not in (None, manifest.line_version):
            raise ArtifactMismatch(
                f"The line reader {name!r} was trained on lines of version {manifest.line_version}, "
                f"but lines come in version {line_version}."
            )
        folder = artifact_folder(name, root=root)
        return cls([read_verified(folder / each.file, each.sha256) for each in manifest.networks], manifest)

    @property
    def networks(self) -> int:
        """How many networks read each line."""
        return len(self._networks)

    def classify(self, lines: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Return each line's log-probabilities: float32, shape (networks, frames, len(classes)), a frame two columns.

        Args:
            lines: uint8, shape (32, width), as `segmentation.line` makes them; of any widths.

        Raises:
            ValueError: a line has another height or type, or no columns.
        """
        networks = range(self.networks)
        return [np.stack(each) for each in zip(*(self.read_by(network, lines) for network in networks), strict=True)]

    def read_by(self, network: int, lines: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Return what one network, by its number, says of each line: float32, shape (frames, len(classes)).

        Args:
            network: from 0.
            lines: as for `classify`.

        Raises:
            ValueError: a line has another height or type, or no columns.
        """
        for line in lines:
            if line.dtype != np.uint8 or line.ndim != 2 or line.shape[0] != self._height or not line.shape[1]:
                raise ValueError(
                    f"Lines must be uint8 of shape ({self._height}, width), not {line.dtype} {line.shape}."
                )
        if len(lines) == 1:
            return [self._read(self._networks[network], lines[0])]
        # Narrow to wide, so that the network seldom has to change its width.
        order = sorted(range(len(lines)), key=lambda index: lines[index].shape[1])
        found = {index: self._read(self._networks[network], lines[index]) for index in order}
        return [found[index] for index in range(len(lines))]

    def _read(self, network: "_Network", line: NDArray[np.uint8]) -> NDArray[np.float32]:
        frames = -(-line.shape[1] // self.frame_columns)
        return log_softmax(network.run(_padded(line))[:frames])


class _Network:
    """A network with an interpreter for each of the widths it read last: to change a width costs a tenth of a reading.

    An interpreter holds less than a megabyte.
    """

    def __init__(self, content: bytes, height: int) -> None:
        self._content = content
        self._height = height
        self._by_width: OrderedDict[int, _Interpreter] = OrderedDict()
        self._interpreter(PAD_COLUMNS)

    def run(self, line: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the logits of a padded line: float32, shape (frames, classes)."""
        return self._interpreter(line.shape[1]).run(line)

    def _interpreter(self, width: int) -> "_Interpreter":
        known = self._by_width.pop(width, None)
        if known is None:
            if len(self._by_width) < MAX_WIDTHS:
                known = _Interpreter(self._content)
            else:
                _, known = self._by_width.popitem(last=False)
            known.resize(self._height, width)
        self._by_width[width] = known
        return known


class _Interpreter:
    """One interpreter of a network."""

    def __init__(self, content: bytes) -> None:
        self._interpreter = open_interpreter(content)
        given = self._interpreter.get_input_details()[0]
        self._input, self._type = given["index"], given["dtype"]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def resize(self, height: int, width: int) -> None:
        """Make room for lines of that size."""
        self._interpreter.resize_tensor_input(self._input, (1, height, width, 1))
        self._interpreter.allocate_tensors()

    def run(self, line: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the logits of a line of the size that there is room for."""
        self._interpreter.set_tensor(self._input, line[None, :, :, None].astype(self._type, copy=False))
        self._interpreter.invoke()
        logits: NDArray[np.float32] = self._interpreter.get_tensor(self._output)
        return logits.reshape(-1, logits.shape[-1])


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the logarithms of the probabilities that the last axis of `logits` stands for."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    result: NDArray[np.float32] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def _padded(line: NDArray[np.uint8]) -> NDArray[np.uint8]:
    width = -(-line.shape[1] // PAD_COLUMNS) * PAD_COLUMNS
    padded = np.zeros((line.shape[0], width), np.uint8)
    padded[:, : line.shape[1]] = line
    return padded
