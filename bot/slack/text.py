"""Convert Slack's markup to plain text: mentions, links and entities."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"<([^<>\s][^<>]*)>")
_PULL = re.compile(r"https?://[^/\s]+/([\w.-]+)/([\w.-]+)/pull/(\d+)(?:[/?#].*)?", re.ASCII)
_DASHES = re.compile(r"(?<!\S)[\u2013\u2014](?=\w)")
_SMART = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\u00a0": " ", "\u202f": " "})
_SIGNS = {"#": "#", "@": "@", "!": "@"}


def plain(text: str, *, bot: str = "") -> str:
    """Return `text` without Slack's markup and without the mention of the bot.

    bot: the bot's user id; if empty, a mention at the very start is taken to be the bot's.
    A link to a pull request becomes `owner/name#12`, unless its label `#12` already follows `owner/name`.
    """
    mention = rf"<@{re.escape(bot)}(?:\|[^<>]*)?>" if bot else r"\A\s*<@[^<>]*>"
    text = re.sub(mention, " ", text)
    text = _TOKEN.sub(lambda match: _token(match, text), text)
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return _DASHES.sub("--", text.translate(_SMART)).strip()


def _token(match: re.Match[str], text: str) -> str:
    """Convert one `<…>`: a person, channel, group, date or link."""
    body, _, label = match[1].partition("|")
    sign = _SIGNS.get(body[:1])
    if sign is None:
        return _link(body, label, glued=match.start() > 0 and not text[match.start() - 1].isspace())
    if body.startswith("!date^"):
        return label
    word = label or body[1:]
    return word if word.startswith(sign) else sign + word


def _link(url: str, label: str, *, glued: bool) -> str:
    pull = _PULL.fullmatch(url)
    if pull is None:
        return label or url
    return label if glued and label else f"{pull[1]}/{pull[2]}#{pull[3]}"
