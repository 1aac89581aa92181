"""`/unhold <env> [stack]`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.services.releases import lift_hold
from commands.registry import CommandContext, HelpText, command
from commands.target_argument import find_target


@command(
    "unhold",
    "<env> [stack]",
    text=HelpText(
        summary="Lift the hold after a revert",
        examples=("/unhold staging",),
    ),
    role="write",
    changes=True,
)
def unhold(ctx: CommandContext, env: str, stack: str | None) -> Result:
    """After a revert, the environment is on hold: no commit that contains the reverted one is applied there. This lifts
    the hold. In production it needs the maintain role."""
    target = find_target(ctx, env, stack)
    policy = ctx.policy()
    production = policy.environments[env].production
    return lift_hold(ctx.context, target, ctx.actor, ctx.role, production=production)
