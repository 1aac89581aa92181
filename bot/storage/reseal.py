"""Replacing the secret key: seal everything anew under the first key, so that the others can be dropped."""

from __future__ import annotations

from sqlalchemy import Engine, Table, and_, select

from bot.storage.columns import Sealed
from bot.storage.crypto import Vault
from bot.storage.database import Database
from bot.storage.failures import told
from bot.storage.inbox import DeliveryRows
from bot.storage.rows import context, identity
from bot.storage.tables import deliveries, keys, metadata

BATCH = 50
"""Rows in one transaction: others may write between two of them."""


def reseal(database: Database, inbox: DeliveryRows) -> int:
    """Seal anew what another key than the first one sealed; returns how many rows.

    Every process must know the new key by then, and have it first. It may be stopped and begun again at any time.
    Raises SealError where a key is missing.
    """
    vault = database.vault
    tables = [table for table in metadata.sorted_tables if table is not keys]
    count = sum(_reseal(database.engine, vault, table) for table in tables)
    count += _reseal(inbox.engine, vault, deliveries)
    database.check_key()
    with database.begin() as own:
        own.connection.execute(keys.delete().where(keys.c.id != vault.key_id))
    return count


def _reseal(engine: Engine, vault: Vault, table: Table) -> int:
    sealed = next((column for column in table.c if isinstance(column.type, Sealed)), None)
    if sealed is None:
        return 0
    names = [table.c[name] for name in identity(table)]
    with told(), engine.connect() as connection:
        known = [tuple(row) for row in connection.execute(select(*names))]
    count = 0
    for start in range(0, len(known), BATCH):
        with told(), engine.begin() as connection:
            for values in known[start : start + BATCH]:
                row = and_(*(name == value for name, value in zip(names, values, strict=True)))
                old = connection.execute(select(sealed).where(row).with_for_update()).scalar()
                if old is not None and not vault.current(old):
                    where = context(table, *values)
                    new = vault.seal(vault.open(old, where), where)
                    count += connection.execute(table.update().where(row).values({sealed: new})).rowcount
    return count
