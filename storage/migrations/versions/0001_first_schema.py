"""The first schema: what intake, workers, keys and templates keep.

Written out in plain types, so that it stays what it was when `storage.tables` moves on.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.String(26)
SHA256 = sa.String(64)
NAME = sa.String(16)
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_batches()
    _create_templates()
    _create_documents()
    _create_pages()
    _create_fields()
    _create_attempts()
    _create_idempotency_keys()
    _create_keys()
    _create_indexes()


def downgrade() -> None:
    for table in (
        "login_tokens",
        "api_keys",
        "idempotency_keys",
        "attempts",
        "fields",
        "pages",
        "documents",
        "templates",
        "batches",
    ):
        op.drop_table(table)


def _needed(name: str, kind: TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, autoincrement=False)


def _work() -> list[sa.Column[Any]]:
    return [
        _needed("status", NAME),
        _needed("attempts", sa.Integer()),
        sa.Column("lease_token", ID),
        sa.Column("lease_expires_at", MOMENT),
        sa.Column("worker", sa.String()),
        sa.Column("claimed_at", MOMENT),
        sa.Column("sent_at", MOMENT),
        sa.Column("failure", sa.JSON()),
    ]


def _create_batches() -> None:
    op.create_table(
        "batches",
        _needed("id", ID),
        _needed("owner", sa.String()),
        sa.Column("name", sa.String()),
        _needed("created_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
    )


def _create_templates() -> None:
    op.create_table(
        "templates",
        _needed("name", sa.String()),
        _needed("version", sa.Integer()),
        _needed("body", sa.JSON()),
        _needed("created_at", MOMENT),
        sa.Column("retired_at", MOMENT),
        sa.PrimaryKeyConstraint("name", "version", name="pk_templates"),
    )


def _create_documents() -> None:
    op.create_table(
        "documents",
        *_work(),
        _needed("id", ID),
        _needed("owner", sa.String()),
        sa.Column("batch_id", ID),
        _needed("filename", sa.String()),
        _needed("sha256", SHA256),
        _needed("size_bytes", sa.BigInteger()),
        _needed("media_type", sa.String()),
        sa.Column("type_name", sa.String()),
        sa.Column("template_name", sa.String()),
        sa.Column("template_version", sa.Integer()),
        _needed("priority", NAME),
        _needed("tags", sa.JSON()),
        sa.Column("callback_url", sa.String()),
        sa.Column("duplicate_of", ID),
        sa.Column("pages_total", sa.Integer()),
        _needed("pages_done", sa.Integer()),
        _needed("created_at", MOMENT),
        sa.Column("started_at", MOMENT),
        sa.Column("finished_at", MOMENT),
        sa.Column("reader_version", sa.String()),
        sa.Column("reader_sha256", SHA256),
        _needed("steps", sa.JSON()),
        _needed("version", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_documents"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_documents_batch_id_batches"),
        sa.ForeignKeyConstraint(
            ["duplicate_of"], ["documents.id"], name="fk_documents_duplicate_of_documents", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["template_name", "template_version"],
            ["templates.name", "templates.version"],
            name="fk_documents_template_name_template_version_templates",
        ),
    )


def _create_pages() -> None:
    op.create_table(
        "pages",
        *_work(),
        _needed("document_id", ID),
        _needed("page_index", sa.Integer()),
        _needed("width", sa.Integer()),
        _needed("height", sa.Integer()),
        _needed("skew_degrees", sa.Double()),
        sa.Column("registration", sa.JSON()),
        sa.Column("preview_sha256", SHA256),
        sa.PrimaryKeyConstraint("document_id", "page_index", name="pk_pages"),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name="fk_pages_document_id_documents", ondelete="CASCADE"
        ),
    )


def _create_fields() -> None:
    op.create_table(
        "fields",
        _needed("document_id", ID),
        _needed("page_index", sa.Integer()),
        _needed("position", sa.Integer()),
        _needed("name", sa.String()),
        _needed("type", sa.String()),
        *(_needed(name, sa.Integer()) for name in ("x", "y", "width", "height")),
        _needed("text", sa.String()),
        sa.Column("value", sa.String()),
        _needed("confidence", sa.Double()),
        _needed("accepted", sa.Boolean()),
        _needed("review_reasons", sa.JSON()),
        _needed("digits", sa.JSON()),
        sa.PrimaryKeyConstraint("document_id", "page_index", "position", name="pk_fields"),
        sa.ForeignKeyConstraint(
            ["document_id", "page_index"],
            ["pages.document_id", "pages.page_index"],
            name="fk_fields_document_id_page_index_pages",
            ondelete="CASCADE",
        ),
    )


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        _needed("id", ID),
        _needed("document_id", ID),
        sa.Column("page_index", sa.Integer()),
        _needed("number", sa.Integer()),
        _needed("worker", sa.String()),
        _needed("started_at", MOMENT),
        _needed("finished_at", MOMENT),
        _needed("outcome", NAME),
        sa.Column("failure", sa.JSON()),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name="fk_attempts_document_id_documents", ondelete="CASCADE"
        ),
    )


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        _needed("owner", sa.String()),
        _needed("key", sa.String()),
        _needed("request_digest", sa.String()),
        sa.Column("document_id", ID),
        sa.Column("batch_id", ID),
        _needed("created_at", MOMENT),
        sa.PrimaryKeyConstraint("owner", "key", name="pk_idempotency_keys"),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name="fk_idempotency_keys_document_id_documents", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.id"], name="fk_idempotency_keys_batch_id_batches", ondelete="CASCADE"
        ),
    )


def _create_keys() -> None:
    op.create_table(
        "api_keys",
        _needed("id", ID),
        _needed("owner", sa.String()),
        _needed("name", sa.String()),
        _needed("scopes", sa.JSON()),
        _needed("secret_sha256", SHA256),
        _needed("created_at", MOMENT),
        sa.Column("last_used_at", MOMENT),
        sa.Column("revoked_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_table(
        "login_tokens",
        _needed("token_sha256", SHA256),
        _needed("key_id", ID),
        _needed("expires_at", MOMENT),
        sa.Column("used_at", MOMENT),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_login_tokens"),
        sa.ForeignKeyConstraint(
            ["key_id"], ["api_keys.id"], name="fk_login_tokens_key_id_api_keys", ondelete="CASCADE"
        ),
    )


def _create_indexes() -> None:
    op.create_index("ix_batches_owner_id", "batches", ["owner", "id"])
    op.create_index("ix_documents_owner_id", "documents", ["owner", "id"])
    op.create_index("ix_documents_sha256_owner_id", "documents", ["sha256", "owner", "id"])
    op.create_index("ix_documents_status_priority", "documents", ["status", "priority"])
    op.create_index("ix_attempts_document_id", "attempts", ["document_id"])
    op.create_index("ix_idempotency_keys_document_id", "idempotency_keys", ["document_id"])
    op.create_index("ix_idempotency_keys_batch_id", "idempotency_keys", ["batch_id"])
    op.create_index("ix_api_keys_owner", "api_keys", ["owner"])
    op.create_index("ix_login_tokens_key_id", "login_tokens", ["key_id"])
    _partial("ix_documents_batch", "documents", ["batch_id", "id"], where="batch_id IS NOT NULL")
    _partial("ix_documents_batch_status", "documents", ["batch_id", "status"], where="batch_id IS NOT NULL")
    _partial("ix_documents_duplicate_of", "documents", ["duplicate_of"], where="duplicate_of IS NOT NULL")
    _partial("ix_documents_queued", "documents", ["status", "sent_at"], where="status = 'queued'")
    _partial("ix_pages_queued", "pages", ["sent_at"], where="status = 'queued'")
    for table in ("documents", "pages"):
        _partial(f"ix_{table}_leased", table, ["lease_expires_at"], where="lease_expires_at IS NOT NULL")
    _partial("ix_pages_preview", "pages", ["preview_sha256"], where="preview_sha256 IS NOT NULL")


def _partial(name: str, table: str, columns: list[str], *, where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
