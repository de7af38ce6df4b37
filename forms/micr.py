"""Cells of a MICR line to its fields: the layout that explains them best, and how probable each field is.

Every layout is a hidden Markov chain over cells (`forms.micr_layouts`), with a free one besides for what fits none. The
forward algorithm (Rabiner 1989) weighs them against each other, the likeliest path says which cells are a field's, and
a field's probability is the share of all paths, through all layouts, that read the same digits in the same cells. A
routing number's check digit is weighed in the same way: a valid number with weaker ink may win, and an invalid one with
strong ink is reported as it stands.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest
from core.micr import ABA_WEIGHTS, CLASSES, DIGITS, NONE, SYMBOLS, is_routing_number, spelled
from forms.micr_layouts import DIGIT, FAMILIES, LAYOUTS, SLIP, Chain, Layout, chain_of, free_likelihood

FIELD_NAMES: Final = ("cheque_number", "routing", "account", "transaction_code", "amount")

PART_NAMES: Final = tuple(f"micr_{name}" for name in FIELD_NAMES)
"""What the readings of a band's fields are called, whatever the band is called in its template."""

NONE_SHARE: Final = 0.5
"""Share of windows without a symbol that the network learnt from: its prior, which likelihoods leave out."""

FLOOR: Final = 1e-5
"""No symbol is less probable in a cell: the network has seen a few ten thousands."""

FREE_SHARE: Final = 0.02
"""Prior probability that a line is of no known layout."""

LEAST_KNOWN: Final = 0.5
"""A line that is less probably of a known layout does not parse."""

VALID_SHARE: Final = 0.995
"""Prior probability that a routing number obeys its check digit."""

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MicrField:
    """One field of a line.

    Attributes:
        name: one of `FIELD_NAMES`.
        text: its digits.
        probability: that `text` is right as a whole.
        cells: where each digit was read.
        check_failed: whether `text` lacks the right check digit.
    """

    name: str
    text: str
    probability: float
    cells: tuple[int, ...]
    check_failed: bool = False


@dataclass(frozen=True, slots=True)
class MicrLine:
    """A line as read.

    Attributes:
        family: of its layout: cts2010, us or canada; empty where there are too few cells for any.
        fields: those that its layout has, in its order.
        known: probability that it is of a known layout.
    """

    family: str
    fields: tuple[MicrField, ...]
    known: float

    def texts(self) -> dict[str, str]:
        """Return what each field says, by name."""
        return {field.name: field.text for field in self.fields}


def parse(probabilities: NDArray[np.floating], *, families: Collection[str] = FAMILIES) -> MicrLine:
    """Return the fields of the line.

    Args:
        probabilities: shape (cells, 15), of `core.micr.CLASSES`.
        families: of layouts to choose among.

    Raises:
        InvalidRequest: there is no layout of such a family.
    """
    layouts = _of(families)
    likelihoods = _likelihoods(probabilities)
    evidence = {layout: _forward(chain_of(layout), likelihoods) for layout in layouts}
    weights = _weighed(evidence, free_likelihood(likelihoods))
    best = max(layouts, key=lambda layout: weights[layout])
    if not len(likelihoods) or weights[best] == 0.0:
        return MicrLine("", (), 0.0)
    path = _best_path(chain_of(best), likelihoods)
    fields = [_field(name, best, path, likelihoods, weights, evidence) for name in best.fields]
    return MicrLine(best.family, tuple(fields), min(1.0, sum(weights.values())))


def parse_text(line: str, *, families: Collection[str] = FAMILIES) -> MicrLine:
    """Return the fields of a line that a caller wrote, in the signs of E-13B or as fonts for it lay them on keys.

    Raises:
        InvalidRequest: there is no layout of such a family.
    """
    cells = [CLASSES.index(char) if char in SYMBOLS else NONE for char in spelled(line)]
    return parse(np.eye(len(CLASSES))[cells].reshape(-1, len(CLASSES)), families=families)


def check_line(line: str) -> None:
    """Refuse a caller's line that no cheque's could be compared with.

    Raises:
        InvalidRequest: it is of no known layout, or says nothing.
    """
    parsed = parse_text(line)
    if not parsed.fields or parsed.known < LEAST_KNOWN:
        raise InvalidRequest(
            f"{line!r} is no MICR line of a known layout; write the signs as ⑆ ⑇ ⑈ ⑉, or as A, B, C and D."
        )


def differing(line: MicrLine, expected: MicrLine) -> tuple[str, ...]:
    """Return the names of the fields that the two lines do not have in common, digit by digit."""
    read, wanted = line.texts(), expected.texts()
    return tuple(name for name in FIELD_NAMES if read.get(name, "") != wanted.get(name, ""))


def _of(families: Collection[str]) -> list[Layout]:
    unknown = sorted(set(families) - set(FAMILIES))
    if unknown or not families:
        raise InvalidRequest(
            f"There is no MICR layout {', '.join(unknown) or 'without a name'}; known: {', '.join(FAMILIES)}."
        )
    return [layout for layout in LAYOUTS if layout.family in families]


def _likelihoods(probabilities: NDArray[np.floating]) -> _Floats:
    """Return how likely each cell looks as it does, for each class: the network's answers without its prior."""
    prior = np.full(len(CLASSES), (1 - NONE_SHARE) / NONE)
    prior[NONE] = NONE_SHARE
    return np.asarray(np.maximum(probabilities.astype(np.float64), FLOOR) / prior, np.float64)


