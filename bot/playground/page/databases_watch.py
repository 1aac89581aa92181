"""Tells the page when the shop's databases change."""

from __future__ import annotations

import threading
from contextlib import suppress

import psycopg

from bot.playground.page.change_stream import ChangeStream
from bot.playground.shop import ShopDatabases

POLL_SECONDS = 1.0
"""How often to look: Postgres itself counts changes about once a second."""
_VERSION = """
    SELECT d.datname, d.oid, s.tup_inserted, s.tup_updated, s.tup_deleted
    FROM pg_catalog.pg_database d JOIN pg_catalog.pg_stat_database s ON s.datid = d.oid
    WHERE d.datname IN (%s, %s) ORDER BY 1
"""


class DatabasesWatch:
    """Publishes changes of `databases` from a thread of its own: rows that were written, and databases that were swapped."""

    def __init__(self, shop: ShopDatabases, changes: ChangeStream) -> None:
        self._shop, self._changes = shop, changes
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="page-databases", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._closing.set()
        self._thread.join()

    def _watch(self) -> None:
        seen: list[tuple[object, ...]] = []
        while not self._closing.wait(POLL_SECONDS):
            with suppress(psycopg.Error), psycopg.connect(self._shop.admin, autocommit=True) as connection:
                while not self._closing.wait(POLL_SECONDS):
                    found = connection.execute(_VERSION, self._shop.names).fetchall()
                    if found != seen:
                        seen = found
                        self._changes.publish("databases")
