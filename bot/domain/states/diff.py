"""Compare two states by resource and attribute, with everything sensitive masked.

The format is Terraform's state, version 4. Only managed resources and the root module's outputs are compared: data
sources are not managed, and `private`, `dependencies` and schema versions are Terraform's own bookkeeping.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.plans import AttributeChange, Differ, Pair, ResourceChange, read_json
from bot.domain.redaction import Redactor
from bot.domain.states.sensitive import Marks, marks_of, secrets_of


@dataclass(frozen=True)
class StateDiff:
    """The changes from one state to another: `changes` in alphabetical order, with the action `create`, `delete` or
    `update`; `outputs` that differ. Values are masked, so everyone who can read the pull request may see them."""

    changes: tuple[ResourceChange, ...] = ()
    outputs: tuple[AttributeChange, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.changes and not self.outputs

    def count(self, action: str) -> int:
        return sum(change.action == action for change in self.changes)

    @property
    def headline(self) -> str:
        """`2 added, 1 changed, 0 removed, 1 output changed`, or `no difference`."""
        if self.empty:
            return "no difference"
        counts = ("create", "added"), ("update", "changed"), ("delete", "removed")
        parts = [f"{self.count(action)} {word}" for action, word in counts] if self.changes else []
        if many := len(self.outputs):
            parts.append(f"{many} output{'' if many == 1 else 's'} changed")
        return ", ".join(parts)


def diff_states(before: bytes, after: bytes, hidden: Iterable[str] = ()) -> StateDiff:
    """Compare two states; `b""` is an empty one. hidden: known secrets, masked wherever they occur.

    A value that is sensitive in one state is masked in both. Raises ValueError for a state that cannot be read, such as
    one that OpenTofu has encrypted.
    """
    old, new = _read(before), _read(after)
    differ = Differ(Redactor({*hidden, *secrets_of(old), *secrets_of(new)}))
    left, right = dict(_instances(old)), dict(_instances(new))
    changes = [
        change
        for address in sorted({*left, *right})
        if (change := _compare(address, left.get(address), right.get(address), differ))
    ]
    return StateDiff(tuple(changes), tuple(_outputs(old, new, differ)))


def _read(data: bytes) -> Mapping[str, Any]:
    if not data:
        return {}
    try:
        document = read_json(data)
    except ValueError:
        raise ValueError("it is not JSON") from None
    if type(document) is dict and "encrypted_data" in document:
        raise ValueError("OpenTofu has encrypted it, and the bot has no key for it")
    if type(document) is not dict or document.get("version") != 4:
        raise ValueError("it is not a Terraform state of version 4")
    return document


@dataclass(frozen=True)
class _Instance:
    type: str
    attributes: Any
    marks: Marks


def _instances(document: Mapping[str, Any]) -> Iterator[tuple[str, _Instance]]:
    """Yield the address and content of each managed instance."""
    for resource in document.get("resources") or ():
        if resource.get("mode", "managed") != "managed":
            continue
        name = f"{resource.get('type', '')}.{resource.get('name', '')}"
        module = resource.get("module", "")
        for instance in resource.get("instances") or ():
            key = instance.get("index_key")
            address = (
                (f"{module}." if module else "") + name + ("" if key is None else f"[{json.dumps(key)}]")
            )
            if instance.get("deposed"):
                address += f" (deposed {instance['deposed']})"
            attributes = instance.get("attributes", instance.get("attributes_flat"))
            yield address, _Instance(str(resource.get("type", "")), attributes, marks_of(instance))


def _compare(
    address: str, old: _Instance | None, new: _Instance | None, differ: Differ
) -> ResourceChange | None:
    pair = Pair(
        old.attributes if old else None,
        new.attributes if new else None,
        None,
        (old.marks if old else None, new.marks if new else None),
    )
    found = tuple(change for _path, change in differ.attributes(pair))
    one = new or old
    if one is None or (old and new and not found):
        return None
    return ResourceChange(
        differ.redact(address), one.type, "update" if old and new else "create" if new else "delete", found
    )


def _outputs(old: Mapping[str, Any], new: Mapping[str, Any], differ: Differ) -> Iterator[AttributeChange]:
    left, right = old.get("outputs") or {}, new.get("outputs") or {}
    for name in sorted({*left, *right}):
        sides = left.get(name) or {}, right.get(name) or {}
        marks = tuple(marks_of({"attributes": {name: side.get("value")}}) for side in sides)
        hidden = [
            True if side.get("sensitive") else mark.get(name) if isinstance(mark, dict) else mark
            for side, mark in zip(sides, marks, strict=True)
        ]
        pair = Pair(sides[0].get("value"), sides[1].get("value"), None, (hidden[0], hidden[1]))
        if pair.before != pair.after:
            yield differ.value(name, pair)
