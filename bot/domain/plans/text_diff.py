"""Compare texts: several lines by line, one long line by word, with a little of what is around each change.

A result line has a sign (`+`, `-` or a space), a bar and text: `- | echo old`. Unchanged parts are counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from bot.domain.plans.alignment import align, gaps
from bot.domain.plans.literal import visible
from bot.domain.redaction import TAG_CHARACTERS

CONTEXT = 2
"""Unchanged lines shown before and after a change."""
AROUND = 40
"""Unchanged characters shown before and after a change within a line."""
LONG = 200
"""Characters from which a changed line is compared by word."""
_MOST_COMPARED = 200_000
"""Characters of one line compared by word; of a longer one, everything between the first and last change is shown."""
_WORDS = re.compile(rf"[\w{TAG_CHARACTERS}]+|[^\w{TAG_CHARACTERS}]")

Clear = Callable[[str], str]
"""Removes the redactor's tags."""


def diff_lines(before: str, after: str, clear: Clear) -> Iterator[str]:
    """Compare texts of several lines."""
    old, new = before.split("\n"), after.split("\n")
    runs = _runs(list(gaps(align(old, new), len(old), len(new))))
    for number, (removed, added, kept) in enumerate(runs):
        if removed or added:
            yield from _changed(old[removed.start : removed.stop], new[added.start : added.stop], clear)
        lines = [old[at] for at in kept]
        head = CONTEXT if number or removed or added else 0
        tail = CONTEXT if number < len(runs) - 1 else 0
        if len(lines) <= head + tail + 1:
            yield from (context(clear(line)) for line in lines)
            continue
        yield from (context(clear(line)) for line in lines[:head])
        yield elided(len(lines) - head - tail, "line")
        yield from (context(clear(line)) for line in lines[len(lines) - tail :])


def _runs(parts: Sequence[tuple[range, range, object]]) -> list[tuple[range, range, range]]:
    """Join neighbouring matches: what is removed and added, and the unchanged lines of the first text after that."""
    runs: list[tuple[range, range, range]] = []
    for removed, added, match in parts:
        length = 0 if match is None else 1
        if runs and not removed and not added:
            before = runs[-1]
            runs[-1] = (before[0], before[1], range(before[2].start, before[2].stop + length))
        else:
            runs.append((removed, added, range(removed.stop, removed.stop + length)))
    return runs


def _changed(old: Sequence[str], new: Sequence[str], clear: Clear) -> Iterator[str]:
    if len(old) == len(new) and any(len(line) > LONG for line in (*old, *new)):
        for one, other in zip(old, new, strict=True):
            yield from diff_words(one, other, clear)
        return
    yield from (marked("-", clear(line)) for line in old)
    yield from (marked("+", clear(line)) for line in new)


def diff_words(before: str, after: str, clear: Clear) -> Iterator[str]:
    """Compare single lines: each change as it was and as it will be, between some of the text around it."""
    old, new = _words(before, after)
    matches = align(old, new)
    changes = [
        (removed, added) for removed, added, _ in gaps(matches, len(old), len(new)) if removed or added
    ]
    shown = 0
    for first, last in _close(changes, old):
        removed = range(changes[first][0].start, changes[last][0].stop)
        added = range(changes[first][1].start, changes[last][1].stop)
        lead, opening = _lead(old, removed.start, clear)
        trail, closing = _trail(old, removed.stop, clear)
        for sign, words, at in (("-", old, removed), ("+", new, added)):
            yield marked(sign, f"{opening}{lead}{clear(''.join(words[at.start : at.stop]))}{trail}{closing}")
        shown += len(lead) + sum(map(len, old[removed.start : removed.stop])) + len(trail)
    if (hidden := len(before) - shown) > 0:
        yield elided(hidden, "character")


def _lead(words: Sequence[str], stop: int, clear: Clear) -> tuple[str, str]:
    """Return the text before a change, and an ellipsis if there is more of it."""
    text = clear("".join(words[max(0, stop - AROUND) : stop]))
    return text[-AROUND:], "…" if stop > AROUND or len(text) > AROUND else ""


def _trail(words: Sequence[str], start: int, clear: Clear) -> tuple[str, str]:
    text = clear("".join(words[start : start + AROUND]))
    return text[:AROUND], "…" if len(words) > start + AROUND or len(text) > AROUND else ""


def _words(before: str, after: str) -> tuple[list[str], list[str]]:
    """Split both lines into words. Where that would take long, what lies between the first and the last change is one."""
    if len(before) + len(after) <= _MOST_COMPARED:
        return _WORDS.findall(before), _WORDS.findall(after)
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    sides = []
    for text in (before, after):
        stop = len(text) - end
        sides.append([part for part in (text[:start], text[start:stop], text[stop:]) if part])
    return sides[0], sides[1]


def _common(one: str, other: str) -> int:
    """Return the length of the common beginning, up to the end of a word, so that no tag is cut."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    while low and re.match(rf"[\w{TAG_CHARACTERS}]", one[low - 1]):
        low -= 1
    return low


def _close(changes: Sequence[tuple[range, range]], old: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the first and last number of changes so close to each other that they are shown as one."""
    first = 0
    for number, (one, other) in enumerate(pairwise(changes)):
        if sum(map(len, old[one[0].stop : other[0].start])) > 2 * AROUND:
            yield first, number
            first = number + 1
    if changes:
        yield first, len(changes) - 1


def marked(sign: str, line: str) -> str:
    """Write a changed line. A space at its end is written as a dot: nobody would see it."""
    kept = line.rstrip(" ")
    return f"{sign} | {visible(kept)}{'·' * (len(line) - len(kept))}"


def context(line: str) -> str:
    return f"  | {visible(line.replace(chr(9), '    '))}"


def elided(number: int, of: str) -> str:
    """`… 12 unchanged lines`."""
    return f"  … {number:,} unchanged {of}{'' if number == 1 else 's'}"
