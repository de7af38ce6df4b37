"""`tallyscan models`: which models there are, which one reads, and the way forward and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import answer_format, examples, home_option, load_settings
from cli.output import print_json, print_table
from cli.terminal import say
from core.errors import ModelRefused

if TYPE_CHECKING:
    from core.settings import Settings
    from storage.models import ModelShelf

SHOWN = 12
"""Digits of an id that people are shown."""


@click.group()
def models() -> None:
    """List, show and promote models, and go back to the one before.

    A model is named by the SHA-256 of what it holds, or the first digits of it; the shipped ones by their names.
    """


@models.command(
    "list", short_help="List the models, the active one marked.", epilog=examples("tallyscan models list --format json")
)
@home_option
@answer_format
def list_models(home: Path | None, format_name: str) -> None:
    """List the shipped models and those of the registry, the active one marked."""
    settings = load_settings(home)
    shelf, active = _shelf(settings)
    rows = [{"model": name, "active": name == active, "kind": "shipped"} for name in _shipped()]
    rows += [
        {"model": each, "active": each == active, "kind": "fine-tuned", **_gist(shelf, each)} for each in shelf.ids()
    ]
    if format_name == "json":
        print_json(rows)
        return
    columns = ("model", "active", "kind", "made from", "own before", "own after", "may be promoted")
    print_table(columns, (_cells(row) for row in rows))


@models.command(
    short_help="Show the card of a model.",
    epilog=examples("tallyscan models show 3f9a2c", "tallyscan models show 3f9a2c --format json"),
)
@click.argument("model")
@home_option
@answer_format
def show(model: str, home: Path | None, format_name: str) -> None:
    """Show the card of MODEL: data, terms, seed, command, figures, verdict, and where its files and plot are.

    Shipped networks that read no fields by themselves, such as micr and printed, have a card, too.
    """
    settings = load_settings(home)
    shelf, active = _shelf(settings)
    card, folder = _shipped_card(model)
    if not card:
        model = shelf.find(model)
        shelf.verify(model)
        card, folder = shelf.card(model), shelf.folder / model
    facts = {"model": model, "active": model == active, "folder": str(folder), **_calibration(folder), **card}
    if format_name == "json":
        print_json(facts)
        return
    print_table(("part", "value"), _flat(facts))


@models.command(epilog=examples("tallyscan models promote 3f9a2c", "tallyscan models promote digits"))
@click.argument("model")
@click.option("--anyway", is_flag=True, help="Although its card says that it is no gain.")
@home_option
def promote(model: str, anyway: bool, home: Path | None) -> None:
    """Let MODEL read from the next document on.

    It must load, and its card must say that it is a gain over what it was made from.
    """
    from model.artifacts import SHIPPED, artifact_folder
    from worker.networks import open_named

    settings = load_settings(home)
    shelf, _ = _shelf(settings)
    if not _is_shipped(model):
        if artifact_folder(model, root=SHIPPED).is_dir():
            raise click.UsageError(f"{model} reads no fields by itself: it is one kind of network alone.")
        model = shelf.find(model)
    open_named(model, settings)
    card = {} if _is_shipped(model) else shelf.card(model)
    if not _promotes(card) and not anyway:
        reasons = "; ".join(card["verdict"].get("reasons", ()))
        raise ModelRefused(f"{_short(model)} is no gain over what it was made from: {reasons}. --anyway promotes it.")
    shelf.promote(model)
    say(f"{_short(model)} reads from now on")
    warn_of_pin(settings)


@models.command(epilog=examples("tallyscan models rollback"))
@home_option
def rollback(home: Path | None) -> None:
    """Let the model read again that was active before."""
    settings = load_settings(home)
    shelf, _ = _shelf(settings)
    say(f"{_short(shelf.rollback().active)} reads from now on")
    warn_of_pin(settings)


def _shelf(settings: "Settings") -> "tuple[ModelShelf, str]":
    from storage.models import ModelShelf

    shelf = ModelShelf.of(settings)
    return shelf, shelf.pointer().active


def warn_of_pin(settings: "Settings") -> None:
    """Say so where a setting names what reads, or weighs it, whichever model is active."""
    from core.settings import ACTIVE_MODEL

    if settings.model != ACTIVE_MODEL:
        say(f"TALLYSCAN_MODEL={settings.model} is set: what reads under it does not change.", err=True)
    if settings.calibration is not None:
        say(
            "TALLYSCAN_CALIBRATION is set: it outweighs the model's own calibration, and was not made for it.", err=True
        )


def _shipped() -> list[str]:
    from model.artifacts import MANIFEST, SHIPPED
    from model.line_artifacts import LINE_MANIFEST

    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{MANIFEST}") if (path.parent / LINE_MANIFEST).exists())


def _is_shipped(name: str) -> bool:
    return name in _shipped()


def _shipped_card(name: str) -> tuple[dict[str, Any], Path]:
    """Return what the manifests of the shipped artifact say; nothing where there is none of that name."""
    from core.codec import to_json
    from model.artifacts import MANIFEST, artifact_folder, load_manifest
    from model.line_artifacts import LINE_MANIFEST, load_line_manifest

    folder = artifact_folder(name)
    parts = {"glyphs": (MANIFEST, load_manifest), "lines": (LINE_MANIFEST, load_line_manifest)}
    return {part: to_json(load(name)) for part, (file, load) in parts.items() if (folder / file).exists()}, folder


def _calibration(folder: Path) -> dict[str, str]:
    """Return whether the model's calibration was made for its networks; nothing of what reads no handwritten fields."""
    from model.artifacts import MANIFEST
    from worker.networks import CALIBRATION, load_networks

    if not (folder / MANIFEST).exists() or not (folder / CALIBRATION).exists():
        return {}
    networks = load_networks(folder.name, root=folder.parent)
    if not networks.calibrated:
        return {"calibration": "does not say for which networks it was made"}
    fits = networks.are_calibrated
    return {"calibration": "made for these networks" if fits else "MADE FOR OTHER NETWORKS: confidences mean little"}


