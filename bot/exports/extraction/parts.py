"""Write a table's rows as parts of a limited size, on threads of their own."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

from bot.domain.exports import Part, TableName
from bot.exports.files import Files

SIZE = 16 << 20
"""Bytes of rows in a part, before compression. Larger rows make larger parts."""
WRITERS = 2
"""Threads that compress, seal and upload: none of which holds the interpreter's lock for long."""


class Writers:
    """The threads that write parts. At most `WRITERS` parts wait, so that memory stays flat."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._pool = ThreadPoolExecutor(WRITERS, thread_name_prefix="export-writer")
        self._room = threading.BoundedSemaphore(WRITERS)

    def submit(self, key: str, data: bytes) -> Future[tuple[int, str]]:
        """Write a file soon; return its stored size and sha256 once it is. Waits for room."""
        self._room.acquire()

        def write() -> tuple[int, str]:
            try:
                return self.files.put(key, data)
            finally:
                self._room.release()

        return self._pool.submit(write)

    def close(self) -> None:
        """Stop after what is being written."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class TableParts:
    """The parts of one table."""

    def __init__(self, writers: Writers, directory: str, table: TableName) -> None:
        self._writers, self._directory, self._table = writers, directory, table
        self._buffer: list[bytes] = []
        self._size = self._rows = 0
        self._written: list[tuple[str, int, Future[tuple[int, str]]]] = []

    def add(self, block: bytes, rows: int) -> None:
        """Append whole rows. Raises what writing an earlier part raised."""
        self._buffer.append(block)
        self._size += len(block)
        self._rows += rows
        if self._size >= SIZE:
            self._flush()

    def finish(self) -> tuple[Part, ...]:
        """Write the rest and return all parts."""
        if self._buffer:
            self._flush()
        return tuple(Part(key, rows, *future.result()) for key, rows, future in self._written)

    def _flush(self) -> None:
        for _key, _rows, future in self._written:
            if future.done():
                future.result()
        key = self._writers.files.part_key(self._table, len(self._written) + 1)
        data = b"".join(self._buffer)
        self._buffer.clear()
        self._written.append((key, self._rows, self._writers.submit(self._directory + key, data)))
        self._size = self._rows = 0
