"""`/plan [env] [stack]`"""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.people import reaches
from bot.domain.results import Result
from bot.services import following, planning
from bot.services.promoting import may_plan
from bot.services.targets import pick
from commands.registry import Ask, command


@command(
    "plan",
    "[env] [stack]",
    role="write",
    pull=True,
    aliases=("replan",),
    summary="Plan again, and show the result on the pull request",
    examples=("/plan", "/plan staging", "/plan staging network"),
)
def plan(ask: Ask, env: str | None, stack: str | None) -> Result:
    """Plans the environments that the policy plans by itself, or the one that is named, for the stacks that the pull
    request touches. Planning changes nothing and is never blocked by a lock. On a pull request from a fork it also
    says that you have read this commit and let it be planned (without secrets)."""
    pull = ask.require_pull()
    if pull.state != "open":
        return Refused("closed", f"#{pull.number} is {pull.state}.", "Open a new pull request.")
    stand = ask.ground()
    if isinstance(stand, Refused):
        return stand
    targets = pick(ask.context, pull, stand, env, stack)
    if isinstance(targets, Refused):
        return targets
    for target in targets:
        if no := may_plan(ask.context, pull, stand, target, ask.actor):
            return no
    if pull.from_fork and reaches(ask.role, "write"):
        following.trust(ask.context, pull, ask.actor)
    seed = f"{ask.origin.delivery}:{ask.origin.index}"
    return planning.request(ask.context, pull, targets, stand.base_tip, ask.actor, ask.origin, seed)
