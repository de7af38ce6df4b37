r"""Patterns of digits: a small language of regular expressions, compiled to an automaton.

```
text ─ _Parser ─▶ nondeterministic automaton (Thompson 1968) ─ subsets (Rabin and Scott 1959) ─▶ smallest automaton
```

Known are digits, `.` or `\d` for any digit, classes such as `[0-4]` and `[^9]`, groups `( )`, `|`, and the repeats
`?`, `*`, `+`, `{m}`, `{m,}`, `{m,n}`. A pattern always speaks of the whole field.
"""

from dataclasses import dataclass, field
from typing import Final

from core.errors import InvalidRequest
from forms.algebra import minimised
from forms.automaton import DEAD, DIGITS, Automaton

MAX_STATES: Final = 2000
"""Of a pattern's automaton, before and after it is made deterministic: the decoder's work grows with them."""

MAX_LENGTH: Final = 500
"""Characters of a pattern."""

MAX_DEPTH: Final = 30
"""Groups inside one another."""

MAX_REPEAT: Final = 99

_ALL: Final = frozenset(range(len(DIGITS)))
_REPEATS: Final = {"?": (0, 1), "*": (0, None), "+": (1, None)}


@dataclass(slots=True)
class _Machine:
    """A nondeterministic automaton under construction: by state its free moves, and its moves along a digit."""

    free: list[list[int]] = field(default_factory=list)
    along: list[list[tuple[frozenset[int], int]]] = field(default_factory=list)

    def state(self) -> int:
        """Return a new state.

        Raises:
            InvalidRequest: there are too many.
        """
        if len(self.free) == MAX_STATES:
            raise InvalidRequest("The pattern is too large: shorten it, or repeat less often.")
        self.free.append([])
        self.along.append([])
        return len(self.free) - 1


_Fragment = tuple[int, int]
"""The first and the last state of a part of the pattern."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A part of the pattern: digits to choose from, or parts in a row, or alternatives, or a repeat of one part."""

    kind: str
    parts: tuple["_Node", ...] = ()
    digits: frozenset[int] = frozenset()
    lowest: int = 1
    highest: int | None = 1


def compile_pattern(pattern: str) -> Automaton:
    """Return the smallest automaton of the strings that `pattern` describes as a whole.

    Raises:
        InvalidRequest: it is no pattern of digits, it describes none, or it is too large.
    """
    if len(pattern) > MAX_LENGTH:
        raise InvalidRequest(f"A pattern has at most {MAX_LENGTH} characters.")
    machine = _Machine()
    first, last = _build(machine, _Parser(pattern).parse())
    return _determined(machine, first, last)


