"""Sanitises untrusted HTML: known tags and attributes are rebuilt, everything else is escaped."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser

Link = Callable[[str], str]
"""Returns where a link leads, or "" if an address must not become a link."""

_VOID = {"br", "hr"}
_INLINE = {"a", "b", "strong", "i", "em", "s", "del", "ins", "code", "kbd", "sub", "sup", "span"}
_BLOCKS = {"pre", "p", "ul", "ol", "li", "blockquote", "details", "summary"}
_TABLES = {"table", "thead", "tbody", "tr", "th", "td"}
_TAGS = _VOID | _INLINE | _BLOCKS | _TABLES | {"h1", "h2", "h3", "h4", "h5", "h6"}
_CLASSES = {"added", "removed", "changed", "hunk"}
_ALIGNED = re.compile(r"text-align:(left|right|center)")
_ADDRESS = re.compile(r"https?://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]]")
_MENTION = re.compile(r"(?<![\w/@.-])@([A-Za-z0-9][A-Za-z0-9-]{0,38})(?![\w@])")
_LITERAL = ("a", "code", "pre")


def sanitise(html: str, link: Link) -> str:
    """Return balanced HTML with GitHub's usual tags only, with bare URLs as links and @mentions highlighted."""
    writer = _Writer(link)
    writer.feed(html)
    writer.close()
    return writer.result()


def link_tag(address: str, text: str, link: Link) -> str:
    """Return a link around `text`, which is HTML, or the text alone if the address must not become a link."""
    target = link(address)
    if not target:
        return text
    outside = "" if target.startswith(("/", "#")) else ' target="_blank" rel="noopener noreferrer"'
    return f'<a href="{escape(target)}"{outside}>{text}</a>'


class _Writer(HTMLParser):
    """Writes the allowed part of the HTML that it is fed."""

    def __init__(self, link: Link) -> None:
        super().__init__(convert_charrefs=True)
        self._link, self._open, self._parts = link, list[str](), list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            self._parts.append(escape(self.get_starttag_text() or ""))
            return
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            opening = link_tag(given.get("href", ""), "", self._link).removesuffix("</a>") or "<a>"
        else:
            opening = f"<{tag}{_attributes(tag, given)}>"
        self._parts.append(opening)
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while (last := self._open.pop()) != tag:
                self._parts.append(f"</{last}>")
            self._parts.append(f"</{tag}>")
        elif tag not in _TAGS:
            self._parts.append(escape(f"</{tag}>"))

    def handle_data(self, data: str) -> None:
        if any(tag in self._open for tag in _LITERAL):
            self._parts.append(escape(data))
            return
        position = 0
        for found in _ADDRESS.finditer(data):
            self._parts.append(_mentions(data[position : found.start()]))
            self._parts.append(link_tag(found[0], escape(found[0]), self._link))
            position = found.end()
        self._parts.append(_mentions(data[position:]))

    def result(self) -> str:
        return "".join([*self._parts, *(f"</{tag}>" for tag in reversed(self._open))])


def _mentions(text: str) -> str:
    return _MENTION.sub(r'<strong class="mention">@\1</strong>', escape(text))


def _attributes(tag: str, given: dict[str, str]) -> str:
    if tag == "details" and "open" in given:
        return " open"
    if tag in ("th", "td") and (aligned := _ALIGNED.fullmatch(given.get("style", ""))):
        return f' class="{aligned[1]}"'
    if tag == "span" and given.get("class") in _CLASSES:
        return f' class="{given["class"]}"'
    if tag == "ol" and re.fullmatch(r"\d{1,6}", given.get("start", ""), re.ASCII):
        return f' start="{given["start"]}"'
    return ""
