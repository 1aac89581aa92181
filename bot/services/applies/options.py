"""What somebody asks for when they ask for an apply."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.actors import Actor
from bot.domain.approvals import Approval
from bot.domain.ports.forge import PullRequest
from bot.domain.run import Origin
from bot.domain.target import Target
from bot.services.targets import PullContext


@dataclass(frozen=True)
class ApplyOptions:
    """How an apply is asked for.

    when_approved: apply by itself as soon as the gates let it. forced: the reason of a break-glass by somebody whom the
    policy names (the caller has checked that). revert: apply a revert's plan. losing: how many resources whoever asks
    for the revert says are lost. approval: the completed one that a `when-approved` apply goes on with.
    """

    when_approved: bool = False
    forced: str = ""
    revert: bool = False
    losing: int | None = None
    approval: Approval | None = None


@dataclass(frozen=True)
class ApplyRequest:
    """One request to apply: for which pull request, where, by whom, and how. All targets are applied, or none."""

    pull_context: PullContext
    targets: tuple[Target, ...]
    actor: Actor
    origin: Origin
    options: ApplyOptions = ApplyOptions()

    @property
    def pull(self) -> PullRequest:
        return self.pull_context.pull
