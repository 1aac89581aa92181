"""What a plan destroys, by name, and how a large plan is distributed over modules and types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from bot.domain.plans import Action, PlanSummary, ResourceChange
from bot.render.document import Bold, Code, Element, Items, Plain, Span, Spans, Table, Text
from bot.render.markup import join_spans

NAMED = 20
"""Destroyed and replaced resources that get a line each; more are grouped by module and type."""
GROUPED = 30
"""Changes from which a table of modules and types comes first."""
NAMES = 25
LENGTH = 300
"""Resources named in one line, and their characters together."""

_VERBS: dict[Action, str] = {
    "delete": "destroy",
    "replace": "replace",
    "update": "change",
    "create": "add",
    "import": "import",
    "move": "move",
    "forget": "forget",
    "read": "read",
}


def destroyed(summary: PlanSummary, most: int = NAMED) -> tuple[Element, ...]:
    """Name all resources that are destroyed or replaced: up to `most` with a line each, more in groups."""
    changes = [change for change in summary.changes if change.destroys]
    if not changes:
        return ()
    if len(changes) <= most:
        found = Items(tuple(map(_destroyed, changes)), "resources")
    else:
        parts = [(_grouped(part), len(part)) for group in _groups(changes) for part in _parts(group)]
        found = Items(tuple(item for item, _ in parts), "resources", tuple(count for _, count in parts))
    return (Text((Bold("To destroy or replace:"),)), found)


def _destroyed(change: ResourceChange) -> Spans:
    spans: tuple[Span, ...] = (Bold(_VERBS[change.action]), Plain(" "), Code(change.address))
    causes = [attribute.path for attribute in change.attributes if attribute.forces_replacement]
    return (*spans, Plain(" because of "), Code(", ".join(causes[:3]))) if causes else spans


def _groups(changes: Sequence[ResourceChange]) -> Iterator[list[ResourceChange]]:
    """Yield the changes with the same action, module and type; in their order, if that is the summary's."""
    for _, group in groupby(changes, key=lambda one: (one.action, one.module, one.type)):
        yield list(group)


def _parts(group: Sequence[ResourceChange]) -> Iterator[list[ResourceChange]]:
    """Yield parts of a group that are short enough for one line. A long name gets one for itself."""
    part: list[ResourceChange] = []
    length = 0
    for change in group:
        if part and (len(part) == NAMES or length + len(_name(change)) > LENGTH):
            yield part
            part, length = [], 0
        part.append(change)
        length += len(_name(change))
    yield part


def _grouped(part: Sequence[ResourceChange]) -> Spans:
    """`**destroy** 3 × `aws_subnet` in `module.network`: `a`, `b`, `c``."""
    first = part[0]
    module: Spans = (Plain(" in "), Code(first.module)) if first.module else ()
    names = join_spans([(Code(_name(change)),) for change in part], ", ")
    kind = (Bold(_VERBS[first.action]), Plain(f" {len(part)} × "), Code(first.type))
    return (*kind, *module, Plain(": "), *names)


def _name(change: ResourceChange) -> str:
    return change.name.removeprefix(f"{change.type}.")


def overview(summary: PlanSummary) -> tuple[Element, ...]:
    """Count a large plan's changes by module and type, those with the most destroys first; nothing for a small plan."""
    if len(summary.changes) <= GROUPED:
        return ()
    kinds: dict[tuple[str, str], Counter[Action]] = {}
    for change in summary.changes:
        kinds.setdefault((change.module, change.type), Counter())[change.action] += 1
    losses = {kind: counts["delete"] + counts["replace"] for kind, counts in kinds.items()}
    rows = tuple(
        (
            (Code(module) if module else Plain("root module"),),
            (Code(kind),),
            (
                Plain(
                    ", ".join(
                        f"{counts[action]} to {verb}" for action, verb in _VERBS.items() if counts[action]
                    )
                ),
            ),
        )
        for (module, kind), counts in sorted(kinds.items(), key=lambda one: (-losses[one[0]], one[0]))
    )
    return (Table(("Module", "Resource type", "Changes"), rows, "resource types"),)
