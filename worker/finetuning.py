"""From corrections to a model that may be promoted: learn, export, calibrate, measure before and after, judge.

```
corrections ─ split by document ─┬─ learn, with replay ─▶ networks ─ int8 ─ calibrate ─▶ model in the registry
                                 └─ held out ─────────────────────── before and after ─▶ its card
```
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from core.errors import InvalidRequest
from core.settings import Settings
from forms.confidence import Calibration
from model.artifacts import MANIFEST, SHIPPED, DataSource, artifact_folder, load_manifest, read_verified
from model.corpora import orand_strings
from model.history import RUN
from model.line.courses import CORRECTIONS
from model.line.export import LineExportOptions, export_with
from model.line.finetuning import Tuned, TuningOptions, has_room, tune
from model.line.material import FULL, OPEN, STRINGS, Ingredients, Sample, load_ingredients, make_samples
from model.line.network import build_line_reader
from model.line.own_ink import own_ink
from model.line.real import RealField
from model.line.training import WEIGHTS, LineRun, load_weights
from model.line.writing import OTHER
from model.line_artifacts import LineManifest, load_line_manifest
from model.training_extra import fast_precision, load_keras
from segmentation.line import LINE_VERSION, prepare_line
from storage.models import CARD, ModelShelf
from worker.calibrate import drawn_numbers, held_out_fields, no_numbers
from worker.calibrating import Evidence, LabelledField, calibrate, collect, recalibrate
from worker.corrected import CorrectedField, load_labels, picture, provenance, split
from worker.finetuning_report import NO_ROOM, Figures, Verdict, judge, measured, write_report
from worker.networks import CALIBRATION, Networks, load_uncalibrated, open_model, save_calibration
from worker.pipeline import Reader

FEWEST_LEARNT: Final = 20
FEWEST_HELD_OUT: Final = 5
"""Fewer say nothing, and teach nothing that lasts."""

FEWEST_CALIBRATED: Final = 20

OWN: Final = CORRECTIONS
"""Name of the user's own fields among the collections."""

DRAWN_FIELDS: Final = "drawn fields"
DRAWN: Final = 500
FROZEN_SEED: Final = 32
"""Fields, and of the hands that write them, which are watched for losses where there are no collections."""

REPRESENTATIVE: Final = 300
COMPARED: Final = 300
OWN_COMPARED: Final = 30
"""Lines on which an exported network must agree with its original. Few of the user's: of writing that it hardly knows
a network is in two minds, and each rounding gives another guess."""

COMPARED_SEED: Final = (2025, 2)

OWN_TERMS: Final = "the user's own"
DRAWN_TERMS: Final = "drawn by this program"


@dataclass(frozen=True, slots=True)
class FinetuneOptions:
    """What to learn from, and how.

    Attributes:
        corrections: folder of corrected fields.
        settings: of the installation; its model is the one that goes on learning.
        data: folder of the collections that it learnt from; None draws what it is reminded with.
        held_out: share of the corrections that it is measured on, by document.
        tuning: how a network goes on learning.
        command: for the card.
        frozen: fields to watch for losses; None takes those that the collections hold out or, without collections,
            numbers drawn by other hands than those that it is reminded with.
        tell: called with a line for people at every step.
    """

    corrections: Path
    settings: Settings
    data: Path | None = None
    held_out: float = 0.25
    tuning: TuningOptions = field(default_factory=TuningOptions)
    command: str = ""
    frozen: Sequence[LabelledField] | None = None
    tell: Callable[[str], None] = field(default=lambda _: None, compare=False)


@dataclass(frozen=True, slots=True)
class Finetuned:
    """The model that came of it, which is in the registry, promoted by nobody yet."""

    model_id: str
    verdict: Verdict
    before: dict[str, Figures]
    after: dict[str, Figures]
    card: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Parts:
    """The corrections, by what becomes of them.

    Attributes:
        learnt: fields to learn from.
        own: their pictures and texts.
        held: fields to measure on.
        no_room: how many teach nothing, since their text has no room on their line.
    """

    learnt: list[CorrectedField]
    own: list[RealField]
    held: list[CorrectedField]
    no_room: int


@dataclass(frozen=True, slots=True)
class _Base:
    """The model to begin from."""

    networks: Networks
    folder: Path
    lines: LineManifest
    calibration: Calibration

    def has_learnt_what_is_held_out(self, data: Path) -> bool:
        """Return whether it learnt from more of ORAND than its training part, as networks that ship may."""
        learnt = {source.name: source.samples for source in self.lines.data}
        return learnt.get("orand_car_a", 0) > len(orand_strings(data, training=True))


