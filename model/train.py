"""Training: a recipe's glyphs in, a run's folder out, which `model.export` turns into an artifact.

Every epoch is written down, so that a run that was stopped goes on where it was: the same seed and epoch
draw the same glyphs.
"""

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InvalidRequest
from core.files import written_at_once
from model import journal
from model.architectures import build
from model.artifacts import DataSource
from model.augment import Strength, augment
from model.averaging import Averaging
from model.history import RUN, command_line, commands, forget, note_command
from model.material import Material, draw
from model.recipes import Ingredients, prepare
from model.regimes import REGIMES, Regime
from model.run_files import write_whole
from model.training_extra import fast_precision, load_keras, load_tensorflow
from model.views import PLAIN, check_view, seen

HELD_OUT_KEPT = 4000
"""Held-out glyphs that stay with the run: the export quantises and calibrates with them."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is: `step` of `steps` in `epoch` of `epochs`, both from 1, with what was measured."""

    epoch: int
    epochs: int
    step: int
    steps: int
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """What to train.

    Attributes:
        out: the run's folder.
        arch: a name that `model.architectures` knows.
        recipe: a name that `model.recipes` knows.
        view: a name that `model.views` knows.
        data: a file or folder; None asks Keras for MNIST.
        seed: of everything that is left to chance.
        epochs: at most; None takes the architecture's regime.
        batch_size: None takes the architecture's regime.
        patience: epochs without gain before it stops; None takes the architecture's regime.
        limit: at most as many glyphs of a source, for a quick try.
        teacher: folder of an artifact that finds the digits in pictures of which only the text is known.
        resume: go on with the run in `out`, which had the same network, recipe, seed and glyphs.
        command: how to repeat it, for the manifest.
        on_progress: called every few steps and after each epoch.
    """

    out: Path
    arch: str = "small"
    recipe: str = "plain"
    view: str = PLAIN
    data: Path | None = None
    seed: int = 1
    epochs: int | None = None
    batch_size: int | None = None
    patience: int | None = None
    limit: int | None = None
    teacher: Path | None = None
    resume: bool = False
    command: str = ""
    on_progress: Callable[[Progress], None] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Run:
    """What a run's folder says of itself in `run.json`."""

    arch: str
    recipe: str
    classes: tuple[str, ...]
    seed: int
    command: str
    normalisation_version: str
    parameters: int
    data: tuple[DataSource, ...] = ()
    keras_sha256: str = ""
    view: str = PLAIN


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What came of a training: the folder, and the figures of its best epoch on the glyphs held out."""

    out: Path
    parameters: int
    epochs: int
    best_epoch: int
    best_loss: float
    best_accuracy: float


def train(options: TrainOptions) -> TrainResult:
    """Train a network and leave the run in `options.out`.

    Raises:
        InvalidRequest: no such architecture, recipe, view or data; or a run is there already and `resume` is off, or it
            is another training or damaged; or no epoch's loss was a number.
        ExtraMissing: TensorFlow is not installed.
    """
    keras = load_keras()
    if journal.exists(options.out) and not options.resume:
        raise InvalidRequest(f"{options.out} holds a run already; go on with --resume or name another folder.")
    keras.utils.set_random_seed(options.seed)
    regime = _regime(options)
    check_view(options.view)
    material = prepare(options.recipe, _ingredients(options))
    record = journal.read(options.out, training=_training(material, options))
    with fast_precision() if regime.half_precision else nullcontext():
        network = build(options.arch, classes=len(material.classes))
    _compile(network, regime, steps=_steps(material, regime))
    average = Averaging(network, regime.averaging) if regime.averaging else None
    journal.restore(options.out, record, network, average)
    # Only now: a run that cannot go on stays as it was.
    _begin(material, record, options)
    record = _epochs(network, average, material, regime, record, options)
    if not isfinite(record.best.val_loss):
        raise InvalidRequest(f"The training in {options.out} came to nothing: no epoch's loss is a number.")
    return _finish(network, material, record, options)


def _ingredients(options: TrainOptions) -> Ingredients:
    return Ingredients(options.data, options.seed, limit=options.limit, teacher=options.teacher)


def _regime(options: TrainOptions) -> Regime:
    if options.arch not in REGIMES:
        raise InvalidRequest(f"There is no architecture {options.arch!r}; there is: {', '.join(REGIMES)}.")
    regime = asdict(REGIMES[options.arch])
    strength = REGIMES[options.arch].strength
    chosen = {"epochs": options.epochs, "batch_size": options.batch_size, "patience": options.patience}
    regime.update({name: value for name, value in chosen.items() if value is not None}, strength=strength)
    return Regime(**regime)


def _steps(material: Material, regime: Regime) -> int:
    drawn = sum(source.drawn for source in material.sources)
    return -(-drawn // regime.batch_size)


def _compile(network: Any, regime: Regime, *, steps: int) -> None:  # noqa: ANN401 - keras.Model is untyped
    keras = load_keras()
    rate: Any = regime.learning_rate
    if regime.cosine:
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=regime.learning_rate / 20,
            decay_steps=steps * max(1, regime.epochs - 1),
            warmup_target=regime.learning_rate,
            warmup_steps=steps,
        )
    network.compile(
        keras.optimizers.AdamW(rate, weight_decay=regime.weight_decay)
        if regime.weight_decay
        else keras.optimizers.Adam(rate),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=regime.label_smoothing),
        metrics=["accuracy"],
    )


def _training(material: Material, options: TrainOptions) -> str:
    """Return what a run that is gone on with must have in common with the one before."""
    view = "" if options.view == PLAIN else f", view {options.view}"
    return (
        f"{options.arch} of {len(material.classes)} classes, recipe {options.recipe}{view}, seed {options.seed}, "
        f"{sum(len(source.samples) for source in material.sources)} glyphs of digest {_digest(material)}"
    )


def _digest(material: Material) -> str:
    """Return what tells the glyphs and their labels from as many others."""
    digest = sha256("\n".join(material.classes).encode())
    for samples in (*(source.samples for source in material.sources), material.held_out):
        digest.update(samples.images.tobytes())
        digest.update(samples.labels.tobytes())
    return digest.hexdigest()[:12]


def _begin(material: Material, record: journal.Journal, options: TrainOptions) -> None:
    """Make the run's folder with all that is known before the next epoch."""
    options.out.mkdir(parents=True, exist_ok=True)
    if not record.rows:
        # What a run left that was killed in its first epoch is none of this one's.
        forget(options.out)
    journal.tidy(options.out, record)
    _keep_held_out(material, options)
    note_command(options.out, options.command or _command(options))


