"""Sizes: what the platforms take, and cutting that people can see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.render.document import Block, Person, Plain, Spans

COMMENT = 65_000
"""GitHub: a comment's body, 65,536 characters; some room is left for the caller's hidden marker."""
CHECK = 65_535
"""GitHub: a check run's summary and text, bytes each."""
CHECK_TITLE = 255

BLOCKS = 50
"""Slack: blocks of a message."""
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
"""Slack: advised length of a message's `text`."""

LINE = 300
"""Characters of one line of code; longer ones are no help to a reader."""


@dataclass(frozen=True)
class Room:
    """How much one element may take: groups and lines of code, rows of tables and lists, characters of a text."""

    lines: int
    rows: int
    text: int


STEPS = (
    Room(2_000, 2_000, 8_000),
    Room(400, 400, 4_000),
    Room(120, 200, 2_000),
    Room(40, 150, 1_000),
    Room(12, 100, 400),
    Room(4, 40, 150),
    Room(2, 20, 80),
)
"""From generous to stingy: the first that fits is taken, so that every environment keeps its share."""


def fit(write: Callable[[Room], str], fits: Callable[[str], bool]) -> str | None:
    """The most generous text that fits, or None."""
    return next((text for room in STEPS if fits(text := write(room))), None)


def short(text: str, limit: int) -> str:
    """At most `limit` characters, the cut shown by an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def within(spans: Spans, limit: int) -> Spans:
    """Spans up to `limit` characters together, as they are before anything is escaped; the cut is an ellipsis."""
    used = 0
    for index, span in enumerate(spans):
        if used > limit:
            return (*spans[:index], Plain("…"))
        used += 20 if isinstance(span, Person) else min(len(span.text), limit)
    return spans


def cut_lines(block: Block, lines: int) -> tuple[list[str], str]:
    """The lines of a block that fit into `lines`, and a sentence on those that do not (or "").

    Groups stay whole; only one that is too long by itself loses lines.
    """
    kept: list[tuple[str, ...]] = []
    room = min(lines, block.most)
    for group in reversed(block.groups) if block.tail else block.groups:
        if room <= 0 or (kept and len(group) > room):
            break
        kept.append(_inner(group, room))
        room -= len(group)
    if block.tail:
        kept.reverse()
    left = len(block.groups) - len(kept)
    note = (
        f"… {left:,} {'earlier' if block.tail else 'more'} {_one(block.of, left)}: {block.see}"
        if left
        else ""
    )
    return [short(line, LINE) for group in kept for line in group], note


def more(left: int, of: str) -> str:
    """`… 12 more environments`."""
    return f"… {left:,} more {_one(of, left)}"


def _inner(group: tuple[str, ...], room: int) -> tuple[str, ...]:
    if len(group) <= room:
        return group
    return (*group[: room - 1], f"    … {len(group) - room + 1:,} more lines")


def _one(of: str, count: int) -> str:
    return of[:-1] if count == 1 and of.endswith("s") else of
