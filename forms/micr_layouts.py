"""How MICR lines are laid out: which fields come in which order, between which signs, as automata over cells.

`forms.micr` walks them. Indian cheques follow CTS-2010 (Reserve Bank of India, 2010), those of the United States
ANSI X9.100-160, Canadian ones Payments Canada's Standard 006.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.micr import AMOUNT, DASH, DIGITS, NONE, ON_US, SYMBOLS, TRANSIT

DIGIT, GAP, FILLER = "digit", "gap", "filler"
"""What a state emits, unless a sign: any digit; nothing, or what does not belong to the line; a dash or a space."""

STAY: Final = 0.9
"""Probability that one more cell of a gap follows."""

FILLED: Final = 0.1
"""Probability of a dash or space between two digits of an account number."""

STRAY: Final = 0.004
"""Probability that a symbol in a gap is none of the line's: a stroke of a signature, a border."""

SLIP: Final = 0.0002
"""Probability that a sign stands where the layout has a digit: strong ink is not overridden for a layout's sake."""

FREE_SPACE: Final = 0.3
"""Share of spaces where symbols stand as they please."""

SIGNS: Final = NONE - len(DIGITS)

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a layout: a sign, a gap, or a field's digits.

    Attributes:
        emits: a sign, `DIGIT` or `GAP`.
        field: what its digits belong to; empty for none.
        least: digits that it has at least.
        most: digits that it has at most.
        filled: whether dashes or spaces may stand between its digits.
    """

    emits: str
    field: str = ""
    least: int = 1
    most: int = 1
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """One order of fields; `checked` says that its routing number has the check digit of the American Bankers."""

    family: str
    parts: tuple[Part, ...]
    checked: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of its fields, in their order."""
        return tuple(dict.fromkeys(part.field for part in self.parts if part.field))


@dataclass(frozen=True)
class Chain:
    """A layout as a hidden Markov chain whose states each emit one cell.

    Attributes:
        emits: by state.
        fields: by state, empty where it belongs to none.
        start: probability of each state to be the first.
        moves: shape (states, states), probability of each step.
        end: probability to end after each state.
    """

    emits: tuple[str, ...]
    fields: tuple[str, ...]
    start: _Floats
    moves: _Floats
    end: _Floats

    def emissions(self, likelihoods: _Floats, *, largest: bool = False) -> _Floats:
        """Return the likelihood of each cell in each state: shape (cells, states).

        Args:
            likelihoods: shape (cells, 15), of `core.micr.CLASSES`.
            largest: of the likeliest symbol alone, as the best path needs it, rather than of all.
        """
        join = np.max if largest else np.sum
        symbols, none = likelihoods[:, :NONE], likelihoods[:, NONE]
        kinds = {
            DIGIT: (1 - SLIP) / len(DIGITS) * join(symbols[:, : len(DIGITS)], axis=1)
            + SLIP / SIGNS * join(symbols[:, len(DIGITS) :], axis=1),
            GAP: (1 - STRAY) * none + STRAY / NONE * join(symbols, axis=1),
            FILLER: 0.5 * none + 0.5 * symbols[:, SYMBOLS.index(DASH)],
        }
        kinds |= {sign: symbols[:, SYMBOLS.index(sign)] for sign in (TRANSIT, AMOUNT, ON_US, DASH)}
        return np.stack([kinds[kind] for kind in self.emits], axis=1)


def free_likelihood(likelihoods: _Floats) -> _Floats:
    """Return the likelihood of each cell where any symbol may stand anywhere: shape (cells,)."""
    symbols = likelihoods[:, :NONE].mean(axis=1)
    return np.asarray(FREE_SPACE * likelihoods[:, NONE] + (1 - FREE_SPACE) * symbols, np.float64)


@lru_cache(maxsize=64)
def chain_of(layout: Layout) -> Chain:
    """Return the layout as a chain of states; gaps may be empty."""
    return _Builder().built(layout)


