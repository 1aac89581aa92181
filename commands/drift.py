"""`/drift [env] [stack]`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.services.drift import request_drift_check, request_drift_checks
from commands.registry import CommandContext, HelpText, command
from commands.target_argument import find_target


@command(
    "drift",
    "[env] [stack]",
    text=HelpText(
        summary="Check for drift",
        examples=("/drift", "/drift staging", "/drift prod network"),
    ),
    role="write",
)
def drift(ctx: CommandContext, env: str | None, stack: str | None) -> Result:
    """Compares the deployed resources with the configuration that was last applied (after a revert: the one that was
    reverted to). The reply shows what was changed outside Terraform, what applying that configuration again would
    change, and earlier results. Nothing is applied or locked. Without an environment, it checks all of them, except
    those that exist once for each pull request."""
    policy, number = ctx.policy(), ctx.pull.number if ctx.pull else 0
    if env is None:
        targets = policy.lasting_targets(ctx.repository)
        return request_drift_checks(ctx.context, targets, policy, number, ctx.actor, ctx.origin)
    target = find_target(ctx, env, stack)
    return request_drift_check(ctx.context, target, policy, number, ctx.actor, ctx.origin)
