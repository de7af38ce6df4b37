"""Training of the line reader: lines in, a run's folder out, which `model.line.export` turns into an artifact.

Every epoch is written down with the optimiser's state, so that a run that was stopped goes on where it was, and draws
what it would have drawn.
"""

import json
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from pathlib import Path
from time import perf_counter
from typing import Any, Final, TypeVar

import cv2
import numpy as np

from core.codec import from_json
from core.errors import InvalidRequest
from core.files import written_at_once
from model.artifacts import DataSource
from model.history import RUN, begun, commands, forget, note_command, note_weights
from model.line.batching import batches, ctc_labels, greedy_texts, stacked, varied
from model.line.courses import Course, course
from model.line.journal import TABLE, LineEpoch, read_journal, write_journal
from model.line.material import Sample
from model.line.network import BLANK
from model.processes import processes
from model.run_files import DAMAGE, readable, write_whole
from model.training_extra import fast_precision, load_keras, load_tensorflow
from segmentation.line import LINE_HEIGHT

Loaded = TypeVar("Loaded")

CHUNK: Final = 640
"""Samples that are drawn at a time, beside the training."""

PEAK_RATE: Final = 2e-3
WARM_UP_STEPS: Final = 300

EPOCHS: Final = 30

WEIGHTS: Final = "line.weights.h5"


@dataclass(frozen=True, slots=True)
class LineOptions:
    """What to train.

    Attributes:
        data: folder of collections; None where the recipe needs none.
        out: the run's folder.
        recipe: one that `model.line.courses` knows.
        seed: of everything that is left to chance.
        epochs: of `fresh` new samples and as many of the epoch before.
        fresh: new samples an epoch.
        batch_size: lines a step.
        until: stop after this epoch, as if interrupted; None goes to the end.
        rate: the highest, from which it falls to a hundredth of it; lower ones suit a network that has learnt already.
        begin: weights of an earlier training to begin with, as a run or an artifact holds them; None begins anew.
        resume: go on with the run in `out`; another recipe or number of epochs holds from there on.
        on_epoch: called with each finished epoch's row.
    """

    data: Path | None
    out: Path
    recipe: str = "digits"
    seed: int = 1
    epochs: int = EPOCHS
    fresh: int = 12_800
    batch_size: int = 32
    until: int | None = None
    rate: float = PEAK_RATE
    begin: Path | None = None
    resume: bool = False
    command: str = ""
    on_epoch: Callable[[LineEpoch], None] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class LineRun:
    """What a run's folder says of itself in `run.json`; `data` is empty in runs that did not write it down.

    `begun_with` is the SHA-256 of the weights that it began with, empty where it began anew.
    """

    seed: int
    command: str
    line_version: str
    parameters: int
    recipe: str
    epochs: int
    data: tuple[DataSource, ...] = ()
    begun_with: str = ""


def train_line_reader(options: LineOptions) -> list[LineEpoch]:
    """Train a line reader and leave the run in `options.out`; return its epochs.

    Raises:
        InvalidRequest: a run is there already and `resume` is off or it is damaged, a collection is missing or
            damaged, or the weights to begin with are those of another network.
        WorkerLost: the process that draws was killed.
        ExtraMissing: TensorFlow is not installed.
    """
    if (options.out / TABLE).exists() and not options.resume:
        raise InvalidRequest(f"{options.out} holds a run already; go on with --resume or name another folder.")
    taught = course(options.recipe)
    taught.check(options.data)
    options.out.mkdir(parents=True, exist_ok=True)
    keras = load_keras()
    keras.utils.set_random_seed(options.seed)
    with fast_precision():
        trainer = _Trainer(options, taught)
        rows = read_journal(options.out)
        trainer.restore(len(rows))
        if not rows:
            # What a run left that was killed in its first epoch is none of this one's.
            forget(options.out)
        if options.begin is not None and not rows:
            load_weights(trainer.network, options.begin)
            note_weights(options.out, options.begin)
        note_command(options.out, options.command)
        references = _loaded(taught.held_out, options.data)
        with processes(1) as drawer:
            feed = _Feed(drawer, options)
            for epoch in range(len(rows), min(options.epochs, options.until or options.epochs)):
                rows.append(trainer.epoch(epoch, feed.samples(epoch), references))
                trainer.save(epoch + 1)
                write_journal(options.out, rows)
                if options.on_epoch:
                    options.on_epoch(rows[-1])
        if len(rows) == options.epochs:
            trainer.finish()
    return rows


