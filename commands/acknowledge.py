"""`/acknowledge <env> [stack]`"""

from __future__ import annotations

from bot.domain.chat import Notice, Result
from bot.domain.target import command as spelled
from bot.services.approvals import acknowledge_force
from commands.registry import CommandContext, HelpText, command
from commands.target_argument import find_target


@command(
    "acknowledge",
    "<env> [stack]",
    text=HelpText(
        summary="Acknowledge someone else's forced apply",
        examples=("/acknowledge prod",),
        aliases=("ack",),
    ),
    role="write",
    changes=True,
)
def acknowledge(ctx: CommandContext, env: str, stack: str | None) -> Result:
    """Records that you have reviewed a forced apply (`/apply --force`), which skipped the environment's protections.
    It must be someone other than the person who forced it. Until then, the apply is shown as not acknowledged."""
    target = find_target(ctx, env, stack)
    with ctx.context.store.read() as tables:
        pending = tables.follow_ups.open(target=target)
    if not pending:
        return Notice(
            f"No forced apply to {target} needs acknowledgement.",
            f"Run `{spelled('history', target)}` to see its applies.",
        )
    return acknowledge_force(ctx.context, pending[0], ctx.actor, ctx.role)
