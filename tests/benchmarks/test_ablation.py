"""What is taken away is away while it is read, and back afterwards."""

import numpy as np
import pytest

from benchmarks.ablation import NEEDS_TRAINING, WithoutGarbage, trained, variants, without_grammar
from forms.decoder import GARBAGE
from forms.field_types import field_type
from model.recogniser import Recogniser
from segmentation import cuts
from worker.networks import Networks


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


def test_every_generator_of_cuts_is_taken_away_in_turn() -> None:
    before = dict(cuts.CUT_GENERATORS)
    seen = []
    for variant in variants(Networks(Recogniser.load())):
        with variant.context():
            seen.append((variant.title, len(before) - len(cuts.CUT_GENERATORS)))
    assert seen[0] == ("everything", 0)
    assert [(title, 1) for title in (f"without cuts by {name}" for name in before)] == [e for e in seen if e[1] == 1]
    assert seen[-1] == ("without any cuts", len(before))
    assert before == cuts.CUT_GENERATORS


def test_rows_of_other_trainings_are_named() -> None:
    title, folder = trained(f"{NEEDS_TRAINING[0]}=runs/artifacts/digits")
    assert (title, folder.name) == (NEEDS_TRAINING[0], "digits")
