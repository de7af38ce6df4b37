"""`python -m worker.tune ../shared/data`: finds the decoder's weights anew when the network has changed.

Reads the training parts of ORAND and Meza with the shipped network, tunes, and prints the weights for
`forms/weights.py` with the share of whole strings that is right before and after, on both parts. Takes minutes.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from forms.automaton import any_digits
from forms.beam_search import best_strings
from forms.decoder import GARBAGE, score_edges
from forms.paths import posteriors
from forms.tuning import Example, make_batch, tune
from forms.weights import WITH_GARBAGE, WITHOUT_GARBAGE, Weights
from model.artifacts import SHIPPED
from model.corpora import LabelledString, meza_strings, orand_strings
from model.mining import lattice_of
from model.recogniser import Recogniser
from segmentation.normalise import NORMALISATION_VERSION

MEZA_FIELDS = 600
"""As many as ORAND gives: neither set's manner of writing should outweigh the other's."""


def read_examples(strings: Sequence[LabelledString], recogniser: Recogniser) -> list[Example]:
    """Return the lattices of `strings` with the network's scores; those without ink are left out."""
    examples = []
    for string in strings:
        lattice = lattice_of(string)
        if lattice.candidates:
            glyphs = np.stack([candidate.glyph for candidate in lattice.candidates])
            examples.append(Example(lattice, recogniser.classify(glyphs), string.text))
    return examples


def share_right(examples: Sequence[Example], weights: Weights, *, classes: tuple[str, ...]) -> float:
    """Return the share of `examples` whose likeliest string is the true one."""
    right = 0
    for example in examples:
        edges = score_edges(example.lattice, example.scores, classes=classes, weights=weights)
        found = best_strings(edges, any_digits(), posteriors(edges, any_digits()))
        right += found[:1] == [example.text]
    return right / max(len(examples), 1)


def main() -> None:
    """Tune, and print the outcome."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="collections")
    parser.add_argument("--model", default="digits", help="name of the network")
    parser.add_argument("--models", type=Path, default=SHIPPED, help="folder of networks")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    recogniser = Recogniser.load(options.model, normalisation_version=NORMALISATION_VERSION, root=options.models)
    classes = recogniser.classes
    parts = {
        f"{name} {'training' if training else 'test'}": read_examples(
            strings(options.folder, training=training)[:MEZA_FIELDS], recogniser
        )
        for name, strings in (("orand", orand_strings), ("meza", meza_strings))
        for training in (True, False)
    }
    before = WITH_GARBAGE if GARBAGE in classes else WITHOUT_GARBAGE
    after = tune(make_batch(parts["orand training"] + parts["meza training"], classes=classes), before)
    for name, examples in parts.items():
        shares = [share_right(examples, weights, classes=classes) for weights in (before, after)]
        sys.stdout.write(f"{name}: {shares[0]:.4f} before, {shares[1]:.4f} after\n")
    sys.stdout.write(f"{after}\n")


if __name__ == "__main__":
    main()
