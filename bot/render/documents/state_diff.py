"""The difference between two recorded states."""

from __future__ import annotations

from bot.domain.chat import StateComparison
from bot.domain.states import StateVersion
from bot.render.document import Block, Bold, Code, Document, Element, Heading, Note, Plain, Spans, Text
from bot.render.documents.plan import attribute_lines, change_lines
from bot.render.format import format_time
from bot.render.markup import join_spans, to_spans

SEE = "see `towpath state diff`"


def state_difference(result: StateComparison) -> Document:
    before, after = result.before, result.after
    title = f"{result.target}: serial {before.serial} → {after.serial}"
    elements: list[Element] = [Heading((Plain(title),)), Text((Bold(result.diff.headline),))]
    elements.append(Note(join_spans([_version(before), _version(after)], " → ")))
    if result.diff.changes:
        groups = tuple(change_lines(change) for change in result.diff.changes)
        elements.append(Block(groups, "diff", "resources", SEE))
    if result.diff.outputs:
        outputs = tuple(map(attribute_lines, result.diff.outputs))
        elements += [Text((Plain("Outputs:"),)), Block(outputs, "diff", "outputs", SEE)]
    if result.diff.empty:
        elements.append(Text((Plain("Both have the same resources and outputs."),)))
    return Document(title, tuple(elements))


def _version(version: StateVersion) -> Spans:
    """`serial 12 of 22 Nov 14:03 UTC by @ann at 1a2b3c4`."""
    author = (Plain(" by "), *to_spans(version.actor)) if version.actor else ()
    commit = (Plain(" at "), Code(version.commit[:7])) if version.commit else ()
    return (Plain(f"serial {version.serial} of {format_time(version.created_at)}"), *author, *commit)
