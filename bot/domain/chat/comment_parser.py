"""Find the lines of a comment that are commands. tokenizer.py and grammar.py read the words of a line."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from bot.domain.chat.tokenizer import normalise
from bot.errors import UserError

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_COMMANDS = 10
"""Commands in one comment."""
MAX_LENGTH = 65_536
"""GitHub: characters of a comment's body. Anything beyond is not read."""

OTHER_BOTS = frozenset(
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
        "test-all",
        "test-required",
        "triage",
        "unassign",
        "uncc",
        "woof",
    ]
)
"""Commands of other bots (Prow, bors, Azure Pipelines, Packit, review bots). Unless one of them is also a command of
Towpath, it is ignored silently instead of answered with "unknown command"."""

_COMMAND = re.compile(r"^ {0,3}/[A-Za-z][A-Za-z0-9-]{0,39}(?=\s|$)")
_MARK = re.compile("^\ue000(\\d+)\ue001")


@dataclass(frozen=True)
class Line:
    """A command line: its text from the slash on, without invisible characters and trailing blanks, and its line number in
    the comment, from 1."""

    text: str
    number: int

    @property
    def name(self) -> str:
        """The command's name in lower case (phones write `/Plan`), without the slash."""
        return self.text[1:].split(maxsplit=1)[0].lower()


class TooManyCommands(UserError):
    """A comment contains more commands than allowed."""


def find_commands(markdown: str) -> list[Line]:
    """Return the command lines of a comment, in order.

    A command is at the start of a line of a paragraph: not in a list, quote, table, heading, code, HTML, comment or link.
    Raises TooManyCommands above MAX_COMMANDS, not counting OTHER_BOTS. Takes well under a second for any text.
    """
    text = markdown[:MAX_LENGTH].replace("\r\n", "\n").replace("\r", "\n")
    source = text.replace("\ue000", "\ufffd").replace("\ue001", "\ufffd").split("\n")
    marked = list(source)
    for index, line in enumerate(source):
        if line.lstrip(" ").startswith("/") and _COMMAND.match(normalise(line)):
            # Private-use characters mean nothing to Markdown, and mark where the line starts in its tokens.
            start = line.index("/")
            marked[index] = f"{line[:start]}\ue000{index}\ue001{line[start:]}"
    if marked == source:
        return []
    tokens = _parser().parse("\n".join(marked))
    indices = [
        index
        for before, token in itertools.pairwise(tokens)
        if before.type == "paragraph_open" and before.level == 0
        for index in _starts(token)
    ]
    lines = [Line(normalise(source[index]).lstrip(" "), index + 1) for index in indices]
    count = sum(line.name not in OTHER_BOTS for line in lines)
    if count > MAX_COMMANDS:
        raise TooManyCommands(
            f"This comment contains {count} commands; the limit is {MAX_COMMANDS}. None was run.",
            next_step="Split them into several comments.",
        )
    return lines


def _starts(paragraph: Token) -> list[int]:
    """Return the marked lines that start outside of inline code, HTML and links in the paragraph."""
    indices = []
    line_start, links = True, 0
    for child in paragraph.children or ():
        if child.type in ("softbreak", "hardbreak"):
            line_start = True
            continue
        links += (child.type == "link_open") - (child.type == "link_close")
        if line_start and not links and child.type == "text" and (found := _MARK.match(child.content)):
            indices.append(int(found[1]))
        line_start = False
    return indices


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").disable(["emphasis", "image", "entity"])
