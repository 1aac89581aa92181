"""`/unlink`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.services.access import unlink as end_links
from commands.registry import CommandContext, HelpText, command


@command(
    "unlink",
    text=HelpText(
        summary="End the link of your Slack and GitHub accounts",
        examples=("/unlink",),
    ),
    role="none",
    scope="anywhere",
)
def unlink(ctx: CommandContext) -> Result:
    """In Slack, it ends the link of the Slack account you use it from. On GitHub, it ends the links of all Slack accounts to
    your GitHub account, and tells them. It is recorded in the audit log."""
    return end_links(ctx.context, ctx.actor, ctx.origin)
