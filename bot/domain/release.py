"""A release: what a successful apply leaves, and what its smoke checks said of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.domain.people import Actor
from bot.domain.target import Target

Verification = Literal["none", "running", "passed", "failed"]
"""`none`: the environment has no smoke checks, which counts as verified."""


@dataclass(frozen=True)
class Release:
    """What a successful apply leaves.

    configuration: digest of what a promotion compares, see bot.domain.configuration ("" where it is not known).
    active: it is what stands there; False once another apply has begun on the target, however that ends.
    approval: id of the consent it was applied with. forced: the reason of a break-glass. reverts: id of the release
    that it went back to. checks: one `{"name", "ok", "message", "seconds"}` a smoke check, in their order. verified_at:
    when they were all done. url: where people find what was applied, or "".
    """

    id: str
    target: Target
    run_id: str
    plan_digest: str
    commit: str
    pull: int
    actor: Actor
    serial: int
    created_at: datetime
    configuration: str = ""
    active: bool = True
    approval: str = ""
    forced: str = ""
    reverts: str = ""
    verification: Verification = "none"
    verified_at: datetime | None = None
    checks: tuple[dict[str, Any], ...] = ()
    url: str = ""

    @property
    def verified(self) -> bool:
        return self.verification in ("none", "passed")

    def soaked_at(self, soak: timedelta) -> datetime:
        """When it will have stood there, verified, for so long."""
        return (self.verified_at or self.created_at) + soak
