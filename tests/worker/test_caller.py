"""The callers' task: what it meets is tried again, unless trying again cannot help."""

import pytest

from core.errors import DatabaseUnavailable, NotFound, TallyscanError
from worker import caller


@pytest.mark.parametrize(("error", "calls"), [(DatabaseUnavailable, 2), (NotFound, 1)])
def test_a_callback_outlives_a_database_that_is_away_for_a_moment(
    error: type[TallyscanError], calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []

    def notify_caller(_store: object, document_id: str, *, hosts: tuple[str, ...]) -> bool:
        called.append(document_id)
        if len(called) == 1:
            raise error
        return bool(hosts)

    monkeypatch.setattr(caller, "notify_caller", notify_caller)
    monkeypatch.setattr(caller, "store", lambda: None)
    caller.notify.apply(args=["D"])
    assert called == ["D"] * calls
