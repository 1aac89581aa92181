"""The record of who did what, when, from where and on what grounds: only ever added to, each entry chained to the one
before by its hash, so that a change or a gap is seen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

FIRST = "0" * 64
"""What the first entry follows."""


@dataclass(frozen=True)
class Entry:
    """Something that somebody did. at: UTC. action: a stable word such as `apply.started` or `approval.decided`.

    login, slack, via: the actor. target: its key, or "". facts: plain JSON without secrets: the answers of gates,
    digests, reasons. previous, digest: the chain (empty until it is recorded); number: its place in it, from 1.
    """

    at: datetime
    action: str
    login: str = ""
    slack: str = ""
    via: str = ""
    repository: str = ""
    target: str = ""
    pull: int = 0
    run_id: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    number: int = 0
    previous: str = ""
    digest: str = ""

    def chained(self, number: int, previous: str) -> Entry:
        """This entry as the one after `previous`."""
        placed = replace(self, number=number, previous=previous, digest="")
        return replace(placed, digest=placed.compute())

    def compute(self) -> str:
        """sha256 (hex) of everything in it but its own digest: canonical JSON (keys sorted, no spaces, other
        characters than ASCII escaped), time in ISO format, UTC."""
        content = self.to_dict()
        del content["digest"]
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """One line of the export."""
        return {**asdict(self), "at": self.at.astimezone(UTC).isoformat()}
