"""The MICR line that a cheque's is compared with, where a caller sent one."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not in a batch: that would copy the table on SQLite, and dropping the old one would take its pages along.
    op.add_column("documents", sa.Column("expected_micr", sa.String()))


def downgrade() -> None:
    op.drop_column("documents", "expected_micr")
