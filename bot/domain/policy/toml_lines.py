"""Find the line of a key in a TOML file, which tomllib does not report."""

from __future__ import annotations

import re
import tomllib

_HEADER = re.compile(r"^\s*\[\[?\s*([^\]#]{1,300})\]")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"\n]{0,80}"|'[^'\n]{0,80}')(?:\s*\.\s*[\w"'-]+){0,8})\s*=""")

Path = tuple[str, ...]


class Lines:
    """The lines of a file's keys, from a simple scan. Text in multi-line strings can look like keys; then a line number
    may be slightly off."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._known: dict[Path, int] = {}
        section: Path = ()
        for number, line in enumerate(self._lines, 1):
            if header := _HEADER.match(line):
                section = _parts(header[1])
                self._learn(section, number)
            elif key := _KEY.match(line):
                self._learn((*section, *_parts(key[1])), number)
        self._starts = set(self._known.values())

    def of(self, path: Path) -> int:
        """Return the line, from 1, of the key at `path`, or else of the table around it. 0 where neither is known."""
        for length in range(len(path), 0, -1):
            if line := self._known.get(path[:length]):
                return self._within(line, path[length:])
        return 0

    def _learn(self, path: Path, number: int) -> None:
        for length in range(1, len(path) + 1):
            self._known.setdefault(path[:length], number)

    def _within(self, line: int, rest: Path) -> int:
        """Find a key inside a value of several lines, such as an array of inline tables."""
        if not rest:
            return line
        wanted = re.compile(rf"(?:^|[\s{{,]){re.escape(rest[-1])}\s*=")
        for number in range(line, len(self._lines) + 1):
            if number != line and number in self._starts:
                break
            if wanted.search(self._lines[number - 1]):
                return number
        return line


def _parts(key: str) -> Path:
    try:
        value = tomllib.loads(f"{key.strip()} = 0")
    except ValueError:
        return tuple(part.strip(" \t\"'") for part in key.split("."))
    parts: list[str] = []
    while isinstance(value, dict):
        name, value = next(iter(value.items()))
        parts.append(name)
    return tuple(parts)
