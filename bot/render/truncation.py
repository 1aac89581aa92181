"""The platforms' size limits, and how texts are cut so that people notice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.domain.plans import is_change, omitted_lines
from bot.render.document import Block, Items, Omitted, Person, Plain, Spans

COMMENT = 65_000
"""GitHub: characters of a comment's body are limited to 65,536; the rest is left for the caller's hidden marker."""
CHECK = 65_535
"""GitHub: bytes of a check run's summary, and of its text."""
CHECK_TITLE = 255

BLOCKS = 50
"""Slack: blocks in a message."""
SECTION = 3_000
HEADER = 150
ACTIONS = 25
FIELDS = 10
FIELD = 2_000
BUTTON = 75
VALUE = 2_000
ACTION_ID = 255
URL = 3_000
MESSAGE = 4_000
"""Slack: recommended length of a message's `text`."""

LINE = 300
"""Characters of one line of code; longer ones do not help a reader. The lines of a plan are folded before that."""


@dataclass(frozen=True)
class Limits:
    """The size of one element: lines of code, rows of tables and lists, characters of a text."""

    lines: int
    rows: int
    text: int


STEPS = (
    Limits(2_000, 2_000, 8_000),
    Limits(400, 400, 4_000),
    Limits(120, 200, 2_000),
    Limits(40, 150, 1_000),
    Limits(12, 100, 400),
    Limits(4, 40, 150),
    Limits(2, 20, 80),
)
"""From generous to tight: the first that fits is used, so that every environment keeps its share."""


def first_that_fits(write: Callable[[Limits], str], fits: Callable[[str], bool]) -> str | None:
    """Return the longest text that fits, or None. Between two steps, as many lines are kept as fit."""
    for number, limits in enumerate(STEPS):
        if fits(text := write(limits)):
            return _with_more_lines(write, fits, STEPS[number - 1 : number + 1], text)
    return None


def _with_more_lines(
    write: Callable[[Limits], str], fits: Callable[[str], bool], steps: Sequence[Limits], text: str
) -> str:
    """Search for the largest number of lines between a step that is too large and the next one, whose text fits."""
    if len(steps) < 2:
        return text
    low, high = steps[1].lines, steps[0].lines
    while high - low > max(1, low // 20):
        middle = (low + high) // 2
        if fits(longer := write(replace(steps[1], lines=middle))):
            low, text = middle, longer
        else:
            high = middle
    return text


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` characters, with an ellipsis if the text was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def shorten_spans(spans: Spans, limit: int) -> Spans:
    """Return spans of at most `limit` characters together, counted before escaping, with an ellipsis if they were cut."""
    used = 0
    for index, span in enumerate(spans):
        if used > limit:
            return (*spans[:index], Plain("…"))
        used += 20 if isinstance(span, Person) else min(len(span.text), limit)
    return spans


def cut_lines(block: Block, lines: int) -> tuple[list[str], str]:
    """Return the lines of a block that fit into `lines`, and a sentence about the rest, or "".

    Groups are kept whole; only a group that is too long by itself loses lines.
    """
    kept: list[list[str]] = []
    left = min(lines, block.most)
    for group in reversed(block.groups) if block.tail else block.groups:
        length = min(len(group), block.each)
        if left <= 0 or (kept and length > left):
            break
        kept.append(_cut_group(group, min(left, block.each)))
        left -= length
    hidden = block.groups[: -len(kept) or None] if block.tail else block.groups[len(kept) :]
    if block.tail:
        kept.reverse()
    return [shorten(line, LINE) for group in kept for line in group], _rest(block, hidden)


def _rest(block: Block, hidden: Sequence[Sequence[str | Omitted]]) -> str:
    if not hidden:
        return ""
    which = "earlier" if block.tail else "more"
    changed = sum(map(_changed, hidden)) if block.language == "diff" else 0
    lines = f" ({changed:,} changed lines)" if changed > len(hidden) else ""
    return f"… {len(hidden):,} {which} {_noun(block.of, len(hidden))}{lines}: {block.see}"


def fitting_items(element: Items, limits: Limits) -> tuple[tuple[Spans, ...], int]:
    """Return the items that fit, and how many are left out. An item that names several things is never cut: each name that
    is not shown must be counted."""
    shown = element.items[: limits.rows]
    if not element.counts:
        return shown, len(element.items) - len(shown)
    fits = [_length(item) <= limits.text for item in shown]
    kept = sum(count for count, fit in zip(element.counts, fits, strict=False) if fit)
    return tuple(item for item, fit in zip(shown, fits, strict=True) if fit), sum(element.counts) - kept


def _length(spans: Spans) -> int:
    return sum(20 if isinstance(span, Person) else len(span.text) for span in spans)


def more_items(left: int, of: str) -> str:
    """`… 12 more environments`."""
    return f"… {left:,} more {_noun(of, left)}"


def _cut_group(group: Sequence[str | Omitted], lines: int) -> list[str]:
    """Write the first lines of a group, and how many more there are: of a diff only those that say what changes."""
    shown, rest = (group, ()) if len(group) <= lines else (group[: lines - 1], group[lines - 1 :])
    written = [line if isinstance(line, str) else omitted_lines(line.number) for line in shown]
    if rest:
        changed = _changed(rest)
        written.append(f"    {more_items(changed or len(rest), 'changed lines' if changed else 'lines')}")
    return written


def _changed(group: Sequence[str | Omitted]) -> int:
    return sum(is_change(line) if isinstance(line, str) else line.number for line in group)


def _noun(of: str, count: int) -> str:
    return of[:-1] if count == 1 and of.endswith("s") else of