def finetune(options: FinetuneOptions) -> Finetuned:
    """Make a model out of the active one and a folder of corrections, and put it into the registry.

    Raises:
        InvalidRequest: there are too few corrections, or the model's originals did not ship.
        ArtifactMismatch: a file of the model was altered, or an exported network reads otherwise than its original.
        ExtraMissing: TensorFlow is not installed.
    """
    load_keras()
    parts = _parts(options)
    base = _base(options.settings)
    options.tell(
        f"begins from {base.networks.name[:12]}; learns from {len(parts.learnt)} fields, holds out {len(parts.held)}"
    )
    replay, sources = _replay(options, base)
    with tempfile.TemporaryDirectory(prefix="tallyscan-finetune-") as name:
        place = Path(name)
        model = _learn(options, base, parts.own, replay, place=place, sources=sources)
        fields = [*_frozen(options), *_labelled(options.corrections, parts.held)]
        options.tell(f"measures on {len(fields)} fields, before and after")
        known = _evidence(base.networks, base.calibration, fields, options)
        tuned = load_uncalibrated(model.name, root=model.parent)
        found = _evidence(tuned, base.calibration, fields, options)
        calibration, judged = _calibrated(options, base, tuned, found)
        save_calibration(model / CALIBRATION, calibration, networks=[tuned.digest])
        target = options.settings.target_error
        before = measured(known, base.calibration, fields, target_error=target)
        after = measured(found, calibration, fields, target_error=target, judged=judged)
        verdict = judge(before, after, own=OWN, target_error=target)
        card = _card(options, base, parts, sources, before=before, after=after, verdict=verdict)
        write_report(model, card, before, after)
        (model / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")
        model_id = ModelShelf.of(options.settings).add(model)
    return Finetuned(model_id, verdict, before, after, card)


def _parts(options: FinetuneOptions) -> _Parts:
    fields = [each for each in load_labels(options.corrections) if each.teaches]
    chosen, held = split(fields, share=options.held_out)
    pairs = [(each, RealField(picture(options.corrections, each), each.text)) for each in chosen]
    taught = [(each, own) for each, own in pairs if has_room(own)]
    no_room = len(chosen) - len(taught)
    if no_room:
        options.tell(f"leaves out {no_room} of {len(chosen)} fields: {NO_ROOM}")
    if len(taught) < FEWEST_LEARNT or len(held) < FEWEST_HELD_OUT:
        raise InvalidRequest(
            f"{options.corrections} holds {len(taught)} fields to learn from and {len(held)} in other documents to "
            f"measure on: at least {FEWEST_LEARNT} and {FEWEST_HELD_OUT} are needed."
        )
    return _Parts([each for each, _ in taught], [own for _, own in taught], held, no_room)


def _base(settings: Settings) -> _Base:
    networks = open_model(settings)
    root = SHIPPED if networks.model_id is None else ModelShelf.of(settings).folder
    if networks.lines is None or networks.calibration is None:
        raise InvalidRequest(f"The model {networks.name!r} has no line readers, and so nothing to fine-tune.")
    lines = load_line_manifest(networks.name, root=root)
    if not all(network.keras_file for network in lines.networks):
        raise InvalidRequest(f"The originals of the model {networks.name!r} did not ship with it.")
    return _Base(networks, artifact_folder(networks.name, root=root), lines, networks.calibration)


def _replay(options: FinetuneOptions, base: _Base) -> tuple[Ingredients, tuple[DataSource, ...]]:
    """Return what reminds the networks of what they know, and what that is."""
    if options.data is None:
        options.tell("no --data: is reminded of what it knows by drawn fields, not by what it learnt from")
        return Ingredients(own_ink(), [], [], []), (DataSource(DRAWN_FIELDS, 0, DRAWN_TERMS),)
    if base.has_learnt_what_is_held_out(options.data):
        options.tell(
            "has learnt the frozen sets, too: they show what is forgotten, and take no part in the calibration"
        )
    names = {source.name for source in base.lines.data}
    # Never everything: what is held out is measured on.
    recipe = FULL if "idrbt_cheques" in names else STRINGS if "orand_car_a" in names else OPEN
    options.tell(f"is reminded of what it knows by the collections of its recipe {recipe}")
    return load_ingredients(options.data, recipe=recipe), base.lines.data


def _learn(
    options: FinetuneOptions,
    base: _Base,
    own: Sequence[RealField],
    replay: Ingredients,
    *,
    place: Path,
    sources: tuple[DataSource, ...],
) -> Path:
    """Let each network go on learning; return the folder of the exported model, which has no calibration yet."""
    data = (*(s for s in (*base.lines.data, *sources) if s.name != OWN), DataSource(OWN, len(own), OWN_TERMS))
    runs = []
    for number, network in enumerate(base.lines.networks, start=1):
        folder = place / f"run-{number}"
        folder.mkdir()
        (folder / WEIGHTS).write_bytes(read_verified(base.folder / network.keras_file, network.keras_sha256))
        tuning = replace(options.tuning, seed=options.tuning.seed + number - 1, on_epoch=_teller(options, number))
        _tune(folder, own, replay, tuning)
        run = LineRun(
            seed=tuning.seed,
            command=options.command,
            line_version=LINE_VERSION,
            parameters=base.lines.parameters,
            recipe=OWN,
            epochs=network.epochs + tuning.epochs,
            data=tuple({source.name: source for source in data}.values()),
            begun_with=network.keras_sha256,
        )
        (folder / RUN).write_text(json.dumps(asdict(run)) + "\n", "utf-8")
        runs.append(folder)
    options.tell("exports the networks")
    lines = {
        OWN: [Sample(prepare_line(each.pixels).pixels, each.text or OTHER) for each in own[:OWN_COMPARED]],
        "replay": make_samples(replay, COMPARED, seed=COMPARED_SEED),
    }
    result = export_with(
        LineExportOptions(tuple(runs), None, name="model", root=place, representative=REPRESENTATIVE), replay, lines
    )
    manifest = load_manifest(base.networks.name, root=base.folder.parent)
    for name in (MANIFEST, manifest.file, manifest.keras_file):
        if name:
            shutil.copyfile(base.folder / name, result.folder / name)
    return result.folder


def _tune(folder: Path, own: Sequence[RealField], replay: Ingredients, tuning: TuningOptions) -> None:
    with fast_precision():
        network = build_line_reader()
        load_weights(network, folder / WEIGHTS)
        tune(network, own, replay, tuning)
        network.save_weights(folder / WEIGHTS)


def _teller(options: FinetuneOptions, number: int) -> Callable[[Tuned], None]:
    def tell(row: Tuned) -> None:
        options.tell(
            f"network {number}, epoch {row.epoch} of {options.tuning.epochs}: loss {row.loss:.3f}, {row.seconds:.0f} s"
        )

    return tell


def _frozen(options: FinetuneOptions) -> list[LabelledField]:
    """Return the fields to see what is lost by: none that this fine-tuning is reminded with."""
    if options.frozen is not None:
        return list(options.frozen)
    if options.data is not None:
        return list(held_out_fields(options.data))
    return [replace(each, collection=DRAWN_FIELDS) for each in drawn_numbers(own_ink(FROZEN_SEED), DRAWN)]


def _labelled(folder: Path, fields: Sequence[CorrectedField]) -> list[LabelledField]:
    return [
        LabelledField(each.file, (folder / each.file).read_bytes(), each.text, each.read_as, each.document, OWN)
        for each in fields
    ]


def _evidence(
    networks: Networks, calibration: Calibration, fields: Sequence[LabelledField], options: FinetuneOptions
) -> list[Evidence]:
    # Any weights will do: what is collected are the readers' own words.
    return collect(Reader.of(replace(networks, calibration=calibration), options.settings), fields)


def _calibrated(
    options: FinetuneOptions, base: _Base, tuned: Networks, found: Sequence[Evidence]
) -> tuple[Calibration, dict[str, tuple[str, float]]]:
    """Return the new model's calibration, and what each held-out correction reads by folds that it was not in."""
    if options.data is not None and not base.has_learnt_what_is_held_out(options.data):
        words = _evidence(tuned, base.calibration, list(no_numbers(options.data)), options)
        every = [*found, *words]
        calibration, judged = calibrate(every)
        outside = {
            each.field.name: one for each, one in zip(every, judged, strict=True) if each.field.collection == OWN
        }
        return calibration, outside
    own = [each for each in found if each.field.collection == OWN]
    if len(own) < FEWEST_CALIBRATED:
        return base.calibration, {}
    # A few dozen fields show no threshold: those that the base was calibrated with still speak.
    calibration, judged = recalibrate(own, base.calibration, keep=True)
    return calibration, {each.field.name: one for each, one in zip(own, judged, strict=True)}


def _card(
    options: FinetuneOptions,
    base: _Base,
    parts: _Parts,
    sources: tuple[DataSource, ...],
    *,
    before: dict[str, Figures],
    after: dict[str, Figures],
    verdict: Verdict,
) -> dict[str, Any]:
    labels = (options.corrections / "labels.csv").read_bytes()
    tuning = {
        name: value for name, value in asdict(replace(options.tuning, on_epoch=None)).items() if name != "on_epoch"
    }
    return {
        "base": {"model": base.networks.name, **asdict(base.networks.info)},
        "command": options.command,
        "seed": options.tuning.seed,
        "tuning": tuning,
        "corrections": {
            "learnt": len(parts.learnt),
            "left_out": parts.no_room,
            "held_out": len(parts.held),
            "documents_learnt": len({each.document for each in parts.learnt}),
            "documents_held_out": len({each.document for each in parts.held}),
            "confirmed": sum(each.confirms for each in (*parts.learnt, *parts.held)),
            "labels_sha256": hashlib.sha256(labels).hexdigest(),
            "provenance": provenance(options.corrections),
            "terms": OWN_TERMS,
        },
        "replay": [asdict(source) for source in sources],
        "data": [asdict(source) for source in base.lines.data],
        "target_error": options.settings.target_error,
        "figures": {name: {"before": asdict(before[name]), "after": asdict(after[name])} for name in before},
        "glyph_network": "unchanged",
        "verdict": asdict(verdict),
        "plot": "calibration.png",
    }
