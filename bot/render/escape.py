"""Escape text from users and Terraform for the place where it is shown.

Escaped text can neither look like the bot's own (markup, markers, buttons) nor reach anyone (mentions, references, links).
"""

from __future__ import annotations

import re
import unicodedata

_MARKUP = re.compile(r"([\\`*_\[\]{}|~^])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "<span>$</span>"}
_BREAK = "&#8203;"
"""A zero-width space: it splits the words that GitHub would turn into links."""
_REACHING = re.compile(r"(?<=[@#])(?=\w)|(?<=:)(?=//)|(?i:(?<=www)(?=\.)|(?<=\bGH)(?=-\d))")
_OPENING = re.compile(r"^(\s*)(?:(\d{1,9})([.)])|([-+=/#:!]))")


def clean(text: str, *, lines: bool = False) -> str:
    """Remove control characters, direction marks and other invisible characters, which control terminals or mislead
    readers. Line ends become spaces, unless `lines`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii() and text.isprintable():
        return text
    kept = []
    for char in text:
        if char.isprintable() or (char == "\n" and lines):
            kept.append(char)
        elif char.isspace():
            kept.append(" ")
        elif unicodedata.category(char) == "Cc":
            kept.append("�")
    return "".join(kept)


def markdown(text: str) -> str:
    """Escape plain text within a line or a table cell of GitHub's Markdown."""
    safe = _REACHING.sub("\0", clean(text))
    safe = _MARKUP.sub(r"\\\1", safe)
    safe = re.sub(r"[&<>$]", lambda found: _ENTITIES[found[0]], safe)
    return safe.replace("\0", _BREAK)


def markdown_opening(line: str) -> str:
    """Escape the start of a written line, so that no list, heading or command of another bot starts there."""
    return _OPENING.sub(lambda found: f"{found[1]}{found[2] or ''}\\{found[3] or found[4]}", line, count=1)


def markdown_code(text: str, *, cell: bool = False) -> str:
    """Write a code span. In a table cell, GitHub requires escaped pipes even in code."""
    safe = no_marker(clean(text)).strip()
    if not safe:
        return ""
    ticks = "`" * (_longest_run(safe) + 1)
    pad = " " if safe.startswith("`") or safe.endswith("`") else ""
    span = f"{ticks}{pad}{safe}{pad}{ticks}"
    return span.replace("|", "\\|") if cell else span


def markdown_fence(text: str) -> str:
    """Return a fence that nothing in `text` closes."""
    return "`" * max(3, _longest_run(text) + 1)


def no_marker(text: str) -> str:
    """Break the start of an HTML comment: the bot recognizes its own comments by hidden markers, even inside code."""
    return text.replace("<!--", "<!\u200b--")


def slack(text: str) -> str:
    """Escape Slack's mrkdwn: the three characters that Slack requires, so that `<!channel>` is only text. A backtick
    becomes a quote, since it cannot be escaped."""
    safe = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return safe.replace("`", "'")


def slack_block(text: str) -> str:
    """Escape text within a code block of Slack."""
    safe = clean(text, lines=True).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = re.sub("`(?=`)", "`\u200b", safe)  # no three in a row
    # A backtick beside the fence would become part of it.
    return ("\u200b" if safe.startswith("`") else "") + safe + ("\u200b" if safe.endswith("`") else "")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
