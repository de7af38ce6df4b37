"""Runs of the line reader to an artifact: one LiteRT network a run, `line.json`, the Keras weights.

As with the glyphs, the networks go through a SavedModel, and the export refuses where the two kinds read differently.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import ArtifactMismatch, InvalidRequest
from model.artifacts import SHIPPED
from model.export import KERAS_SHIPS_BELOW_BYTES, converted, folder_to_write, quantised, replaced_at_once
from model.line.batching import batches, greedy_texts, stacked
from model.line.courses import Course, course
from model.line.material import FRAME_COLUMNS, Sample
from model.line.network import LINE_CLASSES
from model.line.training import WEIGHTS, LineRun, load_line_run, load_weights
from model.line_artifacts import LINE_MANIFEST, LineManifest, LineNetwork, line_version_of, save_line_manifest
from model.line_recogniser import LineRecogniser
from model.training_extra import load_keras, load_tensorflow
from segmentation.line import LINE_HEIGHT

AGREEMENT_NEEDED: Final = 0.9
"""Share of held-out lines of which both networks must read the same text.

A network that learnt from drawings alone is in two minds about many a real line; a broken one agrees on a few per cent.
The manifest has what both read right.
"""

CALIBRATION_WIDTH: Final = 192
"""Calibration wants lines of one width: two thirds are padded to it, the rest cut."""

REPRESENTATIVE_SEED: Final = (2025, 0)
DRAWN_SEED: Final = (2025, 1)
"""Tuples of two: those that trainings draw from have three."""


@dataclass(frozen=True, slots=True)
class LineExportOptions:
    """What to export.

    Attributes:
        runs: the folders that trainings left; all their networks read each line.
        data: folder of collections, from which lines are drawn to set the ranges of bytes and to compare.
        name: the artifact's.
        root: folder of artifacts; the shipped ones' by default.
        representative: lines to set the ranges of bytes with.
        drawn: lines to compare the networks on, beside the strings held out.
        original: whether the Keras weights come along, unless they are too large.
    """

    runs: tuple[Path, ...]
    data: Path | None
    name: str = "digits"
    root: Path = SHIPPED
    representative: int = 500
    drawn: int = 300
    original: bool = True


@dataclass(frozen=True, slots=True)
class LineExportResult:
    """What was exported: its folder and manifest, and the least share of lines that a network reads as its original."""

    folder: Path
    manifest: LineManifest
    agreement: float


def export_lines(options: LineExportOptions) -> LineExportResult:
    """Write the artifact of the runs.

    Raises:
        InvalidRequest: a folder holds no finished run, the runs do not go together, the data is not named, or the name
            is none.
        ArtifactMismatch: an exported network reads otherwise than its original.
        ExtraMissing: TensorFlow is not installed.
    """
    folder_to_write(options.name, root=options.root)
    runs = [load_line_run(folder) for folder in options.runs]
    _check_together(runs)
    taught = course(runs[0].recipe)
    taught.check(options.data)
    ingredients = taught.load(options.data)
    lines = {**taught.held_out(options.data), "drawn": taught.samples(ingredients, options.drawn, seed=DRAWN_SEED)}
    return export_with(options, ingredients, lines)


def export_with(
    options: LineExportOptions,
    ingredients: Any,  # noqa: ANN401 - of its course
    lines: dict[str, list[Sample]],
) -> LineExportResult:
    """Write the artifact of the runs.

    Args:
        options: what to export; its folder of collections plays no part.
        ingredients: what the lines are made of that set the ranges of bytes.
        lines: on which the networks are compared with their originals, by name.

    Raises:
        InvalidRequest: a folder holds no finished run, the runs do not go together, or the name is none.
        ArtifactMismatch: an exported network reads otherwise than its original.
        ExtraMissing: TensorFlow is not installed.
    """
    folder = folder_to_write(options.name, root=options.root)
    runs = [load_line_run(each) for each in options.runs]
    _check_together(runs)
    taught = course(runs[0].recipe)
    networks = [load_line_network(each) for each in options.runs]
    contents = _contents(networks, taught, ingredients, count=options.representative)
    manifest = _manifest(options, runs, contents, taught)
    metrics = compare(LineRecogniser(contents, manifest), networks, lines)
    described_networks = tuple(
        replace(network, metrics=figures) for network, figures in zip(manifest.networks, metrics, strict=True)
    )
    manifest = replace(manifest, networks=described_networks)
    agreement = min(figures["agreement"] for figures in metrics)
    if agreement < AGREEMENT_NEEDED:
        raise ArtifactMismatch(f"An exported network agrees with its original on {agreement:.1%} of the lines only.")
    _write(folder, options, manifest, contents)
    return LineExportResult(folder, manifest, agreement)


def load_line_network(folder: Path) -> Any:  # noqa: ANN401 - keras.Model is untyped
    """Return the run's network, in float32 whatever it was trained in.

    Raises:
        InvalidRequest: the run's weights are missing or of another network.
    """
    network = course(load_line_run(folder).recipe).build()
    load_weights(network, folder / WEIGHTS)
    return network


def to_float(network: Any) -> bytes:  # noqa: ANN401
    """Return the network as LiteRT in float32: pixels in, logits (1, 1, frames, classes) out."""
    return converted(_by_frames(network))


def to_int8(network: Any, representative: Sequence[Sample]) -> bytes:  # noqa: ANN401
    """Return the network as LiteRT: int8 inside, bytes of pixels in, float32 logits (1, 1, frames, classes) out."""
    logits = _by_frames(network)

    def examples() -> Iterator[list[NDArray[np.float32]]]:
        # Both ends of the range, so that a pixel's byte is the quantised input as it stands.
        yield [np.zeros((1, LINE_HEIGHT, CALIBRATION_WIDTH, 1), np.float32)]
        yield [np.full((1, LINE_HEIGHT, CALIBRATION_WIDTH, 1), 255, np.float32)]
        for sample in representative:
            line = np.zeros((1, LINE_HEIGHT, CALIBRATION_WIDTH, 1), np.float32)
            part = sample.pixels[:, :CALIBRATION_WIDTH]
            line[0, :, : part.shape[1], 0] = part
            yield [line]

    return quantised(logits, examples)


def compare(
    reader: LineRecogniser,
    networks: Sequence[Any],
    lines: dict[str, list[Sample]],
) -> list[dict[str, float]]:
    """Return each network's shares of lines read whole, before and after, and of lines read the same."""
    found: list[dict[str, float]] = [{} for _ in networks]
    same, total = [0] * len(networks), sum(len(samples) for samples in lines.values())
    for name, samples in lines.items():
        here = reader.classify([sample.pixels for sample in samples])
        for place, network in enumerate(networks):
            exported = [_text(line[place]) for line in here]
            original = keras_texts(network, samples)
            found[place][name] = _share(exported, samples)
            found[place][f"{name}_keras"] = _share(original, samples)
            same[place] += sum(a == b for a, b in zip(exported, original, strict=True))
    for place, figures in enumerate(found):
        figures["agreement"] = round(same[place] / max(1, total), 5)
    return found


