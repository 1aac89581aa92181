"""Make sure that masks kept unique columns unique, before anything is loaded."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence

from bot.domain.exports import Table, TableName
from bot.errors import UserError
from bot.exports.masks import NULL


class CollisionCheck:
    """Remembers the masked keys of one table, as digests, in a private file that has no name. columns: of a unique key, by
    their positions among the exported columns."""

    def __init__(self, table: TableName, names: Sequence[str], columns: Sequence[int], width: int) -> None:
        self._table, self._names, self._columns, self._width = table, names, columns, width
        self._seen = sqlite3.connect("", check_same_thread=False)
        self._seen.execute("PRAGMA cache_size = -16384")
        self._seen.execute("CREATE TABLE seen (key BLOB PRIMARY KEY) WITHOUT ROWID")

    def add(self, block: bytes) -> None:
        """Check whole rows. Raises UserError if a key has been there before."""
        fields = block[:-1].replace(b"\n", b"\t").split(b"\t")
        chosen = [fields[index :: self._width] for index in self._columns]
        keys = [
            (hashlib.blake2b(b"\t".join(key), digest_size=16).digest(),)
            for key in zip(*chosen, strict=True)
            if NULL not in key
        ]
        try:
            with self._seen:
                self._seen.executemany("INSERT INTO seen VALUES (?)", keys)
        except sqlite3.IntegrityError:
            columns = ", ".join(self._names)
            raise UserError(
                f"Two rows of `{self._table}` have the same masked {columns}, which must be unique.",
                next_step="Use `token` for one of these columns in `envs/export.toml`, or make the column longer.",
            ) from None

    def close(self) -> None:
        self._seen.close()


def checks_of(table: Table, columns: Sequence[str], masked: frozenset[str]) -> list[CollisionCheck]:
    """Return a check for each unique key of the table that has a masked column."""
    place = {name: index for index, name in enumerate(columns)}
    keys = {one.columns for one in table.keys if one.whole}
    return [
        CollisionCheck(table.name, key, [place[name] for name in key], len(columns))
        for key in sorted(keys)
        if masked.intersection(key) and all(name in place for name in key)
    ]
