"""What a field may say, as a deterministic finite automaton over digits.

The decoder walks it along the lattice, so only strings that the automaton accepts compete.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

DIGITS: Final = "0123456789"

DEAD: Final = -1
"""Target of a digit that is not allowed."""

_Beginning = TypeVar("_Beginning")


@dataclass(frozen=True)
class Automaton:
    """States are numbered from 0, where every string starts.

    Attributes:
        steps: `steps[state][digit]` is the state that follows, or `DEAD`.
        accepting: the states in which a string may end.
    """

    steps: tuple[tuple[int, ...], ...]
    accepting: frozenset[int]

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self.steps)

    @cached_property
    def moves(self) -> NDArray[np.bool_]:
        """Shape (states, 10, states): whether a digit leads from one state to another."""
        moves = np.zeros((self.states, len(DIGITS), self.states), np.bool_)
        for state, targets in enumerate(self.steps):
            for digit, target in enumerate(targets):
                if target != DEAD:
                    moves[state, digit, target] = True
        return moves

    @cached_property
    def ends(self) -> NDArray[np.bool_]:
        """Shape (states,): whether a string may end there."""
        return np.array([state in self.accepting for state in range(self.states)])

    def accepts(self, text: str) -> bool:
        """Return whether `text` is a string of digits that the automaton allows."""
        state = 0
        for char in text:
            state = self.steps[state][DIGITS.index(char)] if char in DIGITS else DEAD
            if state == DEAD:
                return False
        return state in self.accepting


def string_lengths(automaton: Automaton, *, most: int) -> tuple[int, ...]:
    """Return the lengths, from 1 to `most`, of the strings that the automaton accepts; ascending."""
    lengths, states = [], {0}
    for length in range(1, most + 1):
        states = {target for state in states for target in automaton.steps[state] if target != DEAD}
        if states & automaton.accepting:
            lengths.append(length)
    return tuple(lengths)


def extreme_strings(automaton: Automaton, *, most: int) -> Iterator[str]:
    """Yield the smallest and the largest string of each length, from 1 to `most`, that the automaton accepts."""
    # alive[k]: the states from which a string of k digits more is accepted.
    alive = [set(automaton.accepting)]
    for length in range(1, most + 1):
        alive.append({state for state, targets in enumerate(automaton.steps) if not alive[-1].isdisjoint(targets)})
        if 0 in alive[length]:
            yield _walked(automaton, alive[length - 1 :: -1], order=range(len(DIGITS)))
            yield _walked(automaton, alive[length - 1 :: -1], order=range(len(DIGITS) - 1, -1, -1))


def _walked(automaton: Automaton, alive: Sequence[Collection[int]], *, order: Sequence[int]) -> str:
    """Return the string of the digits that come first in `order` and lead to the states of `alive`, place by place."""
    state, text = 0, ""
    for states in alive:
        digit = next(digit for digit in order if automaton.steps[state][digit] in states)
        state, text = automaton.steps[state][digit], text + DIGITS[digit]
    return text


def any_digits() -> Automaton:
    """Return the automaton of all strings of digits, the empty one too."""
    return Automaton(steps=((0,) * len(DIGITS),), accepting=frozenset({0}))


def at_most(count: int) -> Automaton:
    """Return the automaton of all strings of up to `count` digits."""
    steps = [(state + 1,) * len(DIGITS) for state in range(count)]
    return Automaton(steps=(*steps, (DEAD,) * len(DIGITS)), accepting=frozenset(range(count + 1)))


def finite(
    start: _Beginning,
    step: Callable[[_Beginning, int], _Beginning | None],
    *,
    complete: Callable[[_Beginning], bool],
) -> Automaton:
    """Return the smallest automaton of the strings that `step` spells out, none of them endless.

    Beginnings that may go on in the same ways are one state: the decoder's work grows with their number.

    Args:
        start: what is known before the first digit; hashable, as is what `step` returns.
        step: what is known after one more digit, or None where no string goes on like this.
        complete: whether a string may end here.
    """
    states: dict[tuple[tuple[int, ...], bool], int] = {}
    known: dict[_Beginning, int] = {}

    def state_of(beginning: _Beginning) -> int:
        if beginning not in known:
            following = (step(beginning, digit) for digit in range(len(DIGITS)))
            state = tuple(DEAD if each is None else state_of(each) for each in following), complete(beginning)
            hopeless = state == ((DEAD,) * len(DIGITS), False)
            known[beginning] = DEAD if hopeless else states.setdefault(state, len(states))
        return known[beginning]

    last = state_of(start)
    return _turned_round(list(states), last)


def _turned_round(states: list[tuple[tuple[int, ...], bool]], last: int) -> Automaton:
    """Return the automaton whose states come in the opposite order: the start was numbered last."""
    steps = [tuple(DEAD if target == DEAD else last - target for target in targets) for targets, _ in reversed(states)]
    return Automaton(
        steps=tuple(steps), accepting=frozenset(last - old for old, (_, ends) in enumerate(states) if ends)
    )