def _keep_held_out(material: Material, options: TrainOptions) -> None:
    order = np.random.default_rng(options.seed).permutation(len(material.held_out))[:HELD_OUT_KEPT]
    kept = material.held_out.take(order)
    write = partial(np.savez_compressed, x=kept.images, y=kept.labels, classes=np.array(material.classes))
    write_whole(options.out / "held_out.npz", write)


def _epochs(
    network: Any,  # noqa: ANN401
    average: Averaging | None,
    material: Material,
    regime: Regime,
    record: journal.Journal,
    options: TrainOptions,
) -> journal.Journal:
    """Train epoch by epoch until the regime ends or patience does, and return the record."""
    held_out = _held_out(material, regime, options.view)
    feed = _Feed(material, regime, options)
    while len(record.rows) < regime.epochs and record.epochs_without_gain < regime.patience:
        epoch = len(record.rows)
        load_keras().utils.set_random_seed(options.seed + epoch)
        seen = network.fit(
            feed.epoch(epoch),
            initial_epoch=epoch,
            epochs=epoch + 1,
            verbose=0,
            shuffle=False,
            callbacks=[_reporter(options, epoch, regime.epochs), *([average.callback()] if average else [])],
        )
        with average.in_place() if average else nullcontext():
            loss, accuracy = network.evaluate(held_out, verbose=0)
            record = record.plus(seen.history["loss"][0], seen.history["accuracy"][0], loss, accuracy)
            journal.keep_best(options.out, record, network)
        journal.write(options.out, record, network, average)
    return record


