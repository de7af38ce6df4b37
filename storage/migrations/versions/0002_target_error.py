"""The share of accepted fields that may be wrong, where a caller asked for one."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not in a batch: that would copy the table on SQLite, and dropping the old one would take its pages along.
    op.add_column("documents", sa.Column("target_error", sa.Double()))


def downgrade() -> None:
    op.drop_column("documents", "target_error")
