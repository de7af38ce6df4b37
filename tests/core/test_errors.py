"""Codes are stable, unique where they should be, and every class speaks to a person."""

from collections.abc import Iterator

import pytest

from core import errors
from core.errors import TallyscanError
from core.types import Phase


def every_error(base: type[TallyscanError] = TallyscanError) -> Iterator[type[TallyscanError]]:
    """Yield the tree of `core.errors`; refusals of single commands grow elsewhere and are seen by people only."""
    yield base
    for child in base.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from every_error(child)


@pytest.mark.parametrize("error", list(every_error()), ids=lambda error: error.__name__)
def test_an_error_has_a_code_and_a_sentence(error: type[TallyscanError]) -> None:
    assert error.code
    assert error.code == error.code.lower().replace("-", "_")
    assert error.sentence.endswith((".", "'."))
    assert str(error()) == error.sentence


def test_leaves_do_not_share_codes() -> None:
    tree = list(every_error())
    leaves = [error for error in tree if not set(error.__subclasses__()) & set(tree)]
    shared = {error.code for error in leaves if sum(other.code == error.code for other in leaves) > 1}
    assert not shared


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = errors.__doc__ or ""
    missing = [error.__name__ for error in every_error() if error.__name__ not in drawn]
    assert not missing


def test_a_failure_carries_what_a_caller_can_act_on() -> None:
    failure = errors.BlobMissing().failure(Phase.FETCH)
    assert (failure.code, failure.phase, failure.retryable) == ("blob_missing", Phase.FETCH, True)
