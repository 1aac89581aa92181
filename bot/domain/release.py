"""A release: what a successful apply leaves, with the results of its smoke checks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NotRequired, TypedDict

from bot.domain.actors import Actor
from bot.domain.target import Target

Verification = Literal["none", "running", "passed", "failed"]
"""`none`: the environment has no smoke checks, which counts as verified."""


class CheckResult(TypedDict):
    """The result of one smoke check, stored as JSON with its release."""

    name: str
    ok: bool
    message: NotRequired[str]
    seconds: NotRequired[float]


@dataclass(frozen=True)
class Release:
    """What a successful apply leaves.

    configuration: the digest that promotions compare, see bot.domain.policy.config_digest; "" if unknown.
    active: whether it is what is deployed; False once another apply has started on the target, however that ends.
    approval: id of the approval it was applied with. forced: reason of a forced apply. reverts: id of the release it
    reverted to. checks: results of the smoke checks, in their order. verified_at: when the last of them ended.
    url: address of what was deployed, or "".
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
    checks: tuple[CheckResult, ...] = ()
    url: str = ""

    @property
    def verified(self) -> bool:
        return self.verification in ("none", "passed")

    @property
    def failed_check(self) -> CheckResult | None:
        """The first smoke check that failed, or None."""
        return next((check for check in self.checks if not check.get("ok")), None)

    def soaked_at(self, soak: timedelta) -> datetime:
        """Return when it will have been deployed, verified, for that long."""
        return (self.verified_at or self.created_at) + soak
