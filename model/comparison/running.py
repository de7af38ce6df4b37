"""A comparison from glyphs to results: features once, then every classifier in a process of its own on one core.

```
glyphs ─ features ─▶ WORK/*.npz ─ a classifier each ─▶ TRIALS/*.{json,npz} ─ vote, figures ─▶ Comparison
```

WORK and TRIALS are folders in the run's own. What is done stays there, so that a run that was stopped goes on. Seconds
are of the processor, not of the clock, so that neighbours on the machine do not count.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.errors import InvalidRequest
from core.files import written_at_once
from model.artifacts import SHIPPED
from model.comparison.features import FEATURES, FEATURES_VERSION
from model.comparison.figures import Figures, Labels, figures_of, voted
from model.comparison.material import T10K, VALIDATION, Fair, gather
from model.comparison.methods import METHODS, NETWORKS, Trial, try_baseline, try_method, try_shipped
from model.processes import processes

GLYPHS: Final = "glyphs"
SHIPS: Final = "shipped"
VOTE: Final = "vote"
"""Name of the vote among the classifiers."""

PLAN = "plan.json"
VOTERS: Final = 3
QUICK_EPOCHS: Final = 2

ONE_CORE: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
)
"""Read by libraries as they load, so they stand in the environment of the processes that train."""


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """What to compare.

    Attributes:
        out: folder for the report and all that leads to it.
        data: a folder of MNIST's IDX files, whose siblings hold the other collections; None asks Keras for MNIST.
        quick: a subset, to see that all is well.
        seed: of everything that is left to chance.
        jobs: classifiers at a time, a core each.
        resume: go on with the run in `out`.
        on_progress: called with what is done, of how many, and what was done last.
    """

    out: Path
    data: Path | None = None
    quick: bool = False
    seed: int = 1
    jobs: int = 2
    resume: bool = False
    on_progress: Callable[[int, int, str], None] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """A classifier in the comparison.

    Attributes:
        name: of its files.
        title: for a person.
        features: what it sees, for a person.
        settings: for a person.
        candidate: whether it may vote: it never saw the glyphs that the best are chosen by.
    """

    name: str
    title: str
    features: str
    settings: str
    candidate: bool = True


@dataclass(frozen=True, slots=True)
class Result:
    """What a classifier did, by name of the set; seconds and bytes as `Trial` has them."""

    entry: Entry
    validation_accuracy: float | None
    training_seconds: float | None
    testing_seconds: float
    size_bytes: int
    sets: dict[str, Figures]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All results, the best on the test images first.

    Attributes:
        results: of every classifier and of the vote.
        feature_seconds: of one core for a thousand glyphs, by name of the feature set.
        voters: names of the three that vote.
        glyphs: how many there were, by name of the set.
        missing: test sets that were not there.
        quick: whether this was a subset.
        seed: of everything that was left to chance.
        wall_seconds: from start to end by the clock; None where a run was gone on with, and so the next.
        core_seconds: of all cores together.
    """

    results: tuple[Result, ...]
    feature_seconds: dict[str, float]
    voters: tuple[str, ...]
    glyphs: dict[str, int]
    missing: tuple[str, ...]
    quick: bool
    seed: int
    wall_seconds: float | None
    core_seconds: float | None


@dataclass(frozen=True, slots=True)
class Read:
    """The test images and what everybody read in them: for the pictures of mistakes."""

    images: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]"
    labels: Labels
    by_entry: dict[str, Labels]


def compare(options: CompareOptions) -> tuple[Comparison, Read]:
    """Train and test everything and return what came of it.

    Raises:
        InvalidRequest: there is no such data; or `out` holds a run, and `resume` is off or it is of other data.
        WorkerLost: a process that trains was killed.
    """
    begun = (time.monotonic(), _core_seconds())
    fresh = _is_fresh(options)
    fair = gather(options.data, seed=options.seed, quick=options.quick)
    # Only now: a folder that was mistyped leaves nothing behind.
    _begin(options, fair)
    _store_glyphs(options.out, fair)
    with _one_core(), processes(options.jobs) as pool:
        _run_all(pool, options)
    found, read = _conclude(options, fair)
    if fresh:
        spent = time.monotonic() - begun[0], _core_seconds() - begun[1]
        found = replace(found, wall_seconds=spent[0], core_seconds=spent[1])
    shutil.rmtree(options.out / "work")
    return found, read