class _Feed:
    """The epochs of a training as tf.data, drawn and changed by chance."""

    def __init__(self, material: Material, regime: Regime, options: TrainOptions) -> None:
        tf = load_tensorflow()
        self._material, self._regime, self._seed = material, regime, options.seed
        self._images = tf.constant(seen(material.images, options.view))
        self._labels = tf.one_hot(material.labels, len(material.classes))

    def epoch(self, epoch: int) -> Any:  # noqa: ANN401 - tf.data.Dataset is untyped
        """Return the batches of `epoch`; the same for the same seed."""
        tf = load_tensorflow()
        order = draw(self._material, seed=self._seed, epoch=epoch)
        batches = tf.data.Dataset.from_tensor_slices(order).batch(self._regime.batch_size)
        strength = self._strength(epoch)

        def batch(index: Any) -> tuple[Any, Any]:  # noqa: ANN401
            return self._changed(index, strength)

        # One mapping thread: with more, the order of the random numbers, and so the run, would be left to chance.
        return batches.map(tf.autograph.experimental.do_not_convert(batch)).prefetch(8)

    def _strength(self, epoch: int) -> Strength | None:
        full = self._regime.strength
        return full if full is None or epoch < self._regime.settle_after else full.milder()

    def _changed(self, index: Any, strength: Strength | None) -> tuple[Any, Any]:  # noqa: ANN401
        tf = load_tensorflow()
        images = tf.cast(tf.gather(self._images, index)[..., None], tf.float32)
        if strength is not None:
            images = augment(images, strength)
        return images, tf.gather(self._labels, index)


def _held_out(material: Material, regime: Regime, view: str) -> Any:  # noqa: ANN401
    tf = load_tensorflow()
    held = material.held_out
    images = seen(held.images, view)[..., None].astype(np.float32)
    labels = np.eye(len(material.classes), dtype=np.float32)[held.labels]
    return tf.data.Dataset.from_tensor_slices((images, labels)).batch(max(256, regime.batch_size))


def _reporter(options: TrainOptions, epoch: int, epochs: int) -> Any:  # noqa: ANN401
    """Return the Keras callback that tells the caller how far it is."""
    keras = load_keras()

    def report(batch: int, logs: dict[str, float] | None) -> None:
        steps = callback.params.get("steps") or 0
        if options.on_progress and (batch % 20 == 0 or batch + 1 == steps):
            metrics = {name: float(value) for name, value in (logs or {}).items()}
            options.on_progress(Progress(epoch + 1, epochs, batch + 1, steps, metrics))

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=report)
    return callback


def _finish(network: Any, material: Material, record: journal.Journal, options: TrainOptions) -> TrainResult:  # noqa: ANN401
    """Save the best epoch's network with what is known of it."""
    # Built anew: what is kept has nothing of the training's precision.
    sha256 = journal.save_best(options.out, build(options.arch, classes=len(material.classes)))
    run = Run(
        arch=options.arch,
        recipe=options.recipe,
        classes=material.classes,
        seed=options.seed,
        command=commands(options.out),
        normalisation_version=material.normalisation_version,
        parameters=int(network.count_params()),
        data=material.described(),
        keras_sha256=sha256,
        view=options.view,
    )
    text = json.dumps(asdict(run), indent=2, ensure_ascii=False)
    with written_at_once(options.out / RUN) as part:
        part.write_text(text + "\n", "utf-8")
    best = record.best
    return TrainResult(options.out, run.parameters, len(record.rows), best.epoch, best.val_loss, best.val_accuracy)


def _command(options: TrainOptions) -> str:
    """Return the command line that repeats the run."""
    parts: list[object] = ["train", *([options.data] if options.data else [])]
    parts += ["--arch", options.arch, "--recipe", options.recipe]
    parts += [] if options.view == PLAIN else ["--view", options.view]
    parts += ["--teacher", options.teacher] if options.teacher else []
    parts += ["--seed", options.seed]
    for name in ("epochs", "patience", "limit", "batch_size"):
        value = getattr(options, name)
        parts += [] if value is None else [f"--{name.replace('_', '-')}", value]
    return command_line([*parts, "--out", options.out])
