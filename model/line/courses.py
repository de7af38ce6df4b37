"""What a line reader may learn, by recipe: handwriting, or print; where its lines come from, and how large it is."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from core.errors import InvalidRequest
from model.artifacts import DataSource
from model.line import material as written
from model.line.material import Sample
from model.line.network import PRINT_SIZE, WRITING_SIZE, build_line_reader
from model.printed import material as printed
from model.printed.fonts import load_fonts
from segmentation.line import LINE_VERSION
from segmentation.printed import PRINT_VERSION

PRINTED: Final = "printed"
CORRECTIONS: Final = "corrections"
"""What fine-tuning teaches a reader of handwriting; nothing that a training can begin with."""

RECIPES: Final = (*written.RECIPES, PRINTED)


@dataclass(frozen=True, slots=True)
class Course:
    """What a line reader learns.

    Attributes:
        version: of the function that makes its lines.
        int8: whether it is exported in bytes; else in float32.
        build: returns the untrained network.
        check: refuses data that cannot be learnt from.
        load: returns what samples are made of.
        samples: makes so many of them, the same ones for the same seed.
        held_out: returns the lines that nothing is learnt from, by collection.
        described: says what a training learns from.
    """

    version: str
    int8: bool
    build: Callable[[], Any]
    check: Callable[[Path | None], None]
    load: Callable[[Path | None], Any]
    samples: Callable[..., list[Sample]]
    held_out: Callable[[Path | None], dict[str, list[Sample]]]
    described: Callable[[Path | None], tuple[DataSource, ...]]


def course(recipe: str) -> Course:
    """Return what the recipe teaches.

    Raises:
        InvalidRequest: there is no such recipe.
    """
    if recipe == PRINTED:
        return Course(
            version=PRINT_VERSION,
            int8=False,
            build=partial(build_line_reader, size=PRINT_SIZE),
            check=lambda _: _ignore(load_fonts()),
            load=lambda _: load_fonts(),
            samples=printed.make_samples,
            held_out=lambda _: printed.held_out(load_fonts()),
            described=lambda _: printed.described(load_fonts()),
        )
    if recipe not in {*written.RECIPES, CORRECTIONS}:
        raise InvalidRequest(f"Line readers know no recipe {recipe!r}; they know: {', '.join(RECIPES)}.")
    return Course(
        version=LINE_VERSION,
        int8=True,
        build=partial(build_line_reader, size=WRITING_SIZE),
        check=lambda data: written.check_collections(_named(data), recipe=recipe),
        load=lambda data: written.load_ingredients(_named(data), recipe=recipe),
        samples=written.make_samples,
        held_out=lambda data: written.held_out(_named(data), recipe=recipe),
        described=lambda data: written.described(_named(data), recipe=recipe),
    )


def _named(data: Path | None) -> Path:
    if data is None:
        raise InvalidRequest("This recipe learns from the folder of collections; name it.")
    return data


def _ignore(_: object) -> None:
    """Take what is only asked for to see whether it is there."""