def entries(root: Path = SHIPPED) -> dict[str, Entry]:
    """Return everybody in the comparison but the vote, the slow ones first."""
    found = [
        Entry(f"{name}-{features}", method.title, FEATURES[features].title, method.settings)
        for name, method in METHODS.items()
        for features in method.features
    ]
    order = {"pixels": 0, "hog": 1, "structure": 2, "zones": 3}
    found.sort(key=lambda entry: order[entry.name.rpartition("-")[2]])
    baseline = Entry("baseline", "baseline CNN", "glyph", "Conv 32 of 4 × 4, pooling, dense 128-256-512-10")
    shipped = [
        Entry(f"{SHIPS}-{name}", network.title, "glyph", "int8, as it ships", candidate=False)
        for name, network in NETWORKS.items()
        if network.ships(root)
    ]
    return {entry.name: entry for entry in (baseline, *found, *shipped)}


def _core_seconds() -> float:
    """Return the processor's seconds of this process and of its children that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _plan(options: CompareOptions, fair: Fair) -> dict[str, Any]:
    sizes = {"quick": options.quick, "seed": options.seed, "glyphs": _counts(fair)}
    return {"data": str(options.data), **sizes, "features": FEATURES_VERSION}


def _counts(fair: Fair) -> dict[str, int]:
    return {"learnt from": len(fair.fit), **{name: len(part) for name, part in fair.sets.items()}}


def _is_fresh(options: CompareOptions) -> bool:
    """Return whether the folder holds no run yet.

    Raises:
        InvalidRequest: it holds one, and that is not to go on.
    """
    fresh = not (options.out / PLAN).exists()
    if not fresh and not options.resume:
        raise InvalidRequest(f"{options.out} holds a comparison already; go on with --resume or name another folder.")
    return fresh


def _begin(options: CompareOptions, fair: Fair) -> None:
    """Make the run's folder.

    Raises:
        InvalidRequest: it holds a run of another plan.
    """
    path, plan = options.out / PLAN, _plan(options, fair)
    if path.exists() and _known(path) != plan:
        raise InvalidRequest(
            f"The comparison in {options.out} is of other data or other sets beside it, another seed or size, "
            "or of figures taken otherwise."
        )
    for folder in ("work", "trials"):
        (options.out / folder).mkdir(parents=True, exist_ok=True)
    _write_json(path, plan)


def _known(plan: Path) -> object:
    try:
        return json.loads(plan.read_text("utf-8"))
    except ValueError:
        return None


def _store_glyphs(out: Path, fair: Fair) -> None:
    sets = {"fit": fair.fit, **fair.sets}
    images: dict[str, Any] = {name: part.images for name, part in sets.items()}
    np.savez(_stored(out, GLYPHS), **images)
    # As the baseline's training reads it.
    np.savez(out / "work" / "fit.npz", x_train=fair.fit.images, y_train=fair.fit.labels)


@contextmanager
def _one_core() -> Iterator[None]:
    kept = {name: os.environ.get(name) for name in ONE_CORE}
    os.environ.update(ONE_CORE)
    try:
        yield
    finally:
        for name, value in kept.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _run_all(pool: Executor, options: CompareOptions) -> None:
    """Take the features, then try everybody who was not tried yet."""
    waiting = [name for name in entries() if not _is_tried(options.out, name)]
    left = [name for name in FEATURES if not _is_taken(options.out, name, waiting)]
    total, done = len(FEATURES) + len(entries()), len(FEATURES) + len(entries()) - len(left) - len(waiting)
    for phase, names in ((_take_features, left), (_try_entry, waiting)):
        named = {pool.submit(phase, name, options.out, seed=options.seed, quick=options.quick): name for name in names}
        for future in as_completed(named):
            future.result()
            done += 1
            if options.on_progress:
                options.on_progress(done, total, named[future])


def _is_tried(out: Path, name: str) -> bool:
    """Return whether the classifier's trial is done; of a network that ships it never is: another may lie there now."""
    return not name.startswith(f"{SHIPS}-") and (out / "trials" / f"{name}.json").exists()


def _is_taken(out: Path, features: str, waiting: list[str]) -> bool:
    """Return whether the rows are there, or were and nobody waits for them: they go once a comparison is done."""
    wanted = any(name.rpartition("-")[2] == features for name in waiting)
    return _feature_time(out, features).exists() and (_stored(out, features).exists() or not wanted)


def _take_features(name: str, out: Path, **_options: Any) -> None:  # noqa: ANN401
    """Turn all glyphs into rows, and write down what that took for a thousand."""
    begun = time.process_time()
    with np.load(_stored(out, GLYPHS)) as glyphs:
        rows = {part: FEATURES[name].extract(glyphs[part]) for part in glyphs.files}
    spent = (time.process_time() - begun) * 1000 / sum(len(part) for part in rows.values())
    np.savez(_stored(out, name), **rows)  # type: ignore[arg-type]  # numpy's stub takes the names for options
    _write_json(_feature_time(out, name), spent)


