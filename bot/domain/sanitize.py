"""Text from users and tools, made safe to quote inside the bot's own texts."""

from __future__ import annotations


def outside(text: str, limit: int = 300) -> str:
    """Return someone's text (a reason, a title) without the markup of the bot's own texts: backticks, `[…](…)` and
    `<@…>`. One line, at most `limit` characters."""
    line = inert(" ".join(text[: 4 * limit].split()))
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def inert(text: str) -> str:
    """Return text of several lines without that markup, at full length."""
    return text.replace("`", "'").replace("](", "] (").replace("<@", "< @")
