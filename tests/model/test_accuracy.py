"""What the shipped network is held to, on real glyphs that it never saw."""

from pathlib import Path

import numpy as np
import pytest

from model.artifacts import SHIPPED, load_manifest
from model.comparison.methods import NETWORKS
from model.corpora import evaluation_sets
from model.datasets import Samples
from model.ensemble import Ensemble
from model.evaluate import EvaluateOptions, evaluate
from model.export import keras_logits, load_network
from model.recogniser import Recogniser
from model.scores import accuracy, read_digits


@pytest.fixture(scope="module")
def t10k(shared_data: Path) -> Samples:
    return evaluation_sets(shared_data, names=("mnist-t10k",))["mnist-t10k"]


def test_mnist_is_read_to_the_promised_accuracy(t10k: Samples) -> None:
    assert accuracy(Recogniser.load().classify(t10k.images), t10k.labels) >= 0.995


def test_what_learnt_from_mnist_alone_reads_its_test_better(t10k: Samples) -> None:
    manifest = load_manifest("mnist")
    assert manifest.parameters <= 400_000
    assert [source.name for source in manifest.data] == ["mnist"]
    measured = accuracy(Recogniser.load("mnist").classify(t10k.images), t10k.labels)
    assert measured >= 0.997
    assert manifest.metrics["mnist-t10k"]["accuracy"] == pytest.approx(measured, abs=5e-4)


def test_six_of_these_networks_that_differ_in_seed_or_view_are_better_than_one(t10k: Samples) -> None:
    names = NETWORKS["ensemble"].artifacts
    manifests = [load_manifest(name) for name in names]
    assert max(manifest.parameters for manifest in manifests) <= 400_000
    assert [[source.name for source in manifest.data] for manifest in manifests] == [["mnist"]] * 6
    assert len({(manifest.seed, manifest.view) for manifest in manifests}) == 6
    alone = [manifest.metrics["mnist-t10k"]["accuracy"] for manifest in manifests]
    together = accuracy(Ensemble.load(names).classify(t10k.images), t10k.labels)
    assert together >= 0.9975
    assert together > max(alone)


@pytest.mark.parametrize(("name", "least"), [("usps-test", 0.97), ("semeion", 0.96), ("optdigits-test", 0.98)])
def test_other_hands_are_read_too(shared_data: Path, name: str, least: float) -> None:
    found = evaluate(EvaluateOptions(data=shared_data, sets=(name,))).sets[name]
    assert found.accuracy >= least
    assert min(one.sensitivity for one in found.classes) > 0.75


def test_the_manifest_states_what_is_measured(t10k: Samples) -> None:
    manifest = load_manifest("digits")
    measured = accuracy(Recogniser.load().classify(t10k.images), t10k.labels)
    assert manifest.metrics["mnist-t10k"]["accuracy"] == pytest.approx(measured, abs=5e-4)


# Keras 3.15 converts TensorFlow's variables in a way that NumPy 2 deprecates; nothing here can help it.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
def test_int8_stays_within_a_tenth_of_a_point_of_its_original(t10k: Samples) -> None:
    pytest.importorskip("tensorflow", reason="the train extra is not installed")
    manifest = load_manifest("digits")
    original = load_network(SHIPPED / "digits" / manifest.keras_file, manifest.keras_sha256)
    there = keras_logits(original, t10k.images)
    here = Recogniser.load().classify(t10k.images)
    assert abs(accuracy(here, t10k.labels) - accuracy(there, t10k.labels)) <= 0.001
    assert np.mean(read_digits(here) == read_digits(there)) > 0.998