def keras_texts(network: Any, samples: list[Sample]) -> list[str]:  # noqa: ANN401
    """Return each line's text by the Keras network's likeliest frames."""
    tf = load_tensorflow()
    signature = [tf.TensorSpec([None, LINE_HEIGHT, None, 1])]
    infer = tf.function(lambda lines: network(lines, training=False), input_signature=signature, autograph=False)
    texts: dict[int, str] = {}
    for batch in batches(samples, 32, np.random.default_rng(0)):
        lines, frames = stacked(batch)
        found = greedy_texts(infer(lines).numpy(), frames)
        texts.update(zip(map(id, batch), found, strict=True))
    return [texts[id(sample)] for sample in samples]


def _check_together(runs: list[LineRun]) -> None:
    if not runs:
        raise InvalidRequest("Name at least one run.")
    if len({(run.line_version, run.recipe, run.parameters) for run in runs}) > 1:
        raise InvalidRequest("The runs do not go together: they learnt from other data, or are of other networks.")


def _contents(networks: Sequence[Any], taught: Course, ingredients: Any, *, count: int) -> list[bytes]:  # noqa: ANN401
    if not taught.int8:
        return [to_float(network) for network in networks]
    representative = taught.samples(ingredients, count, seed=REPRESENTATIVE_SEED)
    return [to_int8(network, representative) for network in networks]


