"""Bounded output of a call: split into lines of limited length, with only the beginning and the end kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

MAX_LINE = 1 << 20
"""Bytes kept of one line."""
HALF = 256 * 1024
"""Characters kept of a log's beginning, and of its end."""


class LineSplitter:
    """Splits a stream of bytes into lines, without their line ends."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        *complete, rest = data.split(b"\n")
        for part in complete:
            line = bytes(self._rest) + part
            self._rest.clear()
            if self._skipping:
                self._skipping = False
            else:
                yield line[:MAX_LINE].rstrip(b"\r")
        if not self._skipping:
            self._rest += rest
        if len(self._rest) > MAX_LINE:
            yield bytes(self._rest[:MAX_LINE])
            self._rest.clear()
            self._skipping = True

    def end(self) -> Iterator[bytes]:
        """Yield the last line if it has no line end."""
        if self._rest:
            yield bytes(self._rest)


class BoundedLog:
    """A log of limited size: once it is full, lines in the middle are dropped."""

    def __init__(self) -> None:
        self._head: list[str] = []
        self._tail: deque[str] = deque()
        self._sizes = [0, 0]
        self._dropped = 0

    @property
    def full(self) -> bool:
        """Whether the beginning is complete, so that lines added now may be dropped later."""
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
            self._dropped += 1

    def skip(self) -> None:
        """Count a line as dropped without adding it."""
        self._dropped += 1

    @property
    def text(self) -> str:
        dropped = [f"… {self._dropped} lines left out …"] if self._dropped else []
        return "\n".join([*self._head, *dropped, *self._tail])
