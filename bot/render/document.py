"""A neutral document: what a message says, independent of GitHub's, Slack's and a terminal's formats.

Texts in spans and code lines may come from outside unchanged: the writers escape them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
    """A link. `url` is http or https; with anything else only the text is written."""

    text: str
    url: str


@dataclass(frozen=True)
class Command:
    """A chat command in GitHub's form, `/apply staging`. For Slack the writer turns it into `/infra apply staging #12`,
    without the number if `numbered` is False."""

    text: str
    numbered: bool = True


@dataclass(frozen=True)
class Person:
    """A person's GitHub login and Slack user id, as far as known. Naming them does not notify them on GitHub."""

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
    """A list. `of` names the items if some must be left out. counts: how many of them each item stands for, if not one."""

    items: tuple[Spans, ...]
    of: str = "entries"
    counts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Note:
    """A remark, written less prominently than text."""

    spans: Spans


@dataclass(frozen=True)
class Facts:
    """Labelled values."""

    pairs: tuple[tuple[str, Spans], ...]


@dataclass(frozen=True)
class Table:
    """A table whose first column names the row. `of` names the rows."""

    head: tuple[str, ...]
    rows: tuple[tuple[Spans, ...], ...]
    of: str = "rows"


@dataclass(frozen=True)
class Omitted:
    """Changed lines that were left out of a diff before it was written."""

    number: int


@dataclass(frozen=True)
class Block:
    """Lines of code, in groups that are left out as a whole.

    of: what the groups are ("changes", "lines"); see: where the rest is. tail: keep the last groups if not all fit, else
    the first. most, each: number of lines of the block and of one group never exceeded.
    """

    groups: tuple[tuple[str | Omitted, ...], ...]
    language: Literal["", "diff"] = ""
    of: str = "lines"
    see: str = "see the log"
    tail: bool = False
    most: int = 100_000
    each: int = 100_000


@dataclass(frozen=True)
class Details:
    """Content to unfold. Only the summary is written on surfaces that cannot fold."""

    summary: Spans
    body: tuple[Element, ...]


@dataclass(frozen=True)
class Button:
    """A button that sends `command`, without a slash (`apply staging`), opens `url`, or triggers `action` with `value`: a
    text that comes back with the click and grants nothing. confirm: a question that is asked first. commit: what the
    command is sent with, so that it counts for nothing else."""

    label: str
    command: str = ""
    url: str = ""
    style: Literal["", "primary", "danger"] = ""
    confirm: str = ""
    action: str = ""
    value: str = ""
    commit: str = ""


@dataclass(frozen=True)
class Actions:
    """Buttons. Left out on surfaces that have none, since the commands are in the text."""

    buttons: tuple[Button, ...]


Element = Heading | Text | Items | Note | Facts | Table | Block | Details | Actions


@dataclass(frozen=True)
class Document:
    """A message. `title` is one plain line for notifications."""

    title: str
    elements: tuple[Element, ...]
    tone: Tone = "plain"
