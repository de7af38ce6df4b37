"""Strings that a field may hold, to fill it in with: asked of its automaton."""

from collections.abc import Sequence

from forms.automaton import Automaton


def string_of(automaton: Automaton, *, length: int, choices: Sequence[float]) -> str | None:
    """Return a string of so many digits that the automaton accepts, None where there is none.

    Args:
        automaton: what may be written.
        length: of the string.
        choices: as many numbers in 0..1, each of which picks a digit among those that can still lead there.
    """
    # alive[k]: the states from which a string of k digits more is accepted.
    alive = [set(automaton.accepting)]
    for _ in range(length):
        alive.append({state for state, targets in enumerate(automaton.steps) if alive[-1] & set(targets)})
    state, text = 0, ""
    for place, choice in enumerate(choices[:length]):
        targets = automaton.steps[state]
        possible = [digit for digit in range(10) if targets[digit] in alive[length - place - 1]]
        if not possible:
            return None
        digit = possible[min(int(choice * len(possible)), len(possible) - 1)]
        state, text = targets[digit], text + str(digit)
    return text
