"""The plan of a revert: what each action costs, permanent losses first."""

from __future__ import annotations

from bot.domain.plans import ClassifiedChangeJson
from bot.domain.run import Plan
from bot.render.document import Bold, Code, Element, Items, Note, Plain, Span, Spans, Text
from bot.render.markup import to_spans

NAMED = 30
"""Actions that are named; the rest are counted."""
_ACTIONS = {
    "destroy": ("destroy", "its data is lost"),
    "replace": ("replace", "its data is lost"),
    "recreate_empty": ("recreate empty", "its data and identity are already lost"),
    "in_place": ("change in place", ""),
    "create": ("create", ""),
    "rename": ("rename", "nothing else changes"),
    "forget": ("forget", "it continues to exist outside the state"),
    "import": ("import", ""),
    "read": ("read", ""),
}
"""What an action is called and what it costs."""


def revert_actions(plan: Plan | None) -> tuple[Element, ...]:
    """Describe the actions of a revert; nothing for any other plan."""
    if plan is None or not plan.reverts:
        return ()
    actions = [one for one in plan.summary.get("classes", ()) if one["kind"] != "read"]
    items: list[Spans] = [_line(one) for one in actions[:NAMED]]
    if len(actions) > NAMED:
        items.append((Plain(f"… {len(actions) - NAMED:,} more"),))
    elements: list[Element] = [
        Text((Bold("Reverting"), Plain(" to "), Code(plan.commit[:7]), Plain(":"))),
        Items(tuple(items)) if items else Note((Plain("No changes."),)),
    ]
    elements += [Note(to_spans(f"⚠️ {warning}")) for warning in plan.summary.get("warnings", ())]
    return tuple(elements)


def _line(action: ClassifiedChangeJson) -> Spans:
    name, cost = _ACTIONS.get(action["kind"], (action["kind"], ""))
    spans: list[Span] = [Bold(name) if cost and action["kind"] != "rename" else Plain(name), Plain(" ")]
    if action.get("previous_address"):
        spans += [Code(action["previous_address"]), Plain(" → ")]
    spans.append(Code(action["address"]))
    return (*spans, Plain(f": {cost}")) if cost else tuple(spans)
