"""`/cancel`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.services.runs import cancel_runs
from commands.registry import CommandContext, HelpText, command


@command(
    "cancel",
    text=HelpText(
        summary="Cancel the pull request's runs",
        examples=("/cancel",),
        aliases=("stop",),
    ),
    role="write",
    scope="pull",
    changes=True,
)
def cancel(ctx: CommandContext) -> Result:
    """Cancels queued runs, and interrupts Terraform in running ones: it finishes the operations in progress and saves
    the state, and the status comment shows what is left to do. You can cancel your own runs with the write role, and
    everyone's with the maintain role."""
    return cancel_runs(ctx.context, ctx.require_pull(), ctx.actor, ctx.role)
