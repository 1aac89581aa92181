"""GitHub's Markdown as sanitised HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from bot.playground.page.sanitise import Link, sanitise

_SIGNS = {"+": "added", "-": "removed", "!": "changed", "@": "hunk"}


def render(text: str, link: Link) -> Markup:
    """Return a comment or a check's output as GitHub shows it: tables, details, tasks, coloured diffs, line breaks."""
    return Markup(sanitise(str(_parser.render(text)), link))  # noqa: S704 - `sanitise` makes it safe


def diff(text: str) -> Markup:
    """Return a diff in which each line has a class: added, removed, changed or hunk."""
    lines = text.removesuffix("\n").split("\n")
    return Markup("\n").join(_line(line) for line in lines)


def _line(line: str) -> Markup:
    name = _SIGNS.get(line[:1])
    return Markup('<span class="{}">{}</span>').format(name, line) if name else Markup.escape(line)


def _fence(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    token = tokens[index]
    inner = diff(token.content) if token.info.strip() == "diff" else Markup.escape(token.content)
    return f"<pre><code>{inner}</code></pre>\n"


def _image(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    """Return an image as a link, because the page loads nothing from other sites."""
    token = tokens[index]
    source = str(token.attrs.get("src", ""))
    return f'<a href="{escape(source)}">{escape(token.content or source)}</a>'


def _tasks(state: Any) -> None:
    """Replace `- [ ]` and `- [x]` by boxes."""
    for item, paragraph, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if (item.type, paragraph.type, inline.type) != ("list_item_open", "paragraph_open", "inline"):
            continue
        first = inline.children[0] if inline.children else None
        if first is None or first.type != "text":
            continue
        for mark, box in (("[ ] ", "☐ "), ("[x] ", "☑ "), ("[X] ", "☑ ")):
            if first.content.startswith(mark):
                first.content = box + first.content.removeprefix(mark)


_parser = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(["table", "strikethrough"])
_parser.add_render_rule("fence", _fence)
_parser.add_render_rule("image", _image)
_parser.core.ruler.push("tasks", _tasks)
