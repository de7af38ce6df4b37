"""How sure each digit of a reading is: by the shares of all proposals that have it, or something else, in its place."""

from collections.abc import Sequence
from typing import Final

from core.types import Alternative
from forms.fusion import Proposal

NEGLIGIBLE: Final = 1e-3
"""Proposals with less of a share say nothing of a digit, and rarer alternatives are not named."""

MAX_ALTERNATIVES: Final = 3


def digit_shares(text: str, proposals: Sequence[Proposal]) -> list[dict[str, float]]:
    """Return for each digit of `text` the shares of the characters that proposals have in its place."""
    places: list[dict[str, float]] = [{} for _ in text]
    total = sum(each.share for each in proposals) or 1.0
    for proposal in proposals:
        share = proposal.share / total
        if share < NEGLIGIBLE and proposal.text != text:
            continue
        for place, char in enumerate(in_places(text, proposal.text)):
            if char:
                places[place][char] = places[place].get(char, 0.0) + share
    return places


def in_places(text: str, other: str) -> list[str]:
    """Return what `other` has in the place of each character of `text`, "" for nothing.

    The places are those of the cheapest edits (Levenshtein 1966).
    """
    if len(text) == len(other):
        return list(other)
    costs = [
        [row + column if not row or not column else 0 for column in range(len(other) + 1)]
        for row in range(len(text) + 1)
    ]
    for row in range(1, len(text) + 1):
        for column in range(1, len(other) + 1):
            costs[row][column] = min(
                costs[row - 1][column - 1] + (text[row - 1] != other[column - 1]),
                costs[row - 1][column] + 1,
                costs[row][column - 1] + 1,
            )
    found = [""] * len(text)
    row, column = len(text), len(other)
    while row and column:
        if costs[row][column] == costs[row - 1][column - 1] + (text[row - 1] != other[column - 1]):
            row, column = row - 1, column - 1
            found[row] = other[column]
        elif costs[row][column] == costs[row - 1][column] + 1:
            row -= 1
        else:
            column -= 1
    return found


def alternatives(char: str, shares: dict[str, float]) -> tuple[Alternative, ...]:
    """Return what else a digit might be, likeliest first."""
    ranked = sorted(((share, other) for other, share in shares.items() if other != char), reverse=True)
    return tuple(Alternative(other, share) for share, other in ranked[:MAX_ALTERNATIVES] if share >= NEGLIGIBLE)