def load_line_run(folder: Path) -> LineRun:
    """Return what the run in `folder` says of itself.

    Raises:
        InvalidRequest: there is no finished run of a line reader.
    """
    try:
        return from_json(LineRun, json.loads((folder / RUN).read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{folder} holds no finished training of a line reader.") from error


def load_weights(network: Any, path: Path) -> None:  # noqa: ANN401 - keras.Model is untyped
    """Give the network the weights in the file at `path`.

    Raises:
        InvalidRequest: they are missing or of another network.
    """
    try:
        with warnings.catch_warnings():
            # Keras only warns where it leaves layers as they were.
            warnings.simplefilter("error", UserWarning)
            network.load_weights(path)
    except (OSError, ValueError, UserWarning) as error:
        raise InvalidRequest(f"{path} holds no weights of a line reader.") from error


class _Feed:
    """Draws the samples of the next epoch while one is being trained on."""

    def __init__(self, drawer: Executor, options: LineOptions) -> None:
        self._drawer = drawer
        self._options = options
        self._pending: dict[int, list[Future[list[Sample]]]] = {}
        self._drawn: dict[int, list[Sample]] = {}

    def samples(self, epoch: int) -> list[Sample]:
        """Return the epoch's new samples and those of the epoch before."""
        for number in (max(0, epoch - 1), epoch, epoch + 1):
            self._ask(number)
        parts = [self._get(number) for number in {max(0, epoch - 1), epoch}]
        self._drawn = {number: kept for number, kept in self._drawn.items() if number >= epoch}
        return [sample for part in parts for sample in part]

    def _ask(self, number: int) -> None:
        if number in self._pending or number in self._drawn or number >= self._options.epochs:
            return
        given = self._options
        sizes = [min(CHUNK, given.fresh - start) for start in range(0, given.fresh, CHUNK)]
        self._pending[number] = [
            self._drawer.submit(_draw_chunk, given.data, given.recipe, size, (given.seed, number, chunk))
            for chunk, size in enumerate(sizes)
        ]

    def _get(self, number: int) -> list[Sample]:
        if number not in self._drawn:
            self._drawn[number] = [sample for chunk in self._pending.pop(number) for sample in chunk.result()]
        return self._drawn[number]


class _Trainer:
    """The network, its optimiser, and one step of both."""

    def __init__(self, options: LineOptions, taught: Course) -> None:
        keras, tf = load_keras(), load_tensorflow()
        self._options, self._course = options, taught
        self.network = taught.build()
        self._optimiser = keras.optimizers.AdamW(PEAK_RATE, weight_decay=1e-4, clipnorm=5.0)
        self._step = ctc_step(self.network, self._optimiser)
        self._checkpoint = tf.train.Checkpoint(network=self.network, optimiser=self._optimiser)
        self._steps_an_epoch = -(-2 * options.fresh // options.batch_size)
        lines = tf.TensorSpec([None, LINE_HEIGHT, None, 1])
        self._infer = tf.function(self._outputs, input_signature=[lines], autograph=False)

    def epoch(self, epoch: int, samples: list[Sample], references: dict[str, list[Sample]]) -> LineEpoch:
        """Train one epoch and measure it on the held-out strings."""
        started = perf_counter()
        rng = np.random.default_rng((self._options.seed, epoch))
        self._seed_dropout(epoch)
        losses = []
        for step, batch in enumerate(batches(samples, self._options.batch_size, rng)):
            losses.append(self._step(batch, self._rate(epoch * self._steps_an_epoch + step), rng))
        exact = {name: self._exact(strings) for name, strings in references.items()}
        loss, seconds = round(float(np.mean(losses)), 4), round(perf_counter() - started, 1)
        return LineEpoch(epoch + 1, loss, seconds, exact)

    def _seed_dropout(self, epoch: int) -> None:
        """Let dropout drop the same in an epoch, whether the ones before were trained now or in another process."""
        rng = np.random.default_rng((self._options.seed, epoch, 0))
        for layer in self.network.layers:
            if hasattr(layer, "seed_generator"):
                layer.seed_generator.state.assign(rng.integers(0, 1 << 31, 2))

    def save(self, epochs: int) -> None:
        """Keep the state after so many epochs, and the one before: the journal may not be written any more."""
        self._checkpoint.write(str(self._options.out / f"state-{epochs}"))
        for old in self._options.out.glob("state-*"):
            if old.stem not in {f"state-{epochs}", f"state-{epochs - 1}"}:
                old.unlink()

    def restore(self, epochs: int) -> None:
        """Go back to the state after so many epochs; nothing is done for none.

        Raises:
            InvalidRequest: the state is missing, damaged or of another network.
        """
        if epochs:
            damage = (*DAMAGE, load_tensorflow().errors.OpError)
            with readable(self._options.out / f"state-{epochs}", damage=damage) as path:
                self._checkpoint.read(str(path)).assert_existing_objects_matched()

    def finish(self) -> None:
        """Write the weights and what the run was."""
        write_whole(self._options.out / WEIGHTS, self.network.save_weights)
        run = LineRun(
            seed=self._options.seed,
            command=commands(self._options.out),
            line_version=self._course.version,
            parameters=int(self.network.count_params()),
            recipe=self._options.recipe,
            epochs=self._options.epochs,
            data=self._course.described(self._options.data),
            begun_with=begun(self._options.out).sha256,
        )
        with written_at_once(self._options.out / RUN) as part:
            part.write_text(json.dumps(asdict(run), indent=2) + "\n", "utf-8")

    def _outputs(self, lines: Any) -> Any:  # noqa: ANN401
        return self.network(lines, training=False)

    def _rate(self, step: int) -> float:
        share = min(1.0, step / (self._steps_an_epoch * self._options.epochs))
        return (
            self._options.rate
            * min(1.0, (step + 1) / WARM_UP_STEPS)
            * (0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * share))))
        )

    def _exact(self, strings: list[Sample]) -> float:
        right = 0
        for batch in batches(strings, 64, np.random.default_rng(0)):
            lines, frames = stacked(batch)
            texts = greedy_texts(self._infer(lines).numpy(), frames)
            right += sum(text == sample.text for text, sample in zip(texts, batch, strict=True))
        return round(right / max(1, len(strings)), 4)


