"""`/link [code] [yes|no]`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.domain.refusal import Refusal
from bot.domain.sanitize import outside
from bot.services.access import ask_to_confirm, confirm_link, decline_link, offer_link
from commands.registry import CommandContext, HelpText, command

ANSWERS = {"": ask_to_confirm, "yes": confirm_link, "no": decline_link}


@command(
    "link",
    "[code] [answer]",
    text=HelpText(
        summary="Link your Slack and GitHub accounts",
        examples=("/link", "/link 7K3M9QRS", "/link 7K3M9QRS yes"),
        spelled="[code] [yes|no]",
    ),
    role="none",
    scope="anywhere",
)
def link(ctx: CommandContext, code: str | None, answer: str | None) -> Result:
    """In Slack, run it without a code to get one that only you can see, then comment `/link <code>` on any pull request
    within ten minutes. The reply names the Slack account; if it is yours, comment `/link <code> yes`. From then on, your
    commands in Slack run with your GitHub permissions. `/unlink` ends that."""
    if code is None:
        return offer_link(ctx.context, ctx.actor)
    respond = ANSWERS.get((answer or "").lower())
    if respond is None:
        raise Refusal(
            "grammar",
            f"`{outside(answer or '')}` is neither `yes` nor `no`.",
            f"Comment `/link {outside(code)} yes`.",
        )
    return respond(ctx.context, ctx.actor, ctx.origin, code)
