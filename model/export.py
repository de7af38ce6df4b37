"""A run's folder to an artifact: int8 LiteRT network, manifest, Keras original.

The network goes through a SavedModel: converting a Keras 3 network from its concrete functions broke it silently.
So the export also compares the two networks' answers, and refuses when they differ.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.codec import from_json
from core.errors import ArtifactMismatch, ArtifactMissing, InvalidRequest
from model.artifacts import MANIFEST, SHIPPED, Manifest, artifact_folder, read_verified, save_manifest
from model.corpora import evaluation_sets
from model.datasets import Samples, load_samples
from model.history import RUN
from model.journal import NETWORK
from model.material import DIGITS
from model.quiet import native_stderr_silenced
from model.recogniser import Recogniser, softmax
from model.scores import accuracy
from model.train import Run
from model.training_extra import load_keras, load_tensorflow
from model.views import seen

FILE = "model.tflite"
PART = ".part"
"""Folder in the artifact's own where a new one is written."""

AGREEMENT_NEEDED = 0.98
"""Share of held-out glyphs, the hardest ones and garbage among them, that both networks must call the same."""

KERAS_SHIPS_BELOW_BYTES = 3_000_000
"""A larger original stays with its run."""

REPRESENTATIVE = 1000


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to export.

    Attributes:
        run: the folder that a training left.
        name: the artifact's.
        root: folder of artifacts; the shipped ones' by default.
        data: folder of collections whose test sets are measured for the manifest, which are digits; None measures none.
        original: whether the Keras original comes along, unless it is too large.
    """

    run: Path
    name: str = "digits"
    root: Path = SHIPPED
    data: Path | None = None
    original: bool = True


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was exported: its folder and manifest, and the share of held-out glyphs on which both networks agree."""

    folder: Path
    manifest: Manifest
    agreement: float


def export(options: ExportOptions) -> ExportResult:
    """Write the artifact and return what it is.

    Raises:
        InvalidRequest: `options.run` holds no finished run, or the name is none.
        ArtifactMismatch: the run's network was altered, or the exported one answers otherwise.
        ExtraMissing: TensorFlow is not installed.
    """
    folder = folder_to_write(options.name, root=options.root)
    run = load_run(options.run)
    if options.data is not None and run.classes[: len(DIGITS)] != DIGITS:
        raise InvalidRequest("The test sets are digits, and this network reads none; export it without --data.")
    network = load_network(options.run / NETWORK, run.keras_sha256)
    held_out = load_samples(options.run / "held_out.npz", classes=run.classes)
    content = to_int8(network, seen(held_out.images[:REPRESENTATIVE], run.view))
    manifest = _manifest(options, run, content)
    reader = Recogniser(content, manifest)
    agreement = _agreement(reader, network, held_out)
    manifest = replace(manifest, temperature=_temperature(reader.classify(held_out.images), held_out.labels))
    held = {"agreement": round(agreement, 5), "accuracy": _share_right(reader, held_out)}
    manifest = replace(manifest, metrics=_metrics(options, Recogniser(content, manifest), network, held))
    _write(folder, options, manifest, content)
    return ExportResult(folder, manifest, agreement)


def folder_to_write(name: str, *, root: Path) -> Path:
    """Return where an artifact of that name goes.

    Raises:
        InvalidRequest: no artifact can be called so.
    """
    try:
        return artifact_folder(name, root=root)
    except ArtifactMissing as error:
        raise InvalidRequest(f"{error} Small letters, digits, - and _ make one.") from error


@contextmanager
def replaced_at_once(folder: Path, *, manifest: str) -> Iterator[Path]:
    """Yield an empty folder; what is written there then takes its place in `folder`, the manifest last.

    Whoever loads the artifact meanwhile, or after a kill, finds the old one, or files that the old manifest refuses.
    """
    part = folder / PART
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        for file in sorted(part.iterdir(), key=lambda file: file.name == manifest):
            file.replace(folder / file.name)
    finally:
        shutil.rmtree(part)


