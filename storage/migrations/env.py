"""Alembic's environment: runs the versions on the connection that `storage.migrate` hands over."""

from alembic import context

from storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite can change a table only by copying it.
    render_as_batch=True,
    # One transaction around all: a migration that fails leaves nothing behind, on SQLite too.
    transactional_ddl=True,
)

with context.begin_transaction():
    context.run_migrations()
