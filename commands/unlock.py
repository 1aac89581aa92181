"""`/unlock <env> [stack]`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.services.locks import unlock_target
from commands.registry import CommandContext, HelpText, command
from commands.target_argument import find_target


@command(
    "unlock",
    "<env> [stack]",
    text=HelpText(
        summary="Unlock an environment",
        examples=("/unlock staging",),
    ),
    role="write",
    changes=True,
)
def unlock(ctx: CommandContext, env: str, stack: str | None) -> Result:
    """Releases your lock, or that of your pull request; with the maintain role, any lock. Pull requests that were waiting
    are notified and planned again."""
    target = find_target(ctx, env, stack)
    return unlock_target(ctx.context, target, ctx.actor, ctx.role)
