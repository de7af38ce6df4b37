"""What people say that fields read, and which model read each page."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.String(26)
SHA256 = sa.String(64)


def upgrade() -> None:
    # Not in a batch: that would copy the table on SQLite, and dropping the old one would take its fields along.
    op.add_column("pages", sa.Column("reader_version", sa.String()))
    op.add_column("pages", sa.Column("reader_sha256", SHA256))
    op.create_table(
        "corrections",
        _needed("id", ID),
        _needed("document_id", ID),
        _needed("page_index", sa.Integer()),
        _needed("field", sa.String()),
        _needed("type", sa.String()),
        *(_needed(name, sa.Integer()) for name in ("x", "y", "width", "height")),
        _needed("old_text", sa.String()),
        sa.Column("old_value", sa.String()),
        _needed("old_confidence", sa.Double()),
        _needed("old_accepted", sa.Boolean()),
        sa.Column("reader_version", sa.String()),
        sa.Column("reader_sha256", SHA256),
        _needed("truth", sa.String(16)),
        sa.Column("text", sa.String()),
        sa.Column("value", sa.String()),
        _needed("note", sa.String()),
        _needed("key_id", ID),
        _needed("key_name", sa.String()),
        _needed("created_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name="fk_corrections_document_id_documents", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_corrections_document_id_id", "corrections", ["document_id", "id"])


def downgrade() -> None:
    op.drop_table("corrections")
    op.drop_column("pages", "reader_sha256")
    op.drop_column("pages", "reader_version")


def _needed(name: str, kind: TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, autoincrement=False)