def _forward(chain: Chain, likelihoods: _Floats, emissions: _Floats | None = None) -> float:
    """Return the logarithm of the line's likelihood under the chain; -inf where it has no path."""
    emitted = chain.emissions(likelihoods) if emissions is None else emissions
    if not len(emitted):
        return -math.inf
    flow, total = chain.start * emitted[0], 0.0
    for row in emitted[1:]:
        scale = float(flow.sum())
        if scale <= 0.0:
            return -math.inf
        total += math.log(scale)
        flow = (flow / scale) @ chain.moves * row
    left = float(flow @ chain.end)
    return total + math.log(left) if left > 0.0 else -math.inf


def _weighed(evidence: Mapping[Layout, float], free: _Floats) -> dict[Layout, float]:
    """Return each layout's probability; what they lack to one is the free layout's."""
    families = {layout.family for layout in evidence}
    sizes = {family: sum(layout.family == family for layout in evidence) for family in families}
    logs = {
        layout: value + math.log((1 - FREE_SHARE) / len(families) / sizes[layout.family])
        for layout, value in evidence.items()
    }
    alone = math.log(FREE_SHARE) + float(np.log(free).sum())
    top = max(alone, *logs.values())
    shares = {layout: math.exp(value - top) for layout, value in logs.items()}
    whole = math.exp(alone - top) + sum(shares.values())
    return {layout: share / whole for layout, share in shares.items()}


def _best_path(chain: Chain, likelihoods: _Floats) -> list[int]:
    """Return the state of each cell on the likeliest path (Viterbi 1967)."""
    emissions = np.log(np.maximum(chain.emissions(likelihoods, largest=True), 1e-300))
    with np.errstate(divide="ignore"):
        start, moves, end = np.log(chain.start), np.log(chain.moves), np.log(chain.end)
    best = start + emissions[0]
    pointers = []
    for row in emissions[1:]:
        through = best[:, None] + moves
        pointers.append(through.argmax(axis=0))
        best = through.max(axis=0) + row
    path = [int((best + end).argmax())]
    for pointer in reversed(pointers):
        path.append(int(pointer[path[-1]]))
    return path[::-1]


def _field(
    name: str,
    best: Layout,
    path: list[int],
    likelihoods: _Floats,
    weights: Mapping[Layout, float],
    evidence: Mapping[Layout, float],
) -> MicrField:
    chain = chain_of(best)
    cells = [cell for cell, state in enumerate(path) if chain.fields[state] == name and chain.emits[state] == DIGIT]
    shares = likelihoods[cells, : len(DIGITS)]
    shares = shares / shares.sum(axis=1, keepdims=True)
    digits = [int(digit) for digit in shares.argmax(axis=1)]
    factor = 1.0
    checked = best.checked and name == "routing"
    if checked:
        digits, factor = _checked(shares)
    text = "".join(map(str, digits))
    found = _share(name, cells, digits, likelihoods, weights, evidence)
    probability = float(np.clip(found * factor, 0.0, 1.0))
    return MicrField(name, text, probability, tuple(cells), checked and not is_routing_number(text))


def _share(
    name: str,
    cells: list[int],
    digits: list[int],
    likelihoods: _Floats,
    weights: Mapping[Layout, float],
    evidence: Mapping[Layout, float],
) -> float:
    """Return the share of all paths, weighed by their layouts, that read `digits` in `cells` as the field `name`."""
    share = 0.0
    for layout, weight in weights.items():
        if weight < 1e-6 or name not in layout.fields:
            continue
        chain = chain_of(layout)
        own = np.array([field == name and kind == DIGIT for field, kind in zip(chain.fields, chain.emits, strict=True)])
        emissions = chain.emissions(likelihoods)
        inside = np.zeros(len(likelihoods), np.bool_)
        inside[cells] = True
        emissions[np.ix_(~inside, own)] = 0.0
        emissions[np.ix_(inside, ~own)] = 0.0
        emissions[np.ix_(inside, own)] = (1 - SLIP) / len(DIGITS) * likelihoods[cells, digits][:, None]
        share += weight * math.exp(_forward(chain, likelihoods, emissions) - evidence[layout])
    return share


def _checked(shares: _Floats) -> tuple[list[int], float]:
    """Return the likeliest routing number and by how much its check digit makes it more probable.

    Args:
        shares: shape (9, 10), probability of each digit in each place.
    """
    plain = [int(digit) for digit in shares.argmax(axis=1)]
    valid, mass = _likeliest_valid(shares)
    usual = VALID_SHARE * 10
    whole = usual * mass + (1 - VALID_SHARE) * (1 - mass) / 0.9
    if is_routing_number("".join(map(str, plain))):
        return plain, usual / whole
    rows = np.arange(len(shares))
    odds = usual * shares[rows, valid].prod() / ((1 - VALID_SHARE) / 0.9 * shares[rows, plain].prod())
    return (valid, usual / whole) if odds > 1.0 else (plain, (1 - VALID_SHARE) / 0.9 / whole)


def _likeliest_valid(shares: _Floats) -> tuple[list[int], float]:
    """Return the likeliest number whose weighted sum is a multiple of ten, and the probability of all of them."""
    mass = np.eye(10)[0]
    best, choices = np.eye(10)[0], []
    for row, weight in zip(shares, ABA_WEIGHTS, strict=True):
        # Where a remainder comes from, by the digit that leads to it.
        sources = (np.arange(10)[:, None] - weight * np.arange(10)) % 10
        mass = (mass[sources] * row).sum(axis=1)
        through = best[sources] * row
        choices.append(through.argmax(axis=1))
        best = through.max(axis=1)
    digits, remainder = [], 0
    for weight, choice in zip(reversed(ABA_WEIGHTS), reversed(choices), strict=True):
        digits.append(int(choice[remainder]))
        remainder = (remainder - weight * digits[-1]) % 10
    return digits[::-1], float(mass[0])
