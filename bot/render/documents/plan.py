"""A plan as people read it: what destroys comes first."""

from __future__ import annotations

from bot.domain.plan import PlanSummary, ResourceChange
from bot.domain.run import Plan
from bot.render.document import Block, Bold, Code, Element, Items, Note, Plain, Span, Spans, Text

MOST_LINES = 60
"""Lines of one change that are shown."""
NAMED = 20
"""Destroyed and replaced resources that are named before the plan itself."""


def summary_of(plan: Plan | None) -> PlanSummary | None:
    return PlanSummary.from_dict(plan.summary) if plan else None


def counts(summary: PlanSummary, *, done: bool = False) -> Spans:
    """`**1 to destroy, 2 to replace** · +3 ~1 -3`, as Terraform counts: a replacement is in `+` and in `-`.

    With `done` the words say what happened: `1 destroyed, 2 replaced`.
    """
    if summary.empty:
        return (Plain("no changes"),)
    gone = summary.destroy - summary.replace
    lost = ", ".join(
        _say(many, word, done) for many, word in ((gone, "destroy"), (summary.replace, "replace")) if many
    )
    parts = [f"+{summary.add} ~{summary.change} -{summary.destroy}"]
    others = ((summary.imports, "import"), (summary.move, "move"), (summary.forget, "forget"))
    parts += [_say(many, word, done) for many, word in others if many]
    if not (summary.add or summary.change or summary.destroy) and summary.outputs:
        parts.append("outputs only")
    tail = Plain((" · " if lost else "") + " · ".join(parts))
    return (Bold(lost), tail) if lost else (tail,)


_DONE = {
    "destroy": "destroyed",
    "replace": "replaced",
    "import": "imported",
    "move": "moved",
    "forget": "forgotten",
}


def _say(many: int, word: str, done: bool) -> str:
    return f"{many} {_DONE[word]}" if done else f"{many} to {word}"


def losses(summary: PlanSummary, most: int = NAMED) -> tuple[Element, ...]:
    """The resources that go away or are made anew, by name, `most` of them."""
    lost = [change for change in summary.changes if change.destroys]
    if not lost:
        return ()
    items: list[Spans] = [_loss(change) for change in lost[:most]]
    if len(lost) > most:
        items.append((Plain(f"… {len(lost) - most:,} more"),))
    return (Text((Bold("To destroy or replace:"),)), Items(tuple(items)))


def _loss(change: ResourceChange) -> Spans:
    said: tuple[Span, ...] = (
        Bold("replace" if change.action == "replace" else "destroy"),
        Plain(" "),
        Code(change.address),
    )
    causes = [attribute.path for attribute in change.attributes if attribute.forces_replacement]
    return (*said, Plain(" because of "), Code(", ".join(causes[:3]))) if causes else said


def diff(summary: PlanSummary, *, see: str, most: int = 100_000) -> tuple[Element, ...]:
    """The changes as Terraform would write them, then outputs and what changed outside Terraform."""
    shown: list[Element] = []
    if summary.changes:
        groups = tuple(lines(change) for change in summary.changes)
        shown.append(Block(groups, "diff", "changes", see, most=most))
    if summary.outputs:
        outputs = tuple((attribute.line,) for attribute in summary.outputs)
        shown += [Text((Plain("Outputs:"),)), Block(outputs, "diff", "outputs", see, most=most)]
    if summary.drift:
        drifted = tuple(lines(change) for change in summary.drift)
        shown += [
            Text((Plain("Changed outside Terraform since the last apply:"),)),
            Block(drifted, "diff", "resources", see, most=most),
        ]
    return tuple(shown) or (Note((Plain("No changes: the infrastructure is as the code says."),)),)


def lines(change: ResourceChange) -> tuple[str, ...]:
    """One resource's change as Terraform would write it, MOST_LINES at most."""
    head, *rest = change.lines
    if change.create_first:
        head = head.replace("+/-", "-/+", 1) + "  # the new one is created before the old one is destroyed"
    if len(rest) > MOST_LINES:
        rest = [*rest[: MOST_LINES - 1], f"    … {len(rest) - MOST_LINES + 1:,} more attributes"]
    return (head, *rest)