class _Builder:
    """Lays states one after another; `_open` holds those that the next one may follow, with what is left to them."""

    def __init__(self) -> None:
        self._emits: list[str] = []
        self._fields: list[str] = []
        self._edges: list[tuple[int, int, float]] = []
        # -1 is the beginning.
        self._open: list[tuple[int, float]] = [(-1, 1.0)]

    def built(self, layout: Layout) -> Chain:
        for part in layout.parts:
            if part.emits == GAP:
                self._add_gap()
            elif part.emits == DIGIT:
                self._add_digits(part)
            else:
                self._open = [(self._state(part.emits, "", self._open), 1.0)]
        return self._chain()

    def _state(self, emits: str, field: str, before: Sequence[tuple[int, float]]) -> int:
        state = len(self._emits)
        self._emits.append(emits)
        self._fields.append(field)
        self._edges += [(source, state, weight) for source, weight in before]
        return state

    def _add_gap(self) -> None:
        gap = self._state(GAP, "", [(source, weight / 2) for source, weight in self._open])
        self._edges.append((gap, gap, STAY))
        self._open = [*((source, weight / 2) for source, weight in self._open), (gap, 1 - STAY)]

    def _add_digits(self, part: Part) -> None:
        leaving: list[tuple[int, float]] = []
        before = self._open
        for number in range(1, part.most + 1):
            digit = self._state(DIGIT, part.field, before)
            goes_on = 1.0 if number < part.least else float(number < part.most) * (1 - 1 / (part.most - part.least + 1))
            if number >= part.least:
                leaving.append((digit, 1 - goes_on))
            before = [(digit, goes_on)]
            if part.filled and goes_on:
                filler = self._state(FILLER, part.field, [(digit, goes_on * FILLED)])
                self._edges.append((filler, filler, FILLED))
                before = [(digit, goes_on * (1 - FILLED)), (filler, 1 - FILLED)]
        self._open = leaving

    def _chain(self) -> Chain:
        count = len(self._emits)
        start, moves, end = np.zeros(count), np.zeros((count, count)), np.zeros(count)
        for source, target, weight in self._edges:
            if source < 0:
                start[target] += weight
            else:
                moves[source, target] += weight
        for source, weight in self._open:
            end[source] += weight
        return Chain(tuple(self._emits), tuple(self._fields), start, moves, end)


def _digits(field: str, least: int, most: int | None = None, *, filled: bool = False) -> Part:
    return Part(DIGIT, field, least, most or least, filled)


_GAP: Final = Part(GAP)
_TRANSIT, _ON_US, _AMOUNT, _DASH = (Part(sign) for sign in (TRANSIT, ON_US, AMOUNT, DASH))

_ACCOUNT: Final = _digits("account", 4, 17, filled=True)
_ROUTING: Final = (_TRANSIT, _digits("routing", 9), _TRANSIT)
_AMOUNT_FIELD: Final = (_GAP, _AMOUNT, _digits("amount", 10), _AMOUNT)


def _layout(family: str, *parts: Part, checked: bool = False) -> Layout:
    return Layout(family, (_GAP, *parts, _GAP), checked)


def _american(*parts: Part) -> list[Layout]:
    """Return the layout with and without an amount, which the bank of first deposit prints."""
    return [_layout("us", *parts, *amount, checked=True) for amount in ((), _AMOUNT_FIELD)]


def _old_american(*account: Part) -> list[Layout]:
    routing = (_TRANSIT, _digits("routing", 4), _DASH, _digits("routing", 4), _TRANSIT, _GAP)
    code = (_GAP, _digits("transaction_code", 1))
    return [_layout("us", *routing, *account, *after) for after in ((), _AMOUNT_FIELD, (*code, *_AMOUNT_FIELD[1:]))]


_INDIAN: Final = (_ON_US, _digits("cheque_number", 6), _ON_US, _GAP, _digits("routing", 9), _TRANSIT, _GAP)

LAYOUTS: Final[tuple[Layout, ...]] = (
    _layout("cts2010", *_INDIAN, _digits("account", 6), _ON_US, _GAP, _digits("transaction_code", 2)),
    _layout("cts2010", *_INDIAN, _digits("transaction_code", 2)),
    *_american(*_ROUTING, _GAP, _ACCOUNT, _ON_US, _GAP, _digits("cheque_number", 3, 6)),
    *_american(*_ROUTING, _GAP, _ACCOUNT, _ON_US),
    *_american(_ON_US, _digits("cheque_number", 4, 10), _ON_US, _GAP, *_ROUTING, _GAP, _ACCOUNT, _ON_US),
    *_american(*_ROUTING, _GAP, _digits("cheque_number", 3, 5), _GAP, _ON_US, _GAP, _ACCOUNT, _ON_US),
    # Before 1965 or so a dash parted the bank's number from its region's, and there was no check digit.
    *_old_american(_ACCOUNT, _ON_US),
    *_old_american(_ON_US, _ACCOUNT, _ON_US),
    # Cheques printed at home set signs of transit around both numbers.
    *_american(*_ROUTING, _GAP, _TRANSIT, _ACCOUNT, _TRANSIT, _GAP, _digits("cheque_number", 3, 6)),
    _layout(
        "canada",
        *(_ON_US, _digits("cheque_number", 3, 6), _ON_US, _GAP, _TRANSIT, _digits("routing", 5), _DASH),
        *(_digits("routing", 3), _TRANSIT, _GAP, _ACCOUNT, _ON_US),
    ),
)
"""Every layout that is known; those of a family share its probability."""

FAMILIES: Final = tuple(dict.fromkeys(layout.family for layout in LAYOUTS))
