"""What the plan of a revert means: each action classed by what it costs, what cannot be had back first."""

from __future__ import annotations

from bot.domain.run import Plan
from bot.render.document import Bold, Code, Element, Items, Note, Plain, Span, Spans, Text, say

NAMED = 30
"""Actions that are named; the rest are counted."""
_SAID = {
    "destroy": ("destroy", "what it holds is lost"),
    "replace": ("replace", "what it holds is lost"),
    "recreate_empty": ("recreate empty", "its data and identity are gone already"),
    "in_place": ("change in place", ""),
    "create": ("create", ""),
    "rename": ("rename", "nothing else happens to it"),
    "forget": ("forget", "it stays as it is, outside the state"),
    "import": ("import", ""),
    "read": ("read", ""),
}


def means(plan: Plan | None) -> tuple[Element, ...]:
    """Nothing for a plan that is no revert's."""
    if plan is None or not plan.reverts:
        return ()
    actions = [one for one in plan.summary.get("classes", ()) if one["kind"] != "read"]
    items: list[Spans] = [_line(one) for one in actions[:NAMED]]
    if len(actions) > NAMED:
        items.append((Plain(f"… {len(actions) - NAMED:,} more"),))
    said: list[Element] = [
        Text((Bold("Going back"), Plain(" to "), Code(plan.commit[:7]), Plain(" means:"))),
        Items(tuple(items)) if items else Note((Plain("Nothing changes."),)),
    ]
    said += [Note(say(f"⚠️ {warning}")) for warning in plan.summary.get("warnings", ())]
    return tuple(said)


def _line(action: dict[str, str]) -> Spans:
    word, cost = _SAID.get(action["kind"], (action["kind"], ""))
    spans: list[Span] = [Bold(word) if cost and action["kind"] != "rename" else Plain(word), Plain(" ")]
    if action.get("previous_address"):
        spans += [Code(action["previous_address"]), Plain(" → ")]
    spans.append(Code(action["address"]))
    return (*spans, Plain(f": {cost}")) if cost else tuple(spans)
