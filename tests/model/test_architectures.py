"""The networks have the size that is published, and the shape that the recogniser expects."""

import pytest

from core.errors import ExtraMissing, InvalidRequest
from model import training_extra
from model.architectures import ARCHITECTURES, build

pytest.importorskip("tensorflow", reason="the train extra is not installed")


def test_the_baseline_has_the_published_number_of_parameters() -> None:
    assert build("baseline", classes=10).count_params() == 760_234


@pytest.mark.parametrize("classes", [10, 11])
def test_small_is_small(classes: int) -> None:
    assert build("small", classes=classes).count_params() <= 250_000


@pytest.mark.parametrize("name", ["record", "record-3", "record-7"])
def test_the_record_networks_keep_to_their_limit(name: str) -> None:
    assert build(name, classes=10).count_params() <= 400_000


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_glyphs_go_in_and_a_score_for_each_class_comes_out(name: str) -> None:
    network = build(name, classes=11)
    assert network.input_shape == (None, 28, 28, 1)
    assert network.output_shape == (None, 11)


def test_an_unknown_architecture_names_the_known_ones() -> None:
    with pytest.raises(InvalidRequest, match="baseline, small"):
        build("huge", classes=10)


def test_a_missing_extra_is_said_in_one_line() -> None:
    with pytest.raises(ExtraMissing, match=r"tallyscan\[train\]") as caught:
        training_extra.load_extra("tensorflow_that_nobody_installed")
    assert "\n" not in str(caught.value)