def _gist(shelf: "ModelShelf", model_id: str) -> dict[str, Any]:
    """Return what the list says of a model; one without a card says nothing."""
    from core.errors import ArtifactError

    try:
        card = shelf.card(model_id)
    except ArtifactError:
        return {}
    own = card.get("figures", {}).get("corrections", {})
    shares = {
        f"own_{when}": round(own[when]["right"] / max(1, own[when]["fields"]), 4) for when in ("before", "after") if own
    }
    return {"base": card.get("base", {}).get("model"), **shares, "promotes": _promotes(card)}


def _promotes(card: dict[str, Any]) -> bool:
    """Return whether the model may be promoted; a card without a verdict has nothing against it."""
    return bool(card.get("verdict", {}).get("promotes", True))


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    shares = [f"{row[name]:.1%}" if name in row else "" for name in ("own_before", "own_after")]
    promotes = ("yes" if row["promotes"] else "no") if "promotes" in row else ""
    return (
        _short(row["model"]),
        "active" if row["active"] else "",
        row["kind"],
        _short(row.get("base") or ""),
        *shares,
        promotes,
    )


def _short(name: str) -> str:
    """Return the first digits of a model's id, or the whole name of a shipped one."""
    from storage.models import MODEL_ID

    return name[:SHOWN] if MODEL_ID.fullmatch(name) else name


def _flat(facts: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested facts as rows; the points of curves are for programs."""
    rows: list[tuple[str, str]] = []
    for name, value in facts.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for place, each in enumerate(value):
                rows += _flat(each, f"{prefix}{name}.{place}.")
        elif name != "curve":
            rows.append((f"{prefix}{name}", ", ".join(map(str, value)) if isinstance(value, list) else str(value)))
    return rows
