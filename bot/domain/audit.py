"""The audit record: who did what, when, from where and on what grounds.

It is append-only. Each entry contains the hash of the one before, so that changes and gaps are detected.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

FIRST = "0" * 64
"""The previous digest of the first entry."""


@dataclass(frozen=True)
class Entry:
    """One recorded action. at: UTC. action: a stable name such as `apply.started` or `approval.decided`.

    login, slack, via: the actor. target: its key, or "". facts: JSON without secrets, its keys depending on the action:
    gate answers, digests, reasons. previous, digest: the hash chain, empty until recorded; number: position, from 1.
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
        """Return this entry as the one that follows the digest `previous`."""
        placed = replace(self, number=number, previous=previous, digest="")
        return replace(placed, digest=placed.compute())

    def compute(self) -> str:
        """Return the sha256 (hex) of all fields except `digest`, as canonical JSON: sorted keys, no spaces, non-ASCII
        characters escaped, time in ISO format in UTC."""
        content = self.to_dict()
        del content["digest"]
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return one line of the export."""
        return {**asdict(self), "at": self.at.astimezone(UTC).isoformat()}