def load_run(folder: Path) -> Run:
    """Return what the run in `folder` says of itself.

    Raises:
        InvalidRequest: there is no finished run.
    """
    try:
        return from_json(Run, json.loads((folder / RUN).read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{folder} holds no finished training.") from error


def load_network(path: Path, sha256: str) -> Any:  # noqa: ANN401 - keras.Model is untyped
    """Return the Keras network at `path`, once its bytes are known: a file can carry code (CVE-2025-1550).

    Raises:
        ArtifactMismatch: its SHA-256 is another.
    """
    content = read_verified(path, sha256)
    with tempfile.TemporaryDirectory() as folder:
        # What was verified is what gets loaded, even if the file changes meanwhile.
        copy = Path(folder) / NETWORK
        copy.write_bytes(content)
        return load_keras().models.load_model(copy, compile=False)


def keras_logits(network: Any, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:  # noqa: ANN401
    """Return the Keras network's outputs: float32, shape (n, classes)."""
    parts = [
        np.asarray(network(glyphs[start : start + 256, :, :, None].astype(np.float32), training=False))
        for start in range(0, len(glyphs), 256)
    ]
    return np.concatenate(parts)


def to_int8(network: Any, representative: NDArray[np.uint8]) -> bytes:  # noqa: ANN401
    """Return the network as LiteRT: int8 inside, bytes of pixels in, float32 logits out."""

    def examples() -> Iterator[list[NDArray[np.float32]]]:
        # Both ends of the range, so that a pixel's byte is the quantised input as it stands.
        yield [np.zeros((1, 28, 28, 1), np.float32)]
        yield [np.full((1, 28, 28, 1), 255, np.float32)]
        for glyph in representative:
            yield [glyph[None, :, :, None].astype(np.float32)]

    return quantised(network, examples)


def converted(network: Any) -> bytes:  # noqa: ANN401
    """Return the network as LiteRT, in float32 throughout."""
    with tempfile.TemporaryDirectory() as folder, native_stderr_silenced():
        network.export(folder, verbose=False)
        content: bytes = load_tensorflow().lite.TFLiteConverter.from_saved_model(folder).convert()
    return content


def quantised(network: Any, examples: Callable[[], Iterator[list[NDArray[np.float32]]]]) -> bytes:  # noqa: ANN401
    """Return the network as LiteRT, int8 inside, its ranges set by `examples` of its input: bytes in, float32 out."""
    tf = load_tensorflow()
    with tempfile.TemporaryDirectory() as folder, native_stderr_silenced():
        network.export(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = examples
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.float32
        content: bytes = converter.convert()
    return content


def _manifest(options: ExportOptions, run: Run, content: bytes) -> Manifest:
    sha256 = hashlib.sha256(content).hexdigest()
    ships = _original_ships(options)
    return Manifest(
        name=options.name,
        version=f"{run.arch}-{sha256[:12]}",
        file=FILE,
        sha256=sha256,
        classes=run.classes,
        input_shape=(28, 28),
        normalisation_version=run.normalisation_version,
        architecture=run.arch,
        parameters=run.parameters,
        temperature=1.0,
        seed=run.seed,
        command=run.command,
        data=run.data,
        keras_file=NETWORK if ships else "",
        keras_sha256=run.keras_sha256 if ships else "",
        view=run.view,
    )


def _agreement(reader: Recogniser, network: Any, held_out: Samples) -> float:  # noqa: ANN401
    here = reader.classify(held_out.images).argmax(axis=1)
    there = keras_logits(network, seen(held_out.images, reader.view)).argmax(axis=1)
    agreement = float(np.mean(here == there))
    if agreement < AGREEMENT_NEEDED:
        raise ArtifactMismatch(f"The exported network agrees with its original on {agreement:.1%} of the glyphs only.")
    return agreement


def _share_right(reader: Recogniser, held_out: Samples) -> float:
    """Return the share of held-out glyphs, garbage among them, whose likeliest class is theirs."""
    return round(float(np.mean(reader.classify(held_out.images).argmax(axis=1) == held_out.labels)), 5)


def _temperature(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the temperature under which the held-out labels are likeliest (Guo et al. 2017)."""
    logits = np.log(np.maximum(probabilities, 1e-12))
    rows = np.arange(len(labels))

    def loss(temperature: float) -> float:
        chosen = softmax((logits / temperature).astype(np.float32))[rows, labels]
        return float(-np.log(np.maximum(chosen, 1e-12)).mean())

    return round(float(min(np.geomspace(0.25, 2.5, 93), key=loss)), 3)


def _metrics(
    options: ExportOptions,
    reader: Recogniser,
    network: Any,  # noqa: ANN401
    held: dict[str, float],
) -> dict[str, dict[str, float]]:
    figures = {"held_out": held}
    for name, samples in evaluation_sets(options.data).items() if options.data else ():
        here = reader.classify(samples.images)
        there = keras_logits(network, seen(samples.images, reader.view))
        figures[name] = {
            "glyphs": float(len(samples)),
            "accuracy": round(accuracy(here, samples.labels), 5),
            "keras_accuracy": round(accuracy(there, samples.labels), 5),
        }
    return figures


def _write(folder: Path, options: ExportOptions, manifest: Manifest, content: bytes) -> None:
    with replaced_at_once(folder, manifest=MANIFEST) as part:
        (part / FILE).write_bytes(content)
        if manifest.keras_file:
            shutil.copyfile(options.run / NETWORK, part / NETWORK)
        save_manifest(manifest, part)
    if not manifest.keras_file:
        (folder / NETWORK).unlink(missing_ok=True)


def _original_ships(options: ExportOptions) -> bool:
    return options.original and (options.run / NETWORK).stat().st_size < KERAS_SHIPS_BELOW_BYTES
