"""The source, open in one snapshot: every connection reads the same moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from datetime import datetime

import psycopg
from psycopg import Connection, sql

from bot.domain.exports import DatabaseSchema, ExportPolicy
from bot.domain.ports.exports import Cancelled, ExportControl, ExportJob
from bot.errors import TransientError, UserError
from bot.exports.source import catalog
from bot.exports.source.connection import Server, address_of, begin, connect, server_of
from bot.exports.source.failures import translated
from bot.exports.source.keysets import Keysets
from bot.exports.source.pooler import refuse_pooler
from bot.exports.source.pressure import pressure

_LOOK = 5.0
"""Seconds between looks at lag and sessions while there is no pressure."""


class Source:
    """The database that is read. Use `open_source`.

    url: of the server that is read, for pg_dump. lent: how often a connection was lent. snapshot: pg_export_snapshot's id. snapshot_at: UTC. Besides the
    connections that `connection()` lends, one more holds the snapshot and watches the load.
    """

    def __init__(self, server: Server, holder: Connection, control: ExportControl) -> None:
        self.server = server
        self.url = server.url
        self.snapshot = ""
        self.snapshot_at: datetime = datetime.min  # noqa: DTZ901 - set with the snapshot
        self.schema: DatabaseSchema
        self.keysets = Keysets()
        self._holder = holder
        self._control = control
        self._idle: list[Connection] = []
        self._opened: list[Connection] = []
        self._free = threading.BoundedSemaphore(max(1, server.limits.connections))
        self._deadline = time.monotonic() + server.limits.total.total_seconds()
        self._looked = 0.0
        self.lent = 0

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a read-only connection in the snapshot; wait for one if limits.connections are lent already.

        Errors of the driver inside the block are raised as UserError, TransientError or Cancelled.
        """
        while not self._free.acquire(timeout=0.2):
            self.check()
        try:
            with self._failures():
                connection = self._idle.pop() if self._idle else self._open()
                self.lent += 1
                yield connection
                if connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS:
                    self._idle.append(connection)
                else:
                    connection.close()
        finally:
            self._free.release()

    def wait(self, report: Callable[[str], None]) -> None:
        """Return once the source is not too busy. Call often: it looks every five seconds only.

        report: gets the reason about once a second while it waits, and "" when it goes on. Raises Cancelled, and
        UserError when limits.total has passed.
        """
        self.check()
        if time.monotonic() - self._looked < _LOOK:
            return
        waited = False
        with self._failures():
            while why := pressure(self._holder, self.server.limits):
                waited = True
                report(why)
                for _ in range(5):
                    time.sleep(0.2)
                    self.check()
        self._looked = time.monotonic()
        if waited:
            report("")

    def check(self) -> None:
        """Raise Cancelled if somebody cancelled the export, and UserError if limits.total has passed."""
        if self._control.cancelled():
            raise Cancelled
        if time.monotonic() > self._deadline:
            raise UserError(
                f"The export took longer than limits.total ({self.server.limits.total}) allows.",
                next_step="Raise limits.total in envs/export.toml, or export fewer rows.",
            )

    def begin(self, policy: ExportPolicy) -> None:
        """Lock the tables that are read against changes of their form, take the snapshot, read the schema in it.

        A table rewritten after the snapshot would look empty in it, so locks come first, as weak as pg_dump's.
        """
        with self._failures():
            begin(self._holder, self.server.limits)
            before = catalog.read(self._holder)
            readable = catalog.readable(self._holder)
            self._holder.rollback()
            begin(self._holder, self.server.limits)
            for table in before.tables:
                rule = policy.tables.get(table.name)
                if table.name in readable and not (rule and rule.rows == "none"):
                    name = sql.Identifier(table.name.schema, table.name.name)
                    self._holder.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(name))
            row = self._holder.execute(
                "SELECT pg_catalog.pg_export_snapshot(), pg_catalog.clock_timestamp()"
            ).fetchone()
            assert row is not None  # noqa: S101 - a SELECT without FROM
            self.snapshot, self.snapshot_at = row
            self.schema = catalog.read(self._holder)
            if self.schema.digest != before.digest:
                raise TransientError(f"The tables of {self.server.label} changed while the export began.")
            second = connect(self.server)
            self._opened.append(second)
            refuse_pooler(self._holder, second, self.snapshot, self.server)
            self._idle.append(second)

    def _open(self) -> Connection:
        connection = connect(self.server)
        self._opened.append(connection)
        begin(connection, self.server.limits, self.snapshot)
        return connection

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """As `translated`, but a query that `watch` cancelled tells why."""
        try:
            with translated(self.server):
                yield
        except (UserError, TransientError):
            self.check()
            raise

    def watch(self, ended: threading.Event) -> None:
        """Cancel running queries when the export is cancelled or its time is over."""
        while not ended.wait(0.3):
            try:
                self.check()
            except (Cancelled, UserError):
                for connection in [self._holder, *self._opened]:
                    with suppress(psycopg.Error):
                        connection.cancel_safe(timeout=5)

    def close(self) -> None:
        """Close all connections, and delete the keysets."""
        self.keysets.close()
        for connection in self._opened:
            connection.close()


@contextmanager
def open_source(job: ExportJob, control: ExportControl) -> Iterator[Source]:
    """Open the job's source, or its replica, in a snapshot of now, and read its schema.

    Raises UserError (wrong address, a pooler, missing rights), TransientError if it does not answer, and Cancelled.
    """
    server = server_of(job)
    with ExitStack() as stack:
        holder = stack.enter_context(closing(connect(server)))
        pinned = replace(server, url=address_of(holder, server))
        source = Source(pinned, holder, control)
        stack.callback(source.close)
        ended = threading.Event()
        watcher = threading.Thread(
            target=source.watch, args=(ended,), name="export-source-watch", daemon=True
        )
        watcher.start()
        stack.callback(watcher.join)
        stack.callback(ended.set)
        source.begin(job.policy)
        yield source


def inspect(job: ExportJob, control: ExportControl) -> DatabaseSchema:
    """Return the source's schema. Reads no row of any table. Raises as `open_source`."""
    if control.cancelled():
        raise Cancelled
    server = server_of(job)
    with translated(server), closing(connect(server)) as connection:
        begin(connection, server.limits)
        return catalog.read(connection)
