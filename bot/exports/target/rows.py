"""Load parts of tables, each together with the note that it is loaded, so that a killed load goes on part by part."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from psycopg import Connection, sql

from bot.domain.exports import Manifest, Part, TableFiles
from bot.domain.ports.exports import Cancelled, ExportControl
from bot.exports.files import Files
from bot.exports.pace import Pace
from bot.exports.target.server import Server

_AT_ONCE = 2
"""Parts that are loaded at once."""
_SENT = 1 << 20
"""Bytes given to the server at a time."""


@dataclass(frozen=True)
class Loading:
    """One load into one database. role: who owns the tables, "" for the user itself."""

    server: Server
    database: str
    files: Files
    manifest: Manifest
    role: str
    control: ExportControl

    @property
    def directory(self) -> str:
        found = self.manifest
        return self.files.directory(found.repository, found.environment, found.export)

    def rows(self, tables: Iterable[TableFiles]) -> None:
        """Load the tables' parts that are not loaded yet. Raises Cancelled."""
        wanted = list(tables)
        with self.server.connect(self.database) as connection:
            loaded = {part for (part,) in connection.execute("SELECT part FROM towpath.loaded")}
        pace = Pace(self.control, "loading", sum(one.rows for one in wanted))
        left = iter([(one, part) for one in wanted for part in one.parts if part.key not in loaded])
        for one in wanted:
            for part in one.parts:
                if part.key in loaded:
                    pace.add(str(one.table), part.rows, part.bytes)
        turn = threading.Lock()
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="export-load") as pool:
            for done in [pool.submit(self._some, left, turn, pace) for _ in range(_AT_ONCE)]:
                done.result()
        pace.end()

    def _some(self, left: Iterator[tuple[TableFiles, Part]], turn: threading.Lock, pace: Pace) -> None:
        with self.server.connect(self.database) as connection:
            if self.role:
                connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(self.role)))
            connection.execute("SET synchronous_commit = off")
            while True:
                if self.control.cancelled():
                    raise Cancelled
                with turn:
                    found = next(left, None)
                if found is None:
                    return
                self._load(connection, *found)
                pace.add(str(found[0].table), found[1].rows, found[1].bytes)

    def _load(self, connection: Connection, table: TableFiles, part: Part) -> None:
        data = memoryview(self.files.part(self.directory, part))
        name = sql.Identifier(table.table.schema, table.table.name)
        columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
        query = sql.SQL("COPY {} ({}) FROM STDIN").format(name, columns)
        with connection.transaction(), connection.cursor() as cursor:
            with cursor.copy(query) as copy:
                for start in range(0, len(data), _SENT):
                    copy.write(data[start : start + _SENT])
            self._as_user(connection, "INSERT INTO towpath.loaded (part) VALUES (%s)", part.key)

    def _as_user(self, connection: Connection, query: str, value: str) -> None:
        """Run a statement on our own tables, which belong to the user and not to the role."""
        if not self.role:
            connection.execute(query, (value,))
            return
        connection.execute("RESET ROLE")
        connection.execute(query, (value,))
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(self.role)))

    def is_done(self, step: str) -> bool:
        """Whether a step is done."""
        with self.server.connect(self.database) as connection:
            query = "SELECT 1 FROM towpath.loaded WHERE part = %s"
            return connection.execute(query, (step,)).fetchone() is not None

    def done(self, step: str) -> None:
        """Note that a step is done."""
        with self.server.connect(self.database) as connection:
            connection.execute(
                "INSERT INTO towpath.loaded (part) VALUES (%s) ON CONFLICT DO NOTHING", (step,)
            )
