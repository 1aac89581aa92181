"""Read a plan's summary from Terraform's `show -json`, with everything sensitive masked.

The format is Terraform's "JSON output format" 1.x.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bot.domain.plans.attribute_diff import Differ, Pair
from bot.domain.plans.outside_changes import split_outside
from bot.domain.plans.resource_change import ORDER, Action, AttributeChange, ResourceChange
from bot.domain.plans.settled import Settled
from bot.domain.plans.summary import PlanSummary
from bot.domain.redaction import Redactor
from bot.errors import UserError


def read_plan(
    plan: Mapping[str, Any], secrets: Iterable[str] = (), settled: Settled | None = None
) -> PlanSummary:
    """Summarize the whole of `show -json`. Of what changed outside Terraform, only what the plan acts on.

    secrets: redacted wherever they occur, in every encoding that Redactor knows. settled: values that are no drift, None if
    not known. Raises UserError if values are nested too deeply to be read.
    """
    differ = Differ(Redactor(secrets))
    try:
        changes = list(_changes(plan.get("resource_changes"), differ))
        drift = list(_changes(split_outside(plan.get("resource_drift") or (), plan, settled)[0], differ))
        outputs = [
            differ.value(name, Pair.of(change))
            for name, change in sorted((plan.get("output_changes") or {}).items())
            if change.get("actions") != ["no-op"]
        ]
    except RecursionError:
        raise UserError(
            "A value in the plan is nested hundreds of levels deep, too deep to read.",
            next_step="Flatten it, for example with `jsonencode`, and push.",
        ) from None
    changes.sort(key=lambda one: (ORDER.index(one.action), one.module, one.type, one.address))
    count = {action: sum(change.action == action for change in changes) for action in ORDER}
    return PlanSummary(
        add=count["create"] + count["replace"],
        change=count["update"],
        destroy=count["delete"] + count["replace"],
        replace=count["replace"],
        imports=sum(bool(change.import_id) for change in changes),
        move=sum(bool(change.previous_address) for change in changes),
        forget=count["forget"],
        changes=tuple(changes),
        drift=tuple(drift),
        outputs=tuple(outputs),
        terraform_version=str(plan.get("terraform_version", "")),
    )


def read_changes(
    entries: Iterable[Mapping[str, Any]], secrets: Iterable[str] = ()
) -> tuple[ResourceChange, ...]:
    """Read entries of `resource_changes` or `resource_drift`. secrets: as for read_plan."""
    return tuple(_changes(entries, Differ(Redactor(secrets))))


def _changes(entries: Iterable[Mapping[str, Any]] | None, differ: Differ) -> Iterator[ResourceChange]:
    return (change for entry in entries or () if (change := _change(entry, differ)))


def _change(entry: Mapping[str, Any], differ: Differ) -> ResourceChange | None:
    """Read one entry of resource_changes or resource_drift; None if nothing changes."""
    change, redact = entry["change"], differ.redact
    actions = list(change.get("actions", ()))
    moved = entry.get("previous_address") or ""
    import_id = str((change.get("importing") or {}).get("id") or "")
    action = _action(actions, moved=bool(moved), imported=bool(change.get("importing")))
    if action is None:
        return None
    deposed = f" (deposed {entry['deposed']})" if entry.get("deposed") else ""
    return ResourceChange(
        address=redact(entry["address"]) + deposed,
        type=entry.get("type", ""),
        action=action,
        attributes=tuple(_attributes(change, differ)),
        reason=entry.get("action_reason") or "",
        previous_address=redact(moved),
        import_id=redact(import_id) or ("(unknown)" if change.get("importing") else ""),
        create_first=actions == ["create", "delete"],
        module=redact(entry.get("module_address") or ""),
    )


def _action(actions: list[str], *, moved: bool, imported: bool) -> Action | None:
    if len(actions) == 2 and "create" in actions:
        return "replace"
    match actions:
        case ["no-op"]:
            return "import" if imported else "move" if moved else None
        case ["create" | "update" | "delete" | "read" | "forget" as single]:
            return single
    raise ValueError(f"Terraform planned an unknown action: {actions}")


def _attributes(change: Mapping[str, Any], differ: Differ) -> Iterator[AttributeChange]:
    """Yield the attributes that differ, in alphabetical order."""
    causes = [tuple(path) for path in change.get("replace_paths") or ()]
    for path, attribute in differ.attributes(Pair.of(change)):
        forces = any(path[: len(cause)] == cause[: len(path)] for cause in causes)
        yield replace(attribute, forces_replacement=forces)
