"""Attempts after which a document waits, found without a look at the whole history."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

REQUEUED = sa.text("outcome = 'requeued'")


def upgrade() -> None:
    op.create_index(
        "ix_attempts_requeued", "attempts", ["finished_at"], sqlite_where=REQUEUED, postgresql_where=REQUEUED
    )


def downgrade() -> None:
    op.drop_index("ix_attempts_requeued", "attempts")
