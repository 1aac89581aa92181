"""What a plan would do, read from Terraform's `show -json` with everything sensitive masked.

The format is Terraform's "JSON output format" 1.x. What is kept here may be stored and shown to everybody who may
read the pull request: no sensitive value is in it, and no secret that is known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from bot.domain.plan_values import SENSITIVE, UNKNOWN, Pair, differences, spell
from bot.domain.redaction import Redactor
from bot.errors import UserError

__all__ = ["ORDER", "SENSITIVE", "UNKNOWN", "Action", "AttributeChange", "PlanSummary", "ResourceChange"]

Action = Literal["delete", "replace", "update", "create", "import", "move", "forget", "read"]

ORDER: tuple[Action, ...] = ("delete", "replace", "update", "create", "import", "move", "forget", "read")
"""The order in which changes are shown: what destroys comes first."""

_SYMBOLS: dict[Action, str] = {
    "delete": "-",
    "replace": "-/+",
    "update": "~",
    "create": "+",
    "import": "&",
    "move": ">",
    "forget": ".",
    "read": "<=",
}


@dataclass(frozen=True)
class AttributeChange:
    """One attribute's change. `path` is as in HCL (`tags.env`, `ports[0]`); values are masked, and written as HCL
    literals; `before` is empty for what is new, `after` for what goes away."""

    path: str
    before: str
    after: str
    forces_replacement: bool = False

    @property
    def line(self) -> str:
        """As Terraform writes it: `~ size = "s" -> "m"  # forces replacement`."""
        if not self.before:
            text = f"+ {self.path} = {self.after}"
        elif not self.after:
            text = f"- {self.path} = {self.before}"
        elif self.before == self.after:
            text = f"~ {self.path} = {self.after}"
        else:
            text = f"~ {self.path} = {self.before} -> {self.after}"
        return f"{text}  # forces replacement" if self.forces_replacement else text


@dataclass(frozen=True)
class ResourceChange:
    """One resource's change. An update that also imports or moves is an `update` with `import_id` or
    `previous_address` set. `reason` is Terraform's word, such as `replace_because_cannot_update`."""

    address: str
    type: str
    action: Action
    attributes: tuple[AttributeChange, ...] = ()
    reason: str = ""
    previous_address: str = ""
    import_id: str = ""
    create_first: bool = False

    @property
    def symbol(self) -> str:
        return "+/-" if self.create_first else _SYMBOLS[self.action]

    @property
    def destroys(self) -> bool:
        return self.action in ("delete", "replace")

    @property
    def lines(self) -> tuple[str, ...]:
        """`-/+ address`, then one indented line an attribute."""
        notes = f" (moved from {self.previous_address})" if self.previous_address else ""
        notes += f" (import {json.dumps(self.import_id)})" if self.import_id else ""
        body = (f"    {attribute.line}" for attribute in self.attributes)
        return (f"{self.symbol} {self.address}{notes}", *body)


@dataclass(frozen=True)
class PlanSummary:
    """A plan in numbers and changes.

    `add`, `change` and `destroy` count as Terraform does: a replacement is in `add` and in `destroy` (and counted
    by itself in `replace`). `changes` has destroys and replacements first; `drift` what changed outside Terraform;
    `outputs` the root outputs that change, their name as the path.
    """

    add: int = 0
    change: int = 0
    destroy: int = 0
    replace: int = 0
    imports: int = 0
    move: int = 0
    forget: int = 0
    changes: tuple[ResourceChange, ...] = ()
    drift: tuple[ResourceChange, ...] = ()
    outputs: tuple[AttributeChange, ...] = ()
    terraform_version: str = ""

    @property
    def empty(self) -> bool:
        """Nothing to apply: reading a data source during apply is no change by itself."""
        return not self.outputs and all(change.action == "read" for change in self.changes)

    @property
    def headline(self) -> str:
        """`1 to import, 2 to add, 0 to change, 1 to destroy`, as Terraform orders it; or `no changes`."""
        if self.empty:
            return "no changes"
        extra = [(self.imports, "import"), (self.move, "move"), (self.forget, "forget")]
        parts = [f"{count} to {word}" for count, word in extra if count]
        parts += [f"{self.add} to add", f"{self.change} to change", f"{self.destroy} to destroy"]
        return ", ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `from_dict` takes it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> PlanSummary:
        """From `to_dict`'s result. Keys unknown to this version are left out, so that old and new code may mix."""
        known = {key: value for key, value in content.items() if key in cls.__dataclass_fields__}
        for key in ("changes", "drift"):
            known[key] = tuple(_resource(change) for change in known.get(key, ()))
        known["outputs"] = tuple(_attribute(change) for change in known.get("outputs", ()))
        return cls(**known)

    @classmethod
    def from_json(cls, plan: Mapping[str, Any], secrets: Iterable[str] = ()) -> PlanSummary:
        """From the whole of `show -json`. secrets: hidden wherever they stand, in every form that Redactor knows.

        Raises UserError for values that are nested too deep to be read.
        """
        redact = Redactor(secrets)
        try:
            changes = list(_changes(plan.get("resource_changes"), redact))
            drift = list(_changes(plan.get("resource_drift"), redact))
            outputs = [
                AttributeChange(redact(name), *Pair.of(change).redacted(redact).shown)
                for name, change in sorted((plan.get("output_changes") or {}).items())
                if change.get("actions") != ["no-op"]
            ]
        except RecursionError:
            raise UserError(
                "The plan has a value of hundreds of levels, one in another, which nobody could read.",
                next_step="Make it flatter, such as by `jsonencode`, and push.",
            ) from None
        changes.sort(key=lambda change: (ORDER.index(change.action), change.address))
        count = {action: sum(change.action == action for change in changes) for action in ORDER}
        return cls(
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


def _attribute(content: Mapping[str, Any]) -> AttributeChange:
    return AttributeChange(**{k: v for k, v in content.items() if k in AttributeChange.__dataclass_fields__})


def _resource(content: Mapping[str, Any]) -> ResourceChange:
    known = {k: v for k, v in content.items() if k in ResourceChange.__dataclass_fields__}
    known["attributes"] = tuple(_attribute(change) for change in known.get("attributes", ()))
    return ResourceChange(**known)


def _changes(
    entries: Iterable[Mapping[str, Any]] | None, redact: Callable[[str], str]
) -> Iterator[ResourceChange]:
    return (change for entry in entries or () if (change := _change(entry, redact)))


def _change(entry: Mapping[str, Any], redact: Callable[[str], str]) -> ResourceChange | None:
    """One entry of resource_changes or resource_drift; None for what stays as it is."""
    change = entry["change"]
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
        attributes=tuple(_compare(change, change.get("replace_paths") or (), redact)),
        reason=entry.get("action_reason") or "",
        previous_address=redact(moved),
        import_id=redact(import_id) or ("(unknown)" if change.get("importing") else ""),
        create_first=actions == ["create", "delete"],
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


def _compare(
    change: Mapping[str, Any], replacing: Sequence[Sequence[str | int]], redact: Callable[[str], str]
) -> Iterator[AttributeChange]:
    """The attributes that differ, in alphabetical order."""
    for path, pair in differences((), Pair.of(change)):
        forces = any(path[: len(cause)] == tuple(cause)[: len(path)] for cause in replacing)
        shown = pair.redacted(redact).shown
        yield AttributeChange(redact(spell(path)), *shown, forces_replacement=forces)
