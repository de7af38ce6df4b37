"""API keys, one-time links and templates."""

import re

import pytest
from sqlalchemy import text

from core.errors import NotFound, UnknownTemplate
from storage import keys
from storage.engine import Database
from storage.records import Scope
from storage.store import Store


def test_a_key_is_known_by_its_secret_alone(store: Store, database: Database) -> None:
    record, secret = store.keys.create(owner="clinic", name="till", scopes={"submit", "read"})
    assert re.fullmatch(rf"ts_{record.id}_[\w-]{{43}}", secret)
    verified = store.keys.verify(secret)
    assert verified is not None
    assert (verified.id, verified.owner) == (record.id, "clinic")
    assert verified.scopes == {Scope.SUBMIT, Scope.READ}
    with database.read() as connection:
        kept = " ".join(str(row) for row in connection.execute(text("SELECT * FROM api_keys")))
    assert secret not in kept
    # The random part may itself hold underscores.
    assert secret.split("_", 2)[2] not in kept


def test_a_wrong_secret_opens_nothing(store: Store) -> None:
    _, secret = store.keys.create(owner="clinic", name="till", scopes={"read"})
    _, other = store.keys.create(owner="bank", name="till", scopes={"read"})
    mixed = "_".join([*other.split("_", 2)[:2], secret.split("_", 2)[2]])
    changed = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    for wrong in ("", "ts__", "ts_", "\ud800", "ts_\x00_x", secret + " ", secret.upper(), secret[3:], mixed, changed):
        assert store.keys.verify(wrong) is None, wrong


def test_a_revoked_key_opens_nothing(store: Store) -> None:
    record, secret = store.keys.create(owner="clinic", name="till", scopes={"read"})
    token = store.login_tokens.create(record.id, 60)
    store.keys.revoke(record.id)
    store.keys.revoke(record.id)
    assert store.keys.verify(secret) is None
    assert store.login_tokens.redeem(token) is None
    assert store.keys.list()[0].revoked_at is not None
    with pytest.raises(NotFound):
        store.keys.revoke("0" * 26)


def test_admin_allows_everything_and_other_scopes_only_themselves(store: Store) -> None:
    admin, _ = store.keys.create(owner="it", name="admin", scopes={"admin"})
    reader, _ = store.keys.create(owner="it", name="reader", scopes={"read"})
    assert all(admin.allows(scope) for scope in Scope)
    assert [scope for scope in Scope if reader.allows(scope)] == [Scope.READ]
    with pytest.raises(ValueError, match="root"):
        store.keys.create(owner="it", name="root", scopes={"root"})


def test_keys_are_listed_by_owner(store: Store) -> None:
    for owner in ("clinic", "bank", "clinic"):
        store.keys.create(owner=owner, name="till", scopes={"read"})
    assert [key.owner for key in store.keys.list()] == ["clinic", "bank", "clinic"]
    assert len(store.keys.list("clinic")) == 2


def test_use_of_a_key_is_noted_but_not_every_time(store: Store) -> None:
    record, secret = store.keys.create(owner="clinic", name="till", scopes={"read"})
    assert record.last_used_at is None
    store.keys.verify(secret)
    first = store.keys.list()[0].last_used_at
    store.keys.verify(secret)
    assert first is not None
    assert store.keys.list()[0].last_used_at == first


def test_a_link_opens_the_page_once(store: Store, database: Database) -> None:
    record, _ = store.keys.create(owner="clinic", name="till", scopes={"read"})
    token = store.login_tokens.create(record.id, 60)
    with database.read() as connection:
        assert token not in str(connection.execute(text("SELECT * FROM login_tokens")).all())
    redeemed = store.login_tokens.redeem(token)
    assert redeemed is not None
    assert redeemed.key.id == record.id
    assert store.login_tokens.redeem(token) is None
    assert store.login_tokens.redeem("never made") is None


def test_a_session_lasts_until_it_is_ended(store: Store) -> None:
    record, _ = store.keys.create(owner="clinic", name="till", scopes={"read"})
    first, second = (store.login_tokens.redeem(store.login_tokens.create(record.id, 60)) for _ in range(2))
    assert first is not None
    assert second is not None
    assert store.login_tokens.key_of(first.id) == store.login_tokens.key_of(second.id) == first.key
    store.login_tokens.end(first.id)
    store.login_tokens.end(first.id)
    assert store.login_tokens.key_of(first.id) is None
    assert store.login_tokens.key_of(second.id) is not None, "another session of the same key goes on"
    store.keys.revoke(record.id)
    assert store.login_tokens.key_of(second.id) is None


def test_a_link_that_nobody_has_used_is_no_session(store: Store, database: Database) -> None:
    record, _ = store.keys.create(owner="clinic", name="till", scopes={"read"})
    token = store.login_tokens.create(record.id, 60)
    with database.read() as connection:
        (session_id,) = connection.execute(text("SELECT token_sha256 FROM login_tokens")).scalars()
    assert store.login_tokens.key_of(session_id) is None
    assert store.login_tokens.redeem(token) is not None
    assert store.login_tokens.key_of(session_id) is not None


def test_sessions_are_over_after_a_while_and_leave_nothing(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, _ = store.keys.create(owner="clinic", name="till", scopes={"read"})
    opened = store.login_tokens.redeem(store.login_tokens.create(record.id, 60))
    assert opened is not None
    monkeypatch.setattr(keys, "SESSION_SECONDS", -61.0)
    assert store.login_tokens.key_of(opened.id) is None
    store.login_tokens.create(record.id, 3600)
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM login_tokens")).scalar() == 1


def test_a_link_runs_out(store: Store) -> None:
    record, _ = store.keys.create(owner="clinic", name="till", scopes={"read"})
    assert store.login_tokens.redeem(store.login_tokens.create(record.id, -1)) is None
    with pytest.raises(NotFound):
        store.login_tokens.create("0" * 26, 60)


def test_a_template_has_a_history(store: Store) -> None:
    store.templates.put("card", {"fields": []})
    store.templates.put("card", {"fields": ["amount"]})
    store.templates.put("other", {"fields": []})
    store.templates.remove("card")
    assert store.templates.numbers("card") == [1, 2]
    assert [store.templates.get("card", number).body for number in (1, 2)] == [{"fields": []}, {"fields": ["amount"]}]
    assert store.templates.numbers("none") == []


def test_templates_have_versions(store: Store) -> None:
    first = store.templates.put("cheque", {"fields": []})
    assert store.templates.put("cheque", {"fields": []}) == first
    second = store.templates.put("cheque", {"fields": ["amount"]})
    store.templates.put("tax", {})
    assert (first.version, second.version) == (1, 2)
    assert store.templates.get("cheque") == second
    assert store.templates.get("cheque", 1) == first
    assert [(template.name, template.version) for template in store.templates.latest()] == [("cheque", 2), ("tax", 1)]


def test_a_removed_template_keeps_its_versions(store: Store) -> None:
    first = store.templates.put("cheque", {"fields": []})
    store.templates.remove("cheque")
    for call in (store.templates.get, store.templates.remove):
        with pytest.raises(UnknownTemplate):
            call("cheque")
    assert store.templates.latest() == []
    assert store.templates.get("cheque", 1) == first
    assert store.templates.put("cheque", {"fields": []}).version == 2
