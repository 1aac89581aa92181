"""`/lock <env> [reason...]`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.services.locks import lock_target
from commands.registry import CommandContext, HelpText, command
from commands.target_argument import find_target

MAX_REASON = 500
"""Characters of a reason, which is shown in one line."""


@command(
    "lock",
    "<env> [reason...]",
    text=HelpText(
        summary="Lock an environment",
        examples=("/lock staging", "/lock staging load test"),
    ),
    role="write",
    changes=True,
)
def lock(ctx: CommandContext, env: str, reason: str | None) -> Result:
    """Locks an environment, with a reason that everyone can see. Until `/unlock`, all applies are refused, including
    your own. Plans still run."""
    policy = ctx.policy()
    first, _, rest = (reason or "").partition(" ")
    stack = first if first in policy.stacks else None  # "/lock staging network load test" names a stack
    target = find_target(ctx, env, stack)
    shown = (rest if stack else reason or "").strip()[:MAX_REASON]
    return lock_target(
        ctx.context, target, ctx.actor, shown, ctx.origin.url, policy.environments[env].lock_expires
    )
