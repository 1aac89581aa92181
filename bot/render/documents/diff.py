"""The difference of two recorded states."""

from __future__ import annotations

from bot.domain.results import Difference
from bot.domain.state import StateVersion
from bot.render.document import (
    Block,
    Bold,
    Code,
    Document,
    Element,
    Heading,
    Note,
    Plain,
    Spans,
    Text,
    join,
    say,
)
from bot.render.documents.plan import lines
from bot.render.words import at


def difference(result: Difference) -> Document:
    before, after = result.before, result.after
    title = f"{result.target}: serial {before.serial} → {after.serial}"
    head: list[Element] = [Heading((Plain(title),)), Text((Bold(result.diff.headline),))]
    head.append(Note(join([_named(before), _named(after)], " → ")))
    if result.diff.changes:
        groups = tuple(lines(change) for change in result.diff.changes)
        head.append(Block(groups, "diff", "resources", "see `towpath state diff`"))
    if result.diff.outputs:
        outputs = tuple((output.line,) for output in result.diff.outputs)
        head += [Text((Plain("Outputs:"),)), Block(outputs, "diff", "outputs", "see `towpath state diff`")]
    if result.diff.empty:
        head.append(Text((Plain("Resources and outputs are the same in both."),)))
    return Document(title, tuple(head))


def _named(version: StateVersion) -> Spans:
    """`serial 12 of 22 Nov 14:03 UTC by @ann at 1a2b3c4`"""
    by = (Plain(" by "), *say(version.actor)) if version.actor else ()
    commit = (Plain(" at "), Code(version.commit[:7])) if version.commit else ()
    return (Plain(f"serial {version.serial} of {at(version.created_at)}"), *by, *commit)
