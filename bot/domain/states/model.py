"""Terraform states, their versions and locks: what can be read from the bytes, and which state may follow which."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from bot.domain.plans import read_json
from bot.domain.target import Target, command
from bot.errors import UserError


class StateRefused(Exception):
    """A state that may not replace the current one, or not by this writer. The text says why."""


@dataclass(frozen=True)
class StateInfo:
    """What a state says about itself. resources: number of managed resource instances; outputs: of the root module."""

    serial: int
    lineage: str
    sha256: str
    size: int
    resources: int = 0
    outputs: int = 0
    terraform_version: str = ""

    @classmethod
    def parse(cls, data: bytes) -> StateInfo:
        """Read a state (version 4, or one that OpenTofu encrypted except for serial and lineage).

        Unknown fields are ignored. Raises ValueError for anything else.
        """
        document = _object(data, "a Terraform state")
        serial, lineage = document.get("serial"), document.get("lineage")
        if not isinstance(serial, int) or isinstance(serial, bool) or serial < 0:
            raise ValueError("not a Terraform state: no serial")
        if not isinstance(lineage, str) or not lineage:
            raise ValueError("not a Terraform state: no lineage")
        resources, outputs = document.get("resources"), document.get("outputs")
        return cls(
            serial=serial,
            lineage=lineage,
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
            resources=sum(map(_instances, resources)) if isinstance(resources, list) else 0,
            outputs=len(outputs) if isinstance(outputs, dict) else 0,
            terraform_version=str(document.get("terraform_version") or ""),
        )


def resources_in(data: bytes | None) -> int | None:
    """Return how many resources a state has, 0 where there is none; None if OpenTofu has encrypted it. Raises ValueError for
    anything but a state."""
    if not data:
        return 0
    return None if "encrypted_data" in _object(data, "a Terraform state") else StateInfo.parse(data).resources


@dataclass(frozen=True)
class StateVersion:
    """One recorded state. `created_at` is UTC; `size` is in bytes, uncompressed; `run_id`, `commit` and `actor` are empty
    if the state does not come from a run of the bot.

    resources, outputs: as in StateInfo. release: id of the release that its run left, or "" (a failed apply writes states
    too). reverts: id of the release or version that it restores, or "".
    """

    id: str
    target_key: str
    serial: int
    lineage: str
    sha256: str
    size: int
    resources: int
    run_id: str
    commit: str
    actor: str
    created_at: datetime
    outputs: int = 0
    release: str = ""
    reverts: str = ""


class StateDamaged(UserError):
    """A recorded version cannot be read: its bytes are not those that were written."""

    def __init__(self, version: StateVersion, reason: str) -> None:
        target = Target.from_key(version.target_key)
        super().__init__(
            f"The record of serial {version.serial} of {target} (version {version.id[:8]}) is damaged: {reason}.",
            next_step=f"`{command('history', target)}` shows which versions can be read.",
        )
        self.version = version


@dataclass(frozen=True)
class LockInfo:
    """Terraform's description of a state lock. `created` is the text that Terraform wrote (RFC 3339)."""

    id: str
    operation: str = ""
    info: str = ""
    who: str = ""
    version: str = ""
    created: str = ""
    path: str = ""

    @property
    def is_plan(self) -> bool:
        """Whether it was taken for a plan, which writes no state."""
        return self.operation == "OperationTypePlan"

    @property
    def description(self) -> str:
        """Who holds it, for which operation, since when, and its id: `ann@laptop (apply) since …, lock id …`."""
        operation = self.operation.removeprefix("OperationType").lower()
        since = f" since {self.created[:16].replace('T', ' ')} UTC" if self.created else ""
        return f"{self.who or 'someone'}{f' ({operation})' if operation else ''}{since}, lock id {self.id}"

    @classmethod
    def parse(cls, data: bytes) -> LockInfo:
        """Read Terraform's JSON. Raises ValueError for anything else, or if it has no ID."""
        document = _object(data, "a lock")
        if not isinstance(document.get("ID"), str) or not document["ID"]:
            raise ValueError("not a lock: no ID")
        return cls(**{name: str(document.get(key) or "") for name, key in _LOCK_KEYS.items()})

    def dump(self) -> bytes:
        """Return Terraform's JSON."""
        values = asdict(self)
        return json.dumps({key: values[name] for name, key in _LOCK_KEYS.items()}).encode()


_LOCK_KEYS: Mapping[str, str] = {
    "id": "ID",
    "operation": "Operation",
    "info": "Info",
    "who": "Who",
    "version": "Version",
    "created": "Created",
    "path": "Path",
}


def follows(current: StateVersion | None, info: StateInfo) -> bool:
    """Return whether `info` must be recorded after `current`: not if it is the same state.

    Raises StateRefused like `check_successor`.
    """
    if current is None:
        return True
    if info.sha256 == current.sha256:
        return False
    check_successor(current, info)
    return True


def check_successor(current: StateVersion | StateInfo, info: StateInfo) -> None:
    """Raise StateRefused for another lineage, a lower serial, or the same serial with different content: the rules of
    `terraform state push`."""
    if info.lineage != current.lineage:
        raise StateRefused(f"its lineage is {info.lineage}, the current state's is {current.lineage}")
    if info.serial < current.serial:
        raise StateRefused(f"its serial is {info.serial}, the current state's is already {current.serial}")
    if info.serial == current.serial and info.sha256 != current.sha256:
        raise StateRefused(f"a different state with serial {info.serial} already exists")


def _object(data: bytes, what: str) -> dict[str, Any]:
    try:
        document = read_json(data)
    except ValueError:
        raise ValueError(f"not {what}: no JSON") from None
    if type(document) is not dict:
        raise ValueError(f"not {what}: no JSON object")
    return document


def _instances(resource: Any) -> int:
    if not isinstance(resource, dict) or resource.get("mode", "managed") != "managed":
        return 0
    instances = resource.get("instances")
    return len(instances) if isinstance(instances, list) else 0
