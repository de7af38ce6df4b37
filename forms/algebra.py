"""Automata out of automata: both rules at once, as few states as possible, or nothing at all.

`forms.field_specs` builds each field type's automaton out of these; the decoder walks the result.
"""

from collections.abc import Collection

from forms.automaton import DEAD, DIGITS, Automaton

_NOTHING = frozenset({""})


def intersection(first: Automaton, second: Automaton) -> Automaton:
    """Return the smallest automaton of the strings that both accept (product construction, Rabin and Scott 1959)."""
    numbers: dict[tuple[int, int], int] = {(0, 0): 0}
    pairs = [(0, 0)]
    steps: list[tuple[int, ...]] = []
    for one, other in pairs:  # grows while it is walked
        targets = []
        for pair in zip(first.steps[one], second.steps[other], strict=True):
            if DEAD in pair:
                targets.append(DEAD)
                continue
            if pair not in numbers:
                numbers[pair] = len(pairs)
                pairs.append(pair)
            targets.append(numbers[pair])
        steps.append(tuple(targets))
    accepting = frozenset(
        number for (one, other), number in numbers.items() if one in first.accepting and other in second.accepting
    )
    return minimised(Automaton(tuple(steps), accepting))


def or_nothing(automaton: Automaton) -> Automaton:
    """Return the smallest automaton of the same strings and the empty one: any field may hold no writing.

    One that accepts the empty string already is returned as it is.
    """
    if 0 in automaton.accepting:
        return automaton
    # A start of its own: where a loop leads back to the old one, more than the empty string would be added.
    steps = (automaton.steps[0], *automaton.steps)
    shifted = tuple(tuple(DEAD if target == DEAD else target + 1 for target in targets) for targets in steps)
    return minimised(Automaton(shifted, frozenset({0, *(state + 1 for state in automaton.accepting)})))


def of_length(minimum: int, maximum: int) -> Automaton:
    """Return the automaton of all strings of `minimum` to `maximum` digits."""
    steps = [(state + 1,) * len(DIGITS) for state in range(maximum)]
    return Automaton((*steps, (DEAD,) * len(DIGITS)), frozenset(range(minimum, maximum + 1)))


def of_strings(texts: Collection[str]) -> Automaton:
    """Return the smallest automaton of these strings of digits.

    Each state is the set of what may still follow, so equal states are found as they arise (Brzozowski 1964).
    """
    start = frozenset(texts)
    numbers, waiting = {start: 0}, [start]
    steps: list[tuple[int, ...]] = []
    for endings in waiting:  # grows while it is walked
        by_digit: list[set[str]] = [set() for _ in DIGITS]
        for text in endings - _NOTHING:
            by_digit[ord(text[0]) - ord("0")].add(text[1:])
        targets = []
        for following in map(frozenset, by_digit):
            if following and following not in numbers:
                numbers[following] = len(waiting)
                waiting.append(following)
            targets.append(numbers[following] if following else DEAD)
        steps.append(tuple(targets))
    return Automaton(tuple(steps), frozenset(number for endings, number in numbers.items() if "" in endings))


def minimised(automaton: Automaton) -> Automaton:
    """Return the smallest automaton of the same strings (partition refinement, Moore 1956).

    States that lead nowhere go, too: the decoder's work grows with the number of states.
    """
    live = _live(automaton)
    kind = [int(state in automaton.accepting) if state in live else DEAD for state in range(automaton.states)]
    if kind[0] == DEAD:
        return Automaton(((DEAD,) * len(DIGITS),), frozenset())
    while True:
        signatures = [
            (kind[state], *(DEAD if target == DEAD else kind[target] for target in targets)) if state in live else None
            for state, targets in enumerate(automaton.steps)
        ]
        names: dict[tuple[int, ...], int] = {}
        refined = [DEAD if each is None else names.setdefault(each, len(names)) for each in signatures]
        if len(names) == len(set(kind) - {DEAD}):
            return _merged(automaton, refined)
        kind = refined


def _merged(automaton: Automaton, kind: list[int]) -> Automaton:
    """Return the automaton whose states are the kinds, numbered as they are reached from the start."""
    member = {name: state for state, name in enumerate(kind)}
    numbers, waiting = {kind[0]: 0}, [kind[0]]
    steps: list[tuple[int, ...]] = []
    for name in waiting:  # grows while it is walked
        targets = [DEAD if target == DEAD else kind[target] for target in automaton.steps[member[name]]]
        for target in targets:
            if target != DEAD and target not in numbers:
                numbers[target] = len(waiting)
                waiting.append(target)
        steps.append(tuple(DEAD if target == DEAD else numbers[target] for target in targets))
    return Automaton(
        tuple(steps), frozenset(number for name, number in numbers.items() if member[name] in automaton.accepting)
    )


def _live(automaton: Automaton) -> set[int]:
    """Return the states from which an accepting one can be reached."""
    before: list[set[int]] = [set() for _ in automaton.steps]
    for state, targets in enumerate(automaton.steps):
        for target in set(targets) - {DEAD}:
            before[target].add(state)
    live = set(automaton.accepting)
    waiting = list(live)
    while waiting:
        for state in before[waiting.pop()] - live:
            live.add(state)
            waiting.append(state)
    return live
