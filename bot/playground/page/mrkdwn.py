"""Slack's mrkdwn as sanitised HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape, unescape

from markupsafe import Markup

from bot.playground.page.sanitise import Link, link_tag

EMOJI = {
    "white_check_mark": "✅",
    "x": "❌",
    "warning": "⚠️",
    "lock": "🔒",
    "unlock": "🔓",
    "eyes": "👀",
    "hourglass_flowing_sand": "⏳",
    "rocket": "🚀",
    "tada": "🎉",
    "+1": "👍",
    "-1": "👎",
    "red_circle": "🔴",
    "large_green_circle": "🟢",
    "large_yellow_circle": "🟡",
}
_PART = re.compile(r"```(?P<block>.*?)```|`(?P<code>[^`\n]+)`|<(?P<mark>[^<>\n]+)>", re.DOTALL)
_STYLES = (("*", "strong"), ("_", "em"), ("~", "s"))
_QUOTED = re.compile(r"(?:^&gt; ?.*(?:\n|$))+", re.MULTILINE)
_PLACEHOLDER = "\ue000{}\ue001"


def render(text: str, names: Mapping[str, str], link: Link) -> Markup:
    """Return text that Slack stores as Slack displays it. names: ids of users and channels to their names."""
    pieces: list[str] = []

    def keep(html: str) -> str:
        pieces.append(html)
        return _PLACEHOLDER.format(len(pieces) - 1)

    def part(found: re.Match[str]) -> str:
        if found["block"] is not None:
            return keep(f"<pre>{_escape(found['block'].strip(chr(10)))}</pre>")
        if found["code"] is not None:
            return keep(f"<code>{_escape(found['code'])}</code>")
        return keep(_mark(found["mark"], names, link))

    text = _escape(_PART.sub(part, re.sub("[\ue000\ue001]", "", text)))
    for sign, tag in _STYLES:
        inner = rf"(?<![\w{re.escape(sign)}]){re.escape(sign)}(\S|\S[^\n]*?\S){re.escape(sign)}(?![\w])"
        text = re.sub(inner, rf"<{tag}>\1</{tag}>", text)
    text = _QUOTED.sub(_quote, text)
    text = re.sub(r":([a-z0-9_+-]+):", lambda found: EMOJI.get(found[1], found[0]), text)
    text = re.sub(r"\n?(\ue000\d+\ue001)\n?", lambda found: _block(found, pieces), text)
    text = text.replace("\n", "<br>")
    return Markup(re.sub(r"\ue000(\d+)\ue001", lambda found: pieces[int(found[1])], text))  # noqa: S704


def _escape(text: str) -> str:
    """Escape text for HTML. Slack stores only `& < >` as entities, which are decoded first."""
    return escape(_unescaped(text))


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _block(found: re.Match[str], pieces: list[str]) -> str:
    """Drop the line breaks around a code block."""
    index = int(found[1][1:-1])
    return found[1] if pieces[index].startswith("<pre>") else found[0]


def _quote(found: re.Match[str]) -> str:
    lines = [re.sub(r"^&gt; ?", "", line) for line in found[0].removesuffix("\n").split("\n")]
    return f"<blockquote>{'<br>'.join(lines)}</blockquote>"


def _mark(mark: str, names: Mapping[str, str], link: Link) -> str:
    target, _, label = mark.partition("|")
    if target[:1] in "@#":
        return f'<span class="mention">{target[0]}{escape(names.get(target[1:], label or target[1:]))}</span>'
    if target.startswith("!"):
        return f'<span class="mention">{escape(label or "@" + target[1:].partition("^")[0])}</span>'
    address = unescape(target)
    return link_tag(address, _escape(label or target), link)