def _by_frames(network: Any) -> Any:  # noqa: ANN401
    """Return the network without its last reshape, which would hold the number of frames: its width stays free."""
    fixed = _without_dilation(network)
    return load_keras().Model(fixed.input, fixed.get_layer("logits").output)


def _without_dilation(network: Any) -> Any:  # noqa: ANN401
    """Return the network at a fixed width, its dilated kernels written out with zeros.

    A dilated layer becomes three operations with the width built in, and keeps its batch normalisation from being
    folded into it.
    """
    keras = load_keras()

    def plain(layer: Any) -> Any:  # noqa: ANN401
        config = layer.get_config()
        if isinstance(layer, keras.layers.InputLayer):
            config["batch_shape"] = (None, LINE_HEIGHT, CALIBRATION_WIDTH, 1)
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            step = layer.dilation_rate[1]
            config["kernel_size"] = (1, (layer.kernel_size[1] - 1) * step + 1)
            config["dilation_rate"] = (1, 1)
        return type(layer).from_config(config)

    fixed = keras.models.clone_model(network, clone_function=plain)
    for layer, copy in zip(network.layers, fixed.layers, strict=True):
        weights = layer.get_weights()
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            wide = np.zeros(copy.get_weights()[0].shape, np.float32)
            wide[:, :: layer.dilation_rate[1]] = weights[0]
            weights[0] = wide
        copy.set_weights(weights)
    return fixed


def _text(line: NDArray[np.float32]) -> str:
    return greedy_texts(line[None], np.array([len(line)], np.int32))[0]


def _share(texts: list[str], samples: list[Sample]) -> float:
    right = sum(text == sample.text for text, sample in zip(texts, samples, strict=True))
    return round(right / max(1, len(samples)), 5)


def _manifest(options: LineExportOptions, runs: list[LineRun], contents: list[bytes], taught: Course) -> LineManifest:
    networks = []
    for number, (folder, run, content) in enumerate(zip(options.runs, runs, contents, strict=True), start=1):
        original = (folder / WEIGHTS).read_bytes()
        ships = options.original and len(original) < KERAS_SHIPS_BELOW_BYTES
        networks.append(
            LineNetwork(
                file=f"line-{number}.tflite",
                sha256=sha256(content).hexdigest(),
                seed=run.seed,
                command=run.command,
                epochs=run.epochs,
                keras_file=f"line-{number}.weights.h5" if ships else "",
                keras_sha256=sha256(original).hexdigest() if ships else "",
                begun_with=run.begun_with,
            )
        )
    first = runs[0]
    data = first.data or taught.described(options.data)
    return LineManifest(
        name=options.name,
        version=line_version_of([network.sha256 for network in networks]),
        networks=tuple(networks),
        line_version=first.line_version,
        line_height=LINE_HEIGHT,
        frame_columns=FRAME_COLUMNS,
        classes=LINE_CLASSES,
        parameters=first.parameters,
        data=data,
    )


def _write(folder: Path, options: LineExportOptions, manifest: LineManifest, contents: list[bytes]) -> None:
    with replaced_at_once(folder, manifest=LINE_MANIFEST) as part:
        for run, network, content in zip(options.runs, manifest.networks, contents, strict=True):
            (part / network.file).write_bytes(content)
            if network.keras_file:
                shutil.copyfile(run / WEIGHTS, part / network.keras_file)
        save_line_manifest(manifest, part)
    named = {name for network in manifest.networks for name in (network.file, network.keras_file)}
    for old in (*folder.glob("line-*.tflite"), *folder.glob("line-*.weights.h5")):
        if old.name not in named:
            old.unlink()
