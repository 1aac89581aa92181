"""Addresses of modules and resources, and the objects of a state by address."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from bot.domain.plans import read_json
from bot.errors import UserError

Key = int | str | None


class Step(NamedTuple):
    """One step of an address: `module` and the name of a call, or a resource's type and name; and the instance's key."""

    type: str
    name: str
    key: Key = None


Address = tuple[Step, ...]
"""Module steps, followed by a resource's step unless it is the address of a module."""

_STEP = re.compile(r'([\w-]+)\.([\w-]+)(?:\[(?:(\d+)|("(?:[^"\\]|\\.)*"))\])?(\.|\Z)')


def parse_address(text: str) -> Address:
    """Parse `module.a["x"].aws_instance.web[0]`. Raises ValueError for anything else, such as a key that is an expression."""
    steps: list[Step] = []
    position = 0
    more = "."
    while more:
        found = _STEP.match(text, position)
        if found is None or (found[1] != "module" and found[5]):
            raise ValueError(f"not an address: {text!r}")
        key = int(found[3]) if found[3] else _unquoted(found[4]) if found[4] else None
        steps.append(Step(found[1], found[2], key))
        position, more = found.end(), found[5]
    return tuple(steps)


def spell_address(address: Address) -> str:
    """Write an address as Terraform does, in a form that is valid in a configuration."""
    parts = []
    for step in address:
        quoted = json.dumps(step.key, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
        parts.append(f"{step.type}.{step.name}" + ("" if step.key is None else f"[{quoted}]"))
    return ".".join(parts)


def keyless(address: Address) -> Address:
    """Return the address without keys, as the configuration declares it."""
    return tuple(Step(step.type, step.name) for step in address)


def _unquoted(text: str) -> str:
    read = json.loads(text)
    return str(read).replace("$${", "${").replace("%%{", "%{")


@dataclass(frozen=True)
class Object:
    """A managed resource instance in a state.

    provider: the provider configuration it belongs to, as the state has it (`provider["registry…/aws"].west`).
    secret: paths of sensitive values below `attributes`.
    """

    address: Address
    provider: str
    attributes: Mapping[str, Any]
    secret: tuple[tuple[str | int, ...], ...] = ()

    @property
    def identity(self) -> str:
        """The provider's id for it, or ""."""
        return str(self.attributes.get("id") or "")

    def same(self, other: Object) -> bool:
        """Return whether both are the same real object, as far as their ids tell."""
        return bool(self.identity) and self._key == other._key

    @property
    def _key(self) -> tuple[str, str, str]:
        return self.address[-1].type, self.provider, self.identity


def objects(state: bytes) -> dict[Address, Object]:
    """Return the managed objects of a state (version 4) by address, without deposed ones; none for an empty state.

    Raises UserError for a state that OpenTofu has encrypted.
    """
    document = read_json(state) if state else {}
    if "encrypted_data" in document:
        raise UserError("The state is encrypted by OpenTofu, so it cannot be compared.")
    found = (_object(entry, one) for entry, one in _entries(document) if not one.get("deposed"))
    return {each.address: each for each in found}


def providers(state: bytes) -> dict[str, Address]:
    """Return each provider configuration of a state's managed objects (see `Object.provider`), deposed ones included,
    with the address of one of its objects. The state must be readable."""
    document = read_json(state) if state else {}
    return {entry["provider"]: _object(entry, one).address for entry, one in _entries(document)}


def _entries(document: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for entry in document.get("resources") or ():
        if entry.get("mode", "managed") == "managed":
            yield from ((entry, one) for one in entry.get("instances") or ())


def _object(entry: Mapping[str, Any], one: Mapping[str, Any]) -> Object:
    module = parse_address(entry["module"]) if entry.get("module") else ()
    secret = tuple(
        tuple(_plain(step.get("value")) for step in path) for path in one.get("sensitive_attributes") or ()
    )
    return Object(
        address=(*module, Step(entry["type"], entry["name"], one.get("index_key"))),
        provider=entry["provider"],
        attributes=one.get("attributes") or {},
        secret=secret,
    )


def _plain(step: Any) -> str | int:
    """Return a step of a path: `get_attr` has a name, `index` a typed value."""
    value = step.get("value") if isinstance(step, dict) else step
    return value if isinstance(value, int) else str(value)