def _try_entry(name: str, out: Path, *, seed: int, quick: bool) -> None:
    """Train and test one classifier, and write down what it did."""
    kind, _, what = name.rpartition("-")
    path = _stored(out, what if what in FEATURES else GLYPHS)
    with np.load(path) as arrays:
        sets = {part: arrays[part] for part in arrays.files if part != "fit"}
        fit = arrays["fit"]
    if kind == SHIPS:
        # It learnt from glyphs that the others only choose by.
        trial = try_shipped(NETWORKS[what].artifacts, {part: rows for part, rows in sets.items() if part != VALIDATION})
    elif what in FEATURES:
        with np.load(out / "work" / "fit.npz") as labelled:
            labels = labelled["y_train"].astype(np.int64)
        trial = try_method(kind, (fit, labels), sets, seed=seed, standardised=FEATURES[what].standardised)
    else:
        epochs = QUICK_EPOCHS if quick else None
        trial = try_baseline(out / "work" / "fit.npz", out / "work" / name, sets, seed=seed, epochs=epochs)
    _write_trial(out, name, trial)


def _write_trial(out: Path, name: str, trial: Trial) -> None:
    """Leave the trial in two files, the one that says it is done last."""
    np.savez_compressed(out / "trials" / f"{name}.npz", **trial.read)  # type: ignore[arg-type]
    known = {key: value for key, value in asdict(trial).items() if key != "read"}
    _write_json(out / "trials" / f"{name}.json", known)


def _write_json(path: Path, value: object) -> None:
    """Write the file at once: where it is, what it tells of is done."""
    with written_at_once(path) as partial:
        partial.write_text(json.dumps(value), "utf-8")


def _read_trial(out: Path, name: str) -> Trial:
    with np.load(out / "trials" / f"{name}.npz") as arrays:
        read = {part: arrays[part] for part in arrays.files}
    return Trial(read, **json.loads((out / "trials" / f"{name}.json").read_text("utf-8")))


def _conclude(options: CompareOptions, fair: Fair) -> tuple[Comparison, Read]:
    trials = {name: _read_trial(options.out, name) for name in entries()}
    results = [_result(entry, trials[name], fair) for name, entry in entries().items()]
    voters = best_voters(results)
    vote = _vote([trials[name] for name in voters])
    titles = ", ".join(f"{entries()[name].title} ({entries()[name].features})" for name in voters)
    entry = Entry(VOTE, "vote of the best three", "as each of them", titles, candidate=False)
    trials[VOTE] = vote
    results.append(_result(entry, vote, fair))
    results.sort(key=lambda result: -result.sets[T10K].accuracy)
    found = Comparison(
        results=tuple(results),
        feature_seconds={name: json.loads(_feature_time(options.out, name).read_text("utf-8")) for name in FEATURES},
        voters=voters,
        glyphs=_counts(fair),
        missing=fair.missing,
        quick=options.quick,
        seed=options.seed,
        wall_seconds=None,
        core_seconds=None,
    )
    by_entry = {result.entry.name: trials[result.entry.name].read[T10K] for result in results}
    return found, Read(fair.sets[T10K].images, fair.sets[T10K].labels, by_entry)


def _result(entry: Entry, trial: Trial, fair: Fair) -> Result:
    figures = {name: figures_of(read, fair.sets[name].labels) for name, read in trial.read.items()}
    chosen_by = figures.pop(VALIDATION, None)
    return Result(
        entry=entry,
        validation_accuracy=None if chosen_by is None else chosen_by.accuracy,
        training_seconds=trial.training_seconds,
        testing_seconds=trial.testing_seconds,
        size_bytes=trial.size_bytes,
        sets=figures,
    )


def best_voters(results: list[Result]) -> tuple[str, ...]:
    """Return the best three by the glyphs held out of training, best first; each method counts once, as its best.

    No test image has a say here.
    """
    ranked = sorted(
        (result for result in results if result.entry.candidate and result.validation_accuracy is not None),
        key=lambda result: -(result.validation_accuracy or 0),
    )
    best: dict[str, str] = {}
    for result in ranked:
        best.setdefault(result.entry.title, result.entry.name)
    return tuple(best.values())[:VOTERS]


def _vote(trials: list[Trial]) -> Trial:
    read = {name: voted([trial.read[name] for trial in trials]) for name in trials[0].read}
    return Trial(
        read,
        sum(trial.training_seconds or 0 for trial in trials),
        sum(trial.testing_seconds for trial in trials),
        sum(trial.size_bytes for trial in trials),
    )


def _stored(out: Path, name: str) -> Path:
    return out / "work" / f"{name}.npz"


def _feature_time(out: Path, name: str) -> Path:
    return out / "trials" / f"features-{name}.seconds"
