"""Text from outside made harmless for the place where it is shown. Everything that people or Terraform wrote passes here.

It is harmless when it can neither look like something of ours (markup, markers, buttons) nor reach anybody (mentions,
references, links).
"""

from __future__ import annotations

import re
import unicodedata

_MARKUP = re.compile(r"([\\`*_\[\]{}|~^])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "<span>$</span>"}
_BREAK = "&#8203;"
"""A zero-width space: what GitHub would link is no longer one word."""
_REACHING = re.compile(r"(?<=[@#])(?=\w)|(?<=:)(?=//)|(?i:(?<=www)(?=\.)|(?<=\bGH)(?=-\d))")
_OPENING = re.compile(r"^(\s*)(?:(\d{1,9})([.)])|([-+=/#:!]))")


def clean(text: str, *, lines: bool = False) -> str:
    """Without control characters, direction marks and other invisible ones (terminals obey them, eyes are fooled by
    them). Line ends become spaces, unless `lines`."""
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
    """Plain text within a line of GitHub's Markdown, a table's cell included."""
    safe = _REACHING.sub("\0", clean(text))
    safe = _MARKUP.sub(r"\\\1", safe)
    safe = re.sub(r"[&<>$]", lambda found: _ENTITIES[found[0]], safe)
    return safe.replace("\0", _BREAK)


def markdown_opening(line: str) -> str:
    """A written line that may begin with text from outside: no list, heading or other bot's command starts there."""
    return _OPENING.sub(lambda found: f"{found[1]}{found[2] or ''}\\{found[3] or found[4]}", line, count=1)


def markdown_code(text: str, *, cell: bool = False) -> str:
    """A code span. In a table's cell GitHub wants pipes escaped even there."""
    safe = no_marker(clean(text)).strip()
    if not safe:
        return ""
    ticks = "`" * (_longest_run(safe) + 1)
    pad = " " if safe.startswith("`") or safe.endswith("`") else ""
    span = f"{ticks}{pad}{safe}{pad}{ticks}"
    return span.replace("|", "\\|") if cell else span


def markdown_fence(text: str) -> str:
    """A fence that nothing in `text` closes."""
    return "`" * max(3, _longest_run(text) + 1)


def no_marker(text: str) -> str:
    """Without the start of an HTML comment: a hidden marker tells which comment is whose, even inside code."""
    return text.replace("<!--", "<!\u200b--")


def slack(text: str) -> str:
    """Slack's mrkdwn: the three characters that it wants escaped, so that `<!channel>` is only text; a backtick is
    made a quote, since nothing can escape it."""
    safe = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return safe.replace("`", "'")


def slack_block(text: str) -> str:
    """Within a code block."""
    safe = clean(text, lines=True).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = re.sub("`(?=`)", "`\u200b", safe)  # no three in a row, however many there are
    # A backtick beside the fence would become part of it.
    return ("\u200b" if safe.startswith("`") else "") + safe + ("\u200b" if safe.endswith("`") else "")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
