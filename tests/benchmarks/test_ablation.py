"""What is taken away is away while it is read, and back afterwards."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.ablation import (
    CUTS_BY,
    NEEDS_TRAINING,
    WithoutGarbage,
    measure,
    trained,
    variants,
    without_commas,
    without_cuts,
    without_grammar,
)
from benchmarks.fields import SETS, Field, FieldSet
from forms.decoder import GARBAGE
from forms.field_types import field_type
from model.recogniser import Recogniser
from segmentation.cuts import find_components
from worker import recognising
from worker.networks import Networks, load_networks


def pieces() -> int:
    """Return into how many pieces two rings that touch are cut."""
    y, x = np.mgrid[:60, :120]
    rings = [np.abs(np.hypot((x - middle) / 0.8, y - 30) - 22) < 3 for middle in (35, 72)]
    return find_components(rings[0] | rings[1]).pieces.count


def test_without_its_garbage_class_the_network_calls_everything_a_digit() -> None:
    network = Recogniser.load()
    glyphs = np.zeros((3, 28, 28), np.uint8)
    glyphs[:, 4:24, 13:15] = 255
    scores = WithoutGarbage(network).classify(glyphs)
    assert GARBAGE in network.classes
    assert WithoutGarbage(network).classes == tuple("0123456789")
    assert scores.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert (scores.argmax(axis=1) == network.classify(glyphs)[:, :10].argmax(axis=1)).all()


def test_without_the_grammar_any_digits_are_a_date() -> None:
    with without_grammar():
        assert field_type("date").automaton.accepts("99999999")
        assert field_type("date").comb_cells
    assert not field_type("date").automaton.accepts("99999999")


def test_every_generator_of_cuts_has_a_say_and_can_be_taken_away() -> None:
    before = pieces()
    for name in CUTS_BY:
        with without_cuts(name):
            assert pieces() <= before
    with without_cuts(*CUTS_BY):
        assert pieces() == 1 < before
    assert pieces() == before


def test_without_commas_numbers_are_not_grouped() -> None:
    before = recognising.regrouped
    with without_commas():
        assert recognising.regrouped is not before
    assert recognising.regrouped is before


def test_every_variant_gives_back_what_it_took() -> None:
    network, before = Recogniser.load(), pieces()
    titles = []
    for variant in variants(Networks(network)):
        with variant.context():
            titles.append(variant.title)
        assert pieces() == before
    assert titles[0] == "everything"
    assert {"without the garbage class", "without combs", "without any cuts"} <= set(titles)


def test_every_variant_reads() -> None:
    scan = Path(__file__).parents[2] / "examples" / "scans" / "field-plain.png"
    fields = FieldSet(SETS[0], "a field", "digits", True, (Field(scan.name, "42020", scan.read_bytes()),))
    read = {
        each.title: measure(each, [fields]) for each in variants(load_networks("digits")) if SETS[0] in each.matters
    }
    assert {"with line reader 1 alone", "with line reader 2 alone", "the lattice's word counts nothing"} <= set(read)
    assert read["everything"]["a field"]["exact"] == 1.0
    assert all(figures["a field"]["n"] == 1 for figures in read.values())


def test_rows_of_other_trainings_are_named() -> None:
    title, folder = trained(f"{NEEDS_TRAINING[0]}=runs/artifacts/digits")
    assert (title, folder.name) == (NEEDS_TRAINING[0], "digits")
