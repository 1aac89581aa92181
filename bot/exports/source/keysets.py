"""Sets of row keys, in a private temporary SQLite file: memory stays flat however many rows are selected."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

Key = tuple[str, ...]
BATCH = 20_000
_CACHE = 64 * 1024
"""KiB of SQLite's page cache; the rest is in the file."""


class Keysets:
    """Makes sets in one file, which SQLite deletes when it is closed. Safe for several threads."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self.database.execute(f"PRAGMA cache_size = -{_CACHE}")
        self.database.execute("PRAGMA journal_mode = OFF")
        self.database.execute("PRAGMA synchronous = OFF")
        self._count = 0

    def new(self, numeric: Sequence[bool]) -> Keyset:
        """Return an empty set. numeric: per key column, whether it is an integer (smaller, and in the order of numbers)."""
        self._count += 1
        return Keyset(self, f"k{self._count}", numeric)

    def close(self) -> None:
        """Delete all sets."""
        with self.lock:
            self.database.close()


class Keyset:
    """Keys of one table's rows: columns as text. Each key is once in it, and keeps the place where it was added."""

    def __init__(self, sets: Keysets, name: str, numeric: Sequence[bool]) -> None:
        self._sets = sets
        self._name = name
        columns = [f"c{place}" for place in range(len(numeric))]
        self._columns = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        self._insert = f"INSERT OR IGNORE INTO {name} ({self._columns}) VALUES ({marks})"  # noqa: S608 - our own names
        defined = ", ".join(
            f"{column} {'INTEGER' if number else 'TEXT'} NOT NULL"
            for column, number in zip(columns, numeric, strict=True)
        )
        with sets.lock:
            sets.database.execute(
                f"CREATE TABLE {name} (seq INTEGER PRIMARY KEY, {defined}, UNIQUE ({self._columns}))"
            )
        self.last = 0

    def add(self, keys: Iterable[Key]) -> None:
        """Add those that are not in it yet."""
        rows = iter(keys)
        while part := sorted(islice(rows, BATCH)):
            with self._sets.lock:
                self._sets.database.execute("BEGIN")
                self._sets.database.executemany(self._insert, part)
                self._sets.database.execute("COMMIT")
        with self._sets.lock:
            self.last = self._one(f"SELECT coalesce(max(seq), 0) FROM {self._name}")  # noqa: S608

    def __len__(self) -> int:
        return self._one(f"SELECT count(*) FROM {self._name}")  # noqa: S608

    def after(self, place: int, size: int) -> tuple[int, list[Key]]:
        """The next keys added after that place, and the place of the last of them."""
        query = f"SELECT seq, {self._columns} FROM {self._name} WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608
        with self._sets.lock:
            rows = self._sets.database.execute(query, (place, size)).fetchall()
        return (rows[-1][0] if rows else place), [tuple(map(str, row[1:])) for row in rows]

    def batches(self, size: int) -> Iterator[list[Key]]:
        """All keys in their order, so that neighbours on disk are read together."""
        query = f"SELECT {self._columns} FROM {self._name} ORDER BY {self._columns}"  # noqa: S608
        with self._sets.lock:
            cursor = self._sets.database.execute(query)
        while True:
            with self._sets.lock:
                rows = cursor.fetchmany(size)
            if not rows:
                return
            yield [tuple(map(str, row)) for row in rows]

    def _one(self, query: str) -> int:
        with self._sets.lock:
            return int(self._sets.database.execute(query).fetchone()[0])
