"""Alembic's environment: it runs on the connection that bot.storage.migrate gives, within its transaction."""

from __future__ import annotations

from alembic import context

from bot.storage.migrate import ours, tables_of

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=tables_of(connection.dialect.name),
    include_object=ours,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
