"""Alembic's environment. It uses the connection of bot.storage.migrate, within its transaction."""

from __future__ import annotations

from alembic import context

from bot.storage.migrate import is_own_table, tables_of

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=tables_of(connection.dialect.name),
    include_object=is_own_table,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