class _Parser:
    """Reads a pattern from left to right (recursive descent)."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._depth = 0

    def parse(self) -> _Node:
        """Return the pattern as a tree."""
        node = self._alternatives()
        if self._at < len(self._text):
            raise self._wrong(f"{self._text[self._at]!r} has no counterpart")
        return node

    def _alternatives(self) -> _Node:
        rows = [self._row()]
        while self._take("|"):
            rows.append(self._row())
        return rows[0] if len(rows) == 1 else _Node("any", tuple(rows))

    def _row(self) -> _Node:
        parts = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            parts.append(self._repeated(self._atom()))
        return _Node("row", tuple(parts))

    def _atom(self) -> _Node:
        char = self._next()
        if char in DIGITS:
            return _Node("digit", digits=frozenset({int(char)}))
        if char == ".":
            return _Node("digit", digits=_ALL)
        if char == "[":
            return _Node("digit", digits=self._class())
        if char == "(":
            return self._group()
        if char == "\\":
            if self._take("d"):
                return _Node("digit", digits=_ALL)
            raise self._wrong(r"of all escapes only \d is known")
        if char in "?*+{":
            self._at -= 1
            raise self._wrong(f"nothing stands in front of {char!r} that could be repeated")
        self._at -= 1
        raise self._wrong(f"{char!r} is neither a digit nor a sign of the pattern language")

    def _group(self) -> _Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._wrong("too many groups inside one another")
        node = self._alternatives()
        if not self._take(")"):
            raise self._wrong("')' is missing")
        self._depth -= 1
        return node

    def _class(self) -> frozenset[int]:
        excluded = self._take("^")
        digits: set[int] = set()
        while not self._take("]"):
            first = self._digit_of_class()
            last = self._digit_of_class() if self._take("-") else first
            if last < first:
                raise self._wrong(f"the range {first}-{last} runs backwards")
            digits.update(range(first, last + 1))
        chosen = _ALL - digits if excluded else frozenset(digits)
        if not chosen:
            raise self._wrong("the class holds no digit")
        return chosen

    def _digit_of_class(self) -> int:
        if self._at >= len(self._text):
            raise self._wrong("']' is missing")
        char = self._next()
        if char not in DIGITS:
            self._at -= 1
            raise self._wrong(f"{char!r} stands in a class of digits")
        return int(char)

    def _repeated(self, node: _Node) -> _Node:
        while self._at < len(self._text) and self._text[self._at] in "?*+{":
            char = self._next()
            lowest, highest = self._bounds() if char == "{" else _REPEATS[char]
            node = _Node("repeat", (node,), lowest=lowest, highest=highest)
        return node

    def _bounds(self) -> tuple[int, int | None]:
        lowest = self._count()
        highest: int | None = lowest
        if self._take(","):
            highest = None if self._peek() == "}" else self._count()
        if not self._take("}"):
            raise self._wrong("'}' is missing")
        if highest is not None and highest < lowest:
            raise self._wrong(f"the repeat {{{lowest},{highest}}} runs backwards")
        return lowest, highest

    def _count(self) -> int:
        start = self._at
        while self._peek() and self._peek() in DIGITS:
            self._at += 1
        if start == self._at:
            raise self._wrong("a number is missing in the repeat")
        count = int(self._text[start : self._at])
        if count > MAX_REPEAT:
            raise self._wrong(f"nothing is repeated more than {MAX_REPEAT} times")
        return count

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._text[self._at]
        self._at += 1
        return char

    def _take(self, char: str) -> bool:
        if self._peek() != char:
            return False
        self._at += 1
        return True

    def _wrong(self, what: str) -> InvalidRequest:
        return InvalidRequest(f"The pattern {self._text!r} is wrong at character {self._at + 1}: {what}.")


def _build(machine: _Machine, node: _Node) -> _Fragment:
    """Add the part to the machine, and return where it begins and ends."""
    if node.kind == "repeat":
        return _build_repeat(machine, node)
    first, last = machine.state(), machine.state()
    if node.kind == "digit":
        machine.along[first].append((node.digits, last))
    elif node.kind == "any":
        for part in node.parts:
            start, end = _build(machine, part)
            machine.free[first].append(start)
            machine.free[end].append(last)
    else:
        at = first
        for part in node.parts:
            start, end = _build(machine, part)
            machine.free[at].append(start)
            at = end
        machine.free[at].append(last)
    return first, last


def _build_repeat(machine: _Machine, node: _Node) -> _Fragment:
    first, last = machine.state(), machine.state()
    at = first
    for _ in range(node.lowest):
        start, end = _build(machine, node.parts[0])
        machine.free[at].append(start)
        at = end
    if node.highest is None:
        start, end = _build(machine, node.parts[0])
        machine.free[at].append(start)
        machine.free[end].append(at)
    for _ in range(node.lowest, node.highest or 0):
        machine.free[at].append(last)
        start, end = _build(machine, node.parts[0])
        machine.free[at].append(start)
        at = end
    machine.free[at].append(last)
    return first, last


def _determined(machine: _Machine, first: int, last: int) -> Automaton:
    """Return the machine as an automaton whose states are the sets of states that it may be in."""
    start = _closure(machine, {first})
    numbers, waiting = {start: 0}, [start]
    steps: list[tuple[int, ...]] = []
    for states in waiting:  # grows while it is walked
        targets = []
        for digit in range(len(DIGITS)):
            moves = {to for state in states for digits, to in machine.along[state] if digit in digits}
            following = _closure(machine, moves)
            if following and following not in numbers:
                numbers[following] = len(waiting)
                waiting.append(following)
            targets.append(numbers[following] if following else DEAD)
        steps.append(tuple(targets))
        if len(waiting) > MAX_STATES:
            raise InvalidRequest(f"The pattern needs more than {MAX_STATES} states: make it simpler.")
    return minimised(Automaton(tuple(steps), frozenset(number for states, number in numbers.items() if last in states)))


def _closure(machine: _Machine, states: set[int]) -> frozenset[int]:
    """Return the states, and those that are reached from them without a digit."""
    reached, waiting = set(states), list(states)
    while waiting:
        for state in machine.free[waiting.pop()]:
            if state not in reached:
                reached.add(state)
                waiting.append(state)
    return frozenset(reached)
