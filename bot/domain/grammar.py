"""What people write: which lines of a comment are commands. The words of a line are read by words.py and usage.py."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from bot.domain.usage import GrammarError, Usage
from bot.domain.words import Word, outside, plain, reference, split
from bot.errors import UserError

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

__all__ = [
    "OTHERS",
    "GrammarError",
    "Line",
    "TooMany",
    "Usage",
    "Word",
    "find",
    "outside",
    "plain",
    "reference",
    "split",
]

MOST = 10
"""Commands of one comment."""
LONGEST = 65_536
"""GitHub: a comment's body, in characters. What would come after is not read."""

OTHERS = frozenset(
    [
        "area",
        "ask",
        "assign",
        "auto-cc",
        "azp",
        "backport",
        "bors",
        "bot",
        "canary",
        "cc",
        "cherry-pick",
        "cherrypick",
        "close",
        "codex",
        "copilot",
        "describe",
        "deploy",
        "do-not-merge",
        "duplicate",
        "easycla",
        "format",
        "gcbrun",
        "gemini",
        "good-first-issue",
        "help-wanted",
        "hold",
        "improve",
        "joke",
        "kind",
        "label",
        "lgtm",
        "lifecycle",
        "lint",
        "meow",
        "merge",
        "milestone",
        "noop",
        "ok-to-test",
        "override",
        "packit",
        "pony",
        "priority",
        "rebase",
        "release-note",
        "remove",
        "reopen",
        "request",
        "rerun",
        "restest",
        "retest",
        "retest-required",
        "retitle",
        "review",
        "reviewpad",
        "sig",
        "skip",
        "snapshot",
        "squash",
        "stale",
        "summary",
        "test",
        "test-all",
        "test-required",
        "triage",
        "unassign",
        "uncc",
        "woof",
    ]
)
"""Commands of other bots (Prow, bors, Azure Pipelines, Packit, review bots). Where one of them is no command of ours it
is left alone in silence, and never answered with "unknown command"."""

_COMMAND = re.compile(r"^ {0,3}/[A-Za-z][A-Za-z0-9-]{0,39}(?=\s|$)")
_MARK = re.compile("^\ue000(\\d+)\ue001")


@dataclass(frozen=True)
class Line:
    """A command line: its text from the slash on, without what is invisible or blank at its end, and its number in
    the comment, from 1."""

    text: str
    number: int

    @property
    def name(self) -> str:
        """The command's word in small letters (telephones write `/Plan`), without the slash."""
        return self.text[1:].split(maxsplit=1)[0].lower()


class TooMany(UserError):
    """A comment holds more commands than one may."""


def find(markdown: str) -> list[Line]:
    """The command lines of a comment, in order.

    A command stands at the start of a line of a paragraph: not in a list, quote, table, heading, code, HTML, comment
    or link. Raises TooMany above ten, not counting OTHERS. It takes well under a second whatever the text is.
    """
    text = markdown[:LONGEST].replace("\r\n", "\n").replace("\r", "\n")
    source = text.replace("\ue000", "\ufffd").replace("\ue001", "\ufffd").split("\n")
    marked = list(source)
    for index, line in enumerate(source):
        if line.lstrip(" ").startswith("/") and _COMMAND.match(plain(line)):
            # A mark of private characters: it means nothing to Markdown, and shows up again where the line starts.
            start = line.index("/")
            marked[index] = f"{line[:start]}\ue000{index}\ue001{line[start:]}"
    if marked == source:
        return []
    tokens = _parser().parse("\n".join(marked))
    places = [
        place
        for before, token in itertools.pairwise(tokens)
        if before.type == "paragraph_open" and before.level == 0
        for place in _starts(token)
    ]
    lines = [Line(plain(source[index]).lstrip(" "), index + 1) for index in places]
    ours = sum(line.name not in OTHERS for line in lines)
    if ours > MOST:
        raise TooMany(
            f"This comment holds {ours} commands; {MOST} are the most, so none was run.",
            next_step="Write them in several comments.",
        )
    return lines


def _starts(paragraph: Token) -> list[int]:
    """Indices of the marked lines that start outside any inline code, HTML and link of the paragraph."""
    places = []
    fresh, links = True, 0
    for child in paragraph.children or ():
        if child.type in ("softbreak", "hardbreak"):
            fresh = True
            continue
        links += (child.type == "link_open") - (child.type == "link_close")
        if fresh and not links and child.type == "text" and (found := _MARK.match(child.content)):
            places.append(int(found[1]))
        fresh = False
    return places


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").disable(["emphasis", "image", "entity"])
