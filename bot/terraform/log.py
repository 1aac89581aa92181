"""A call's output, bounded: lines of a length that memory bears, the beginning and the end kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

LINE = 1 << 20
"""Bytes of one line; what is longer is cut there."""
HALF = 256 * 1024
"""Characters kept of a log's beginning, and of its end."""


class Lines:
    """Bytes in, lines out (without their end)."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        *whole, rest = data.split(b"\n")
        for part in whole:
            line = bytes(self._rest) + part
            self._rest.clear()
            if self._skipping:
                self._skipping = False
            else:
                yield line[:LINE].rstrip(b"\r")
        if not self._skipping:
            self._rest += rest
        if len(self._rest) > LINE:
            yield bytes(self._rest[:LINE])
            self._rest.clear()
            self._skipping = True

    def end(self) -> Iterator[bytes]:
        """The last line, where it has no end."""
        if self._rest:
            yield bytes(self._rest)


class Log:
    """Text that grows without end and stays small: its middle goes first."""

    def __init__(self) -> None:
        self._head: list[str] = []
        self._tail: deque[str] = deque()
        self._sizes = [0, 0]
        self._lost = 0

    @property
    def full(self) -> bool:
        """The beginning is complete: what comes now may be cut again."""
        return self._sizes[0] >= HALF

    def add(self, line: str) -> None:
        if not self.full:
            self._head.append(line[:HALF])
            self._sizes[0] += len(line) + 1
            return
        self._tail.append(line[:HALF])
        self._sizes[1] += len(line[:HALF]) + 1
        while self._sizes[1] > HALF:
            self._sizes[1] -= len(self._tail.popleft()) + 1
            self._lost += 1

    def skip(self) -> None:
        """One line more that is not even looked at."""
        self._lost += 1

    @property
    def text(self) -> str:
        cut = [f"… {self._lost} lines left out …"] if self._lost else []
        return "\n".join([*self._head, *cut, *self._tail])
