"""The line readers' arithmetic, against all ways counted one by one."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from forms.automaton import any_digits, at_most
from forms.ctc import BLANK, digit_frames, frames_of, line_log_probabilities, line_texts


def outputs(seed: int, *, frames: int = 5, readers: int = 2, digits: int = 3) -> NDArray[np.float32]:
    """Return log probabilities of line readers that know only the first few digits."""
    logits = np.random.default_rng(seed).normal(0, 2, (readers, frames, 12)).astype(np.float32)
    logits[:, :, digits:10] = -40
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=2, keepdims=True)), np.float32)


def spelled(signs: tuple[int, ...]) -> str:
    """Return what a way through the frames spells: repeats taken for one, blanks dropped."""
    kept = [sign for place, sign in enumerate(signs) if not place or signs[place - 1] != sign]
    return "".join(str(sign) for sign in kept if sign != BLANK)


@pytest.mark.parametrize("seed", range(4))
def test_a_string_is_as_probable_as_all_its_ways_together(seed: int) -> None:
    frames = frames_of(outputs(seed))
    texts = ["", "0", "1", "11", "01", "010", "0121", "22"]
    found = np.exp(line_log_probabilities(frames, texts))
    for reader, table in enumerate(frames.probabilities):
        counted = dict.fromkeys(texts, 0.0)
        for signs in itertools.product((0, 1, 2, BLANK), repeat=len(table)):
            if spelled(signs) in counted:
                counted[spelled(signs)] += float(np.prod([table[frame, sign] for frame, sign in enumerate(signs)]))
        assert found[reader] == pytest.approx(list(counted.values()), rel=1e-4)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("count", [1, 2, 9])
def test_a_string_by_itself_is_as_probable_as_among_others(seed: int, count: int) -> None:
    frames = frames_of(outputs(seed, frames=count))
    texts = ["", "0", "1", "11", "01", "0110", "0121"]
    together = line_log_probabilities(frames, texts)
    alone = [line_log_probabilities(frames, [text])[:, 0] for text in texts]
    assert np.array_equal(np.stack(alone, axis=1), together)


def test_strings_that_need_more_frames_than_there_are_stay_finite() -> None:
    frames = frames_of(outputs(0, frames=2))
    assert np.isfinite(line_log_probabilities(frames, ["000", "01"])).all()
    assert line_log_probabilities(frames, ["000"]).max() < -600


def test_the_best_string_comes_first() -> None:
    for seed in range(6):
        frames = frames_of(outputs(seed, readers=1))
        found = line_texts(frames, any_digits(), beam=40)
        ranked = line_log_probabilities(frames, found)[0]
        assert (np.diff(ranked[:4]) <= 0.02).all()
        everything = ["".join(each) for size in range(4) for each in itertools.product("012", repeat=size)]
        best = everything[int(line_log_probabilities(frames, everything)[0].argmax())]
        assert found[0] == best


def test_only_what_the_field_may_hold_is_proposed() -> None:
    frames = frames_of(peaks([(4, 3), (10, 8)], count=16))
    assert line_texts(frames, any_digits())[0] == "38"
    assert set(line_texts(frames, at_most(1))) <= {"", "3", "8"}


def test_runs_of_sure_blanks_change_nothing() -> None:
    output = peaks([(20, 7), (60, 7)], count=100)
    frames = frames_of(output)
    assert len(frames.places) < 20
    assert frames.count == 100
    assert line_texts(frames, any_digits())[0] == "77"
    assert np.exp(line_log_probabilities(frames, ["77"])).min() > 0.9


def test_digits_are_found_where_they_were_seen() -> None:
    spans = digit_frames(frames_of(peaks([(20, 7), (40, 7), (60, 1)], count=100)), "771")
    assert [first <= place <= last for (first, last), place in zip(spans, (20, 40, 60), strict=True)] == [True] * 3
    assert digit_frames(frames_of(peaks([], count=4)), "") == []


def test_readers_that_see_a_digit_in_other_frames_place_it_in_the_middle() -> None:
    output = np.concatenate([peaks([(20, 7), (40, 7)], count=60), peaks([(22, 7), (42, 7)], count=60)])
    assert digit_frames(frames_of(output), "77") == [(21, 21), (41, 41)]


def test_a_reader_of_another_string_does_not_place_its_digits() -> None:
    output = np.concatenate([peaks([(20, 7), (40, 7)], count=60), peaks([(50, 3)], count=60)])
    assert digit_frames(frames_of(output), "77") == [(20, 20), (40, 40)]


def test_what_is_no_digit_counts_as_a_blank_and_is_told() -> None:
    output = peaks([(4, 3)], count=20)
    assert frames_of(output).other < 0.01
    output[:, 12] = np.log(1e-4)
    output[:, 12, 10] = np.log(0.99)
    frames = frames_of(output)
    assert frames.other == pytest.approx(0.99, abs=0.01)
    assert line_texts(frames, any_digits())[0] == "3"


def peaks(digits: list[tuple[int, int]], *, count: int) -> NDArray[np.float32]:
    """Return outputs of two readers that are sure of each (frame, digit), and of blanks elsewhere."""
    table = np.full((2, count, 12), 1e-6)
    table[:, :, 11] = 1.0
    for frame, digit in digits:
        table[:, frame, 11], table[:, frame, digit] = 0.02, 0.98
    return np.asarray(np.log(table / table.sum(axis=2, keepdims=True)), np.float32)
