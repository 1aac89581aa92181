"""The check of exports on a pull request: columns without a rule, and the lines that would give them one."""

from __future__ import annotations

from bot.domain.exports import PATH, Problem, PullCheck, UnreadStatement, suggested_lines, written
from bot.domain.sanitize import inert, outside
from bot.render.document import Block, Code, Document, Element, Items, Note, Plain, Spans, Text
from bot.render.format import count
from bot.render.markup import to_spans

MOST = 100
"""Problems that are shown."""


def export_check(found: PullCheck) -> Document:
    """The check's title and summary."""
    if found.invalid:
        text = Text((Code(PATH), Plain(" in this pull request is not valid.")))
        what = Block(tuple((line,) for line in inert(found.invalid).split("\n")))
        return Document(f"{PATH} is not valid", (text, what), "warning")
    body: list[Element] = []
    if found.problems:
        body.append(Text((Plain("Exports stop until these columns have a rule in "), Code(PATH), Plain("."))))
        body.append(Items(tuple(map(_problem, found.problems[:MOST])), "columns"))
        if lines := suggested_lines(found.problems[:MOST]):
            body.append(Text((Plain("Suggested lines, to be read before they are added:"),)))
            body.append(Block(tuple((line,) for line in lines)))
    if found.unread:
        body.append(
            Text((Plain("These statements could not be read. Check by hand whether they add columns:"),))
        )
        body.append(Items(tuple(_unread(one) for one in found.unread[:MOST]), "statements"))
    if not body:
        body.append(Text((Plain(_good(found)),)))
    body.append(Note((Plain("The policy of the pull request was read, not that of the default branch."),)))
    return Document(_title(found), tuple(body), "good" if found.ok and not found.unread else "warning")


def _title(found: PullCheck) -> str:
    if found.problems:
        return f"{count(len(found.problems), 'problem')} in {PATH}"
    if found.unread:
        return f"{count(len(found.unread), 'statement')} to check by hand"
    return "Every new column has a rule" if found.files else f"{PATH} is valid"


def _good(found: PullCheck) -> str:
    if not found.files:
        return f"{PATH} is valid."
    return f"Every column that {count(found.files, 'migration')} of this pull request adds has a rule."


def _problem(one: Problem) -> Spans:
    return (Code(outside(written(one.table))), Plain(": "), *to_spans(one.what), Plain("."))


def _unread(one: UnreadStatement) -> Spans:
    return (Code(f"{outside(one.path)}:{one.line}"), Plain(" "), Code(outside(one.text)))
