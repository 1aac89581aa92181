"""A small neutral document: what is said, without a word of how GitHub, Slack or a terminal writes it.

Texts in spans and code lines may come from outside as they are: the writers escape them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.domain.people import Actor

Tone = Literal["plain", "good", "warning", "bad"]


@dataclass(frozen=True)
class Plain:
    text: str


@dataclass(frozen=True)
class Bold:
    text: str


@dataclass(frozen=True)
class Code:
    text: str


@dataclass(frozen=True)
class Link:
    """`url` is http or https; anything else is written as plain text."""

    text: str
    url: str


@dataclass(frozen=True)
class Command:
    """A chat command in GitHub's form, `/apply staging`. Where commands are Slack's, the writer makes it
    `/infra apply staging #12` (`numbered` False leaves the number out)."""

    text: str
    numbered: bool = True


@dataclass(frozen=True)
class Person:
    """Somebody, by what is known of them: GitHub login, Slack user id. Naming them does not notify them on GitHub."""

    login: str = ""
    slack: str = ""


Span = Plain | Bold | Code | Link | Command | Person
Spans = tuple[Span, ...]


@dataclass(frozen=True)
class Heading:
    spans: Spans


@dataclass(frozen=True)
class Text:
    spans: Spans


@dataclass(frozen=True)
class Items:
    """A list. `of` names what is counted where it must be cut."""

    items: tuple[Spans, ...]
    of: str = "entries"


@dataclass(frozen=True)
class Note:
    """Something beside the main thing, in a quieter voice."""

    spans: Spans


@dataclass(frozen=True)
class Facts:
    """Labelled values."""

    pairs: tuple[tuple[str, Spans], ...]


@dataclass(frozen=True)
class Table:
    """The first column names the row. `of` names what the rows are."""

    head: tuple[str, ...]
    rows: tuple[tuple[Spans, ...], ...]
    of: str = "rows"


@dataclass(frozen=True)
class Block:
    """Lines of code in groups that are cut whole. `tail` keeps the last groups where not all fit, else the first.

    `of` names the groups ("changes", "lines"); `see` says where the rest is. `most`: lines shown at any rate.
    """

    groups: tuple[tuple[str, ...], ...]
    language: Literal["", "diff"] = ""
    of: str = "lines"
    see: str = "see the log"
    tail: bool = False
    most: int = 100_000


@dataclass(frozen=True)
class Details:
    """Something to unfold. Where nothing folds, only its summary is said."""

    summary: Spans
    body: tuple[Element, ...]


@dataclass(frozen=True)
class Button:
    """`command` is what pressing it says, without a slash (`apply staging`); a `url` is opened instead; or pressing it
    is an `action` of that name, with `value`: a text that comes back with the click and grants nothing.

    `confirm`: the question that is asked first.
    """

    label: str
    command: str = ""
    url: str = ""
    style: Literal["", "primary", "danger"] = ""
    confirm: str = ""
    action: str = ""
    value: str = ""


@dataclass(frozen=True)
class Actions:
    """Buttons, where the surface has any; elsewhere nothing, for the commands are in the text."""

    buttons: tuple[Button, ...]


Element = Heading | Text | Items | Note | Facts | Table | Block | Details | Actions


@dataclass(frozen=True)
class Document:
    """`title` says in one plain line what this is about: notifications show it."""

    title: str
    elements: tuple[Element, ...]
    tone: Tone = "plain"


@dataclass(frozen=True)
class Voice:
    """How commands are called here. slash: Slack's umbrella command (`/infra`), or "" where commands stand for
    themselves. pull, repository: what the buttons and rewritten commands are about."""

    slash: str = ""
    pull: int = 0
    repository: str = ""

    def command(self, command: Command) -> str:
        """The command as people type it here."""
        text = command.text
        if not self.slash or not text.startswith("/") or text.split()[0] == self.slash:
            return text
        numbered = command.numbered and self.pull and not re.search(r"#\d", text)
        return f"{self.slash} {text[1:]}" + (f" #{self.pull}" if numbered else "")


HERE = Voice()
"""Commands stand for themselves."""

LONGEST = 8_000
"""Characters of one text of ours that are looked at: nobody reads more of an answer."""

_COMMAND = re.compile(r"/[a-z][a-z-]*(?:\s.*)?")
_LIGHT = re.compile(
    r"`(?P<code>[^`\n]+)`|\[(?P<label>[^\[\]\n]{1,200})\]\((?P<url>https?://[^\s()<>]{1,2000})\)|<@(?P<slack>[A-Z0-9]{2,30})>"
)


def say(text: str) -> Spans:
    """One line of our own texts as spans. They use backticks, `[text](address)` and `<@U…>` for somebody in Slack;
    anything else in them is plain text, whoever wrote it."""
    spans: list[Span] = []
    at = 0
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    for found in _LIGHT.finditer(text):
        if found.start() > at:
            spans.append(Plain(text[at : found.start()]))
        if found["code"]:
            spans.append(Command(found["code"]) if _COMMAND.fullmatch(found["code"]) else Code(found["code"]))
        elif found["label"]:
            spans.append(Link(found["label"], found["url"]))
        else:
            spans.append(Person(slack=found["slack"]))
        at = found.end()
    if at < len(text):
        spans.append(Plain(text[at:]))
    return tuple(spans)


def tell(text: str) -> tuple[Element, ...]:
    """Our own text of several lines: paragraphs, lists (`- …`), code (indented by four, such as a caret line)."""
    elements: list[Element] = []
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    for line in text.split("\n"):
        last = elements[-1] if elements else None
        if line.startswith("    "):
            groups = last.groups if isinstance(last, Block) else ()
            elements[len(elements) - bool(groups) :] = [Block((*groups, (line[4:],)))]
        elif line.startswith("- "):
            items = last.items if isinstance(last, Items) else ()
            elements[len(elements) - bool(items) :] = [Items((*items, say(line[2:])))]
        elif line.strip():
            elements.append(Text(say(line)))
    return tuple(elements)


def who(actor: Actor) -> Person | Plain:
    """The span that names an actor."""
    if not actor.login and not actor.slack:
        return Plain(actor.name)
    return Person(actor.login, actor.slack.rpartition("/")[2])


def join(parts: Sequence[Spans], between: str = " · ") -> Spans:
    """Spans in a row, with a separator between those that say something."""
    joined: list[Span] = []
    for part in parts:
        if part:
            joined += [Plain(between), *part] if joined else part
    return tuple(joined)
