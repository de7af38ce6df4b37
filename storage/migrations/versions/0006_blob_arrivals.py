"""Blobs that are being stored and have no row yet."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blob_arrivals",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("token", sa.String(26), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "token", name="pk_blob_arrivals"),
    )


def downgrade() -> None:
    op.drop_table("blob_arrivals")
