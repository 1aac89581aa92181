"""Re-encrypt stored data with the first secret key, so that the other keys can be removed."""

from __future__ import annotations

from sqlalchemy import Engine, Table, and_, select

from bot.storage.columns import Sealed
from bot.storage.database import Database
from bot.storage.failures import translated_errors
from bot.storage.inbox import DeliveryRows
from bot.storage.rows import context, identity
from bot.storage.tables import deliveries, keys, metadata
from bot.vault import Vault

BATCH = 50
"""Rows per transaction, so that others can write in between."""


def reseal(database: Database, inbox: DeliveryRows) -> int:
    """Re-encrypt everything that was sealed with another key than the first one; return how many rows.

    Every process must already have the new key as its first. It can be interrupted and started again at any time.
    Raises SealError if a key is missing.
    """
    vault = database.vault
    tables = [table for table in metadata.sorted_tables if table is not keys]
    count = sum(_reseal(database.engine, vault, table) for table in tables)
    count += _reseal(inbox.engine, vault, deliveries)
    database.check_key()
    with database.begin() as transaction:
        transaction.connection.execute(keys.delete().where(keys.c.id != vault.key_id))
    return count


def _reseal(engine: Engine, vault: Vault, table: Table) -> int:
    sealed = next((column for column in table.c if isinstance(column.type, Sealed)), None)
    if sealed is None:
        return 0
    names = [table.c[name] for name in identity(table)]
    with translated_errors(), engine.connect() as connection:
        ids = [tuple(row) for row in connection.execute(select(*names))]
    count = 0
    for start in range(0, len(ids), BATCH):
        with translated_errors(), engine.begin() as connection:
            for row_id in ids[start : start + BATCH]:
                row = and_(*(name == value for name, value in zip(names, row_id, strict=True)))
                old = connection.execute(select(sealed).where(row).with_for_update()).scalar()
                if old is not None and not vault.is_current(old):
                    where = context(table, *row_id)
                    new = vault.seal(vault.open(old, where), where)
                    count += connection.execute(table.update().where(row).values({sealed: new})).rowcount
    return count
