# ruff: noqa: D102 - rules and invariants are named by what they do
"""Any order of calls on a document keeps to the moves that `core.status` draws."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from core.errors import InvalidTransition
from core.status import FINAL, Status, allowed
from core.types import Failure
from storage.records import Claim, DocumentRecord
from storage.store import Store
from tests.storage.samples import BAD_PAGE, BROKER_AWAY, OWNER, READER, page, queued, reading

MAX_ATTEMPTS = 2
PAGES = 2
FAILURES = st.sampled_from([BAD_PAGE, BROKER_AWAY])


class DocumentLife(RuleBasedStateMachine):
    """Calls of callers, workers and the sweeper on one document, and what must hold after each."""

    store: Store

    @initialize()
    def submit(self) -> None:
        self.document_id = queued(self.store).id
        self.seen = self.store.documents.get(self.document_id, OWNER)
        self.claims: list[Claim] = []
        self.valid: dict[int | None, Claim] = {}

    def teardown(self) -> None:
        self.store.documents.delete(self.document_id, OWNER)

    @rule()
    def claim(self) -> None:
        claim = self.store.claims.claim_document(self.document_id, worker="w", lease_seconds=60)
        assert (claim is not None) == (self.seen.status is Status.QUEUED)
        self._hold(claim)

    @rule(index=st.integers(0, PAGES - 1))
    def claim_page(self, index: int) -> None:
        self._hold(self.store.claims.claim_page(self.document_id, index, worker="w", lease_seconds=60))

    @rule()
    def split(self) -> None:
        claim = self._any(None)
        if claim is not None:
            assert self.store.claims.split(claim, PAGES) == (self.valid.get(None) == claim)
            self._end(claim)

    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        claim = self._pick(data)
        if claim is None:
            return
        if claim.page_index is None:
            stored = self.store.claims.complete_document(claim, reading())
        else:
            stored = self.store.claims.complete_page(claim, page(claim.page_index), reader=READER).stored
        assert stored == self._is_valid(claim)
        self._end(claim)

    @rule(data=st.data(), failure=FAILURES)
    def fail(self, data: st.DataObject, failure: Failure) -> None:
        claim = self._pick(data)
        if claim is None:
            return
        status = self.store.claims.fail(claim, failure, max_attempts=MAX_ATTEMPTS)
        if self._is_valid(claim):
            again = failure.retryable and claim.attempt < MAX_ATTEMPTS
            assert status is (Status.QUEUED if again else Status.FAILED)
        self._end(claim)

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        claim = self._pick(data)
        if claim is not None:
            assert self.store.claims.release(claim) == self._is_valid(claim)
            self._end(claim)

    @rule()
    def sweep_after_the_leases(self) -> None:
        now = datetime.now(UTC) + timedelta(seconds=61)
        expired = self.store.claims.expire(now=now, max_attempts=MAX_ATTEMPTS, lease_seconds=60)
        again = {delivery.page_index for delivery in expired.requeued}
        assert again == {index for index, claim in self.valid.items() if claim.attempt < MAX_ATTEMPTS}
        self.valid.clear()

    @rule()
    def cancel(self) -> None:
        may = allowed(self.seen.status, Status.CANCELLED)
        if self._moves(self.store.documents.cancel, may=may):
            self.valid.clear()

    @rule()
    def retry(self) -> None:
        self._moves(self.store.documents.retry, may=self.seen.status in FINAL)

    @invariant()
    def only_allowed_moves_are_seen(self) -> None:
        before, after = self.seen, self.store.documents.get(self.document_id, OWNER)
        assert after.version >= before.version
        if after.status is not before.status:
            assert after.version > before.version
            assert allowed(before.status, after.status), f"{before.status} to {after.status}"
        self.seen = after

    @invariant()
    def the_record_agrees_with_itself(self) -> None:
        seen = self.seen
        assert (seen.finished_at is not None) == (seen.status in FINAL)
        assert (seen.failure is not None) == (seen.status is Status.FAILED)
        assert len(seen.pages) == seen.pages_done <= (seen.pages_total or 0)
        if seen.status is Status.DONE:
            assert seen.pages_done == seen.pages_total
        if seen.status in FINAL:
            self.valid.clear()

    def _hold(self, claim: Claim | None) -> None:
        if claim is not None:
            self.claims.append(claim)
            self.valid[claim.page_index] = claim

    def _end(self, claim: Claim) -> None:
        if self._is_valid(claim):
            del self.valid[claim.page_index]

    def _is_valid(self, claim: Claim) -> bool:
        return self.valid.get(claim.page_index) == claim

    def _any(self, index: int | None) -> Claim | None:
        return next((claim for claim in reversed(self.claims) if claim.page_index == index), None)

    def _pick(self, data: st.DataObject) -> Claim | None:
        """Return any claim that was ever had, the stale ones too."""
        return data.draw(st.sampled_from(self.claims)) if self.claims else None

    def _moves(self, call: Callable[[str, str], DocumentRecord], *, may: bool) -> bool:
        try:
            call(self.document_id, OWNER)
        except InvalidTransition:
            assert not may
            return False
        assert may
        return True


@pytest.mark.slow
def test_no_order_of_calls_leaves_the_drawn_paths(store: Store) -> None:
    class Life(DocumentLife):
        pass

    Life.store = store
    examples = settings(
        max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    run_state_machine_as_test(Life, settings=examples)
