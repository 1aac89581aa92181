"""`/status`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.services.pulls import pull_status, repository_status
from commands.registry import CommandContext, HelpText, command


@command(
    "status",
    text=HelpText(
        summary="Show the status of every environment",
        examples=("/status",),
        aliases=("st",),
    ),
)
def status(ctx: CommandContext) -> Result:
    """On a pull request, shows each environment's plan, lock, run and next command. Elsewhere, shows what is deployed and
    which environments are locked."""
    return pull_status(ctx.context, ctx.pull) if ctx.pull else repository_status(ctx.context, ctx.repository)