def ctc_step(network: Any, optimiser: Any) -> Callable[[list[Sample], float, np.random.Generator], float]:  # noqa: ANN401
    """Return what takes one step on a batch at a learning rate, and gives the loss (CTC, Graves et al. 2006)."""
    tf = load_tensorflow()
    optimiser.build(network.trainable_variables)

    def learn(lines: Any, labels: Any, frames: Any) -> Any:  # noqa: ANN401
        with tf.GradientTape() as tape:
            logits = network(lines, training=True)
            losses = tf.nn.ctc_loss(labels, logits, None, frames, logits_time_major=False, blank_index=BLANK)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, network.trainable_variables)
        optimiser.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        return loss

    signature = [
        tf.TensorSpec([None, LINE_HEIGHT, None, 1]),
        tf.SparseTensorSpec([None, None], tf.int32),
        tf.TensorSpec([None], tf.int32),
    ]
    compiled = tf.function(learn, input_signature=signature, autograph=False)

    def step(batch: list[Sample], rate: float, rng: np.random.Generator) -> float:
        optimiser.learning_rate.assign(rate)
        lines, frames = stacked(batch)
        return float(compiled(varied(lines, rng), ctc_labels(batch), frames))

    return step


def _draw_chunk(data: Path | None, recipe: str, count: int, seed: tuple[int, ...]) -> list[Sample]:
    return _drawer(data, recipe)(count, seed=seed)


@cache
def _drawer(data: Path | None, recipe: str) -> Callable[..., list[Sample]]:
    """Return what the drawing process draws with; loaded once in it."""
    cv2.setNumThreads(1)
    taught = course(recipe)
    return partial(taught.samples, _loaded(taught.load, data))


def _loaded(load: Callable[[Path | None], Loaded], data: Path | None) -> Loaded:
    """Return what `load` makes of the data.

    Raises:
        InvalidRequest: some of it is missing or damaged.
    """
    try:
        return load(data)
    except (OSError, EOFError, ValueError, KeyError, zlib.error) as error:
        raise InvalidRequest(f"{data} cannot be learnt from: {type(error).__name__}, {error}") from error
