"""`/unhold <env> [stack]`"""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.results import Result
from bot.services import holding
from commands.registry import Ask, command
from commands.targeting import one_target


@command(
    "unhold",
    "<env> [stack]",
    role="write",
    changes=True,
    summary="Lift the hold that a revert left",
    examples=("/unhold staging",),
)
def unhold(ask: Ask, env: str, stack: str | None) -> Result:
    """After a revert nothing that contains the reverted commit is applied there. This lifts it; in production
    maintainers may."""
    target = one_target(ask, env, stack)
    if isinstance(target, Refused):
        return target
    policy = ask.policy()
    if isinstance(policy, Refused):
        return policy
    production = policy.environments[env].production
    return holding.unhold(ask.context, target, ask.actor, ask.role, production=production)
