"""A plan as people read it: destroys and replacements first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.domain.plans import AttributeChange, PlanSummary, ResourceChange, fold
from bot.domain.run import Plan
from bot.render.document import (
    Block,
    Bold,
    Element,
    Link,
    Note,
    Omitted,
    Plain,
    Spans,
    Text,
)
from bot.render.truncation import STEPS

MAX_LINES = 60
"""Lines shown of one change, where others need room too."""

_PAST = {
    "destroy": "destroyed",
    "replace": "replaced",
    "import": "imported",
    "move": "moved",
    "forget": "forgotten",
}


def summary_of(plan: Plan | None) -> PlanSummary | None:
    """Return the summary that is stored with a plan."""
    return PlanSummary.from_dict(plan.summary) if plan else None


def counts(summary: PlanSummary, *, done: bool = False) -> Spans:
    """`**1 to destroy, 2 to replace** · +3 ~1 -3`, as Terraform counts: a replacement is in `+` and in `-`.

    With `done` in the past tense: `1 destroyed, 2 replaced`.
    """
    if summary.empty:
        return (Plain("no changes"),)
    destroys = ((summary.destroy - summary.replace, "destroy"), (summary.replace, "replace"))
    lost = ", ".join(_counted(number, verb, done) for number, verb in destroys if number)
    parts = [f"+{summary.add} ~{summary.change} -{summary.destroy}"]
    others = ((summary.imports, "import"), (summary.move, "move"), (summary.forget, "forget"))
    parts += [_counted(number, verb, done) for number, verb in others if number]
    if not (summary.add or summary.change or summary.destroy) and summary.outputs:
        parts.append("outputs only")
    tail = Plain((" · " if lost else "") + " · ".join(parts))
    return (Bold(lost), tail) if lost else (tail,)


def _counted(number: int, verb: str, done: bool) -> str:
    return f"{number} {_PAST[verb]}" if done else f"{number} to {verb}"


def full_plan(plan: Plan | None, pages: Mapping[str, str] | None) -> Spans:
    """Link to the page with all that a plan changes; nothing without one. pages: plan id → address."""
    url = (pages or {}).get(plan.id, "") if plan else ""
    return (Link("full plan", url),) if url.startswith("http") else ()


def diff(
    summary: PlanSummary, *, see: str, most: int = 100_000, each: int = MAX_LINES
) -> tuple[Element, ...]:
    """Write the changes as Terraform does, then the outputs and what changed outside Terraform.

    see: where the rest is; most: lines of one block; each: lines of one change.
    """
    elements: list[Element] = []
    if summary.changes:
        groups = _groups(summary.changes, min(most, STEPS[0].lines), each)
        elements.append(Block(groups, "diff", "changes", see, most=most, each=each))
    if summary.outputs:
        outputs = tuple(attribute_lines(output) for output in summary.outputs)
        elements += [
            Text((Plain("Outputs:"),)),
            Block(outputs, "diff", "outputs", see, most=most, each=each),
        ]
    if summary.drift:
        drifted = _groups(summary.drift, min(most, STEPS[0].lines), each)
        elements += [
            Text((Plain("Changed outside Terraform since the last apply:"),)),
            Block(drifted, "diff", "resources", see, most=most, each=each),
        ]
    return tuple(elements) or (Note((Plain("No changes: the infrastructure matches the configuration."),)),)


def _groups(changes: Sequence[ResourceChange], most: int, each: int) -> tuple[tuple[str | Omitted, ...], ...]:
    """Write each change; those behind the first `most` lines are only counted, since no surface has room for them."""
    groups: list[tuple[str | Omitted, ...]] = []
    length = 0
    for change in changes:
        groups.append(change_lines(change) if length <= most else (Omitted(change.changed),))
        length += min(len(groups[-1]), each)
    return tuple(groups)


def change_lines(change: ResourceChange) -> tuple[str | Omitted, ...]:
    """Write one resource's change as Terraform does."""
    (head,) = replace(change, attributes=()).lines
    if change.create_first:
        head = (
            head.replace("+/-", "-/+", 1) + "  # the replacement is created before the old one is destroyed"
        )
    indented = (
        f"    {line}" if isinstance(line, str) else line
        for attribute in change.attributes
        for line in attribute_lines(attribute)
    )
    return (*fold(head), *indented)


def attribute_lines(change: AttributeChange) -> tuple[str | Omitted, ...]:
    """Write the change of an attribute or output, with what an abridged summary lacks as a number."""
    lines = tuple(part for line in replace(change, omitted=0).lines for part in fold(line))
    return (*lines, Omitted(change.omitted)) if change.omitted else lines
