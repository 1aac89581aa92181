"""`/link [code]`"""

from __future__ import annotations

from bot.domain.results import Result
from bot.services import linking
from commands.registry import Ask, command


@command(
    "link",
    "[code]",
    role="none",
    repository=False,
    summary="Link your Slack user to your GitHub login",
    examples=("/link", "/link 7K3M9QRS"),
)
def link(ask: Ask, code: str | None) -> Result:
    """In Slack, without a code, you get one that only you see; comment it on any pull request within ten minutes.
    From then on the bot knows that both are you, and asks GitHub what you may do."""
    return linking.confirm(ask.context, ask.actor, code) if code else linking.offer(ask.context, ask.actor)
