"""Find the line of a key in a TOML file, which tomllib does not report."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter

_HEADER = re.compile(r"""^\s*(\[\[?)\s*((?:"[^"\n]{0,200}"|'[^'\n]{0,200}'|[^\]#"']){1,300})\]""")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"\n]{0,80}"|'[^'\n]{0,80}')(?:\s*\.\s*[\w"'-]+){0,8})\s*=""")

_BARE = re.compile(r"[A-Za-z0-9_-]+")

Path = tuple[str, ...]
Location = tuple[int | str, ...]
"""Keys and list indices that lead to a value."""


def header(keys: Path) -> str:
    """Return a table's header in Markdown, such as `[env.prod]`. A key that needs quotes gets them."""
    return f"`[{'.'.join(quoted(key[:40]) for key in keys)}]`"


def quoted(key: str) -> str:
    """Return a key as TOML writes it: bare where it can be."""
    if _BARE.fullmatch(key):
        return key
    literal = '"' in key and "'" not in key and key.isprintable()
    return f"'{key}'" if literal else json.dumps(key, ensure_ascii=False)


class Lines:
    """The lines of a file's keys, from a simple scan. Text in multi-line strings can look like keys; then a line number
    may be slightly off."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._known: dict[Location, int] = {}
        section: Location = ()
        items: Counter[Path] = Counter()
        for number, line in enumerate(self._lines, 1):
            if found := _HEADER.match(line):
                section = keys = _parts(found[2])
                if found[1] == "[[":
                    section = (*keys, items[keys])
                    items[keys] += 1
                self._learn(section, number)
            elif key := _KEY.match(line):
                self._learn((*section, *_parts(key[1])), number)
        self._starts = set(self._known.values())

    def of(self, path: Location) -> int:
        """Return the line, from 1, of the key at `path`, or else of the table around it. 0 where neither is known."""
        for length in range(len(path), 0, -1):
            if line := self._known.get(path[:length]):
                return self._within(line, path[length:])
        return 0

    def _learn(self, path: Location, number: int) -> None:
        for length in range(1, len(path) + 1):
            self._known.setdefault(path[:length], number)

    def _within(self, line: int, rest: Location) -> int:
        """Find a key inside a value of several lines, such as an array of inline tables. The items of such an array are not
        told apart."""
        if not rest or isinstance(rest[0], int):
            return line
        keys = [part for part in rest if isinstance(part, str)]
        wanted = re.compile(rf"""(?:^|[\s{{,"']){re.escape(keys[-1])}["']?\s*=""")
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
